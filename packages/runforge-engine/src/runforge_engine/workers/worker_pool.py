"""A pool of worker processes: it gives them tasks, and passes on what they say.

The processes are started as new programs, so a program that uses the pool needs no guard around its
main code, and nothing is inherited from its threads. All methods may be called from any thread.
"""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import msgspec
from runforge_contracts.diagnostics import Diagnostic
from runforge_contracts.display import printable, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import writing
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.system.system_processes import GroupProcess, signal_name

from runforge_engine.provenance.collect import RemoteOrigin
from runforge_engine.runtime.interpreter import own_command, own_environment
from runforge_engine.workers.worker_messages import (
    BrokenFrameError,
    RunDiagnostic,
    RunEnded,
    RunEvent,
    RunMessage,
    RunRefused,
    RunStarted,
    RunTask,
    WorkerLost,
    read_frame,
    write_frame,
)

_PROGRAM = "runforge_engine.workers.run_worker"
_CANCELLED = "The run was cancelled."
#: Maximum length of the error output that is shown for a process that died, in bytes.
_LAST_WORDS = 2000
#: How long a process may take to end once it has said its last, in seconds.
_ENDING = 2.0


class WorkerPool:
    """Up to ``jobs`` processes that execute tasks, in the order in which they were submitted.

    Parameters
    ----------
    jobs
        How many runs may be executed at the same time.
    store
        The store that the runs belong to.
    private
        Whether to leave out of the records what identifies a person or a machine; None reads
        ``RUNFORGE_PRIVATE``.
    threads
        Threads of a fit that can use several; None for all usable cores. It does not change a bit
        of the model.
    shared
        A folder for data that the workers share, made when it is needed and removed by
        :meth:`close`; by default one among the system's temporary files.
    together
        Whether the runs belong together: then datasets, the state of the Git repository and what
        is known of the machine are read once for all of them. Otherwise each run reads anew.
    inherited
        Descriptors that the processes keep open until they end, such as that of a lock.
    variables
        Environment variables of the processes, besides those of this one.
    origin
        The origin of runs whose workspace is not on this machine.
    """

    def __init__(
        self,
        jobs: int,
        store: StoreLayout,
        *,
        private: bool | None = None,
        threads: int | None = 1,
        shared: Path | None = None,
        together: bool = True,
        inherited: Sequence[int] = (),
        variables: Mapping[str, str] | None = None,
        origin: RemoteOrigin | None = None,
    ) -> None:
        self._jobs, self._store, self._private = jobs, store, private
        self._threads, self._shared, self._together = threads, shared, together
        self._lock = threading.RLock()
        self._workers: list[_WorkerProcess] = []
        self._waiting: deque[RunTask] = deque()
        self._messages: queue.SimpleQueue[RunMessage] = queue.SimpleQueue()
        self._closed = self._has_folder = False
        self._inherited = tuple(inherited)
        self._origin = origin
        self._environment = own_environment({**os.environ, **(variables or {})}, Path())

    def start(self) -> None:
        """Start all processes, so that they load their libraries before the first task.

        Raises
        ------
        RunForgeError
            ``INTERNAL`` where no process can be started, ``STORE_NOT_WRITABLE``.
        """
        with self._lock:
            while len(self._workers) < self._jobs:
                self._add_worker(warm=True)

    def submit(self, task: RunTask) -> None:
        """Execute a task as soon as a worker is free.

        Raises
        ------
        RunForgeError
            ``INTERNAL`` where no process can be started, ``STORE_NOT_WRITABLE``.
        """
        with self._lock:
            if self._closed:
                raise RunForgeError(ErrorCode.INTERNAL, "The pool is closed.")
            self._waiting.append(task)
        self._distribute()

    def poll(self, timeout: float) -> list[RunMessage]:
        """Return the messages that have arrived; wait for the first up to ``timeout`` seconds."""
        messages: list[RunMessage] = []
        with suppress(queue.Empty):
            messages.append(self._messages.get(timeout=timeout))
            while True:
                messages.append(self._messages.get_nowait())
        return messages

    @property
    def waiting(self) -> list[int]:
        """The numbers of the tasks that no worker has."""
        with self._lock:
            return [task.number for task in self._waiting]

    @property
    def running(self) -> list[int]:
        """The numbers of the tasks that a worker has."""
        with self._lock:
            return [worker.number for worker in self._workers if worker.number is not None]

    def cancel(self, number: int | None = None, reason: str = _CANCELLED) -> None:
        """Cancel a task, or all of them.

        A running one ends within two seconds, recorded as cancelled, with :class:`RunEnded`; or
        with :class:`RunRefused` where it had no folder. A waiting one is dropped without a
        message.
        """
        with self._lock:
            self._waiting = deque(
                task for task in self._waiting if number is not None and task.number != number
            )
            asked = [
                (worker, worker.number)
                for worker in self._workers
                if worker.number is not None and number in (None, worker.number)
            ]
        for worker, task in asked:
            worker.send({"cancel": task, "reason": reason})

    def close(self, patience: float = 2.0) -> None:
        """Cancel everything, wait for the processes, and kill those that have not ended in time.

        What they said can still be received with :meth:`poll`.
        """
        with self._lock:
            self._closed = True
            self._waiting.clear()
            workers = [*self._workers]
        self.cancel(reason="The runs were ended.")
        for worker in workers:
            worker.close_input()
        deadline = time.monotonic() + patience
        for worker in workers:
            worker.wait(max(deadline - time.monotonic(), 0))
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.join()
        if self._shared is not None and self._has_folder:
            shutil.rmtree(self._shared, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _distribute(self) -> None:
        """Give waiting tasks to free workers, starting as many as may be."""
        while True:
            with self._lock:
                if not self._waiting or self._closed:
                    return
                free = [worker for worker in self._workers if worker.is_free]
                if not free and len(self._workers) >= self._jobs:
                    return
                # One that has loaded its libraries before one that still does.
                worker = max(free, key=lambda one: one.ready) if free else self._add_worker()
                task = self._waiting.popleft()
                worker.number, worker.run_id = task.number, None
            worker.send({"run": task.to_dict()})

    def _add_worker(self, *, warm: bool = False) -> _WorkerProcess:
        if self._together and not self._has_folder:
            self._shared = _new_folder(self._shared)
            self._has_folder = True
        worker = _WorkerProcess(self._environment, self._on_message, self._on_end, self._inherited)
        self._workers.append(worker)
        worker.send(
            {
                "hello": {
                    "workspace": str(self._store.workspace),
                    "store": self._store.name,
                    "private": self._private,
                    "threads": self._threads,
                    "jobs": self._jobs,
                    "shared": str(self._shared) if self._together else None,
                    "warm": warm,
                    "origin": None if self._origin is None else asdict(self._origin),
                }
            }
        )
        return worker

    def _on_message(self, worker: _WorkerProcess, raw: dict[str, Any]) -> None:
        """Pass on what a worker says; called in the thread that listens to it."""
        if "ready" in raw:
            worker.ready = True
            return
        message = _message_of(raw)
        if isinstance(message, RunStarted):
            worker.run_id = message.run_id
        ended = isinstance(message, RunEnded | RunRefused)
        if ended:
            worker.forget_output()
            worker.leaving = raw["leaving"]
            with self._lock:
                worker.number = None
        self._messages.put(message)
        if ended:
            self._refill()

    def _on_end(self, worker: _WorkerProcess) -> None:
        """Report a lost task, and replace the worker where others wait; called in its thread."""
        reason = worker.cause()
        with self._lock:
            self._workers.remove(worker)
            number = worker.number
        if number is not None:
            self._messages.put(WorkerLost(number, worker.run_id, reason))
        self._refill()

    def _refill(self) -> None:
        try:
            self._distribute()
        except RunForgeError as error:
            with self._lock:
                if self._workers:
                    return
                refused = [*self._waiting]
                self._waiting.clear()
            for task in refused:
                self._messages.put(RunRefused(task.number, error))


def _new_folder(path: Path | None) -> Path:
    """Return an empty folder that no other user can write to, instead of what has its name."""
    if path is None:
        return Path(tempfile.mkdtemp(prefix="runforge-"))
    with writing(path):
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.exists():
            shutil.rmtree(path)
        path.mkdir(mode=0o700)
    return path


class _WorkerProcess:
    """One process, and the thread that listens to it."""

    def __init__(
        self,
        environment: Mapping[str, str],
        on_message: Callable[[_WorkerProcess, dict[str, Any]], None],
        on_end: Callable[[_WorkerProcess], None],
        inherited: Sequence[int] = (),
    ) -> None:
        #: The task that it has, and the run once that has a folder.
        self.number: int | None = None
        self.run_id: str | None = None
        #: Whether its libraries are loaded.
        self.ready = False
        #: Whether it takes no more tasks.
        self.leaving = False
        self._sending = threading.Lock()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it has ended
        if not sys.executable:
            raise RunForgeError(
                ErrorCode.INTERNAL, "The interpreter does not know its own program."
            )
        # Not the standard output: what is printed there before the program begins is no message.
        self._output, outlet = os.pipe()
        try:
            lent, argument = GroupProcess.lend(outlet)
            # Ctrl-C on the terminal is handled by the caller only.
            self._process = GroupProcess(
                own_command(_PROGRAM, argument),
                inherited=(lent, *inherited),
                env=environment,
                stdin=subprocess.PIPE,
                stdout=self._errors,
                stderr=self._errors,
                bufsize=0,
            )
        except OSError as error:
            self._errors.close()
            os.close(self._output)
            raise RunForgeError(
                ErrorCode.INTERNAL, f"No process can be started: {error.strerror or error}."
            ) from error
        finally:
            os.close(outlet)
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        self._input = self._process.stdin
        self._on_message, self._on_end = on_message, on_end
        self._thread = threading.Thread(target=self._listen, name="runforge-pool", daemon=True)
        self._thread.start()

    @property
    def is_free(self) -> bool:
        """Whether it can take a task."""
        return self.number is None and not self.leaving

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; one that has ended is noticed by the thread that listens to it."""
        # Not to wait for ever for a process that was stopped and does not read.
        if self._sending.acquire(timeout=1.0):
            try:
                with suppress(OSError, ValueError):
                    write_frame(self._input.fileno(), message)
            finally:
                self._sending.release()
        else:
            self.kill()

    def close_input(self) -> None:
        """Tell the process that nobody needs it any more."""
        self.leaving = True
        if self._sending.acquire(timeout=0.1):
            try:
                with suppress(OSError):
                    self._input.close()
            finally:
                self._sending.release()

    def wait(self, seconds: float) -> None:
        """Wait for the end of the process, but no longer than that."""
        self._thread.join(seconds)

    def kill(self) -> None:
        """End the process at once, and those that it has started."""
        if self._thread.is_alive():
            self._process.kill_all()

    def join(self) -> None:
        """Wait until everything that the process has said was passed on."""
        self._thread.join()

    def forget_output(self) -> None:
        """Throw away what libraries have printed: their process is alive."""
        with suppress(OSError):
            self._errors.seek(0)
            self._errors.truncate()

    def cause(self) -> str:
        """Return how the process has ended."""
        code = self._process.wait()
        if name := signal_name(code):
            return f"it was ended by {name}"
        self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(self._errors.tell() - _LAST_WORDS, 0))
        lines = self._errors.read().decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f"it ended with code {code}" + (f": {printable(shorten(last, 300))}" if last else "")

    def _listen(self) -> None:
        try:
            while (message := read_frame(self._output)) is not None:
                for one in message["several"]:
                    self._on_message(self, one)
        except (OSError, BrokenFrameError, KeyError, TypeError, ValueError, msgspec.MsgspecError):
            self.kill()  # It says what nobody understands.
        self.leaving = True
        try:
            self._process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process.wait()
        self._on_end(self)
        self._errors.close()
        with suppress(OSError):
            os.close(self._output)
        with suppress(OSError):
            self._input.close()


def _message_of(raw: dict[str, Any]) -> RunMessage:
    if "event" in raw:
        return RunEvent(raw["number"], raw["event"])
    if "diagnostic" in raw:
        return RunDiagnostic(raw["number"], msgspec.convert(raw["diagnostic"], Diagnostic))
    if "started" in raw:
        return RunStarted(raw["started"], raw["run_id"])
    if "refused" in raw:
        return RunRefused(raw["refused"], RunForgeError.from_dict(raw["error"]))
    error = raw["error"]
    return RunEnded(
        number=raw["ended"],
        run_id=raw["run_id"],
        run_dir=Path(raw["run_dir"]),
        status=raw["status"],
        error=None if error is None else RunForgeError.from_dict(error),
        result=raw["result"],
    )
