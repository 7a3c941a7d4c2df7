"""The trainings of a session: they wait for a worker, run there, and end with their client."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_cli.serve.call import CANCELLED, Call
from runforge_cli.serve.stages import CallObserver

if TYPE_CHECKING:
    from runforge_contracts.store.layout import StoreLayout
    from runforge_engine.workers.worker_messages import RunMessage
    from runforge_engine.workers.worker_pool import WorkerPool

#: How long the thread that waits for messages sleeps at most, in seconds.
_LOOK = 0.2


@dataclass
class _Training:
    call: Call
    pool: _Pool
    store: StoreLayout
    observer: CallObserver
    #: Returns what else there is to say about the run in a folder.
    notes: Callable[[Path], dict[str, Any]]


class _Pool:
    """The workers for runs that are private, or for those that are not."""

    def __init__(self, pool: WorkerPool) -> None:
        self.pool = pool
        self.thread: threading.Thread | None = None


class TrainingQueue:
    """Gives requests to workers and answers the calls; the methods may be called by any thread.

    Nothing is started before the first training, or before :meth:`warm`.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._pools: dict[bool | None, _Pool] = {}
        self._open: dict[int, _Training] = {}
        self._closed = False

    def warm(self, store: StoreLayout, jobs: int) -> None:
        """Start the workers, so that they load their libraries."""
        self._pool_of(None, store, jobs).pool.start()

    def submit(
        self,
        call: Call,
        request: dict[str, Any],
        store: StoreLayout,
        *,
        jobs: int,
        private: bool | None,
        notes: Callable[[Path], dict[str, Any]],
        dataset_sha256: str | None = None,
    ) -> None:
        """Train as a raw request asks; the call is answered when the run has ended.

        With a digest of the dataset, only on these bytes.
        """
        from runforge_engine.workers.worker_messages import RunTask

        with self._lock:
            if self._closed or call.answered:
                return
            pool = self._pool_of(private, store, jobs)
            number = next(self._numbers)
            self._open[number] = _Training(call, pool, store, CallObserver(call), notes)
            call.on_cancel = lambda: self._cancel(number)
            busy = len(pool.pool.running) >= jobs
        if busy:
            call.progress({"stage": "waiting", "message": "Waiting for another training"})
        else:
            call.progress({"stage": "reading", "message": "Reading the dataset"})
        try:
            pool.pool.submit(RunTask(number, request, dataset_sha256=dataset_sha256))
        except RunForgeError:
            self._take(number)
            raise
        if call.cancellation.requested:  # while it was handed over
            self._cancel(number)

    def close(self, patience: float) -> None:
        """End the workers, within so many seconds; runs are cancelled and recorded."""
        with self._lock:
            self._closed = True
            pools = [*self._pools.values()]
        deadline = time.monotonic() + patience
        for pool in pools:
            pool.pool.cancel(reason="The client of the server has gone.")
        for pool in pools:
            pool.pool.close(max(deadline - time.monotonic(), 0.1))

    def _pool_of(self, private: bool | None, store: StoreLayout, jobs: int) -> _Pool:
        from runforge_engine.workers.worker_pool import WorkerPool

        with self._lock:
            found = self._pools.get(private)
            if found is None:
                pool = WorkerPool(
                    jobs,
                    store,
                    private=private,
                    # A single run has all cores, as on the command line.
                    threads=None if jobs == 1 else 1,
                    # Datasets change between the runs of a session.
                    together=False,
                )
                found = self._pools[private] = _Pool(pool)
                found.thread = threading.Thread(
                    target=self._listen, args=(pool,), name="runforge-trainings", daemon=True
                )
                found.thread.start()
            return found

    def _cancel(self, number: int) -> bool:
        """End a training; returns whether its end is still to be answered."""
        with self._lock:
            training = self._open.get(number)
        if training is None:
            return False
        pool = training.pool.pool
        waiting = number in pool.waiting
        pool.cancel(number, CANCELLED)
        if waiting and number not in pool.running:
            self._take(number)
            return False
        training.call.progress({"stage": "cancelling", "message": "Cancelling"})
        return True

    def _take(self, number: int) -> _Training | None:
        with self._lock:
            return self._open.pop(number, None)

    def _listen(self, pool: WorkerPool) -> None:
        while not self._closed:
            for message in pool.poll(_LOOK):
                self._handle(message)

    def _handle(self, message: RunMessage) -> None:
        from runforge_engine.workers.worker_messages import (
            RunDiagnostic,
            RunEnded,
            RunEvent,
            RunRefused,
            WorkerLost,
        )

        with self._lock:
            training = self._open.get(message.number)
        if training is None:
            return
        if isinstance(message, RunEvent):
            training.observer.on_event(message.event)
        elif isinstance(message, RunDiagnostic):
            training.observer.on_diagnostic(message.diagnostic)
        elif isinstance(message, RunEnded):
            self._take(message.number)
            document = {
                "run_id": message.run_id,
                "run_dir": training.store.relative(message.run_dir),
                "status": message.status,
                "result": message.result,
            }
            with suppress(RunForgeError):  # The run is recorded, whatever else can be read.
                document |= training.notes(message.run_dir)
            training.call.answer(document)
        elif isinstance(message, RunRefused):
            self._take(message.number)
            training.call.fail(message.error)
        elif isinstance(message, WorkerLost):
            self._take(message.number)
            training.call.fail(_lost(message.run_id, message.reason))


def _lost(run_id: str | None, reason: str) -> RunForgeError:
    left = "." if run_id is None else f"; the run {run_id} is left as interrupted."
    return RunForgeError(
        ErrorCode.WORKER_LOST,
        f"The process that trained was lost: {reason}{left}",
        hint="The server goes on; train again.",
    )
