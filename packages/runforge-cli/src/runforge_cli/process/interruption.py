"""Handle Ctrl-C and SIGTERM at any moment of a command: one line, exit code 5, no traceback.

While a command starts, and throughout if it only reads, an interrupt ends the process at once: an
exception raised during an import may be lost or replaced in native code and callbacks. In commands
that write, it raises an exception, so that they clean up. Training handles signals separately, see
:func:`runforge_cli.commands.training_session.cancelled_by_signals`.

Source: Python, "signal", "Note on Signal Handlers and Exceptions".
"""

# The built-in part of `signal`, whose import takes longer than the code that it would protect.
import _signal  # type: ignore[import-not-found, unused-ignore]
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

#: The signals that interrupt a command; programs under Windows send Ctrl-Break.
_NUMBERS = (
    _signal.SIGINT,
    _signal.SIGTERM,
    *((_signal.SIGBREAK,) if sys.platform == "win32" else ()),
)
#: The exit code of :attr:`runforge_contracts.errors.ExitCode.CANCELLED`.
_CANCELLED = 5
_LINE = b"error[CANCELLED]: Interrupted.\n"
_DOCUMENT = b"""\
{
  "error": {
    "code": "CANCELLED",
    "message": "Interrupted."
  }
}
"""

#: Whether the interruption is reported as a JSON document on standard output.
_json = False
#: Whether an interrupt was raised.
_raised = False
#: Called with the signal before the process ends at once.
_last: "Callable[[int], None] | None" = None


def end_at_once(*, json: bool | None = None) -> None:
    """Make an interrupt end the process at once from now on.

    Signals that the parent process set to be ignored, as ``nohup`` does, stay ignored.

    Parameters
    ----------
    json
        Whether to report it as a JSON document on standard output; None keeps the last choice.
    """
    global _json
    if json is not None:
        _json = json
    for number in _NUMBERS:
        if _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, _end)


def before_end(work: "Callable[[int], None]") -> None:
    """Call ``work`` with the number of the signal before an interrupt ends the process at once."""
    global _last
    _last = work


def unwind() -> None:
    """Make the first interrupt raise ``KeyboardInterrupt`` and the second end the process at once.

    Does nothing in a process that :func:`end_at_once` was not called in.
    """
    for number in _NUMBERS:
        if _signal.getsignal(number) == _end:
            _signal.signal(number, _raise)
            sys.unraisablehook = _unraisable


def raised() -> bool:
    """Return whether an interrupt was raised, even if its exception was lost or replaced."""
    return _raised


def report(*, json: bool) -> int:
    """Print that the command was interrupted and return its exit code."""
    ended()
    try:
        os.write(1 if json else 2, _DOCUMENT if json else _LINE)
    except OSError:  # The reader has closed the stream.
        pass
    return _CANCELLED


def ended() -> None:
    """Ignore interrupts from now on, because the process has finished and reported its work."""
    for number in _NUMBERS:
        if _signal.getsignal(number) in (_end, _raise):
            _signal.signal(number, _signal.SIG_IGN)


def end() -> "NoReturn":
    """Print that the command was interrupted, then exit."""
    if not _json and os.isatty(2):
        os.write(2, b"\n")  # The terminal has echoed `^C`.
    os._exit(report(json=_json))


def _end(number: int, frame: object) -> "NoReturn":
    try:
        if _last is not None:
            _last(number)
    finally:
        end()


def _raise(number: int, frame: object) -> "NoReturn":
    global _raised
    _raised = True
    for each in _NUMBERS:
        if _signal.getsignal(each) == _raise:
            _signal.signal(each, _end)
    raise KeyboardInterrupt


def _unraisable(problem: "sys.UnraisableHookArgs") -> None:
    """End the process if the interrupt came in a callback, where it cannot be raised."""
    if issubclass(problem.exc_type, KeyboardInterrupt):
        end()
    sys.__unraisablehook__(problem)
