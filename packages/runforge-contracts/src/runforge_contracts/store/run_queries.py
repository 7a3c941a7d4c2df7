"""Runs that are named by what they are: the best one, the newest one of a name, a tag or a status.

Source: specification, section 16.1.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from runforge_contracts.display import printable, quote, quote_some
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import read_file
from runforge_contracts.metrics import (
    by_preference,
    primary_metric,
    ranks_of,
    recorded_name,
)
from runforge_contracts.run_ids import started
from runforge_contracts.store.aliases import find_aliases
from runforge_contracts.store.experiment_runs import AnyRun, ExperimentRun
from runforge_contracts.store.layout import LEGACY_STORE, ExperimentLayout, Place, StoreLayout
from runforge_contracts.store.missing_folder import folder_of, known_of
from runforge_contracts.store.reading import (
    MAX_INDEX_BYTES,
    list_runs,
    locate_run,
    run_names,
    tags_in,
)
from runforge_contracts.store.removals import find_removals, removed_run
from runforge_contracts.store.removed_lookup import refuse_removed
from runforge_contracts.store.run import Run

_LISTED_ID = rb'"run_id":\s*"([0-9A-Za-z._-]+)"'
#: The words before the colon, and what follows it.
FORMS = {
    "name": "TEXT",
    "tag": "TEXT",
    "latest": "STATUS",
    "best": "METRIC",
    "alias": "NAME",
}


class RunReference(NamedTuple):
    """What a run is asked for by."""

    form: str
    text: str

    def __str__(self) -> str:
        return f"{self.form}:{self.text}" if self.text else self.form


def parse_query(reference: str) -> RunReference | None:
    """Return the query that ``reference`` is, or None where it is an id, ``latest`` or a path."""
    if reference == "best":
        return RunReference("best", "")
    form, separator, text = reference.partition(":")
    return RunReference(form, text) if separator and text and form in FORMS else None


def find_queried(
    query: RunReference,
    places: Sequence[Place],
    takes: Callable[[AnyRun], bool] | None,
    within: Callable[[dict[str, Any]], int | None] | None = None,
) -> AnyRun:
    """Return the run that a query finds: the best one, or the newest that fits and is accepted.

    Runs whose folder is missing are left out, unless there are no others. Of runs with the same
    best value, the first by the next metric is returned, and of runs that are equal in all metrics
    the first one recorded; its :attr:`~runforge_contracts.store.run.BaseRun.tied` is the number of
    the others, and its ``datasets`` that of the datasets of all runs that it was compared with. Of
    runs with a name or a tag, ``alike`` is how many the indexes list.

    Parameters
    ----------
    query
        What the run is asked for by.
    places
        The stores and repositories to search; at least one.
    takes
        Which runs are accepted; None for all.
    within
        Returns None for the index entry of a run that is not considered, and otherwise a number:
        of runs that are equal in all metrics the one with the lowest comes first. None for all.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_FOUND``, with what the index has of a run whose folder is missing.
    """
    if query.form == "alias":
        aliased = find_aliased(query.text, places)
        if aliased is not None:
            return aliased
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND,
            f"There is no alias {quote(query.text)} in {quote(places[0].workspace, 200)}.",
            hint="`runforge alias` lists the aliases.",
        )
    found = _entries(places)
    if within is not None:
        known = [(number, one) for one in found if (number := within(one.entry)) is not None]
        found = [one for _, one in sorted(known, key=lambda pair: -pair[0])]
    if query.form == "best":
        candidates: Iterable[_Choice] = _best_first(found, query.text)
    else:
        candidates = (_Choice(one) for one in found if _fits(one, query))
    alike = sum(_is_listed_with(one, query) for one in found)
    lost: _Candidate | None = None
    for candidate, tied, equal, datasets in candidates:
        run = candidate.run()
        if run is None:
            lost = lost or candidate
        elif takes is None or is_taken(run, takes):
            run.tied, run.equal, run.datasets, run.alike = tied, equal, datasets, alike
            return run
    if lost is not None:
        return lost.open()
    if query.form == "name":
        refuse_removed(str(query), places)
    raise RunForgeError(
        ErrorCode.RUN_NOT_FOUND,
        f"No run matches {quote(str(query))} in {quote(places[0].workspace, 200)}.",
        hint="`runforge runs` lists the runs.",
    )


def find_named(name: str, places: Sequence[Place]) -> AnyRun | None:
    """Return the trained run with a display name, or None if there is none.

    Of several runs of the name it is the one that succeeded, if only one did; its
    :attr:`~runforge_contracts.store.run.BaseRun.namesakes` are then the ids of all of them.

    Raises
    ------
    RunForgeError
        ``RUN_AMBIGUOUS`` if several have it, unless exactly one of them succeeded;
        ``RUN_NOT_FOUND``, with what the index has of it, if the folder is missing.
    """
    found = [one for one in _entries(places) if one.entry.get("name") == name]
    runs = [(run, one) for one in found if isinstance(run := one.run(), Run)]
    if len(runs) > 1:
        ids = tuple(run.id for run, _ in runs)
        succeeded = [run for run, one in runs if one.entry.get("status") == "succeeded"]
        if len(succeeded) != 1:
            raise _several(name, ids)
        succeeded[0].namesakes = ids
        return succeeded[0]
    if runs:
        return runs[0][0]
    lost = [one for one in found if isinstance(one.place, StoreLayout)]
    return lost[0].open() if lost else None


def refuse_namesakes(run: AnyRun) -> None:
    """Raise ``RUN_AMBIGUOUS`` if a run was found by a name that other runs have, too.

    For what may be done only to a run that was named beyond doubt, such as removing it.
    """
    if run.namesakes:
        raise _several(str(run.name), run.namesakes)


def refuse_experiment(name: str, places: Sequence[Place]) -> None:
    """Raise an error if a name is that of an experiment, which all of its runs have.

    Raises
    ------
    RunForgeError
        ``RUN_AMBIGUOUS`` if it has several runs, else ``RUN_NOT_FOUND``.
    """
    experiments = [place for place in places if isinstance(place, ExperimentLayout)]
    ids = [one.entry["run_id"] for one in _entries(experiments) if one.entry.get("name") == name]
    if len(ids) > 1:
        raise _several(name, ids)
    if ids:
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND,
            f"{quote(name)} is an experiment, whose run is {quote(ids[0])}.",
            hint=f"`name:{printable(name)}` is its newest run.",
        )


def _several(name: str, ids: Sequence[str]) -> RunForgeError:
    """Return the error for a name of several runs."""
    return RunForgeError(
        ErrorCode.RUN_AMBIGUOUS,
        f"{len(ids)} runs have the name {quote(name)}: {quote_some(ids)}.",
        hint=f"`name:{printable(name)}` is the newest of them.",
    )


def find_aliased(name: str, places: Sequence[Place]) -> AnyRun | None:
    """Return the run that an alias points at, or None if there is no such alias.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_FOUND`` if the run is gone, ``RUN_AMBIGUOUS`` if the stores have the alias for
        different runs; the errors of :func:`~runforge_contracts.store.aliases.read_aliases`.
    """
    stores = [place for place in places if isinstance(place, StoreLayout)]
    found = find_aliases(name, stores)
    ids = list(dict.fromkeys(alias.entry["run_id"] for alias in found))
    if not ids:
        return None
    if len(ids) > 1:
        raise RunForgeError(
            ErrorCode.RUN_AMBIGUOUS,
            f"The stores have the alias {quote(name)} for different runs: {quote_some(ids)}.",
            hint="Name the store with `--store`.",
        )
    [run_id] = ids
    run = _run_of(run_id, [alias.store for alias in found], places)
    removed = find_removals(run_id, [alias.store for alias in found]) if run is None else []
    if run is None and removed:
        raise removed_run(removed[0][0])
    if run is None:
        since = found[0].entry["recorded_at"]
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND,
            f"The run {quote(run_id)}, which the alias {quote(name)} points at since {since}, is"
            " missing.",
            hint=f"Put its folder back from a copy, or point the alias at another run:"
            f" `runforge alias {name} RUN`.",
            problems=[
                problem
                for alias in found
                for one in _entries([alias.store])
                if one.entry["run_id"] == run_id
                for problem in known_of(one.entry)
            ],
        )
    run.alias = name
    return run


def may_be_named(text: str, place: Place) -> bool:
    """Return whether the id of a run may begin with a string, or its name may be it.

    The bytes of an index show that for most texts, in a tenth of the time that parsing it takes.

    Parameters
    ----------
    text
        A name that an alias can have, so that JSON has it as it is.
    place
        Where the runs are.
    """
    if isinstance(place, ExperimentLayout):
        return any(str(run_id).startswith(text) for run_id in place.ids())
    if place.name == LEGACY_STORE:
        return True  # Documents of runs may have other ids than their folders.
    try:
        data = read_file(place.index, max_bytes=MAX_INDEX_BYTES)
        names = set(run_names(place))
    except RunForgeError:
        return True
    if b"\\u" in data or b'"' + text.encode() in data:
        return True
    listed = {found.decode() for found in re.findall(_LISTED_ID, data)}
    return not names <= listed  # The documents of a run that is not listed have its name.


def _run_of(run_id: str, stores: Sequence[StoreLayout], places: Sequence[Place]) -> AnyRun | None:
    """Return the run with an id; None if its folder is missing."""
    for place in (*stores, *places):
        path = place.run_folder(run_id)
        if path.is_dir() and not path.is_symlink():
            return ExperimentRun(path) if isinstance(place, ExperimentLayout) else Run(path)
    listed = (one.run() for one in _entries(stores) if one.entry["run_id"] == run_id)
    return next((run for run in listed if run is not None), None)


class _Candidate(NamedTuple):
    entry: dict[str, Any]
    place: Place

    def run(self) -> AnyRun | None:
        """Return the run; None if its folder is missing or outside of the workspace."""
        if isinstance(self.place, ExperimentLayout):
            return ExperimentRun(self.place.run_folder(self.entry["run_id"]))
        try:
            path = locate_run(self.entry, self.place)
        except RunForgeError:
            return None
        return Run(path) if path.is_dir() else None

    def open(self) -> AnyRun:
        """Return the run; raise the error of :func:`folder_of` if its folder is missing."""
        if isinstance(self.place, ExperimentLayout):
            return ExperimentRun(self.place.run_folder(self.entry["run_id"]))
        return folder_of(self.entry, self.place)

    @property
    def metrics(self) -> dict[str, float]:
        """Final metrics by name."""
        metrics: dict[str, float] = self.entry.get("summary", {}).get("final_metrics", {})
        return metrics


def _entries(places: Sequence[Place]) -> list[_Candidate]:
    """Return all runs, the newest first."""
    found = []
    for place in places:
        if isinstance(place, ExperimentLayout):
            # Late: most workspaces have no experiments.
            from runforge_contracts.store.experiment_list import newest_experiments

            entries = newest_experiments(place).entries
        else:
            entries = list_runs(place)
        found += [_Candidate(entry, place) for entry in entries]
    return sorted(found, key=lambda one: started(one.entry))[::-1]


def _fits(candidate: _Candidate, query: RunReference) -> bool:
    if query.form == "name":
        return _is_listed_with(candidate, query)
    if query.form == "latest":
        return bool(candidate.entry.get("status") == query.text)
    if isinstance(candidate.entry.get("tags"), list):
        return _is_listed_with(candidate, query)
    run = candidate.run()
    try:
        return isinstance(run, Run) and query.text in tags_in(run.request)
    except RunForgeError:
        return False


def _is_listed_with(candidate: _Candidate, query: RunReference) -> bool:
    """Return whether the entry of a run has the name or the tag of a query."""
    if query.form == "name":
        return bool(candidate.entry.get("name") == query.text)
    tags = candidate.entry.get("tags")
    return query.form == "tag" and isinstance(tags, list) and query.text in tags


class _Choice(NamedTuple):
    """A run that a query may mean, with what it was compared with."""

    candidate: _Candidate
    #: How many other runs have the same value, and how many of them are equal in all metrics.
    tied: int = 0
    equal: int = 0
    datasets: int = 0


def _best_first(found: Sequence[_Candidate], metric: str) -> Iterator[_Choice]:
    """Yield the runs that succeeded and have the metric, the best first."""
    ended = [one for one in found[::-1] if one.entry.get("status") == "succeeded"]
    if not metric:
        measured = [primary_metric({"metrics": one.metrics}) for one in ended]
        names = {chosen.name for chosen in measured if chosen is not None}
        if len(names) > 1:
            raise RunForgeError(
                ErrorCode.RUN_AMBIGUOUS,
                f"The runs have different primary metrics: {', '.join(map(quote, sorted(names)))}.",
                hint="Name one, as in `best:accuracy`.",
            )
        metric = names.pop() if names else ""
    name = recorded_name(metric, {name for one in ended for name in one.metrics}) or metric
    shared = [one for one in ended if name in one.metrics]
    others = by_preference({other for one in shared for other in one.metrics} - {name})

    ranked = sorted((ranks_of(one.metrics, (name, *others)), at) for at, one in enumerate(shared))
    tied = Counter(ranks[0] for ranks, _ in ranked)
    equal = Counter(tuple(ranks) for ranks, _ in ranked)
    datasets = len({one.entry.get("dataset_fingerprint_sha256") for one in shared})
    for ranks, at in ranked:
        yield _Choice(shared[at], tied[ranks[0]] - 1, equal[tuple(ranks)] - 1, datasets)


def is_taken(run: AnyRun, takes: Callable[[AnyRun], bool]) -> bool:
    """Return whether a command accepts a run; a run that cannot be read is not accepted."""
    try:
        return takes(run)
    except RunForgeError:
        return False
