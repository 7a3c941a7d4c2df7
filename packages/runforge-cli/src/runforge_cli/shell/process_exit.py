"""The process of a command, which may be ours alone or that of a program that calls us."""

from __future__ import annotations

import atexit
import os
import sys
from typing import NoReturn

from runforge_cli.shell import interruption

_ours = False


def take() -> None:
    """Take the process for one command, from here to :func:`leave`.

    Standard streams that it was started without lead nowhere, so that no file gets their numbers.
    """
    global _ours
    _ours = True
    if sys.getfilesystemencoding() != "utf-8":
        from runforge_cli.shell.encoding import start_in_utf8

        start_in_utf8()
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def prepare_training() -> None:
    """Pin the numeric environment; in a process of ours, load the libraries sparingly, too."""
    if _ours:
        # Until the run has its folder there is nothing to unwind.
        interruption.end_at_once()
    from runforge_engine.runtime.numeric_environment import pin_environment

    pin_environment()
    if _ours:
        from runforge_engine.runtime.preload import own_process

        own_process()


def leave(code: int) -> NoReturn:
    """Exit, without waiting for abandoned work that is still in native code."""
    interruption.ended()
    if not _work_left():
        sys.exit(code)
    # A daemon thread in native code would crash, or delay, an ordinary end of the interpreter.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _work_left() -> bool:
    aside = sys.modules.get("runforge_engine.runtime.background")
    return aside is not None and aside.stragglers_running()
