"""The process of a worker: execute one run after another, as the pool asks.

Tasks come through the original standard input, which is moved to another descriptor first, and
messages go to a pipe of their own, so no library and no child process can disturb them.
When the input is closed the pool is gone: the run is cancelled, recorded, and the process ends.
"""

from __future__ import annotations

import os
import queue
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from runforge_contracts.diagnostics import Diagnostic, raw_diagnostic
from runforge_contracts.documents import Document
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.system.system_processes import descriptor_from, wait_for_input
from runforge_contracts.types import RequestV1
from runforge_contracts.validation import validate

from runforge_engine.data.dataset_source import dataset_path
from runforge_engine.pipeline.execute import ExecutionResult, execute
from runforge_engine.pipeline.observer import Observer
from runforge_engine.pipeline.request import prepare
from runforge_engine.pipeline.run_inputs import RunInputs
from runforge_engine.pipeline.shared_inputs import SharedInputs
from runforge_engine.provenance.collect import RemoteOrigin
from runforge_engine.runtime.background import stragglers_running
from runforge_engine.runtime.cancellation import Cancellation
from runforge_engine.runtime.numeric_environment import pin_environment
from runforge_engine.runtime.preload import Libraries, own_process
from runforge_engine.workers.worker_messages import (
    BrokenFrameError,
    RunTask,
    read_frame,
    write_frame,
)

#: Within how many seconds a worker ends whose pool is gone.
END_WITHIN = 2.0
#: How often a worker looks whether its parent lives, in seconds. A process that the parent has
#: forked may keep the pipe open.
_LOOK = 0.5
#: How long native code may go on that was asked to stop, before its process ends instead.
_STRAGGLING = 0.1

#: Messages that follow each other within this time are sent together, in seconds.
_TOGETHER = 0.05
#: Events after which nothing may happen for long.
_LASTING = frozenset({"run_start", "train_started", "train_progress", "train_finished"})

_GONE = "The program that started the run has ended."


class _Job(NamedTuple):
    task: dict[str, Any]
    cancellation: Cancellation


class Worker:
    """The state of the process."""

    def __init__(self, inlet: int, outlet: int) -> None:
        self._inlet, self._outlet = inlet, outlet
        self._writing = threading.Lock()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._current: _Job | None = None
        self._parent = os.getppid()
        self._settings: dict[str, Any] = {}
        self._gone = False
        self._unsent: list[dict[str, Any]] = []
        self._sent = 0.0
        self._inputs = RunInputs()

    def serve(self) -> None:
        """Execute tasks until the pool closes the input."""
        hello = read_frame(self._inlet)
        if hello is None:
            return
        self._settings = hello["hello"]
        threading.Thread(target=self._listen, name="runforge-worker", daemon=True).start()
        signal.signal(signal.SIGTERM, self._on_terminate)
        self._inputs = _inputs_of(self._settings)
        _prepare(self._settings)
        self.say({"ready": os.getpid()})
        while (job := self._jobs.get()) is not None:
            answer = self._answer(job)
            self._current = None
            # Native code that has not ended would slow down every later run.
            leaving = _is_straggling() or self._gone
            self.say({**answer, "leaving": leaving})
            if leaving:
                return

    def say(self, message: dict[str, Any]) -> None:
        """Send a message to the pool, after those that are waiting to be sent."""
        try:
            with self._writing:
                write_frame(self._outlet, {"several": [*self._unsent, message]})
                self._unsent.clear()
                self._sent = time.monotonic()
        except OSError:
            self._leave()

    def say_soon(self, message: dict[str, Any]) -> None:
        """Send a message with the next one, if that is not long in coming.

        In a short run each message would wake up the pool for nothing.
        """
        if time.monotonic() - self._sent > _TOGETHER:
            self.say(message)
        else:
            self._unsent.append(message)

    def _answer(self, job: _Job) -> dict[str, Any]:
        number = job.task["number"]
        try:
            outcome = self._execute(job)
        except RunForgeError as error:
            return {"refused": number, "error": error.to_dict()}
        except MemoryError:
            lack = RunForgeError(
                ErrorCode.MEMORY_INSUFFICIENT, "There was not enough memory for the run."
            )
            return {"refused": number, "error": lack.to_dict()}
        except Exception as failure:  # noqa: BLE001 - the pool has no other way to learn of it
            text = f"RunForge failed: {type(failure).__name__}: {failure}"
            return {"refused": number, "error": RunForgeError(ErrorCode.INTERNAL, text).to_dict()}
        return {
            "ended": number,
            "run_id": outcome.run_id,
            "run_dir": str(outcome.run_dir),
            "status": outcome.status,
            "error": None if outcome.error is None else outcome.error.to_dict(),
            "result": outcome.result,
        }

    def _execute(self, job: _Job) -> ExecutionResult:
        task, store = RunTask.from_dict(job.task), _store_of(self._settings)
        validate(task.request, "request.v1")
        request = prepare(Document[RequestV1](task.request, "request.v1"), task.cli_parameters)
        dataset = task.request["dataset"]
        path = dataset_path(dataset["path"], store.workspace)
        if task.dataset_file is not None:
            self._inputs.files[path] = task.dataset_file
        if task.recipe_file is not None:
            recipe = dataset_path(dataset["recipe"], store.workspace)
            self._inputs.files[recipe] = task.recipe_file
        # The next run may be on the same file with other bytes.
        self._inputs.digests.clear()
        if task.dataset_sha256 is not None:
            self._inputs.digests[path] = task.dataset_sha256
        return execute(
            request,
            store,
            folder=None if task.run_id is None else store.run_folder(task.run_id),
            notes=task.notes,
            private=self._settings["private"],
            observer=_Forwarding(self, job.task["number"]),
            cancellation=job.cancellation,
            inputs=self._inputs,
        )

    def _listen(self) -> None:
        """Receive tasks and cancellations, until there is nobody to send them."""
        try:
            while self._wait_for_input():
                message = read_frame(self._inlet)
                if message is None:
                    break
                if "run" in message:
                    job = _Job(message["run"], Cancellation())
                    self._current = job
                    self._jobs.put(job)
                elif "cancel" in message:
                    job_now = self._current
                    if job_now is not None and job_now.task["number"] == message["cancel"]:
                        job_now.cancellation.cancel(message["reason"])
        except (OSError, BrokenFrameError):
            pass
        self._leave()

    def _wait_for_input(self) -> bool:
        while not wait_for_input(self._inlet, _LOOK):
            if os.getppid() != self._parent:
                return False
        return True

    def _leave(self, reason: str = _GONE) -> None:
        """Cancel the run, and see to it that the process ends in time."""
        if self._gone:
            return
        self._gone = True
        threading.Thread(target=_end_in_time, name="runforge-end", daemon=True).start()
        job = self._current
        if job is not None:
            job.cancellation.cancel(reason)
        self._jobs.put(None)

    def _on_terminate(self, *_: object) -> None:
        self._leave("The process of the run was asked to end (SIGTERM).")

    def clean_up(self) -> None:
        """Remove the data shared by workers, where the pool cannot do it any more."""
        folder = self._settings.get("shared")
        if folder is not None and os.getppid() != self._parent:
            shutil.rmtree(folder, ignore_errors=True)


