"""Scan all run folders of a store, with the state of each run.

The folder of a finished run never changes, so its result is cached.

Source: specification, section 5.6.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
from runforge_contracts.codec.strict_json import MAX_BYTES
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import read_file
from runforge_contracts.fs.folders import list_folder
from runforge_contracts.invariants.store_invariants import instant
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.moved_store import is_stray_link
from runforge_contracts.store.reading import describe, may_be_run
from runforge_contracts.store.run import RUN_VERSIONS, Run
from runforge_contracts.validation import validate

from runforge_engine.runtime.folder_lock import is_held

#: ``incomplete``: the run has no result and may never have one: it has not started, or its client
#: holds no lock.
State = Literal["finished", "running", "interrupted", "incomplete", "unreadable"]


@dataclass(frozen=True, slots=True)
class Found:
    """A run folder and the known state of its run."""

    path: Path
    state: State
    #: The index entry of a finished run as JSON, which takes less memory: there may be very many.
    text: bytes = b"{}"
    #: Sort key of finished runs that are not listed: by end time, the order in which their entries
    #: are appended.
    ended: tuple[str, str, int, str] = ("", "", 0, "")
    #: Why the folder is unreadable.
    reason: str = ""
    #: Whether the run is one that an index of this contract has to list.
    is_due: bool = True

    @property
    def entry(self) -> dict[str, Any]:
        """The index entry of a finished run."""
        entry: dict[str, Any] = msgspec.json.decode(self.text)
        return entry

    @property
    def is_final(self) -> bool:
        """Return whether the state can no longer change."""
        return self.state in ("finished", "interrupted", "unreadable")


@dataclass(frozen=True, slots=True)
class Skipped:
    """An item among the run folders that is not a run, and the reason."""

    name: str
    reason: str


def children(store: StoreLayout) -> Iterator[tuple[Path, str | None]]:
    """Yield every item among the run folders by name, with the reason to skip it, if any.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE`` if the store is a symbolic link or inside one; ``FILE_UNREADABLE``.
    """
    refuse_links(store.root, store.runs)
    for entry in list_folder(store.runs):
        reason = None
        if entry.is_symlink():
            reason = "It is a symbolic link, which could lead anywhere."
        elif not entry.is_dir(follow_symlinks=False):
            reason = "It is not a folder."
        elif not may_be_run(entry.name, store):
            reason = "Its name cannot be a run id."
        yield store.runs / entry.name, reason


def refuse_links(*folders: Path) -> None:
    """Raise ``FILE_UNSAFE`` if one of ``folders`` is a symbolic link."""
    for folder in folders:
        if is_stray_link(folder):
            raise RunForgeError(
                ErrorCode.FILE_UNSAFE,
                f"{quote(folder, 200)} is a symbolic link, which could lead anywhere.",
                hint="Name the workspace that the store really lies in.",
                path=str(folder),
            )


def look_at(path: Path, store: StoreLayout, *, is_listed: bool = False) -> Found:
    """Return the state of the run in the folder ``path``.

    ``is_listed``: the index has the run, so it has had a result, even if its folder is locked now.
    """
    # In this order: a run that has started and is not locked has finished, and its files are final.
    begun = _exists(path / layout.EVENTS)
    held = False if is_listed else is_held(path)
    # Read the result last; a lock on a run with a result means nothing, as any process can take it.
    if held and not _exists(path / layout.RESULT):
        return Found(path, "running")
    over = begun and held is False
    folder = Run(path)
    try:
        ended = _end(folder, store)
        if ended is not None:
            entry = describe(folder, store)
            validate({"schema_version": "index.v1", "runs": [entry]}, "index.v1")
            text = msgspec.json.encode(entry)
            if is_listed:
                return Found(path, "finished", text)
            order = _order(folder, entry, ended)
            return Found(path, "finished", text, ended=order, is_due=_is_due(folder))
    except RunForgeError as error:
        # An incomplete document without a manifest was still being written.
        if not over or _exists(path / layout.MANIFEST):
            return Found(path, "unreadable", reason=error.message)
    if over:
        return Found(path, "interrupted")
    return Found(path, "incomplete")


def _end(folder: Run, store: StoreLayout) -> str | None:
    """Return when the run ended; None if it has not ended, or was interrupted.

    Raises ``DOCUMENT_INVALID`` if its documents belong to different runs.
    """
    run, result = folder.record, folder.result
    ids = {document["run_id"] for document in (run, result) if document and "run_id" in document}
    # The editor extension has an id of its own besides that of its engine.
    if len(ids) > 1 and folder.client_form is None:
        raise RunForgeError(
            ErrorCode.DOCUMENT_INVALID,
            "Its documents carry different run ids: "
            + ", ".join(quote(run_id) for run_id in sorted(ids))
            + ".",
            path=str(folder.path),
        )
    if result is not None:
        # Other clients may leave the time out; the entry has the same one.
        return str(result.get("finished_at") or describe(folder, store).get("created_at", ""))
    # Older clients, without result.json, wrote a run record once training had completed. Current
    # clients write both; a run with a record only was interrupted between the two.
    if run is not None and run["schema_version"] != RUN_VERSIONS[0]:
        return str(run["created_at"])
    return None


def _is_due(folder: Run) -> bool:
    """Return whether an index has to list the run; runs of other clients are in theirs, if any."""
    if _exists(folder.path / layout.MANIFEST):
        return True
    return folder.record is not None and folder.client_form is None


def _order(folder: Run, entry: dict[str, Any], ended: str) -> tuple[str, str, int, str]:
    """Return a sort key by time: the recorded second, then the times of the logs and the files."""
    file = folder.path / (layout.RESULT if folder.result is not None else layout.RUN)
    try:
        written = file.stat(follow_symlinks=False).st_mtime_ns
    except OSError:
        written = 0
    return instant(ended), _last_event(folder.path), written, str(entry["run_id"])


def times_of(folder: Run) -> frozenset[str]:
    """Return the times in a run's documents, any of which a client may have used as its time."""
    documents = (folder.request, folder.record, folder.result)
    names = ("created_at", "started_at", "finished_at")
    return frozenset(
        instant(document[name])
        for document in documents
        for name in names
        if document and isinstance(document.get(name), str)
    )


def _last_event(path: Path) -> str:
    """Return the time of the run's last event, in milliseconds; empty if there is none."""
    try:
        lines = read_file(path / layout.EVENTS, max_bytes=MAX_BYTES).splitlines()
        return str(json.loads(lines[-1])["timestamp"])
    except (RunForgeError, ValueError, LookupError, TypeError, RecursionError):
        return ""


def _exists(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat(follow_symlinks=False).st_mode)
    except OSError:
        return False
