"""Archive and restore runs, merge and move stores: for the methods of ``Store``.

The parameters are those of :class:`~runforge_engine.api.library.Store`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.removals import place_of, read_removals
from runforge_contracts.store.run import BaseRun

from runforge_engine import __version__

if TYPE_CHECKING:
    from runforge_contracts.store.lookup import AnyRun

AnyPath = str | os.PathLike[str]
_CLIENT = f"runforge-engine@{__version__}"


def archive_recorded(
    store: StoreLayout,
    runs: AnyRun | str | Iterable[AnyRun | str],
    target: AnyPath,
    find: Callable[[AnyRun | str], AnyRun],
    *,
    because: str | None,
    with_dataset: bool,
    force: bool,
) -> list[str]:
    """Move runs into an archive, and return their ids."""
    from runforge_engine.archiving.archive_runs import archive_runs

    given = [runs] if isinstance(runs, (str, BaseRun)) else list(runs)
    if not given:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID, "No run is named.", hint="`runforge runs` lists them."
        )
    removed = read_removals(store).current
    # As by `runforge store archive`: an archived run that is named again is finished.
    archived = [
        run
        for run in given
        if isinstance(run, str) and removed.get(run, {}).get("action") == "archived"
    ]
    found = {run.path: run for run in map(find, (run for run in given if run not in archived))}
    report = archive_runs(
        list(found.values()),
        store,
        Path(target),
        created_by=_CLIENT,
        because=because,
        archived=archived,
        with_dataset=with_dataset,
        force=force,
    )
    return [run.run_id for run in report.runs]


def restore_recorded(
    store: StoreLayout, archives: AnyPath | Sequence[AnyPath], runs: str | Iterable[str]
) -> list[Path]:
    """Bring runs back from archives, and return their folders."""
    from runforge_engine.archiving.open_archive import opened_archive
    from runforge_engine.archiving.restore_runs import restore_runs

    given = [archives] if isinstance(archives, (str, os.PathLike)) else list(archives)
    if not given:
        raise RunForgeError(ErrorCode.USAGE_INVALID, "No archive is named.")
    with ExitStack() as stack:
        report = restore_runs(
            [stack.enter_context(opened_archive(Path(path), store.name)) for path in given],
            [runs] if isinstance(runs, str) else list(runs),
            store,
            created_by=_CLIENT,
        )
    places = {run.run_id: place_of({"run_id": run.run_id}, store) for run in report.runs}
    return [place.run_folder(run_id) for run_id, place in places.items()]


def merge_recorded(
    store: StoreLayout, other: AnyPath, public_key: AnyPath | Iterable[AnyPath] | None
) -> list[Path]:
    """Bring the runs of another store into this one, and return the folders of the new ones."""
    from runforge_engine.merging.merge_stores import merge_store
    from runforge_engine.merging.other_store import open_other

    keys = [public_key] if isinstance(public_key, (str, os.PathLike)) else public_key
    opened = open_other(Path(other), store, [Path(key) for key in keys or ()])
    report = merge_store(opened, store, created_by=_CLIENT)
    return [
        store.workspace / item.path
        for item in report.items
        if item.kind in ("run", "experiment")
        and item.outcome in ("added", "apart")
        and isinstance(item.path, str)
    ]


def move_recorded(store: StoreLayout, folder: AnyPath) -> Path:
    """Move a store into another folder, and return where it is."""
    from runforge_engine.moving.move_store import move_store

    return Path(move_store(store, Path(folder), created_by=_CLIENT).target)
