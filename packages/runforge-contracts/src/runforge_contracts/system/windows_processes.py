"""Processes as Windows has them.

A process and all that it starts are in a job, which ends them together, also where this process is
killed. Descriptors are inherited as handles.

Source: Microsoft, "Job Objects", "Console Control Handlers"; Python, "subprocess", ``STARTUPINFO``.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from runforge_contracts.system import windows_api as api

#: Signals that ask a process to end, besides Ctrl-C: another program sends Ctrl-Break.
END_REQUESTS: tuple[signal.Signals, ...] = tuple(
    signal.Signals[name] for name in ("SIGTERM", "SIGBREAK") if name in signal.Signals.__members__
)

#: ``CREATE_SUSPENDED``, ``CREATE_NEW_PROCESS_GROUP``, ``CTRL_BREAK_EVENT``.
_SUSPENDED, _GROUP, _BREAK = 0x4, 0x200, 1
#: Exit codes above this one are statuses of the system, such as ``STATUS_ACCESS_VIOLATION``.
_STATUSES = 0xC0000000
_NAMES = {
    0xC0000005: "STATUS_ACCESS_VIOLATION",
    0xC0000017: "STATUS_NO_MEMORY",
    0xC00000FD: "STATUS_STACK_OVERFLOW",
    0xC000013A: "STATUS_CONTROL_C_EXIT",
    0xC0000374: "STATUS_HEAP_CORRUPTION",
    0xC0000409: "STATUS_STACK_BUFFER_OVERRUN",
}


def apart() -> dict[str, Any]:
    """Return the options of a process that Ctrl-C in this terminal does not reach."""
    return {"creationflags": _GROUP}


class JobProcess(subprocess.Popen[bytes]):
    """A process in a job of its own, with all that it starts.

    Parameters
    ----------
    command
        Program and arguments; no shell is involved.
    inherited
        Handles that it inherits.
    bound
        Has no effect: the processes of a job always end with this process.
    options
        Of :class:`subprocess.Popen`.
    """

    #: Whether :meth:`ask` sends the signal that it is given.
    gets_signals = False

    _job: int | None = None

    def __init__(
        self,
        command: Sequence[str],
        *,
        inherited: Sequence[int] = (),
        bound: bool = False,
        **options: Any,
    ) -> None:
        if inherited:
            for handle in inherited:
                _os("set_handle_inheritable")(handle, True)
            started: Any = vars(subprocess)["STARTUPINFO"]()
            started.lpAttributeList = {"handle_list": list(inherited)}
            options["startupinfo"] = started
        # It must start nothing before it is in the job.
        super().__init__(command, creationflags=_GROUP | _SUSPENDED, **options)
        handle = int(vars(self)["_handle"])
        kernel = api.kernel()
        limits = api.JobLimits(flags=api.KILL_ON_CLOSE)
        job = kernel.CreateJobObjectW(None, None)
        if job and not (
            kernel.SetInformationJobObject(
                job, api.LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)
            )
            and kernel.AssignProcessToJobObject(job, handle)
        ):
            kernel.CloseHandle(job)
            job = None
        self._job = job
        api.native().NtResumeProcess(handle)

    @staticmethod
    def lend(descriptor: int) -> tuple[int, str]:
        """Return what the process inherits of a descriptor, and the argument that names it."""
        handle = int(api.runtime().get_osfhandle(descriptor))
        return handle, str(handle)

    def has_ended(self) -> bool:
        """Return whether it has ended."""
        return self.poll() is not None

    def ask(self, number: int) -> None:
        """Press Ctrl-Break for all processes of the group, whatever the signal: there is no other.

        Those that do not handle it end at once.
        """
        try:
            os.kill(self.pid, _BREAK)
        except OSError:  # It has ended, or has no console.
            return

    def kill_all(self) -> None:
        """End all processes of the job at once."""
        if self._job is None:
            self.kill()
        else:
            api.kernel().TerminateJobObject(self._job, 1)

    def is_any_alive(self) -> bool:
        """Return whether a process of the job is still there."""
        if self._job is None:
            return self.poll() is None
        counts = api.JobAccounting()
        asked = api.kernel().QueryInformationJobObject(
            self._job, api.ACCOUNTING, ctypes.byref(counts), ctypes.sizeof(counts), None
        )
        return bool(asked and counts.active_processes)

    def __del__(self, *arguments: Any) -> None:
        """Close the job, which ends what is left of it."""
        job, self._job = self._job, None
        if job is not None and not sys.is_finalizing():
            api.kernel().CloseHandle(job)
        super().__del__(*arguments)


def _os(name: str) -> Any:
    # Found by name: type checkers know these functions on Windows only.
    return vars(os)[name]


def descriptor_from(argument: str) -> int:
    """Return the descriptor that this process inherited, from the argument that names it."""
    handle = int(argument)
    _os("set_handle_inheritable")(handle, False)
    return int(api.runtime().open_osfhandle(handle, os.O_WRONLY))


def wait_for_input(descriptor: int, seconds: float) -> bool:
    """Return True: the process that reads ends with its job, so it can wait for ever."""
    return True


def signal_name(returncode: int) -> str | None:
    """Return the name of the failure that ended a process; None if it ended by itself."""
    if returncode < _STATUSES:
        return None
    return _NAMES.get(returncode, f"status {returncode:#x}")
