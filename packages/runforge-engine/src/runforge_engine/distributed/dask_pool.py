"""A pool of the workers of a Dask cluster, with the methods and messages of a pool of processes.

The run folder is claimed here, where its request is written and its lock held; a worker trains in a
temporary store of its own and sends the complete folder back, which is checked, written into the
claimed one and listed. So nothing of a run is in the store that a worker could have lost, and a run
is listed at most once, wherever and how often it was tried.

Source: specification, sections 5.3, 5.5 and 14.1.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import tempfile
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.diagnostics import (
    Diagnostic,
    DiagnosticCode,
    diagnostic,
    raw_diagnostic,
)
from runforge_contracts.display import printable, shorten
from runforge_contracts.documents import Document
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.invariants.checked_folder import CheckedRun
from runforge_contracts.run_ids import run_id_candidates
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.types import RequestV1
from runforge_contracts.validation import validate

from runforge_engine.data.dataset_source import dataset_path
from runforge_engine.distributed import remote_session
from runforge_engine.distributed.cluster import Cluster, ClusterWorker
from runforge_engine.distributed.dataset_transfer import LocalDataset, LocalRecipe
from runforge_engine.distributed.environment_mismatch import EnvironmentDifference, mismatch_error
from runforge_engine.distributed.returned_folder import (
    FolderReceiver,
    ReturnedFolderError,
    SentRun,
    adopt,
    check_returned,
    refusing,
)
from runforge_engine.pipeline.finish import append_run
from runforge_engine.pipeline.request import PreparedRequest, prepare
from runforge_engine.pipeline.run_writer import RunWriter
from runforge_engine.provenance.collect import describe_git
from runforge_engine.provenance.privacy import Shortening, is_wanted
from runforge_engine.runtime.clock import read_clock
from runforge_engine.runtime.folder_lock import holding
from runforge_engine.store.run_folders import claim_folder, release_unstarted
from runforge_engine.workers.worker_messages import (
    PoolNotice,
    RunDiagnostic,
    RunEnded,
    RunEvent,
    RunRefused,
    RunStarted,
    RunTask,
    WorkerLost,
    WorkerMessage,
)

_CANCELLED = "The run was cancelled."
#: How long the folder of a run may take to arrive, in seconds without a byte.
_ARRIVAL = 60.0
#: Errors of a worker's own disk and process: another worker may do better.
_OF_THE_WORKER = frozenset(
    {
        ErrorCode.INTERNAL,
        ErrorCode.STORE_NOT_WRITABLE,
        ErrorCode.STORE_BUSY,
        ErrorCode.INDEX_INVALID,
        ErrorCode.RUN_ID_TAKEN,
        ErrorCode.RUN_ALREADY_COMPLETE,
    }
)
#: Variables that runs on other machines take over from here.
_PASSED_ON = ("SOURCE_DATE_EPOCH",)


@dataclass(slots=True)
class _Waiting:
    """A task that no worker has yet."""

    task: RunTask
    request: PreparedRequest
    #: The request as it is recorded.
    recorded: Document[RequestV1]
    dataset: LocalDataset
    recipe: LocalRecipe | None

    @property
    def files(self) -> list[LocalDataset | LocalRecipe]:
        """What a worker needs to have."""
        return [self.dataset] if self.recipe is None else [self.dataset, self.recipe]


@dataclass(slots=True)
class _Attempt:
    """A task that a worker has, and the folder that was claimed for it."""

    waiting: _Waiting
    worker: ClusterWorker
    run_id: str
    writer: RunWriter
    #: Releases the lock of the folder.
    held: contextlib.ExitStack
    future: Any = None
    #: How many events and diagnostics were passed on.
    reported: dict[str, int] = field(default_factory=lambda: {"event": 0, "diagnostic": 0})

    @property
    def number(self) -> int:
        return self.waiting.task.number


class DaskPool:
    """Runs on the workers of a Dask cluster.

    Parameters
    ----------
    scheduler
        Address of the scheduler, ``tcp://HOST:PORT``. Security is what Dask's own configuration
        says; any program that can reach the scheduler can execute code on the workers and here.
    store
        The store that the runs belong to; no worker needs to see it.
    jobs
        Most runs at a time; by default as many as the workers have threads.
    private
        As for :func:`~runforge_engine.pipeline.execute.execute`.
    threads
        Threads of each run; a worker takes as many runs as it has threads.
    allow_mixed
        Whether workers with other versions are accepted; each of their runs records the
        differences.
    """

    def __init__(
        self,
        scheduler: str,
        store: StoreLayout,
        *,
        jobs: int | None = None,
        private: bool | None = None,
        threads: int | None = 1,
        allow_mixed: bool = False,
    ) -> None:
        self._store = store
        #: Most runs at a time; None for as many as the workers have threads.
        self.jobs = jobs
        self._private = is_wanted(private)
        self._allow_mixed = allow_mixed
        self._session = uuid.uuid4().hex
        self._topic = f"runforge-{self._session}"
        self._gaps: list[str] = []
        self._git: dict[str, Any] | None = None
        self._inbox: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._messages: deque[WorkerMessage] = deque()
        self._waiting: deque[_Waiting] = deque()
        self._attempts: dict[int, _Attempt] = {}
        self._workers: dict[str, ClusterWorker] = {}
        self._datasets: dict[Path, LocalDataset] = {}
        self._recipes: dict[Path, LocalRecipe] = {}
        #: Addresses of the workers that have lost a task, by its number.
        self._losers: dict[int, set[str]] = {}
        self._tries = 0
        self._lost: RunForgeError | None = None
        self._started = self._closed = False
        self._lock = threading.RLock()
        self._staging = Path(tempfile.mkdtemp(prefix="runforge-"))
        variables = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        self._settings = {
            "session": self._session,
            "topic": self._topic,
            "private": self._private,
            "threads": threads,
            "variables": variables,
        }
        self._cluster = Cluster(
            scheduler,
            self._settings,
            on_worker=lambda worker: self._inbox.put(("worker", worker)),
            on_gone=lambda address: self._inbox.put(("gone", address)),
            on_lost=lambda reason: self._inbox.put(("lost", reason)),
        )

    def start(self) -> None:
        """Connect to the scheduler, and compare the environments of its workers with this one.

        Calling it again does nothing.

        Raises
        ------
        RunForgeError
            ``EXTRA_MISSING``, ``USAGE_INVALID``, ``SCHEDULER_UNREACHABLE``; ``WORKER_MISMATCH``,
            with all differences, for a worker with other versions that is not accepted.
        """
        if self._started:
            return
        self._started = True
        # The code that makes the models is that of this moment.
        self._git = describe_git(self._store.workspace, self._store.name, self._gaps.append)
        self._settings |= {"git": self._git, "gaps": self._gaps}
        try:
            workers = self._cluster.connect()
            wrong: dict[str, list[EnvironmentDifference | str]] = {
                worker.name: [*worker.differences] or [worker.refusal]
                for worker in workers
                if worker.refusal or (worker.differences and not self._allow_mixed)
            }
            if wrong:
                raise mismatch_error(wrong, total=len(workers))
        except BaseException:
            self.close(0)
            raise
        for worker in workers:
            self._workers[worker.address] = worker
        self._cluster.client.subscribe_topic(
            self._topic, lambda event: self._inbox.put(("report", event[1]))
        )
        self._cluster.watch()
        if not workers:
            self._messages.append(
                PoolNotice("The scheduler has no workers yet; the runs begin when some join.")
            )

    def submit(self, task: RunTask) -> None:
        """Take a task; it begins when a worker is free.

        What the request makes impossible is reported with :class:`RunRefused`.
        """
        with self._lock:
            try:
                self._waiting.append(self._prepare(task))
            except RunForgeError as error:
                self._messages.append(RunRefused(task.number, error))
                return
            self._distribute()

    def poll(self, timeout: float) -> list[WorkerMessage]:
        """Return what has happened; wait up to ``timeout`` seconds for something to happen.

        Raises
        ------
        RunForgeError
            ``SCHEDULER_UNREACHABLE`` once the scheduler is lost, and the messages about the runs
            that it has taken with it were returned.
        """
        deadline = time.monotonic() + timeout
        while True:
            with self._lock:
                self._take_in()
                self._distribute()
                if self._messages:
                    found = [*self._messages]
                    self._messages.clear()
                    return found
                if self._lost is not None and not self._closed:
                    raise self._lost
            left = deadline - time.monotonic()
            if left <= 0:
                return []
            try:
                item = self._inbox.get(timeout=left)
            except queue.Empty:
                return []
            with self._lock:
                self._handle(*item)

    @property
    def slots(self) -> int:
        """How many runs the workers take at a time, as long as none joins or leaves."""
        with self._lock:
            return sum(worker.slots for worker in self._workers.values() if not worker.refusal)

    @property
    def waiting(self) -> list[int]:
        """The numbers of the tasks that no worker has yet."""
        with self._lock:
            return [item.task.number for item in self._waiting]

    @property
    def running(self) -> list[int]:
        """The numbers of the tasks that a worker has."""
        with self._lock:
            return [*self._attempts]

    def cancel(self, number: int | None = None, reason: str = _CANCELLED) -> None:
        """Cancel a task, or all of them, as a pool of processes does."""
        with self._lock:
            self._waiting = deque(
                item for item in self._waiting if number is not None and item.task.number != number
            )
            asked = [
                attempt for attempt in self._attempts.values() if number in (None, attempt.number)
            ]
        for attempt in asked:
            self._cluster.call_later(
                attempt.worker.address, remote_session.cancel_run, attempt.number, reason
            )

    def close(self, patience: float = 2.0) -> None:
        """Cancel everything, wait for what is cancelled to arrive, and disconnect.

        A run that does not arrive in time leaves nothing in the store, and is reported as lost.
        What has happened can still be received with :meth:`poll`.
        """
        self._closed, deadline = True, time.monotonic() + patience
        self.cancel(reason="The runs were ended.")
        while self._attempts and (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                item = self._inbox.get(timeout=left)
                with self._lock:
                    self._handle(*item)
        with self._lock:
            for attempt in [*self._attempts.values()]:
                self._lose(attempt, "its worker did not send it in time")
            self._waiting.clear()
        self._cluster.close(max(deadline - time.monotonic(), 0.5))
        shutil.rmtree(self._staging, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _prepare(self, task: RunTask) -> _Waiting:
        validate(task.request, "request.v1")
        request = prepare(Document[RequestV1](task.request, "request.v1"), task.cli_parameters)
        dataset = request.document.content["dataset"]
        recipe = self._recipe(dataset)
        path = dataset_path(dataset["path"], self._store.workspace)
        if path not in self._datasets:
            self._datasets[path] = LocalDataset(path)
        recorded = request.document
        if self._private:
            recorded = Shortening(recorded, self._store).request()
        return _Waiting(task, request, recorded, self._datasets[path], recipe)

    def _recipe(self, dataset: Mapping[str, Any]) -> LocalRecipe | None:
        """Return the recipe that a request names, or raise why it cannot be applied."""
        if "recipe" not in dataset:
            return None
        from runforge_engine.preparation.run_recipe import check_label, load_recipe

        path = dataset_path(dataset["recipe"], self._store.workspace)
        if path not in self._recipes:
            self._recipes[path] = LocalRecipe(load_recipe(path))
        check_label(self._recipes[path].content, dataset["label_column"])
        return self._recipes[path]

    def _take_in(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._handle(*self._inbox.get_nowait())

    def _handle(self, kind: str, item: Any) -> None:
        if kind == "report":
            self._tell(item)
        elif kind == "ended":
            self._finish(item)
        elif kind == "worker":
            self._join(item)
        elif kind == "gone":
            self._part(item)
        elif kind == "file":
            self._settle(*item)
        else:
            self._lose_all(item)

    def _tell(self, message: Mapping[str, Any]) -> None:
        """Pass on what a worker says about a run, in order; what is missing comes at the end."""
        attempt = self._attempts.get(message["number"])
        if attempt is None or attempt.run_id != message["run_id"]:
            return
        for kind in ("event", "diagnostic"):
            if kind in message and message["position"] >= attempt.reported[kind]:
                attempt.reported[kind] = message["position"] + 1
                self._pass_on(attempt.number, kind, message[kind])

    def _pass_on(self, number: int, kind: str, content: dict[str, Any]) -> None:
        if kind == "event":
            self._messages.append(RunEvent(number, content))
        else:
            self._messages.append(RunDiagnostic(number, msgspec.convert(content, Diagnostic)))

    def _join(self, worker: ClusterWorker) -> None:
        if not worker.refusal and worker.differences and not self._allow_mixed:
            reported = "; ".join(map(str, worker.differences[:3]))
            worker.refusal = f"it has another environment: {reported}"
        if worker.refusal:
            self._refuse(worker, worker.refusal)
        self._workers[worker.address] = worker

    def _refuse(self, worker: ClusterWorker, reason: str) -> None:
        """Give a worker no more runs, and report it."""
        worker.refusal = reason
        text = f"Worker {worker.name} gets no runs: {reason}"
        self._messages.append(PoolNotice(text if text.endswith(".") else f"{text}."))

    def _part(self, address: str) -> None:
        worker = self._workers.pop(address, None)
        if worker is None:
            return
        for attempt in [*self._attempts.values()]:
            if attempt.worker is worker:
                self._lose(attempt, f"its worker {worker.name} has left the cluster")
        if not self._workers:
            self._messages.append(
                PoolNotice("The last worker has left; the runs go on when one joins.")
            )

    def _lose_all(self, reason: str) -> None:
        for attempt in [*self._attempts.values()]:
            self._lose(attempt, "the scheduler was lost")
        self._lost = self._lost or self._cluster.lost_error(reason)

    def _distribute(self) -> None:
        """Give waiting tasks to free workers, and files to those that lack them."""
        if self._closed or self._lost is not None or not self._cluster.is_connected:
            return
        for item in [*self._waiting]:
            if self.jobs is not None and len(self._attempts) >= self.jobs:
                return
            free = self._free_workers(item.task.number)
            if not free:
                return
            needed = {file.sha256: file for file in item.files}
            ready = [worker for worker in free if needed.keys() <= worker.files]
            for worker in free:
                for sha256 in needed.keys() - worker.files - worker.arriving:
                    self._send_file(worker, needed[sha256])
            if ready:
                self._waiting.remove(item)
                self._begin(item, min(ready, key=self._load))

    def _free_workers(self, number: int) -> list[ClusterWorker]:
        """Return the workers that can take a task; those that lost it only if there is no other."""
        usable = [worker for worker in self._workers.values() if not worker.refusal]
        losers = self._losers.get(number, set())
        others = [worker for worker in usable if worker.address not in losers]
        return [worker for worker in others or usable if self._load(worker) < 1]

    def _load(self, worker: ClusterWorker) -> float:
        running = sum(attempt.worker is worker for attempt in self._attempts.values())
        return running / worker.slots

    def _send_file(self, worker: ClusterWorker, file: LocalDataset | LocalRecipe) -> None:
        sha256 = file.sha256
        worker.arriving.add(sha256)

        def send() -> None:
            problem: Exception | None = None
            try:
                for offset, piece in file.pieces():
                    self._cluster.call(
                        worker.address,
                        remote_session.receive_file,
                        sha256,
                        offset,
                        piece,
                        last=offset + len(piece) == file.bytes,
                    )
            except Exception as error:  # noqa: BLE001 - it is reported where it is handled
                problem = error
            self._inbox.put(("file", (worker, file, problem)))

        self._cluster.in_background(send)

    def _settle(
        self, worker: ClusterWorker, file: LocalDataset | LocalRecipe, problem: Exception | None
    ) -> None:
        """Take note that a file has arrived at a worker, or cannot."""
        worker.arriving.discard(file.sha256)
        if problem is None:
            worker.files.add(file.sha256)
        elif isinstance(problem, RunForgeError):
            # The file itself; no worker can have it.
            for item in [*self._waiting]:
                if item.dataset is file:
                    self._waiting.remove(item)
                    self._messages.append(RunRefused(item.task.number, problem))
        elif worker.address in self._workers:
            self._refuse(worker, f"a file did not arrive: {_short(problem)}")

    def _begin(self, item: _Waiting, worker: ClusterWorker) -> None:
        """Claim a folder for a task, and give it to a worker."""
        task = item.task
        try:
            created_at = read_clock().now()
            folder = claim_folder(
                self._store,
                run_id_candidates(created_at, item.recorded.raw, item.dataset.sha256),
            )
            held = contextlib.ExitStack()
            writer = RunWriter(held.enter_context(holding(folder)))
            try:
                writer.write_request(item.recorded)
            except BaseException:
                held.close()
                release_unstarted(folder)
                raise
        except RunForgeError as refusal:
            self._messages.append(RunRefused(task.number, refusal))
            return
        attempt = _Attempt(item, worker, folder.name, writer, held)
        self._attempts[task.number] = attempt
        self._messages.append(RunStarted(task.number, folder.name))
        self._tries += 1
        attempt.future = self._cluster.submit(
            worker.address,
            {
                "number": task.number,
                "request": task.request,
                "cli_parameters": [*task.cli_parameters],
                "run_id": folder.name,
                "dataset": item.dataset.sha256,
                "recipe": None if item.recipe is None else item.recipe.sha256,
                "notes": [raw_diagnostic(note) for note in (*task.notes, *_notes(worker))],
            },
            f"runforge-run-{self._session}-{task.number}-{self._tries}",
        )
        attempt.future.add_done_callback(lambda _: self._inbox.put(("ended", attempt)))

    def _finish(self, attempt: _Attempt) -> None:
        """Receive what a task has returned."""
        if self._attempts.get(attempt.number) is not attempt:
            return
        if not self._cluster.is_connected:
            self._lose_all("the connection was closed")
            return
        try:
            answer = attempt.future.result(timeout=_ARRIVAL)
        except Exception as failure:  # noqa: BLE001 - whatever Dask reports, the run did not arrive
            self._lose(attempt, _short(failure))
            return
        try:
            self._take(attempt, answer)
        except (AttributeError, LookupError, TypeError, ValueError) as failure:
            if self._attempts.get(attempt.number) is not attempt:
                raise
            self._refuse(attempt.worker, f"its answer has another form: {_short(failure)}")
            self._lose(attempt, attempt.worker.refusal)

    def _take(self, attempt: _Attempt, answer: Mapping[str, Any]) -> None:
        """Act on the answer of a worker, whose form is not known to be right."""
        if "ended" in answer:
            self._receive(attempt, answer)
        elif "refused" in answer:
            error = RunForgeError.from_dict(answer["refused"])
            if error.code in _OF_THE_WORKER:
                self._lose(attempt, error.message)
            else:
                self._drop(attempt)
                self._messages.append(RunRefused(attempt.number, error))
        elif "cancelled" in answer:
            self._drop(attempt)
            self._messages.append(
                RunRefused(
                    attempt.number, RunForgeError(ErrorCode.CANCELLED, str(answer["cancelled"]))
                )
            )
        else:
            self._lose(attempt, printable(shorten(str(answer["lost"]), 300)))

    def _receive(self, attempt: _Attempt, answer: Mapping[str, Any]) -> None:
        """Check the folder that a worker has sent, write it into the claimed one, and list it."""
        run_id, worker = attempt.run_id, attempt.worker
        receiver = None
        try:
            receiver = FolderReceiver(self._staging, run_id)
            with refusing():
                self._fetch(receiver, attempt, answer)
                run = check_returned(receiver.path, self._sent(attempt))
                self._catch_up(attempt, run)
            adopt(run, attempt.writer)
        except ReturnedFolderError as refusal:
            self._refuse(worker, f"what it sent is refused: {refusal}")
            self._lose(attempt, worker.refusal)
            return
        except RunForgeError as error:
            # The store here; the run is complete on no disk.
            self._drop(attempt)
            self._messages.append(RunRefused(attempt.number, error))
            return
        except OSError as error:
            self._lose(attempt, _short(error))
            return
        finally:
            if receiver is not None:
                shutil.rmtree(receiver.path, ignore_errors=True)
        self._list(attempt, run)

    def _fetch(
        self, receiver: FolderReceiver, attempt: _Attempt, answer: Mapping[str, Any]
    ) -> None:
        receiver.announce(answer["sizes"])
        for name, data in answer["files"].items():
            receiver.add(name, data)
        missing = [name for name in answer["sizes"] if name not in answer["files"]]
        for name in missing:
            while (have := receiver.size(name)) < answer["sizes"][name]:
                piece = self._cluster.call(
                    attempt.worker.address,
                    remote_session.read_file_piece,
                    attempt.run_id,
                    name,
                    have,
                )
                if not piece:
                    raise ReturnedFolderError([f"{name} is smaller than it was announced."])
                receiver.add(name, piece)
        if missing:
            self._cluster.call_later(
                attempt.worker.address, remote_session.discard_run, attempt.run_id
            )

    def _sent(self, attempt: _Attempt) -> SentRun:
        item = attempt.waiting
        return SentRun(
            run_id=attempt.run_id,
            request=item.recorded.encode(),
            configuration=item.request.configuration,
            dataset_sha256=item.dataset.sha256,
            recipe_sha256=None if item.recipe is None else item.recipe.sha256,
            environment=attempt.worker.environment,
            git=self._git,
            client=item.request.document.raw["created_by"],
            private=self._private,
        )

    def _catch_up(self, attempt: _Attempt, run: CheckedRun) -> None:
        """Pass on the events and diagnostics that have not arrived before the run."""
        events = [parse_json(line) for line in run.text(layout.EVENTS).splitlines()]
        for event in events[attempt.reported["event"] :]:
            self._pass_on(attempt.number, "event", event)
        for item in run.diagnostics[attempt.reported["diagnostic"] :]:
            self._pass_on(attempt.number, "diagnostic", item)

    def _list(self, attempt: _Attempt, run: CheckedRun) -> None:
        """Append a run to the index, and report its end."""
        del self._attempts[attempt.number]
        folder = attempt.writer.folder
        try:
            append_run(self._store, attempt.writer)
        except RunForgeError as error:
            self._messages.append(RunRefused(attempt.number, error))
            return
        finally:
            attempt.held.close()
        result = dict(run.documents[layout.RESULT].raw)
        self._messages.append(
            RunEnded(
                attempt.number,
                attempt.run_id,
                folder,
                result["status"],
                _error_of(result),
                result,
            )
        )

    def _lose(self, attempt: _Attempt, reason: str) -> None:
        """Give up an attempt: nothing of it stays in the store."""
        run_id = attempt.run_id
        self._losers.setdefault(attempt.number, set()).add(attempt.worker.address)
        self._drop(attempt)
        self._messages.append(WorkerLost(attempt.number, run_id, reason))

    def _drop(self, attempt: _Attempt) -> None:
        del self._attempts[attempt.number]
        with contextlib.suppress(Exception):
            attempt.future.cancel(force=True)
        folder = attempt.writer.hold.folder
        attempt.held.close()
        release_unstarted(folder)


def _notes(worker: ClusterWorker) -> list[Diagnostic]:
    """Return the diagnostic of a worker with other versions."""
    if not worker.differences:
        return []
    reported = "; ".join(map(str, worker.differences[:5]))
    return [
        diagnostic(
            DiagnosticCode.ENVIRONMENT_MIXED,
            "The run was made by a worker with another environment than its client's, which the"
            f" client accepted: {reported}.",
            differences=[difference._asdict() for difference in worker.differences],
        )
    ]


def _error_of(result: Mapping[str, Any]) -> RunForgeError | None:
    """Return the error that a result records."""
    recorded = result.get("error")
    if not recorded:
        return None
    try:
        code = ErrorCode(recorded.get("code"))
    except ValueError:
        code = ErrorCode.INTERNAL
    return RunForgeError(code, recorded["message"], hint=recorded.get("hint"))


def _short(error: Exception) -> str:
    return printable(shorten(str(error) or type(error).__name__, 300))
