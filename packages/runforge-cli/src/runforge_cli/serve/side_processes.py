"""Processes for the methods that load the numeric libraries: `inspect` and `report`.

They keep those libraries, and native code that reads files from elsewhere, out of the process that
talks to the client. One is kept for the next request, and ends when it was not needed for a minute.
"""

from __future__ import annotations

import os
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.system.system_processes import apart
from runforge_engine.runtime.interpreter import own_command, own_environment
from runforge_engine.workers.worker_messages import BrokenFrameError, read_frame, write_frame

from runforge_cli.serve.call import Call

_PROGRAM = "runforge_cli.serve.side_work"
#: How long a process that nobody needs is kept, in seconds.
_KEPT = 60.0


class SideProcesses:
    """The processes; the methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: set[_SideProcess] = set()
        self._idle: _SideProcess | None = None
        self._timer: threading.Timer | None = None

    def ask(self, call: Call, task: dict[str, Any]) -> Any:
        """Return the answer to a task; the end of the request ends the process.

        Raises
        ------
        RunForgeError
            The error of the task; ``WORKER_LOST`` where the process died.
        """
        process, used = self._take()
        try:
            answer = self._answer(call, process, task)
        except RunForgeError:
            if not used or call.answered:
                raise
            # It had died before it got the task, or by what it had done before.
            answer = self._answer(call, self._start(), task)
        for warning in answer.get("warnings", ()):
            call.warn(warning)
        if "error" in answer:
            raise RunForgeError.from_dict(answer["error"])
        return answer["result"]

    def close(self) -> None:
        """End all processes at once; they write nothing."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            processes = [*self._all]
        for process in processes:
            process.kill()

    def _answer(self, call: Call, process: _SideProcess, task: dict[str, Any]) -> dict[str, Any]:
        call.on_cancel = process.abandon
        try:
            return process.ask(task)
        finally:
            self._put_back(process)

    def _take(self) -> tuple[_SideProcess, bool]:
        """Return a process, and whether it had a task before."""
        with self._lock:
            process, self._idle = self._idle, None
        if process is not None:
            return process, True
        return self._start(), False

    def _start(self) -> _SideProcess:
        process = _SideProcess()
        with self._lock:
            self._all.add(process)
        return process

    def _put_back(self, process: _SideProcess) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if process.is_alive and self._idle is None:
                self._idle = process
                self._timer = threading.Timer(_KEPT, self._let_go)
                self._timer.daemon = True
                self._timer.start()
                return
            self._all.discard(process)
        process.kill()

    def _let_go(self) -> None:
        with self._lock:
            process, self._idle = self._idle, None
            if process is not None:
                self._all.discard(process)
        if process is not None:
            process.kill()


class _SideProcess:
    """One process, which has one task at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            own_command(_PROGRAM),
            env=own_environment(os.environ, Path()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            # Ctrl-C on a terminal is handled by the server only.
            **apart(),
        )
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        assert self._process.stdout is not None  # noqa: S101
        self._input, self._output = self._process.stdin, self._process.stdout
        self._abandoned = False

    @property
    def is_alive(self) -> bool:
        """Whether it can take a task."""
        return not self._abandoned and self._process.poll() is None

    def ask(self, task: dict[str, Any]) -> dict[str, Any]:
        """Return what the process answers."""
        try:
            write_frame(self._input.fileno(), task)
            answer = read_frame(self._output.fileno())
        except (OSError, ValueError, BrokenFrameError):
            answer = None
        if answer is None:
            self.kill()
            raise RunForgeError(
                ErrorCode.WORKER_LOST,
                f"The process that executed the request ended with code {self._process.returncode}"
                " and without an answer.",
                hint="Try again; a file that ends it each time is damaged, or too large.",
            )
        return answer

    def abandon(self) -> bool:
        """End the process, because its answer is not needed."""
        self._abandoned = True
        self._process.kill()
        return False

    def kill(self) -> None:
        """End the process at once."""
        self._abandoned = True
        self._process.kill()
        self._process.wait()
        for stream in (self._input, self._output):
            with suppress(OSError):
                stream.close()
