"""Set up and exit the process of a command, if the process belongs to RunForge.

A program may also call the commands in its own process, whose exit is left alone.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import NoReturn

from runforge_cli.process import interruption

#: Whether the process was started for one command.
_ours = False


def take() -> None:
    """Mark the process as belonging to one command, until :func:`leave`.

    Standard streams that are closed are opened on the null device, so that no other file gets their
    descriptors.
    """
    global _ours
    _ours = True
    if sys.getfilesystemencoding() != "utf-8":
        from runforge_cli.process.encoding import start_in_utf8

        start_in_utf8()
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def prepare_training() -> None:
    """Pin the numeric environment; in RunForge's own process, also preload the libraries."""
    if _ours:
        # Before the run has a folder there is nothing to clean up.
        interruption.end_at_once()
    from runforge_engine.runtime.numeric_environment import pin_environment

    pin_environment()
    load_sparingly()


def load_sparingly() -> None:
    """In RunForge's own process, do not load what the libraries import for other uses."""
    if _ours:
        from runforge_engine.runtime.preload import own_process

        own_process()


def leave(code: int) -> NoReturn:
    """Exit without waiting for native code, which may be running still or crash at an exit."""
    interruption.ended()
    if "numpy" not in sys.modules and not _work_left():
        gc.freeze()  # the last collection would look at everything once more
        sys.exit(code)
    # Threads of the numeric libraries have been seen to crash while the interpreter is finalized.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _work_left() -> bool:
    background = sys.modules.get("runforge_engine.runtime.background")
    return background is not None and background.stragglers_running()
