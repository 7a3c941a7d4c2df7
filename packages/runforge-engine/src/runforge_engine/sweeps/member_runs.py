"""Find the runs of a group among the run folders of a store, whatever its record says.

Source: specification, sections 20.6 and 20.9.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.run_ids import is_any_run_id
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import describe, read_index, run_names
from runforge_contracts.store.run import Run

from runforge_engine.runtime.folder_lock import state_of
from runforge_engine.store.run_folders import append_entry

RunState = Literal["succeeded", "failed", "cancelled", "running", "interrupted", "incomplete"]

#: Errors that say nothing about the run: the store could not be written, or the disk was full.
OF_THE_STORE = frozenset(
    {
        ErrorCode.STORE_NOT_WRITABLE,
        ErrorCode.STORE_BUSY,
        ErrorCode.STORE_NOT_FOUND,
        ErrorCode.FILE_UNSAFE,
        ErrorCode.INDEX_INVALID,
    }
)


@dataclass(frozen=True, slots=True)
class MemberRun:
    """A run of a member of a group."""

    #: Number of the member, as the run's request names it.
    member: int
    run: Run
    state: RunState

    @property
    def has_ended(self) -> bool:
        """Whether the run has a result."""
        return self.state in ("succeeded", "failed", "cancelled")

    @property
    def error_code(self) -> str | None:
        """The code of the error that ended the run."""
        code: str | None = ((self.run.result or {}).get("error") or {}).get("code")
        return code

    @property
    def dataset_sha256(self) -> str | None:
        """The fingerprint of the dataset that the run used, if it recorded one."""
        config = (self.run.result or {}).get("effective_config") or {}
        sha256: str | None = (config.get("dataset") or {}).get("fingerprint_sha256")
        return sha256


def runs_of_group(
    store: StoreLayout, group_id: str, since: str, known: Collection[str] = ()
) -> list[MemberRun]:
    """Return the runs of a group, the oldest first.

    Parameters
    ----------
    store
        The store of the group.
    group_id
        The group.
    since
        When the group was made, in UTC: its runs are not older. They are found without this, too,
        where ``known`` or the index names them.
    known
        Ids of runs that may belong to the group.

    Raises
    ------
    RunForgeError
        ``FILE_UNREADABLE`` if the folder of the runs cannot be read.
    """
    stamp = since[:19].replace("-", "").replace(":", "").replace("T", "-")
    listed = {entry["run_id"] for entry in _entries(store) if entry.get("group_id") == group_id}
    wanted = {name for name in known if is_any_run_id(name)} | listed
    found: list[MemberRun] = []
    for name in run_names(store):
        if name in wanted or name[: len(stamp)] >= stamp:
            with contextlib.suppress(RunForgeError):  # not a run of ours, or one that is spoilt
                found += _read(Run(store.run_folder(name)), group_id)
    return found


def list_unlisted(store: StoreLayout, runs: Collection[MemberRun]) -> int:
    """Append to the index the finished runs that it lacks, and return how many there were.

    Raises
    ------
    RunForgeError
        As :func:`~runforge_engine.store.run_folders.append_entry`.
    """
    listed = {entry["run_id"] for entry in _entries(store)}
    missing = [item for item in runs if item.has_ended and item.run.id not in listed]
    for item in missing:
        append_entry(store, describe(item.run, store))
    return len(missing)


def state_of_run(run: Run) -> RunState:
    """Return the state of a run, of its process if it has no result."""
    if run.status in ("succeeded", "failed", "cancelled"):
        return run.status
    return state_of(run.path)


def _read(run: Run, group_id: str) -> Iterator[MemberRun]:
    request: dict[str, Any] = run.request or {}
    member = request.get("sweep_member")
    if request.get("sweep_group_id") == group_id and isinstance(member, int):
        yield MemberRun(member, run, state_of_run(run))


def _entries(store: StoreLayout) -> list[dict[str, Any]]:
    """Return the entries of the index; none if it cannot be read, which an append reports."""
    try:
        return read_index(store)
    except RunForgeError:
        return []
