"""The runs of several locations that a query chooses, reading as little as it needs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from runforge_contracts.selection.older_entries import SettingsReader
from runforge_contracts.selection.run_query import RunFacts, RunQuery, in_order, query_runs
from runforge_contracts.selection.run_values import column_of, metric_names
from runforge_contracts.store.layout import ExperimentLayout, Place, StoreLayout

from runforge_cli.listing.run_list import ListedRun, listed_tags, newest_in, runs_in
from runforge_cli.listing.run_rows import add_states

if TYPE_CHECKING:
    from runforge_contracts.store.index_form import Newest

Made = TypeVar("Made")

#: How many of the newest runs are read faster from the end of an index than from one that is kept.
_NEAR = 500
#: How many of the newest runs are parsed together at most.
_LONG = 5_000


def run_facts(workspace: Path) -> RunFacts:
    """Return how to find out what the entries of the runs of a workspace lack."""
    return RunFacts(lambda entries: add_states(entries, workspace), listed_tags, SettingsReader())


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
    removed
        Whether runs that were forgotten or archived are among them.
    """

    def __init__(
        self,
        places: Sequence[Place],
        query: RunQuery,
        facts: RunFacts,
        *,
        removed: bool = False,
    ) -> None:
        self._removed = removed
        self._places = places
        self._query = query
        self._facts = facts

    def first(
        self, limit: int, members: Mapping[str, int] | None = None, *, skip: int = 0
    ) -> tuple[list[ListedRun], int]:
        """Return ``limit`` runs from the first one on, and the number of all that fulfil the query.

        Parameters
        ----------
        limit
            How many runs to return.
        members
            Numbers of runs by their ids, which give the order instead of the query; runs without a
            number are the last.
        skip
            How many runs to leave out at the beginning.

        Raises
        ------
        RunForgeError
            As :func:`~runforge_contracts.selection.run_query.query_runs`.
        """
        first, end = (skip, skip + limit) if members is None else (0, sys.maxsize)
        pages = [] if self._removed else self._pages(end, first)
        whole = [place for place in self._places if place not in [page[1] for page in pages]]
        rows = [(entry, place) for page, place in pages for entry in page.entries]
        total = sum(page.total for page, _ in pages)
        if whole:
            found = query_runs(
                runs_in(whole, removed=self._removed), self._query, self._facts, strict=not pages
            )
            rows += found[::-1]  # of two runs of one second, the last one given is the newer
            total += len(found)
        if len(self._places) > 1 or pages:
            column = column_of(self._query.order.name, metric_names(entry for entry, _ in rows))
            rows = in_order(rows, column, turned=self._query.order.turned)
        else:
            rows = rows[::-1]
        if members is not None:
            rows.sort(key=lambda row: members.get(row[0]["run_id"], sys.maxsize))
        start = skip - sum(page.skipped for page, _ in pages)
        return [ListedRun(*row) for row in rows[start : start + limit]], total

    def in_parts(self, limit: int, make: Callable[[list[ListedRun]], Made]) -> list[Made]:
        """Return what a function makes of ``limit`` runs, which it is given some hundred at a time.

        Of the runs of one store in the order of time, no more are parsed at once.

        Parameters
        ----------
        limit
            How many runs there are at most.
        make
            The function. It may be called again, for all the runs.

        Raises
        ------
        RunForgeError
            As :meth:`first`.
        """
        from runforge_contracts.index.index_filter import runs_in_parts
        from runforge_contracts.index.keeping import keeps_indexes

        place, *others = self._places
        # The newest runs are read from the end of the index, without all of it.
        is_long = bool(self._query.conditions) or limit > _LONG
        is_whole = bool(others) or self._removed or keeps_indexes()
        if is_long and not is_whole and isinstance(place, StoreLayout):
            with suppress(ValueError):
                parts = runs_in_parts(place, limit, self._query, self._facts)
                return [make([ListedRun(entry, place) for entry in part]) for part in parts]
        return [make(self.first(limit)[0])]

    def _pages(self, end: int, skip: int) -> list[tuple[Newest, Place]]:
        """Return the first ``end`` runs of the places whose whole list need not be parsed.

        Of one store, runs that are among the first ``skip`` are left out.
        """
        is_plain = self._query == RunQuery()
        if is_plain and end <= _NEAR:
            return [(newest_in(place, end), place) for place in self._places]
        # Late: the plain list does not need them.
        from runforge_contracts.index.index_filter import skim_runs
        from runforge_contracts.index.keeping import keeps_indexes

        if is_plain and not keeps_indexes():
            return [(newest_in(place, end), place) for place in self._places]
        pages = list[tuple["Newest", Place]]()
        # At most so many runs of other places come before those of a store.
        others = sum(
            len(list(place.ids())) for place in self._places if isinstance(place, ExperimentLayout)
        )
        stores = [place for place in self._places if isinstance(place, StoreLayout)]
        for place in stores[::-1]:
            left = max(skip - others, 0) if place == stores[0] else 0
            page = skim_runs(place, end, self._query, self._facts, skip=left)
            if page is not None:
                pages.append((page, place))
            # Those of a store that is read as a whole are not counted yet.
            others += sys.maxsize if page is None else page.total
        if is_plain:
            known = [place for _, place in pages]
            pages += [
                (newest_in(place, end), place) for place in self._places if place not in known
            ]
        return sorted(pages, key=lambda page: self._places.index(page[1]))

    def with_settings(self, rows: Iterable[ListedRun]) -> list[dict[str, Any]]:
        """Return the entries of runs, with the settings of those whose entries lack them."""
        return [entry for entry, _ in self._facts.settings.completed(list(rows))]

    def with_tags(self, rows: Sequence[ListedRun], entries: Sequence[dict[str, Any]]) -> None:
        """Add the tags of the runs to their entries."""
        for row, entry in zip(rows, entries, strict=True):
            entry["tags"] = listed_tags(row.entry, row.store)

    @property
    def read(self) -> int:
        """The number of runs that were read for what their entries lack."""
        return self._facts.settings.count
