"""What runs in a Dask worker: the session of one client, with warm processes that train for it.

Every function here is called by Dask, on the worker, with plain data. A Dask worker has imported
numpy before RunForge can pin its environment, so runs are made by processes that it starts, as they
are here. A session has a private temporary folder: the files that were sent, and a store from
which the finished runs are sent back.

A session ends with its client: the client keeps the future of :func:`hold_session`, whose result
the scheduler drops as soon as the client is gone, and the end of that object ends the session.

Source: Dask distributed, "Worker", "Client.run" and "Managing Memory".
"""

from __future__ import annotations

import asyncio
import queue
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from runforge_contracts.diagnostics import Diagnostic, raw_diagnostic
from runforge_contracts.errors import RunForgeError
from runforge_contracts.store.layout import StoreLayout

from runforge_engine.distributed.dataset_transfer import PIECE, FileCache
from runforge_engine.distributed.environment_report import report_environment
from runforge_engine.provenance.collect import RemoteOrigin
from runforge_engine.workers.worker_messages import (
    RunDiagnostic,
    RunEnded,
    RunEvent,
    RunMessage,
    RunRefused,
    RunTask,
    WorkerLost,
)
from runforge_engine.workers.worker_pool import WorkerPool

#: Largest folder that is sent back with the answer; of a larger one, files are fetched in pieces.
_INLINE = 2**25
#: How often a waiting task looks whether it was cancelled or its session has ended, in seconds.
_LOOK = 0.2
#: Least time between two messages about the progress of one run, in seconds.
_PROGRESS = 0.1

_sessions: dict[str, RemoteSession] = {}
_opening = threading.Lock()
#: The environment of runs on this machine, which does not change while this process lives.
_environment: list[dict[str, Any]] = []


