"""Choose and sort the runs of a list by conditions on their values.

:class:`RunQuery` has the conditions and the order. :func:`query_runs` applies it to index entries;
:func:`~runforge_contracts.index.index_filter.skim_runs` applies it to the lines of a large index.

Source: specification, section 16.8.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.metrics import by_preference, primary_metric, rank_of, ranks_of
from runforge_contracts.run_ids import started
from runforge_contracts.selection.older_entries import Listed, SettingsReader
from runforge_contracts.selection.run_condition import RunCondition
from runforge_contracts.selection.run_values import (
    RunColumn,
    column_of,
    is_older,
    metric_names,
    metrics_in,
    sort_key,
    unknown_name,
    values_of,
)
from runforge_contracts.store.aliases import with_aliases
from runforge_contracts.store.layout import Place, stores_in


class RunOrder(NamedTuple):
    """The order of a list of runs; runs without a value are the last, newer ones before older."""

    #: The value to sort by: the best metric, the newest run, the least of any other value first.
    name: str = "created"
    #: Whether the order is the other way round.
    turned: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether the newest runs come first."""
        return self == RunOrder()

    @classmethod
    def parse(cls, text: str) -> RunOrder:
        """Return the order that ``NAME`` or ``-NAME`` asks for.

        Raises
        ------
        RunForgeError
            ``USAGE_INVALID`` if there is no name.
        """
        name = text.removeprefix("-")
        if not name.strip():
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"{quote(text)} is no name to sort by.",
                hint="Sort by `NAME`, or by `-NAME` the other way round.",
            )
        return cls(name, turned=name != text)


class RunQuery(NamedTuple):
    """Which runs of a list are shown, and in which order."""

    #: Conditions that must all hold.
    conditions: tuple[RunCondition, ...] = ()
    order: RunOrder = RunOrder()

    def columns(self, metrics: Collection[str]) -> list[tuple[RunColumn, RunCondition]]:
        """Return what the names of the conditions mean, given the metrics of the runs.

        Those that are fastest to check come first.

        Raises
        ------
        RunForgeError
            ``USAGE_INVALID`` if a number is compared with something else.
        """
        found = [(column_of(item.name, metrics), item) for item in self.conditions]
        for column, condition in found:
            is_ordered = condition.operator in ("<", "<=", ">", ">=")
            if column.is_numeric and is_ordered and condition.number is None:
                raise RunForgeError(
                    ErrorCode.USAGE_INVALID,
                    f"The condition {quote(condition)} compares the number"
                    f" {quote(column.title())} with {quote(condition.value)}.",
                    hint="Give a number, without quotes.",
                )
        return sorted(found, key=lambda pair: _cost(pair[0]))


def _cost(column: RunColumn) -> int:
    if column == ("field", "tags"):
        return 3  # they are in the request of the run
    return 2 if column.needs_settings else 1 if column == ("field", "status") else 0


class RunFacts(NamedTuple):
    """How to find out what is not in an index entry."""

    #: Adds the current state to entries without a status, and of runs whose folder is missing.
    add_states: Callable[[Iterable[dict[str, Any]]], None]
    #: Returns the tags of a run.
    tags_of: Callable[[dict[str, Any], Any], list[str]]
    #: Reads the settings of older entries.
    settings: SettingsReader


def query_runs(
    rows: Sequence[Listed], query: RunQuery, facts: RunFacts, *, strict: bool = True
) -> list[Listed]:
    """Return the runs that fulfil the conditions, in their order.

    Parameters
    ----------
    rows
        The runs, in any order.
    query
        The conditions and the order.
    facts
        How to find out what the entries lack. Only what the query needs is read, and only from
        runs that fulfil the other conditions.
    strict
        Whether to refuse a name of which no run has a value.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if no run has a value of a name, or a number is compared with a string.
    """
    rows = list(rows)
    metrics = metric_names(entry for entry, _ in rows)
    kept = rows
    for column, condition in query.columns(metrics):
        what = f"The condition {quote(condition)}"
        full = _with(kept, column, facts)
        if strict:
            _check_known(column, condition.name, what, full, rows)
        kept = [
            row for row in full if condition.holds(values_of(row[0], column), prefix=column.prefix)
        ]
    column = column_of(query.order.name, metrics)
    kept = _with(kept, column, facts)
    if strict:
        _check_known(column, query.order.name, f"The order {quote(query.order.name)}", kept, rows)
    return in_order(kept, column, turned=query.order.turned)


def _with(rows: list[Listed], column: RunColumn, facts: RunFacts) -> list[Listed]:
    """Return the rows with the values that a column needs."""
    if column.needs_settings:
        return facts.settings.completed(rows)
    if column == ("field", "status"):
        facts.add_states(entry for entry, _ in rows)
    elif column == ("field", "tags"):
        return [({**entry, "tags": facts.tags_of(entry, place)}, place) for entry, place in rows]
    elif column == ("field", "alias"):
        workspaces = {place.workspace for _, place in rows}
        stores = [store for folder in workspaces for store in stores_in(folder)]
        entries = with_aliases([entry for entry, _ in rows], stores)
        return [(entry, place) for entry, (_, place) in zip(entries, rows, strict=True)]
    return rows


