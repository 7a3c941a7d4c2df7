"""Processes as POSIX systems have them.

Source: setsid(2), killpg(3), waitid(2); PR_SET_PDEATHSIG(2const).
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

assert sys.platform != "win32"  # noqa: S101 - for type checkers

#: Signals that ask a process to end, besides Ctrl-C.
END_REQUESTS = (signal.SIGTERM,)

_PR_SET_PDEATHSIG = 1


def apart() -> dict[str, Any]:
    """Return the options of a process that Ctrl-C in this terminal does not reach."""
    return {"start_new_session": True}


class SessionProcess(subprocess.Popen[bytes]):
    """A process in a session of its own, with all that it starts and that stays in its group.

    Parameters
    ----------
    command
        Program and arguments; no shell is involved.
    inherited
        Descriptors that it inherits.
    bound
        Whether it ends with this process, where the system supports that.
    options
        Of :class:`subprocess.Popen`.
    """

    #: Whether :meth:`ask` sends the signal that it is given.
    gets_signals = True

    def __init__(
        self,
        command: Sequence[str],
        *,
        inherited: Sequence[int] = (),
        bound: bool = False,
        **options: Any,
    ) -> None:
        if bound and sys.platform == "linux":
            options["preexec_fn"] = _die_with_parent()
        with warnings.catch_warnings():
            # Only one system call is made between fork and exec, which is safe with threads.
            warnings.simplefilter("ignore", DeprecationWarning)
            super().__init__(command, **apart(), pass_fds=tuple(inherited), **options)

    @staticmethod
    def lend(descriptor: int) -> tuple[int, str]:
        """Return what the process inherits of a descriptor, and the argument that names it."""
        return descriptor, str(descriptor)

    def has_ended(self) -> bool:
        """Return whether it has ended; its id stays reserved, so its group can be killed."""
        if hasattr(os, "waitid"):  # not on macOS, before Python 3.13
            options = os.WEXITED | os.WNOHANG | os.WNOWAIT
            return os.waitid(os.P_PID, self.pid, options) is not None
        return self.poll() is not None

    def ask(self, number: int) -> None:
        """Send a signal to all processes of the group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def kill_all(self) -> None:
        """End all processes of the group at once."""
        self.ask(signal.SIGKILL)

    def is_any_alive(self) -> bool:
        """Return whether a process of the group is still there."""
        try:
            os.killpg(self.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True


def _die_with_parent() -> Callable[[], None] | None:
    """Return a function that makes a new process end with this one; None if unsupported."""
    import ctypes

    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return None
    kill, parent = int(signal.SIGKILL), os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, kill)
        if os.getppid() != parent:
            os._exit(kill)

    return ask


def descriptor_from(argument: str) -> int:
    """Return the descriptor that this process inherited, from the argument that names it."""
    descriptor = int(argument)
    os.set_inheritable(descriptor, False)
    return descriptor


def wait_for_input(descriptor: int, seconds: float) -> bool:
    """Wait until there is something to read, or the end; return False if nothing came in time."""
    return bool(select.select([descriptor], [], [], seconds)[0])


def signal_name(returncode: int) -> str | None:
    """Return the name of the signal that ended a process, such as ``SIGKILL``; None for none."""
    if returncode >= 0:
        return None
    try:
        return signal.Signals(-returncode).name
    except ValueError:  # a real-time signal without a name
        if sys.platform == "linux":
            return f"SIGRTMIN+{-returncode - signal.SIGRTMIN}"
        else:  # noqa: RET505 - for type checkers
            return f"signal {-returncode}"