class RemoteSession:
    """The runs of one client on this worker.

    Parameters
    ----------
    worker
        The Dask worker.
    settings
        ``session``, ``topic``, ``private``, ``threads``, ``variables``, ``git`` and ``gaps``, as
        the client sends them.
    host
        The name of this machine.
    """

    def __init__(self, worker: Any, settings: Mapping[str, Any], host: str) -> None:
        self._worker = worker
        self._topic = str(settings["topic"])
        self._folder = Path(tempfile.mkdtemp(prefix="runforge-", dir=worker.local_directory))
        (self._folder / "files").mkdir()
        (self._folder / "workspace").mkdir()
        self.files = FileCache(self._folder / "files")
        self.store = StoreLayout(self._folder / "workspace")
        self._pool = WorkerPool(
            worker.state.nthreads,
            self.store,
            private=settings["private"],
            threads=settings["threads"],
            shared=self._folder / "shared",
            variables=settings["variables"],
            origin=RemoteOrigin(
                settings["git"], tuple(settings["gaps"]), None if settings["private"] else host
            ),
        )
        self._queues: dict[int, queue.SimpleQueue[RunMessage | None]] = {}
        self._cancelled: dict[int, str] = {}
        self._closed = threading.Event()
        self._pool.start()
        self._listener = threading.Thread(target=self._listen, name="runforge-session", daemon=True)
        self._listener.start()

    def execute(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Execute one run, and return what the client needs to know of its end."""
        number = int(task["number"])
        dataset = self.files.path(task["dataset"])
        recipe = None if task["recipe"] is None else self.files.path(task["recipe"])
        lacking = dataset is None or (recipe is None and task["recipe"] is not None)
        if lacking or self._closed.is_set():
            return {"lost": "its worker does not have the dataset or the recipe any more"}
        messages: queue.SimpleQueue[RunMessage | None] = queue.SimpleQueue()
        self._queues[number] = messages
        try:
            self._pool.submit(
                RunTask(
                    number,
                    task["request"],
                    tuple(task["cli_parameters"]),
                    run_id=task["run_id"],
                    notes=tuple(msgspec.convert(note, Diagnostic) for note in task["notes"]),
                    dataset_file=dataset,
                    recipe_file=recipe,
                )
            )
            return self._answer(number, str(task["run_id"]), messages)
        finally:
            self._queues.pop(number, None)
            self._cancelled.pop(number, None)

    def _answer(
        self, number: int, run_id: str, messages: queue.SimpleQueue[RunMessage | None]
    ) -> dict[str, Any]:
        reported = _Reporter(self._worker, self._topic, number, run_id)
        asked = False
        while not self._closed.is_set():
            reason = self._cancelled.get(number)
            if reason is not None and not asked:
                asked = True
                self._pool.cancel(number, reason)
            try:
                message = messages.get(timeout=_LOOK)
            except queue.Empty:
                gone = number not in (*self._pool.waiting, *self._pool.running)
                if asked and gone and messages.empty():
                    return {"cancelled": reason}
                continue
            if isinstance(message, RunEvent):
                reported.event(message.event)
            elif isinstance(message, RunDiagnostic):
                reported.diagnostic(message.diagnostic)
            elif isinstance(message, RunEnded):
                return {"ended": run_id, **self._pack(run_id)}
            elif isinstance(message, RunRefused):
                self.discard(run_id)
                return {"refused": message.error.to_dict()}
            elif isinstance(message, WorkerLost):
                self.discard(run_id)
                return {"lost": message.reason}
        return {"lost": "the session on the worker has ended"}

    def cancel(self, number: int, reason: str) -> None:
        """Cancel a run, also one that has not arrived yet."""
        self._cancelled.setdefault(number, reason)
        waiting = self._queues.get(number)
        if waiting is not None:
            waiting.put(None)  # to look at once

    def _pack(self, run_id: str) -> dict[str, Any]:
        """Return the sizes of the files of a run, and their bytes where they are few."""
        folder = self.store.run_folder(run_id)
        sizes = {
            path.relative_to(folder).as_posix(): path.stat().st_size
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }
        if sum(sizes.values()) > _INLINE:
            small = {name: size for name, size in sizes.items() if size <= PIECE // 8}
        else:
            small = sizes
        files = {name: (folder / name).read_bytes() for name in small}
        if len(small) == len(sizes):
            self.discard(run_id)
        return {"sizes": sizes, "files": files}

    def read(self, run_id: str, name: str, offset: int) -> bytes:
        """Return a piece of a file of a run."""
        with (self.store.run_folder(run_id) / name).open("rb") as file:
            file.seek(offset)
            return file.read(PIECE)

    def discard(self, run_id: str) -> None:
        """Remove a run, which the client has, or does not want."""
        shutil.rmtree(self.store.run_folder(run_id), ignore_errors=True)

    def close(self) -> None:
        """End the runs and remove everything."""
        if self._closed.is_set():
            return
        self._closed.set()
        with suppress(RunForgeError):
            self._pool.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _listen(self) -> None:
        while not self._closed.is_set():
            for message in self._pool.poll(_LOOK):
                waiting = self._queues.get(message.number)
                if waiting is not None:
                    waiting.put(message)


class _Reporter:
    """What was reported to the client of a run: numbered, so that it knows what is missing."""

    def __init__(self, worker: Any, topic: str, number: int, run_id: str) -> None:
        self._worker, self._topic, self._number, self._run_id = worker, topic, number, run_id
        self._counts = {"event": 0, "diagnostic": 0}
        self._progress = 0.0

    def event(self, event: dict[str, Any]) -> None:
        if event["event"] == "train_progress":
            now = time.monotonic()
            if now - self._progress < _PROGRESS:
                self._counts["event"] += 1
                return
            self._progress = now
        self._send("event", event)

    def diagnostic(self, diagnostic: Diagnostic) -> None:
        self._send("diagnostic", raw_diagnostic(diagnostic))

    def _send(self, kind: str, content: dict[str, Any]) -> None:
        position = self._counts[kind]
        self._counts[kind] += 1
        message = {
            "number": self._number,
            "run_id": self._run_id,
            "position": position,
            kind: content,
        }
        # What cannot be sent arrives with the run.
        with suppress(TypeError, OSError):
            self._worker.log_event(self._topic, message)


class _Lease:
    """Keeps a session open for as long as it is in the memory of the Dask worker."""

    def __init__(self, session: str) -> None:
        weakref.finalize(self, _end_later, session)

    def __reduce__(self) -> str:
        # It would end the session to write it to the disk and drop it from memory.
        raise TypeError("a session stays where it is")

    def __sizeof__(self) -> int:
        return 64


async def open_session(settings: dict[str, Any], dask_worker: Any) -> dict[str, Any]:
    """Open the session of a client, and return the environment of runs on this machine."""
    environment = await asyncio.to_thread(_open, settings, dask_worker)
    return {"environment": environment}


def _open(settings: dict[str, Any], worker: Any) -> dict[str, Any]:
    with _opening:
        if not _environment:
            _environment.append(report_environment())
        name = str(settings["session"])
        if name not in _sessions:
            host = _environment[0]["platform"]["host"]
            _sessions[name] = RemoteSession(worker, settings, host)
        return _environment[0]


def hold_session(session: str) -> _Lease:
    """Return the object with whose end the session ends."""
    return _Lease(session)


async def receive_file(session: str, sha256: str, offset: int, piece: bytes, *, last: bool) -> None:
    """Receive a piece of a dataset or a recipe."""
    files = _sessions[session].files
    await asyncio.to_thread(files.receive, sha256, offset, piece, last=last)


def execute_run(session: str, task: dict[str, Any]) -> dict[str, Any]:
    """Execute a run, as a task of Dask.

    Returns
    -------
    dict
        ``ended`` with ``sizes`` and ``files``, ``refused`` with an error, ``cancelled``, or
        ``lost`` with a reason.
    """
    found = _sessions.get(session)
    if found is None:
        return {"lost": "its worker does not know the client any more"}
    return found.execute(task)


def cancel_run(session: str, number: int, reason: str) -> None:
    """Cancel a run."""
    if session in _sessions:
        _sessions[session].cancel(number, reason)


async def read_file_piece(session: str, run_id: str, name: str, offset: int) -> bytes:
    """Return a piece of a file of a run that was too large to be sent at once."""
    return await asyncio.to_thread(_sessions[session].read, run_id, name, offset)


async def discard_run(session: str, run_id: str) -> None:
    """Remove a run that the client has."""
    if session in _sessions:
        await asyncio.to_thread(_sessions[session].discard, run_id)


async def close_session(session: str) -> None:
    """End a session, with everything that runs in it."""
    found = _sessions.pop(session, None)
    if found is not None:
        await asyncio.to_thread(found.close)


def _end_later(session: str) -> None:
    """End a session in a thread: the caller is the event loop of the worker."""
    found = _sessions.pop(session, None)
    if found is not None:
        threading.Thread(target=found.close, name="runforge-end", daemon=True).start()
