"""The runs of a workspace, newest record first: the order that defines ``latest``.

Runs in the index are in the order of appending, independent of any clock. Runs that it lacks, and
experiment runs, which no index lists, are inserted by the modification times of their files. In a
clone or a copy these are not the times of recording: two such runs are compared by their recorded
times.

Source: specification, section 5.6.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cmp_to_key
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from runforge_contracts.errors import RunForgeError
from runforge_contracts.run_ids import ExperimentRunId, started
from runforge_contracts.store import layout
from runforge_contracts.store.experiment_list import describe_experiment
from runforge_contracts.store.experiment_runs import AnyRun, ExperimentRun
from runforge_contracts.store.index_form import can_be_shown, newest_entries
from runforge_contracts.store.layout import LEGACY_STORE, ExperimentLayout, Place, StoreLayout
from runforge_contracts.store.reading import locate_run, read_index, run_names
from runforge_contracts.store.removals import removed_runs
from runforge_contracts.store.run import Run
from runforge_contracts.store.view_folders import record_of

#: How many entries at the end of an index are read before the whole index is.
_TAIL = 50
#: How far the recorded time may be from that of a file written at the same time, in seconds.
_JUST_THEN = 60.0
#: Paths that are created at the start of a run, the most reliable first.
_TRAINED = (layout.REQUEST, layout.RUN, "")
_EXPERIMENTS = (layout.SYSTEM, layout.CONFIG, "")


class _Begun(NamedTuple):
    """When a run started, by its files and by its record, in seconds since 1970."""

    written: float
    recorded: float

    @property
    def is_copied(self) -> bool:
        """Whether its files were written by something other than the run, such as a clone."""
        return abs(self.written - self.recorded) > _JUST_THEN

    def follows(self, other: _Begun) -> bool:
        """Return whether the run is the later one of two."""
        if self.is_copied and other.is_copied and self.recorded != other.recorded:
            return self.recorded > other.recorded
        return self.written > other.written


_Sequence = Iterator[tuple[AnyRun, _Begun]]


def latest_runs(places: Iterable[Place]) -> Iterator[AnyRun]:
    """Yield the existing runs of some stores and repositories, newest record first.

    Raises
    ------
    RunForgeError
        ``FILE_UNREADABLE`` if a folder of runs cannot be read.
    """
    waiting = [sequence for place in places for sequence in _sequences(place)]
    heads = [(next(sequence, None), sequence) for sequence in waiting]
    while True:
        first = None
        for number, (head, _) in enumerate(heads):
            if head is not None and (first is None or head[1].follows(first[1][1])):
                first = number, head
        if first is None:
            return
        number, (folder, _) = first
        heads[number] = next(heads[number][1], None), heads[number][1]
        yield folder


def _sequences(place: Place) -> list[_Sequence]:
    if isinstance(place, ExperimentLayout):
        return [_experiments(place)]
    if _changed(place.runs) < _changed(place.index):
        # No folder was created since the last run was listed: all listed runs come first, and only
        # the end of a large index is read.
        return [chain(_listed(place), _unlisted(place))]
    return [_listed(place), _unlisted(place)]


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _listed(store: StoreLayout) -> _Sequence:
    """Yield the runs in the index, the last one first."""
    seen, removed = set[str](), removed_runs(store)
    for entry in _entries(store):
        # In an index of another client, two runs of one second may have one id.
        key = entry["run_dir"] if store.name == LEGACY_STORE else entry["run_id"]
        if key in seen or entry["run_id"] in removed:
            continue
        seen.add(key)
        try:
            path = locate_run(entry, store)
        except RunForgeError:
            continue
        if path.is_dir() and record_of(path, store) is None:
            yield Run(path), _begun(path, _TRAINED, started(entry))


def _entries(store: StoreLayout) -> Iterator[dict[str, Any]]:
    try:
        tail = newest_entries(store.index, _TAIL) or []
    except RunForgeError:
        tail = []
    if not all(map(can_be_shown, tail)):
        tail = []
    yield from reversed(tail)
    try:
        yield from reversed(read_index(store)[: -len(tail) or None])
    except RunForgeError:
        return  # The runs are found by their folders instead.


def _unlisted(store: StoreLayout) -> _Sequence:
    """Yield the runs that are not in the index, the last one first."""
    try:
        known = store.known_names(read_index(store))
    except RunForgeError:
        known = set()
    known |= removed_runs(store).keys()
    paths = [store.run_folder(name) for name in run_names(store) if name not in known]
    found = [(path, _begun(path, _TRAINED, started({"run_id": path.name}))) for path in paths]
    for path, begun in sorted(found, key=lambda item: _LATER(item[1])):
        if record_of(path, store) is None:
            yield Run(path), begun


def _experiments(place: ExperimentLayout) -> _Sequence:
    """Yield the experiment runs, the last one first."""

    def begun(run_id: ExperimentRunId) -> _Begun:
        # Use only the id here: documents are read only for runs that are requested.
        path, day = place.run_folder(str(run_id)), run_id.day.replace("-", "")
        written = _begun(path, _EXPERIMENTS, f"{day}-000000").written
        today = datetime.fromtimestamp(written, UTC).strftime("%Y%m%d") == day
        return _Begun(written, written if today else _seconds(f"{day}-000000"))

    removed = removed_runs(place)
    ids = [run_id for run_id in place.ids() if str(run_id) not in removed]
    found = [(run_id, begun(run_id)) for run_id in reversed(ids)]
    for run_id, _ in sorted(found, key=lambda item: _LATER(item[1])):
        folder = ExperimentRun(place.run_folder(str(run_id)))
        recorded = started(describe_experiment(folder, place))
        yield folder, _begun(folder.path, _EXPERIMENTS, recorded)


def _order(one: _Begun, two: _Begun) -> int:
    return -1 if one.follows(two) else int(two.follows(one))


#: Sort key that puts later starts first.
_LATER = cmp_to_key(_order)


def _begun(path: Path, files: Sequence[str], recorded: str) -> _Begun:
    written = 0.0
    for file in files:
        try:
            written = os.stat(path / file, follow_symlinks=False).st_mtime  # noqa: PTH116
            break
        except OSError:
            continue
    return _Begun(written, _seconds(recorded) if recorded else written)


def _seconds(time: str) -> float:
    """Return a time from :func:`~runforge_contracts.run_ids.started` in seconds."""
    try:
        return datetime.strptime(time, "%Y%m%d-%H%M%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0
