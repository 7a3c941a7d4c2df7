"""The runs that a run descends from, and those that descend from it.

A run names the one that it repeats, and only that one; the others are found by the index. Nothing
that is read is trusted: a run may name itself, one of its descendants, or one that does not exist.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from runforge_contracts.errors import RunForgeError
from runforge_contracts.index.index_filter import skim_runs
from runforge_contracts.run_ids import started
from runforge_contracts.selection.older_entries import Listed, SettingsReader
from runforge_contracts.selection.run_condition import RunCondition
from runforge_contracts.selection.run_query import RunFacts, RunQuery, query_runs
from runforge_contracts.store.layout import ExperimentLayout, Place
from runforge_contracts.store.reading import list_runs

#: Maximum number of descendants in a family.
MOST = 200
#: The runs that repeat any other: those with a value that contains nothing.
_ANY = RunCondition("repeats", "~", "", is_quoted=True)


class Relative(NamedTuple):
    """A run of a family."""

    run_id: str
    #: How many runs are between it and the first of the family, itself included.
    generation: int
    #: Its entry and its store; None if it is in none of the stores.
    listed: Listed | None


class RunFamily(NamedTuple):
    """A run with its ancestors and its descendants, each after the run that it repeats."""

    run_id: str
    runs: list[Relative]
    #: How many descendants are left out.
    left_out: int


class RunFamilies:
    """The runs of some places that repeat others, read once.

    Parameters
    ----------
    places
        The stores, and where experiment runs are.
    """

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = places
        self._known = {row[0]["run_id"]: row for row in _matching(places, _ANY)}
        self._children = defaultdict[str, list[str]](list)
        for run_id, (entry, _) in self._known.items():
            self._children[entry["rerun_from"]].append(run_id)

    def repeated_by(self, run_id: str) -> list[str]:
        """Return the ids of the runs that repeat a run, oldest first."""
        return list(self._children.get(run_id, ()))

    def family(self, run_id: str, listed: Listed) -> RunFamily:
        """Return the family of a run.

        Parameters
        ----------
        run_id
            The run.
        listed
            Its entry and its store, for a run that none of the stores lists.
        """
        self._known.setdefault(run_id, listed)
        line = [run_id]
        parent = self._parent(run_id)
        while parent is not None and parent not in line:
            line.append(parent)
            parent = self._parent(parent)
        line.reverse()
        runs = [Relative(name, number, self._listed(name)) for number, name in enumerate(line)]
        known, left_out = set(line), 0
        waiting = [(child, len(line)) for child in reversed(self._children.get(run_id, ()))]
        while waiting:
            name, generation = waiting.pop()
            if name in known:
                continue
            known.add(name)
            if len(known) > len(line) + MOST:
                left_out += 1
            else:
                runs.append(Relative(name, generation, self._listed(name)))
            below = reversed(self._children.get(name, ()))
            waiting += [(child, generation + 1) for child in below]
        return RunFamily(run_id, runs, left_out)

    def _parent(self, run_id: str) -> str | None:
        row = self._known.get(run_id)
        return None if row is None else row[0].get("rerun_from")

    def _listed(self, run_id: str) -> Listed | None:
        if run_id in self._known:
            return self._known[run_id]
        found = _matching(self._places, RunCondition("run", "=", run_id, is_quoted=True))
        return found[0] if found else None


def repetitions(run_id: str, places: Sequence[Place]) -> list[Listed]:
    """Return the entries of the runs that repeat a run, oldest first, each with its store.

    Reads less than :class:`RunFamilies`.
    """
    found = _matching(places, RunCondition("repeats", "=", run_id, is_quoted=True))
    return [row for row in found if row[0]["run_id"] != run_id]


def repeated_by(run_id: str, places: Sequence[Place]) -> list[str]:
    """Return the ids of the runs that repeat a run, oldest first, as :func:`repetitions`."""
    return [entry["run_id"] for entry, _ in repetitions(run_id, places)]


def is_in(run_id: str, places: Iterable[Place]) -> bool:
    """Return whether a run is in some places."""
    places = list(places)  # read twice
    if any(place.run_folder(run_id).is_dir() for place in places):
        return True
    return bool(_matching(places, RunCondition("run", "=", run_id, is_quoted=True)))


def _matching(places: Iterable[Place], condition: RunCondition) -> list[Listed]:
    """Return the runs for which a condition holds, oldest first; of two with one id the first.

    A store that cannot be read has none: other commands report it.
    """
    query = RunQuery((condition,))
    facts = RunFacts(lambda _: None, lambda *_: [], SettingsReader())
    found = dict[str, Listed]()
    for place in places:
        try:
            rows = _rows(place, query, facts)
        except RunForgeError:
            continue
        for row in rows:
            found.setdefault(row[0]["run_id"], row)
    return sorted(found.values(), key=lambda row: started(row[0]))


def _rows(place: Place, query: RunQuery, facts: RunFacts) -> list[Listed]:
    entries: list[dict[str, Any]]
    if isinstance(place, ExperimentLayout):
        # Late: most workspaces have no experiments.
        from runforge_contracts.store.experiment_list import newest_experiments

        entries = newest_experiments(place).entries
    else:
        skimmed = skim_runs(place, sys.maxsize, query, facts)
        if skimmed is not None:
            return [(entry, place) for entry in skimmed.entries]
        entries = list_runs(place)
    return query_runs([(entry, place) for entry in entries], query, facts, strict=False)[::-1]
