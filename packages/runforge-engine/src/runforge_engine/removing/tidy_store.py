"""Clear up what processes that were killed left in a store: what is found is shown first.

Source: specification, section 25.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from msgspec import UNSET
from runforge_contracts.fs.files import writing
from runforge_contracts.store.experiment_list import describe_experiment
from runforge_contracts.store.experiment_runs import ExperimentRun
from runforge_contracts.store.layout import ALIASES, MERGES, REMOVALS, ExperimentLayout, StoreLayout
from runforge_contracts.store.moved_store import is_stray_link
from runforge_contracts.store.reading import describe
from runforge_contracts.store.removals import read_removals
from runforge_contracts.store.run import Run
from runforge_contracts.types import RemovalItem, RemovalReportV1

from runforge_engine.data.kept_datasets import DATASETS
from runforge_engine.experiment.record import experiment_state
from runforge_engine.removing.forget_runs import item_of
from runforge_engine.removing.removal_writer import (
    RecordedFolder,
    finish_removals,
    folder_of,
    forget_folders,
    left_folders,
    listed_entries,
    record_of_folder,
    unfinished_removals,
)
from runforge_engine.store.incoming import left_copies, remove_left
from runforge_engine.store.index_lock import index_lock
from runforge_engine.store.run_folders import prepare_store
from runforge_engine.store.scan import children, look_at

#: What the line says where the user gives no reason.
REASON = "interrupted before it had a result"
#: Names of temporary files beside those that are written while the index is locked.
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{16}\.tmp")


@dataclass(frozen=True, slots=True)
class _Found:
    interrupted: tuple[RecordedFolder, ...]
    #: Removed runs whose folders are there.
    unfinished: tuple[tuple[str, Path], ...]
    #: Hidden folders and temporary files.
    left: tuple[Path, ...]


def tidy_store(
    store: StoreLayout, *, because: str | None = None, created_by: str, dry_run: bool = False
) -> RemovalReportV1:
    """Forget interrupted runs, finish removals, and remove temporary files of ended processes.

    Parameters
    ----------
    store
        The store; the runs of experiments in its workspace are looked at, too.
    because
        Why, for the record of the interrupted runs.
    created_by
        The client, such as ``runforge-cli@0.4.0``.
    dry_run
        Whether to look only, and write nothing.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE`` if the store is a symbolic link; ``DOCUMENT_INVALID`` if the record is not
        valid; ``INDEX_INVALID``, ``STORE_BUSY``, ``STORE_NOT_WRITABLE``, ``FILE_UNREADABLE``.
    """
    found = _look(store)
    kept = dict[Path, str]()
    if not dry_run and (found.interrupted or found.unfinished or found.left):
        prepare_store(store)
        _remove_temporary(store)
        kept = dict(finish_removals(store).kept)
        reason = because or REASON
        forget_folders(store, found.interrupted, because=reason, created_by=created_by)
    return RemovalReportV1(
        schema_version="removal_report.v1",
        dry_run=dry_run,
        store=store.name,
        items=[
            *(item_of(folder, store, "interrupted") for folder in found.interrupted),
            *(_unfinished(store, run_id, folder, kept) for run_id, folder in found.unfinished),
            *(
                RemovalItem(what="temporary", path=store.relative(path), outcome="removed")
                for path in found.left
            ),
        ],
    )


def _unfinished(
    store: StoreLayout, run_id: str, folder: Path, kept: dict[Path, str]
) -> RemovalItem:
    return RemovalItem(
        what="unfinished",
        path=store.relative(folder),
        outcome="kept" if folder in kept else "removed",
        id=run_id,
        message=kept.get(folder, UNSET),
    )


def _look(store: StoreLayout) -> _Found:
    removed = read_removals(store).current
    return _Found(
        tuple(folder for folder in _interrupted(store) if folder.run_id not in removed),
        tuple((line["run_id"], folder_of(line, store)) for line in unfinished_removals(store)),
        (*left_folders(store), *_copies(store), *_temporary(store)),
    )


def _interrupted(store: StoreLayout) -> Iterator[RecordedFolder]:
    entries = cache(listed_entries)  # Read for all, and only if there are any.
    for path, reason in children(store) if store.runs.is_dir() else ():
        if reason is None and look_at(path, store).state == "interrupted":
            listed = describe(Run(path), store)
            yield record_of_folder(store, path.name, path, entries=entries(store), listed=listed)
    place = ExperimentLayout(store.workspace)
    for run_id in place.ids():
        run = ExperimentRun(place.run_folder(str(run_id)))
        if experiment_state.state_of(run) == "interrupted":
            listed = describe_experiment(run, place)
            yield record_of_folder(
                store, run.path.name, run.path, entries=entries(store), listed=listed
            )


def _roots(store: StoreLayout) -> list[Path]:
    """Return the folders that folders and files are brought into."""
    experiments = ExperimentLayout(store.workspace).runs
    return [store.root, store.signatures, store.root / DATASETS, experiments]


def _copies(store: StoreLayout) -> list[Path]:
    return [path for root in _roots(store) for path in left_copies(root)]


def _temporary(store: StoreLayout) -> list[Path]:
    """Return the temporary files beside those that are written only while the index is locked."""
    written = {store.index.name, ALIASES, MERGES, REMOVALS}
    if is_stray_link(store.root) or not store.root.is_dir():
        return []
    found = list[Path]()
    with writing(store.root):
        for path in sorted(store.root.iterdir()):
            name = _TEMPORARY.fullmatch(path.name)
            is_ours = name is not None and name["name"] in written
            if is_ours and path.is_file() and not path.is_symlink():
                found.append(path)
    return found


def _remove_temporary(store: StoreLayout) -> None:
    for root in _roots(store):
        remove_left(root)
    with index_lock(store):
        # Nobody else writes these files now: what is there was left.
        for path in _temporary(store):
            with writing(path):
                path.unlink(missing_ok=True)
