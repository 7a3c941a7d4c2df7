"""The RunForge conformance suite: test whether a client follows the contract."""

import os
import sys

__version__ = "0.4.0"


def _isolate() -> None:
    """Remove the current folder from ``sys.path``, so that the judge imports no file of the client.

    Import only what Python itself has loaded already.
    """
    foreign = {"", os.curdir}
    try:
        foreign.add(os.getcwd())
    except OSError:  # The folder was deleted.
        pass
    own = os.path.dirname(os.path.dirname(__file__))
    sys.path[:] = [entry for entry in sys.path if entry not in foreign or entry == own]


# During `python -m`, Python sets `sys.argv[0]` to `-m`. A program that imports the suite keeps its
# path.
_program = os.path.basename(sys.argv[0]) if sys.argv else ""
_located = _program == "-m" and any(word.endswith(__name__) for word in sys.orig_argv)
if _located or _program == "runforge-conformance":
    _isolate()
