"""The RunForge conformance suite: whether a client keeps the contract."""

import os
import sys

__version__ = "0.4.0"


def _isolate() -> None:
    """Take the current folder off the path, so that no file of what is judged runs in the judge.

    Nothing is imported here but what Python itself has loaded by then.
    """
    foreign = {"", os.curdir}
    try:
        foreign.add(os.getcwd())
    except OSError:  # It was deleted, and has nothing in it.
        pass
    own = os.path.dirname(os.path.dirname(__file__))
    sys.path[:] = [entry for entry in sys.path if entry not in foreign or entry == own]


# While Python looks for the module of `python -m`, that is what it is called by. A program that
# imports the suite keeps its path.
_program = os.path.basename(sys.argv[0]) if sys.argv else ""
_located = _program == "-m" and any(word.endswith(__name__) for word in sys.orig_argv)
if _located or _program == "runforge-conformance":
    _isolate()
