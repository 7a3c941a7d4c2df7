"""Read runs for the browser: the newest first, all of them only when needed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runforge_contracts.errors import RunForgeError
from runforge_contracts.index.newest import newest_runs
from runforge_contracts.run_ids import is_any_run_id, is_run_id, started
from runforge_contracts.store.aliases import with_aliases
from runforge_contracts.store.layout import ExperimentLayout, Place, StoreLayout
from runforge_contracts.store.reading import describe, read_store_index
from runforge_contracts.store.run import Run as TrainedRun

from runforge_cli.listing.run_list import ListedRun, entries_of

#: Number of runs that are read at first, and again when the store has changed.
PAGE = 200
#: Number of the newest experiment runs whose folders are watched.
_WATCHED = 20
#: The status of a folder whose documents cannot be read.
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Catalog:
    """The runs that were read."""

    #: Newest first.
    runs: tuple[ListedRun, ...] = ()
    #: The number of all runs.
    total: int = 0
    #: Whether all runs were read.
    complete: bool = False
    #: Messages on locations that could not be read.
    problems: tuple[str, ...] = ()


def read_newest(places: Iterable[Place], count: int) -> Catalog:
    """Return the newest ``count`` runs of several locations."""
    parts = [_newest(place, count) for place in places]
    merged = _merged(parts)
    if merged.complete:
        return merged
    return Catalog(merged.runs[:count], merged.total, False, merged.problems)


def read_all(places: Iterable[Place]) -> Catalog:
    """Return every run of several locations."""
    return _merged([_all(place) for place in places])


def renew(catalog: Catalog, places: Sequence[Place]) -> Catalog:
    """Return the catalog updated with the changes since it was read."""
    fresh = read_newest(places, PAGE)
    if fresh.complete or len(catalog.runs) <= len(fresh.runs):
        return fresh
    known = {run.key for run in fresh.runs}
    oldest = started(fresh.runs[-1].entry)
    older = (run for run in catalog.runs if run.key not in known and started(run.entry) <= oldest)
    runs = (*fresh.runs, *older)
    if catalog.complete and len(runs) != fresh.total:
        return read_all(places)  # older runs were removed or added
    return Catalog(runs, fresh.total, catalog.complete, fresh.problems)


def stamp(places: Iterable[Place]) -> tuple[tuple[int, int, int] | None, ...]:
    """Return a value that changes when a run is added to, or listed in, one of the locations."""
    return tuple(_stamp(path) for place in places for path in _watched(place))


def _watched(place: Place) -> Iterator[Path]:
    """Yield the files and folders that are written to when a run starts or finishes."""
    yield place.runs
    if isinstance(place, StoreLayout):
        yield place.index
        return
    # There is no index of experiment runs: a run that logs or finishes changes its own folder.
    with contextlib.suppress(RunForgeError):
        for run_id in place.ids()[-_WATCHED:]:
            yield place.run_folder(str(run_id))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _merged(parts: Sequence[Catalog]) -> Catalog:
    # The last location first, like the other lists if runs started in the same second.
    runs = [run for part in reversed(parts) for run in part.runs]
    if len(parts) > 1:
        # The sort is stable, so that within a second the order of each list is kept.
        runs.sort(key=lambda run: started(run.entry), reverse=True)
    return Catalog(
        tuple(runs),
        sum(part.total for part in parts),
        all(part.complete for part in parts),
        tuple(problem for part in parts for problem in part.problems),
    )


def _newest(place: Place, count: int) -> Catalog:
    if isinstance(place, ExperimentLayout):
        return _experiments(place, count)
    return _newest_trained(place, count)


def _experiments(place: ExperimentLayout, count: int | None) -> Catalog:
    from runforge_contracts.store.experiment_list import newest_experiments

    try:
        entries, total, _ = newest_experiments(place, count)
    except RunForgeError as error:
        return Catalog(complete=True, problems=(error.message,))
    entries = sorted(entries, key=started)[::-1]
    return Catalog(
        tuple(ListedRun(entry, place) for entry in entries), total, len(entries) == total
    )


def _newest_trained(store: StoreLayout, count: int) -> Catalog:
    newest = newest_runs(store, count)
    if newest is not None:
        oldest = "" if newest.total <= count else min(map(started, newest.entries), default="")
        runs = _with_rest(newest.entries, store, oldest)
        return Catalog(runs, max(newest.total, len(runs)), len(newest.entries) < count)
    problem = ""
    try:
        index = read_store_index(store)
    except RunForgeError as error:
        index, problem = None, f"{error.message} Showing the runs found in the run folders."
    names = sorted(_names(store))
    if index is None and len(names) > count and all(map(is_run_id, names)):
        # Without an index, every run folder has to be read, so only the newest are read now.
        runs = _with_rest([], store, names[-count])
        return Catalog(runs, len(names), False, (problem,) if problem else ())
    return _all_trained(store)


def _all(place: Place) -> Catalog:
    if isinstance(place, ExperimentLayout):
        return _experiments(place, None)
    return _all_trained(place)


def _all_trained(store: StoreLayout) -> Catalog:
    problems: list[str] = []
    entries: list[dict[str, Any]] = []
    try:
        entries = entries_of(store, problems.append)
    except RunForgeError as error:
        problems.append(f"{error.message} {error.hint or ''}".rstrip())
    runs = _with_rest(entries, store, "")
    return Catalog(runs, len(runs), True, tuple(problems))


def _with_rest(
    entries: Iterable[dict[str, Any]], store: StoreLayout, oldest: str
) -> tuple[ListedRun, ...]:
    """Return the runs of a store, newest first, including run folders that are not in the index.

    Parameters
    ----------
    entries
        The entries of the index, oldest first.
    store
        The store.
    oldest
        ListedRun folders that started before this id are ignored.
    """
    found = list(entries)
    known = {entry["run_id"] for entry in found} | {
        entry["run_dir"].rpartition("/")[2] for entry in found
    }
    rest = [
        _entry_of(store.run_folder(name), store)
        for name in _names(store)
        if name not in known and name >= oldest
    ]
    if rest:
        found = sorted([*found, *rest], key=started)
    return tuple(ListedRun(entry, store) for entry in reversed(with_aliases(found, [store])))


def _entry_of(path: Path, store: StoreLayout) -> dict[str, Any]:
    try:
        return describe(TrainedRun(path), store)
    except RunForgeError:
        return {
            "run_id": path.name,
            "created_at": _time_of(path),
            "run_dir": store.relative(path),
            "status": UNREADABLE,
        }


def _time_of(path: Path) -> str:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OSError, ValueError, OverflowError):
        return ""


def _names(store: StoreLayout) -> list[str]:
    try:
        with os.scandir(store.runs) as found:
            return [
                entry.name
                for entry in found
                if is_any_run_id(entry.name) and entry.is_dir(follow_symlinks=False)
            ]
    except OSError:
        return []