def _end_in_time() -> None:
    time.sleep(END_WITHIN)
    os._exit(1)


def _prepare(settings: dict[str, Any]) -> None:
    """Load what every run needs, before the first task arrives."""
    pin_environment()
    own_process()
    if settings["warm"]:
        from runforge_engine.pipeline import training  # noqa: F401 - it is used later

        Libraries("sklearn.linear_model").wait_for_all()


def _inputs_of(settings: dict[str, Any]) -> RunInputs:
    raw, origin = settings["origin"], None
    if raw is not None:
        origin = RemoteOrigin(raw["git"], tuple(raw["gaps"]), raw["host"])
    if settings["shared"] is None:
        return RunInputs(settings["threads"], origin, warm=True)
    return SharedInputs(Path(settings["shared"]), settings["threads"], origin, settings["jobs"])


def _store_of(settings: dict[str, Any]) -> StoreLayout:

    return StoreLayout(Path(settings["workspace"]), settings["store"])


def _is_straggling() -> bool:

    deadline = time.monotonic() + _STRAGGLING
    while stragglers_running():
        if time.monotonic() > deadline:
            return True
        time.sleep(_STRAGGLING / 20)
    return False


class _Forwarding(Observer):
    """Sends what happens in a run to the pool."""

    def __init__(self, worker: Worker, number: int) -> None:
        self._worker, self._number = worker, number

    def on_event(self, event: dict[str, Any]) -> None:
        """Send an event; the first of a run tells that it has a folder."""
        if event["event"] == "run_start":
            self._worker.say_soon({"started": self._number, "run_id": event["run_id"]})
        message = {"event": event, "number": self._number}
        if event["event"] in _LASTING:
            self._worker.say(message)
        else:
            self._worker.say_soon(message)

    def on_diagnostic(self, diagnostic: Diagnostic) -> None:
        """Send a diagnostic."""
        self._worker.say_soon({"diagnostic": raw_diagnostic(diagnostic), "number": self._number})


def main() -> NoReturn:
    """Move the pipes out of the way, and serve."""
    inlet, outlet = os.dup(0), descriptor_from(sys.argv[1])
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    # The pool decides what a Ctrl-C means for its runs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = Worker(inlet, outlet)
    worker.serve()
    worker.clean_up()
    sys.stderr.flush()
    # Not to wait for native code that nothing can stop.
    os._exit(0)


if __name__ == "__main__":
    main()
