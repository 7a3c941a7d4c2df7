"""Runs as browsing needs them: the newest at once, all of them only if asked."""

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
from runforge_contracts.store.layout import ExperimentLayout, Place, StoreLayout
from runforge_contracts.store.reading import describe, read_index_document
from runforge_contracts.store.run import Run as TrainedRun

from runforge_cli.listing.run_list import Run, entries_of

#: Runs that are read at first, and looked at again when something has changed.
PAGE = 200
#: Runs of experiments, the newest ones, whose folders are watched.
_WATCHED = 20
#: The status of a folder whose documents cannot be read.
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Catalog:
    """The runs that were read."""

    #: Newest first.
    runs: tuple[Run, ...] = ()
    #: How many there are in all.
    total: int = 0
    #: Whether all of them were read.
    complete: bool = False
    #: What stands against the places, in words.
    problems: tuple[str, ...] = ()


def read_newest(places: Iterable[Place], count: int) -> Catalog:
    """Return the newest ``count`` runs of some places, and no more than is easily had."""
    parts = [_newest(place, count) for place in places]
    merged = _merged(parts)
    if merged.complete:
        return merged
    return Catalog(merged.runs[:count], merged.total, False, merged.problems)


def read_all(places: Iterable[Place]) -> Catalog:
    """Return every run of some places."""
    return _merged([_all(place) for place in places])


def renew(catalog: Catalog, places: Sequence[Place]) -> Catalog:
    """Return the catalog with what has changed since it was read."""
    fresh = read_newest(places, PAGE)
    if fresh.complete or len(catalog.runs) <= len(fresh.runs):
        return fresh
    known = {run.key for run in fresh.runs}
    oldest = started(fresh.runs[-1].entry)
    older = (run for run in catalog.runs if run.key not in known and started(run.entry) <= oldest)
    runs = (*fresh.runs, *older)
    if catalog.complete and len(runs) != fresh.total:
        return read_all(places)  # Some of the older ones are gone, or were put there.
    return Catalog(runs, fresh.total, catalog.complete, fresh.problems)


def stamp(places: Iterable[Place]) -> tuple[tuple[int, int, int] | None, ...]:
    """Return what is another thing once a run was added to, or listed in, one of the places."""
    return tuple(_stamp(path) for place in places for path in _telling(place))


def _telling(place: Place) -> Iterator[Path]:
    """Give the files and folders that are written to when a run begins or ends."""
    yield place.runs
    if isinstance(place, StoreLayout):
        yield place.index
        return
    # Nothing lists them: a run that logs or ends changes its own folder.
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
    # The last place first, as other lists have it where runs began in the same second.
    runs = [run for part in reversed(parts) for run in part.runs]
    if len(parts) > 1:
        # A stable sort: within a second, the order of each list holds.
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
        entries, total = newest_experiments(place, count)
    except RunForgeError as error:
        return Catalog(complete=True, problems=(error.message,))
    entries = sorted(entries, key=started)[::-1]
    return Catalog(tuple(Run(entry, place) for entry in entries), total, len(entries) == total)


def _newest_trained(store: StoreLayout, count: int) -> Catalog:
    newest = newest_runs(store, count)
    if newest is not None:
        oldest = "" if newest.total <= count else min(map(started, newest.entries), default="")
        runs = _with_rest(newest.entries, store, oldest)
        return Catalog(runs, max(newest.total, len(runs)), len(newest.entries) < count)
    problem = ""
    try:
        index = read_index_document(store)
    except RunForgeError as error:
        index, problem = None, f"{error.message} Showing what the run folders say."
    names = sorted(_names(store))
    if index is None and len(names) > count and all(map(is_run_id, names)):
        # Without a list, each run is a folder to be read: the newest are enough for now.
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
) -> tuple[Run, ...]:
    """Return the runs of a store, newest first, with the folders that its list leaves out.

    Parameters
    ----------
    entries
        What the list says, oldest first.
    store
        The store.
    oldest
        What began before is not looked at.
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
    return tuple(Run(entry, store) for entry in reversed(found))


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
