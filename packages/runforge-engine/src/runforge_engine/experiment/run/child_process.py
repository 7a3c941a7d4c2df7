"""Run user code in a separate process group that is always ended as a whole.

Source: specification, section 17.6.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.system.system_processes import GroupProcess, signal_name

from runforge_engine.experiment.run.output_tee import Show, Tee
from runforge_engine.runtime.cancellation import Cancellation

#: Time that user code has to end after a request to end, in seconds.
GRACE = 1.0
#: Intervals at which user code is polled, in seconds: longer where it runs longer.
_PAUSE, _LONGEST_PAUSE = 0.01, 0.1
#: Maximum time to wait for killed processes to end, in seconds.
_BURIAL = 0.3


@dataclass(frozen=True, slots=True)
class Ending:
    """How user code ended."""

    #: Exit code of the system: negative where a signal ended user code.
    returncode: int
    #: The end of its output.
    tail: bytes
    #: Whether it was asked to end.
    cancelled: bool

    @property
    def signal(self) -> str | None:
        """Name of the signal that ended user code, such as ``SIGKILL``."""
        return signal_name(self.returncode)


def run_user_code(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    show: Show | None,
    cancellation: Cancellation,
    meanwhile: Callable[[], None],
) -> Ending:
    """Run ``command`` until it ends, or is cancelled, and return how it ended.

    When it returns, no process of the group is alive and nothing is written to the log any more.
    A process that leaves the group is not followed.

    Parameters
    ----------
    command
        Program and arguments; no shell is involved.
    folder
        The working directory.
    environment
        All variables.
    log
        A file, to which standard output and error are appended in the order of arrival.
    show
        Called with each piece of the output.
    cancellation
        Requests the end: the signal is sent to all processes of the group, and those left after
        :data:`GRACE` are killed.
    meanwhile
        Called at least ten times a second.

    Raises
    ------
    RunForgeError
        ``EXPERIMENT_FAILED`` where it cannot be started.
    OSError
        Where the log cannot be written.
    """
    with log.open("ab", buffering=0) as file:
        reading, writing = os.pipe()
        try:
            process = _start(command, folder, environment, writing)
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        with cancellation.at_once(process.kill_all):
            tee = Tee(reading, file, show)
            try:
                cancelled = _attend(process, tee, cancellation, meanwhile)
            finally:
                _end(process)
                tail = tee.finish(lambda: cancellation.look() is not None)
                with contextlib.suppress(OSError):
                    os.close(reading)
        if tee.failure is not None:
            raise tee.failure
        return Ending(process.returncode, tail, cancelled)


def _start(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], output: int
) -> GroupProcess:
    try:
        return GroupProcess(
            command,
            bound=True,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise RunForgeError(
            ErrorCode.EXPERIMENT_FAILED,
            f"{quote(command[0], 200)} cannot be started: {reason}.",
            hint="`run` in the experiment file says what is started.",
        ) from error


def _attend(
    process: GroupProcess,
    tee: Tee,
    cancellation: Cancellation,
    meanwhile: Callable[[], None],
) -> bool:
    """Wait until user code ends; return whether it was asked to end."""
    deadline: float | None = None
    began = time.monotonic()
    while not process.has_ended():
        if tee.failure is not None:
            return False
        if deadline is None and cancellation.look() is not None:
            deadline = time.monotonic() + GRACE
            tee.hurry()
            process.ask(cancellation.signal or signal.SIGTERM)
        elif deadline is not None and time.monotonic() > deadline:
            return True
        meanwhile()
        time.sleep(min(max(_PAUSE, (time.monotonic() - began) / 50), _LONGEST_PAUSE))
    return deadline is not None


def _end(process: GroupProcess) -> None:
    """Kill the rest of the group, wait for it and release the id."""
    process.kill_all()
    process.wait()
    deadline = time.monotonic() + _BURIAL
    while process.is_any_alive() and time.monotonic() < deadline:
        time.sleep(_PAUSE)