def _check_known(
    column: RunColumn, name: str, what: str, read: list[Listed], rows: list[Listed]
) -> None:
    """Raise the error on a name of which no run has a value.

    Parameters
    ----------
    column, name
        The column, and the name that was given for it.
    what
        What the name was given for.
    read
        The runs with the values that the column needs.
    rows
        All runs. Those that were not read, because a condition excludes them, may have a value.
    """
    if column.source == "field" or not rows:
        return
    if any(values_of(entry, column) for part in (read, rows) for entry, _ in part):
        return
    if column.source == "param" and len(read) < len(rows) and any(is_older(row[0]) for row in rows):
        return
    raise unknown_name(name, [entry for entry, _ in [*read, *rows]], what)


def in_order(rows: Iterable[Listed], column: RunColumn, *, turned: bool = False) -> list[Listed]:
    """Return runs sorted by a column; those without a value come last, newest first.

    Of runs with the same value of a metric, the others decide, in the order in which they decide
    which run is the best; then the run that began first comes first. Of runs with the same value of
    something else, the newest comes first.

    Parameters
    ----------
    rows
        The runs; of those that began in one second, the last one given is the newest.
    column
        The column. The newest run, or the best value of a metric comes first, and the least of any
        other column.
    turned
        Whether the order is the other way round.
    """
    newest = sorted(rows, key=lambda row: started(row[0]))[::-1]
    if column == ("field", "created"):
        return newest[::-1] if turned else newest
    keyed = [(order_key(row[0], column), row) for row in newest]
    known = [(key, row) for key, row in keyed if key is not None]
    last = [row for key, row in keyed if key is None]
    if is_measured(column):
        return [*by_metric(known[::-1], lambda row: metrics_in(row[0]), turned=turned), *last]
    known.sort(key=lambda pair: pair[0], reverse=turned)
    return [*(row for _, row in known), *last]


_Row = TypeVar("_Row")


def by_metric(
    keyed: list[tuple[Any, _Row]],
    metrics_of: Callable[[_Row], Mapping[str, float]],
    *,
    turned: bool = False,
    count: int | None = None,
) -> list[_Row]:
    """Return runs sorted by a metric, of which equal values are decided by the other metrics.

    Parameters
    ----------
    keyed
        The runs, oldest first, each with its :func:`order_key`; the list is sorted.
    metrics_of
        Returns the metrics of a run.
    turned
        Whether the order is the other way round.
    count
        How many runs the order must be decided of, because only these are shown.
    """
    keyed.sort(key=lambda pair: pair[0], reverse=turned)
    found = list[_Row]()
    for _, group in groupby(keyed, key=lambda pair: pair[0]):
        rows = [row for _, row in group]
        if len(rows) > 1 and (count is None or len(found) < count):
            others = by_preference({name for row in rows for name in metrics_of(row)})
            rows.sort(key=lambda row: ranks_of(metrics_of(row), others), reverse=turned)
        found += rows
    return found


def is_measured(column: RunColumn) -> bool:
    """Return whether a column has values of metrics, the best of which come first."""
    return column.source == "metric" or column == ("field", "metric")


def order_key(entry: Mapping[str, Any], column: RunColumn) -> Any:
    """Return what an entry is sorted by; None if it has no value."""
    if column == ("field", "metric"):
        chosen = primary_metric({"metrics": metrics_in(entry)})
        return None if chosen is None else (chosen.name, rank_of(chosen.value, chosen.name))
    values = values_of(entry, column)
    if not values:
        return None
    if column.source == "metric":
        return rank_of(values[0], column.name)
    return sort_key(values)


def tied(entries: Sequence[Mapping[str, Any]], column: RunColumn) -> list[bool]:
    """Return for each run whether another one has the same value of a metric; all False if none."""
    if not is_measured(column):
        return [False] * len(entries)
    keys = [order_key(entry, column) for entry in entries]
    count = Counter(keys)
    return [key is not None and count[key] > 1 for key in keys]


def with_digests(
    conditions: Iterable[RunCondition], folders: Iterable[Path]
) -> tuple[RunCondition, ...]:
    """Return conditions in which the paths of datasets are replaced by the SHA-256 of the files.

    Parameters
    ----------
    conditions
        The conditions; those on other names stay as they are.
    folders
        The folders that a path may be relative to.

    Raises
    ------
    RunForgeError
        If such a file cannot be read.
    """
    folders = list(folders)
    return tuple(
        condition._replace(value=_digest(condition.value, folders))
        if column_of(condition.name, ()) == ("field", "dataset")
        and condition.operator in ("=", "!=")
        else condition
        for condition in conditions
    )


def with_ids(
    conditions: Iterable[RunCondition], places: Sequence[Place]
) -> tuple[RunCondition, ...]:
    """Return conditions in which the run that is repeated may be named as a command names one.

    Parameters
    ----------
    conditions
        The conditions; those on other names stay as they are.
    places
        Where the run is searched.

    Raises
    ------
    RunForgeError
        ``RUN_AMBIGUOUS``.
    """
    return tuple(
        condition._replace(value=_full_id(condition.value, places), is_quoted=True)
        if column_of(condition.name, ()) == ("field", "repeats")
        and condition.operator in ("=", "!=")
        and (condition.is_quoted or condition.value not in ("none", "true", "false"))
        else condition
        for condition in conditions
    )


def _full_id(reference: str, places: Sequence[Place]) -> str:
    # Late: few lists have such a condition.
    from runforge_contracts.sweeps.scoped_runs import full_id

    return full_id(reference, places)


def _digest(value: str, folders: list[Path]) -> str:
    from runforge_contracts.fs.files import digest_file

    for folder in folders:
        try:
            if value and (folder / value).is_file():
                return digest_file(folder / value).sha256
        except (OSError, ValueError):
            continue
    return value
