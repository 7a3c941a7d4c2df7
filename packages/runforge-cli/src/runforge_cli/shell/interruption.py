"""Ctrl-C and SIGTERM at any moment of a command: one line and exit code 5, never a traceback.

From the first line of a command to its work, and throughout where it only reads, the process ends
at once: an exception that is raised in the midst of an import is lost, or becomes another one, in
native code and in callbacks. Commands that write are unwound, so that they tidy up; and runs have
signals of their own, see :func:`runforge_cli.shell.training.cancelled_by_signals`.

Source: Python, "signal", "Note on Signal Handlers and Exceptions".
"""

# The built-in half of `signal`, which takes longer to import than what it is to protect.
import _signal  # type: ignore[import-not-found, unused-ignore]
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

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

#: Whether the end is told as a JSON document on standard output.
_json = False
#: Whether an interrupt was raised.
_raised = False


def end_at_once(*, json: bool | None = None) -> None:
    """End the process at once when it is interrupted from now on.

    What the starter of the process wants to be ignored, as ``nohup`` does, stays ignored.

    Parameters
    ----------
    json
        Whether that is told as a JSON document on standard output; as before where it is None.
    """
    global _json
    if json is not None:
        _json = json
    for number in (_signal.SIGINT, _signal.SIGTERM):
        if _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, _end)


def unwind() -> None:
    """Raise ``KeyboardInterrupt`` at the first interrupt from now on; the second ends at once.

    Does nothing in a process that is not ours.
    """
    for number in (_signal.SIGINT, _signal.SIGTERM):
        if _signal.getsignal(number) == _end:
            _signal.signal(number, _raise)
            sys.unraisablehook = _unraisable


def raised() -> bool:
    """Tell whether an interrupt was raised, whatever has become of the exception."""
    return _raised


def tell(*, json: bool) -> int:
    """Say that the call was interrupted and return its exit code."""
    ended()
    try:
        os.write(1 if json else 2, _DOCUMENT if json else _LINE)
    except OSError:  # Nobody listens any more.
        pass
    return _CANCELLED


def ended() -> None:
    """Let the process end in peace: its work is done and told, or is about to be."""
    for number in (_signal.SIGINT, _signal.SIGTERM):
        if _signal.getsignal(number) in (_end, _raise):
            _signal.signal(number, _signal.SIG_IGN)


def end() -> "NoReturn":
    """Say that the call was interrupted, and end the process."""
    if not _json and os.isatty(2):
        os.write(2, b"\n")  # The terminal shows a `^C`.
    os._exit(tell(json=_json))


def _end(number: int, frame: object) -> "NoReturn":
    end()


def _raise(number: int, frame: object) -> "NoReturn":
    global _raised
    _raised = True
    for each in (_signal.SIGINT, _signal.SIGTERM):
        if _signal.getsignal(each) == _raise:
            _signal.signal(each, _end)
    raise KeyboardInterrupt


def _unraisable(problem: "sys.UnraisableHookArgs") -> None:
    """End the process, too, where the interrupt came in a callback, which cannot raise it."""
    if issubclass(problem.exc_type, KeyboardInterrupt):
        end()
    sys.__unraisablehook__(problem)
