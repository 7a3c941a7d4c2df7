"""The newest runs of a store, without reading its whole index."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from typing import Any

from runforge_contracts.errors import RunForgeError
from runforge_contracts.run_ids import started
from runforge_contracts.store.index_form import (
    Newest,
    can_be_shown,
    entry_count,
    listed_ids,
    newest_entries,
    once,
)
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.removals import removed_runs
from runforge_contracts.store.view_folders import may_have_views

#: Runs are listed as they end, so this many later starts may precede a run that ended later.
_OVERLAP = 50
#: Most older folders without an entry that are counted by what is in them, and not by their names.
_DESCRIBED = 500
#: Length of a run id that starts with its time.
_ID_LENGTH = len("20260201-120000-abc12345")


def newest_runs(store: StoreLayout, count: int) -> Newest | None:
    """Return the newest ``count`` runs, or None if the whole index is needed.

    Runs that are not in the index are described from their documents.
    """
    if may_have_views(store):
        return None  # Views are not listed, and only their documents tell what they are.
    try:
        removed = removed_runs(store)
        wanted = count + _OVERLAP + len(removed)
        listed = newest_entries(store.index, wanted)
        names = os.listdir(store.runs)  # noqa: PTH208 - names are enough, and ten times as fast
    except (OSError, RunForgeError):
        return None
    if listed is None or not all(can_be_shown(entry) for entry in listed):
        return None
    oldest, whole = "", len(listed) < wanted
    listed = once(listed)
    known = store.known_names(listed) | removed.keys()
    if not whole:
        if set(map(len, names)) != {_ID_LENGTH}:
            return None  # such a name does not contain a start time
        oldest = min(map(started, listed))
        # Runs that began in the same second, as those of a sweep do, may be listed before it.
        later = [entry for entry in listed if started(entry) > oldest]
        if sum(entry["run_id"] not in removed for entry in later) >= count > 0:
            listed, oldest = later, min(map(started, later))
    read = len(listed)
    listed = [entry for entry in listed if entry["run_id"] not in removed]
    unlisted = [name for name in names if name >= oldest and name not in known]
    entries = sorted([*listed, *described_runs(store, unlisted, known)], key=started)
    total = len(entries)
    if not whole:
        older = [name for name in names if name < oldest]
        try:
            total += _older_runs(store, older, read, entries, removed)
        except RunForgeError:
            return None
    return Newest(entries[-count:], total)


def _older_runs(
    store: StoreLayout,
    names: list[str],
    read: int,
    newest: list[dict[str, Any]],
    removed: Collection[str],
) -> int:
    """Return how many runs a store has besides the newest: in its index, or in a folder.

    Parameters
    ----------
    store
        The store.
    names
        The names of older folders.
    read
        How many entries of the index were read.
    newest
        The newest runs.
    removed
        Ids of runs that do not count.
    """
    count = entry_count(store.index) - read
    if count == len(names) and not removed:
        return count  # As many entries as folders: so each has its own, as nearly always.
    ids = listed_ids(store.index) - set(removed)
    counted = {entry["run_id"] for entry in newest}
    others = [name for name in names if name not in ids and name not in removed]
    unlisted = len(others)
    if unlisted <= _DESCRIBED:
        unlisted = len(described_runs(store, others, ids | counted | set(removed)))
    return len(ids - counted) + unlisted


def described_runs(store: StoreLayout, names: list[str], known: set[str]) -> list[dict[str, Any]]:
    """Return entries for runs that have none; runs that cannot be read are skipped.

    Copies of the documents of runs in ``known`` are skipped, too.
    """
    if not names:
        return []
    # Late: listing a complete index reads no documents.
    from runforge_contracts.store.reading import describe, may_be_run
    from runforge_contracts.store.run import Run

    found = []
    for name in sorted(names):
        path = store.run_folder(name)
        if not may_be_run(name, store) or path.is_symlink() or not path.is_dir():
            continue
        with contextlib.suppress(RunForgeError):
            entry = describe(Run(path), store)
            if entry["run_id"] not in known:
                known.add(entry["run_id"])
                found.append(entry)
    return found
