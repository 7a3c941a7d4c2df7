"""Clear up what processes that were killed left in a store: what is found is shown first.

Source: specification, section 25.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

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

from runforge_engine.experiment.record import experiment_state
from runforge_engine.removing.dataset_users import COPIES, DatasetUsers, digest_in
from runforge_engine.removing.forget_runs import digests_before, item_of, with_remains
from runforge_engine.removing.remains import Remain, remains_of
from runforge_engine.removing.removal_writer import (
    RecordedFolder,
    finish_removals,
    folder_of,
    forget_folders,
    left_folders,
    left_of,
    listed_entries,
    record_of_folder,
    recorded_before,
    remove_also,
    unfinished_removals,
)
from runforge_engine.store.incoming import left_copies, remove_left
from runforge_engine.store.index_lock import index_lock
from runforge_engine.store.run_folders import prepare_store
from runforge_engine.store.scan import children, look_at

#: What the line says where the user gives no reason.
REASON = "interrupted before it had a result"
_LEFT_OVER = "left over from the forgotten run"
#: Names of temporary files beside those that are written while the index is locked.
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{16}\.tmp")


@dataclass(frozen=True, slots=True)
class _Found:
    interrupted: tuple[RecordedFolder, ...]
    #: Removed runs whose folders are there.
    unfinished: tuple[tuple[str, Path], ...]
    #: Hidden folders and temporary files.
    left: tuple[Path, ...]
    #: Lines of removed runs, and files that should have gone with these.
    rest: tuple[tuple[dict[str, Any], list[Path]], ...]
    #: What forgotten runs left, and the files of it that nothing else recorded.
    remains: tuple[Remain, ...]


def tidy_store(
    store: StoreLayout,
    *,
    because: str | None = None,
    created_by: str,
    dry_run: bool = False,
    with_dataset: bool = False,
    with_evaluations: bool = False,
) -> RemovalReportV1:
    """Forget interrupted runs, finish removals, and remove temporary files of ended processes.

    The report has evaluations of forgotten runs, and copies of datasets and recipes that nothing
    uses, too.

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
    with_dataset
        Whether to remove copies of datasets and recipes that nothing uses.
    with_evaluations
        Whether to remove the evaluations of forgotten runs.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE`` if the store is a symbolic link; ``DOCUMENT_INVALID`` if the record is not
        valid; ``INDEX_INVALID``, ``STORE_BUSY``, ``STORE_NOT_WRITABLE``, ``FILE_UNREADABLE``.
    """
    found = _look(store, with_evaluations=with_evaluations)
    taken = [
        one
        for one in found.remains
        if one.is_free and (with_evaluations if one.what == "evaluation" else with_dataset)
    ]
    kept, reason = dict[Path, str](), because or REASON
    is_work = found.interrupted or found.unfinished or found.left or found.rest or taken
    if not dry_run and is_work:
        prepare_store(store)
        _remove_temporary(store)
        kept = dict(finish_removals(store).kept)
        for line, _ in found.rest:
            remove_also(store, line)
        forget_folders(store, found.interrupted, because=reason, created_by=created_by)
        _remove_remains(store, taken, because=because or _LEFT_OVER, created_by=created_by)
    return RemovalReportV1(
        schema_version="removal_report.v1",
        dry_run=dry_run,
        store=store.name,
        items=[
            *(item_of(folder, store, "interrupted") for folder in found.interrupted),
            *(_unfinished(store, run_id, folder, kept) for run_id, folder in found.unfinished),
            *(
                _unfinished(store, line["run_id"], path, kept)
                for line, paths in found.rest
                for path in paths
            ),
            *(
                RemovalItem(what="temporary", path=store.relative(path), outcome="removed")
                for path in found.left
            ),
            *(one.to_item(store, removed=one in taken) for one in found.remains),
        ],
    )


def _remove_remains(
    store: StoreLayout, taken: list[Remain], *, because: str, created_by: str
) -> None:
    """Record what goes with the runs that were forgotten, and remove it."""
    current = read_removals(store).current
    run_ids = dict.fromkeys(run_id for one in taken for run_id in one.run_ids)
    runs = [recorded_before(current[run_id], store) for run_id in run_ids]
    forget_folders(store, with_remains(runs, taken), because=because, created_by=created_by)
    users = DatasetUsers(store)
    for one in taken:
        if not one.run_ids and not users.of(str(digest_in(one.path))):
            # No line can name a copy that no run used.
            with writing(one.path):
                one.path.unlink(missing_ok=True)


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


def _look(store: StoreLayout, *, with_evaluations: bool) -> _Found:
    removed = read_removals(store).current
    rest = [(line, left_of(store, line)) for line in removed.values()]
    entries = listed_entries(store) if removed else {}
    forgotten = {
        run_id: digests_before(recorded_before(line, store), entries)
        for run_id, line in removed.items()
        if line["action"] == "forgotten"
    }
    found = remains_of(store, forgotten, with_evaluations=with_evaluations, every_copy=True)
    known = {path for _, paths in rest for path in paths}
    return _Found(
        tuple(folder for folder in _interrupted(store) if folder.run_id not in removed),
        tuple((line["run_id"], folder_of(line, store)) for line in unfinished_removals(store)),
        (*left_folders(store), *_copies(store), *_temporary(store)),
        tuple((line, paths) for line, paths in rest if paths),
        tuple(one for one in found if not known & {store.root / name for name in one.files}),
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
    return [store.root, store.signatures, *(store.root / name for name in COPIES), experiments]


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
