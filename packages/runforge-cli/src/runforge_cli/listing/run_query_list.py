"""The runs of several locations that a query chooses, reading as little as it needs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.errors import RunForgeError
from runforge_contracts.selection.older_entries import SettingsReader
from runforge_contracts.selection.run_query import RunFacts, RunQuery, in_order, query_runs
from runforge_contracts.selection.run_values import column_of, metric_names
from runforge_contracts.store.layout import Place, StoreLayout

from runforge_cli.listing.run_list import ListedRun, newest_in, runs_in, tags_of
from runforge_cli.listing.run_rows import add_states

if TYPE_CHECKING:
    from runforge_contracts.store.index_form import Newest


def run_facts(workspace: Path) -> RunFacts:
    """Return how to find out what the entries of the runs of a workspace lack."""
    return RunFacts(lambda entries: add_states(entries, workspace), _tags, SettingsReader())


def _tags(entry: dict[str, Any], place: Place) -> list[str]:
    """Return the tags of a run, which are read from its folder; none if that fails."""
    try:
        return tags_of(ListedRun(entry, place).folder())
    except RunForgeError:
        return []


class QueriedList:
    """The runs of several locations that fulfil a query.

    Parameters
    ----------
    places
        The locations.
    query
        The conditions and the order.
    facts
        How to find out what the entries lack.
    """

    def __init__(self, places: Sequence[Place], query: RunQuery, facts: RunFacts) -> None:
        self._places = places
        self._query = query
        self._facts = facts

    def first(
        self, limit: int, members: Mapping[str, int] | None = None
    ) -> tuple[list[ListedRun], int]:
        """Return the first ``limit`` runs, and the number of all that fulfil the query.

        Parameters
        ----------
        limit
            How many runs to return.
        members
            Numbers of runs by their ids, which give the order instead of the query; runs without a
            number are the last.

        Raises
        ------
        RunForgeError
            As :func:`~runforge_contracts.selection.run_query.query_runs`.
        """
        wanted, limit = limit, sys.maxsize if members is not None else limit
        if self._query == RunQuery():
            pages = [(newest_in(place, limit), place) for place in self._places]
        else:
            pages = self._skimmed(limit)
        whole = [place for place in self._places if place not in [page[1] for page in pages]]
        rows = [(entry, place) for page, place in pages for entry in page.entries]
        total = sum(page.total for page, _ in pages)
        if whole:
            found = query_runs(runs_in(whole), self._query, self._facts, strict=not pages)
            rows += found[::-1]  # of two runs of one second, the last one given is the newer
            total += len(found)
        if len(self._places) > 1 or pages:
            column = column_of(self._query.order.name, metric_names(entry for entry, _ in rows))
            rows = in_order(rows, column, turned=self._query.order.turned)
        else:
            rows = rows[::-1]
        if members is not None:
            rows.sort(key=lambda row: members.get(row[0]["run_id"], sys.maxsize))
        return [ListedRun(*row) for row in rows[:wanted]], total

    def _skimmed(self, limit: int) -> list[tuple[Newest, Place]]:
        """Return the first runs of the stores whose whole index need not be parsed."""
        # Late: the plain list does not need it.
        from runforge_contracts.index.index_filter import skim_runs

        pages = list[tuple["Newest", Place]]()
        for place in self._places:
            if isinstance(place, StoreLayout):
                page = skim_runs(place, limit, self._query, self._facts)
                if page is not None:
                    pages.append((page, place))
        return pages

    def with_settings(self, rows: Iterable[ListedRun]) -> list[dict[str, Any]]:
        """Return the entries of runs, with the settings of those whose entries lack them."""
        return [entry for entry, _ in self._facts.settings.completed(list(rows))]

    def with_tags(self, rows: Sequence[ListedRun], entries: Sequence[dict[str, Any]]) -> None:
        """Add the tags of the runs to their entries."""
        for row, entry in zip(rows, entries, strict=True):
            entry["tags"] = _tags(row.entry, row.store)

    @property
    def read(self) -> int:
        """The number of runs that were read for what their entries lack."""
        return self._facts.settings.count
