"""Filter and sort the runs of the browser, and choose the columns of the list."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runforge_contracts.display import printable, shorten
from runforge_contracts.errors import RunForgeError
from runforge_contracts.metrics import rank_of
from runforge_contracts.selection.older_entries import SettingsReader
from runforge_contracts.selection.run_condition import RunCondition, parse_condition
from runforge_contracts.selection.run_query import (
    RunFacts,
    RunQuery,
    by_metric,
    order_key,
    query_runs,
    tied,
    with_digests,
)
from runforge_contracts.selection.run_values import (
    RunColumn,
    metric_names,
    metrics_in,
    varying,
)

from runforge_cli.listing.run_columns import cell, holds_numbers, title_of
from runforge_cli.listing.run_list import ListedRun, listed_tags
from runforge_cli.listing.run_rows import METRIC, cells_of, kind_of, metric_of
from runforge_cli.terminal.text_layout import width

#: The prefix of a word such as ``status:failed``, and the field of the entry that it matches.
_FIELDS = {
    "id": "run_id",
    "name": "name",
    "status": "status",
    "model": "model_family",
    "preset": "preset_id",
    "label": "label_column",
    "kind": "kind",
}
_DATASET = "dataset"
#: The columns with their widths, most important first.
_WIDTHS = {
    "run": 24,
    "status": 10,
    METRIC: 9,
    "name": 11,
    "kind": 10,
    "model": 19,
    "duration": 9,
    "created": 10,
    "preset": 9,
    "label": 12,
}
_ORDER = (
    *("run", "kind", "status", METRIC),
    *("created", "duration", "model", "preset", "label", "name"),
)
_GAP = 2
#: Width below which a name goes before settings, and of a run id only the time is shown.
_NARROW, _TIME = 62, 16
#: Maximum width of a setting.
_WIDEST = 16
#: Columns that are right-aligned.
RIGHT = (METRIC, "duration")


#: What identifies a run.
_Key = tuple[str, str, str]


class Filtered(NamedTuple):
    """The runs that match a filter."""

    runs: list[ListedRun]
    #: Why a condition was left out, or an empty string.
    problem: str = ""
    #: The runs that are as good as another one by the metric that the list is sorted by.
    ties: frozenset[_Key] = frozenset()


def chosen(
    runs: Iterable[ListedRun], text: str, folders: Sequence[Path], facts: RunFacts
) -> Filtered:
    """Return the runs that match every word and every condition of ``text``.

    Parameters
    ----------
    runs
        The runs to filter, the newest first.
    text
        Words and conditions. ``status:``, ``model:``, ``preset:``, ``label:``, ``name:``, ``id:``
        and ``kind:`` match one field; ``dataset:`` takes the start of a fingerprint or the path of
        a file; any other word matches any field. A condition is as that of ``runforge runs``, such
        as ``C<0.1``; an invalid one is left out.
    folders
        The folders that the path of a dataset may be relative to.
    facts
        How to find out what the entries lack.
    """
    words, conditions, problem = parts_of(text)
    tests = [_test(word.casefold(), word, folders) for word in words]
    fitting = [run for run in runs if all(fits(run) for fits in tests)]
    if conditions:
        try:
            query = RunQuery(with_digests(conditions, folders))
            # Oldest first, so that of two runs of one second the later one is the newer.
            found = query_runs(fitting[::-1], query, facts)
            fitting = [ListedRun(*row) for row in found]
        except RunForgeError as error:
            problem = problem or error.message
    return Filtered(fitting, problem)


def parts_of(text: str) -> tuple[list[str], list[RunCondition], str]:
    """Return the words and the conditions of a filter, and why a condition is invalid."""
    words, conditions, problem = list[str](), list[RunCondition](), ""
    for found in _PART.finditer(text):
        if found["operator"] is None:
            words.append(found[0])
            continue
        try:
            conditions.append(parse_condition(found[0]))
        except RunForgeError as error:
            problem = error.message
    return words, conditions, problem


_QUOTED = r"""\"(?:[^"\\]|\\.)*"|'[^']*'"""
#: A condition, whose value may still be missing, or a word.
_PART = re.compile(
    rf"""(?:{_QUOTED}|[^\s=!<>~"']+)\s*(?P<operator>==|!=|<=|>=|[=<>~])\s*(?:{_QUOTED}|\S+)?|\S+"""
)


def reader_facts(settings: SettingsReader) -> RunFacts:
    """Return how the browser finds out what entries lack: it shows no states of processes."""
    return RunFacts(_no_states, listed_tags, settings)


def _no_states(entries: Iterable[dict[str, Any]]) -> None:
    """Leave the status of runs that have not ended as the list shows it."""


def settings_in(runs: Iterable[ListedRun]) -> dict[str, RunColumn]:
    """Return the settings in which the runs differ, by their headings."""
    entries = [run.entry for run in runs]
    metrics = metric_names(entries)
    return {column.title(metrics): column for column in varying(entries)}


def _test(word: str, typed: str, folders: Sequence[Path]) -> Callable[[ListedRun], bool]:
    name, colon, value = word.partition(":")
    if colon and name in _FIELDS:
        key = _FIELDS[name]
        if key == "status":
            return lambda run: run.status.startswith(value)
        if key == "kind":
            return lambda run: kind_of(run.entry).startswith(value)
        return lambda run: value in str(run.entry.get(key, "")).casefold()
    if colon and name == _DATASET:
        digest = _digest(typed.partition(":")[2], folders)
        return lambda run: str(run.entry.get("dataset_fingerprint_sha256", "")).startswith(digest)
    return lambda run: word in _text(run)


def _digest(value: str, folders: Sequence[Path]) -> str:
    """Return a prefix of a fingerprint, either typed or computed from a file."""
    for folder in folders:
        path = folder / value
        try:
            if value and path.is_file():
                with path.open("rb") as file:
                    return hashlib.file_digest(file, "sha256").hexdigest()
        except (OSError, ValueError):
            continue
    return value.lower()


def _text(run: ListedRun) -> str:
    values = (run.entry.get(key, "") for key in _FIELDS.values() if key != "status")
    digest = run.entry.get("dataset_fingerprint_sha256", "")
    aliases = run.entry.get("aliases", ())
    return "\n".join((*map(str, values), run.status, str(digest), *aliases)).casefold()


def ordered(
    runs: Sequence[ListedRun],
    column: str,
    metric: str | None,
    settings: Mapping[str, RunColumn],
    *,
    turned: bool,
) -> list[ListedRun]:
    """Return runs sorted by a column; runs without a value come last.

    Parameters
    ----------
    runs
        The runs, newest first. This is the order by ``run``, and the order of equal values, except
        those of a metric, which the other metrics decide.
    column
        One of the columns of the list. The best values of a metric come first.
    metric
        The metric that is shown; None for the primary metric of each run.
    settings
        The settings among the columns, by their headings.
    turned
        Whether to reverse the order.
    """
    if column == "run":
        return list(reversed(runs)) if turned else list(runs)
    setting = settings.get(column)
    if setting is None and column not in _ORDER:
        return list(runs)  # the runs that are listed now do not differ in it
    keyed = [
        (_key(run, column, metric) if setting is None else order_key(run.entry, setting), run)
        for run in runs
    ]
    known = [pair for pair in keyed if pair[0] is not None]
    rest = [run for key, run in keyed if key is None]
    if column == METRIC:
        return [
            *by_metric(known[::-1], lambda run: metrics_in(run.entry), turned=turned),
            *rest,
        ]
    known.sort(key=lambda pair: pair[0], reverse=turned)
    return [*(run for _, run in known), *rest]


def ties_in(runs: Sequence[ListedRun], column: str, metric: str | None) -> frozenset[_Key]:
    """Return the runs that have the same value of a metric as another one, if it gives the order.

    Parameters
    ----------
    runs
        The runs that are listed.
    column
        The column that they are sorted by.
    metric
        The metric that is shown; None for the primary metric of each run.
    """
    if column != METRIC:
        return frozenset()
    measured = RunColumn("field", "metric") if metric is None else RunColumn("metric", metric)
    flags = tied([run.entry for run in runs], measured)
    return frozenset(run.key for run, tie in zip(runs, flags, strict=True) if tie)


def _key(run: ListedRun, column: str, metric: str | None) -> Any:
    if column == METRIC:
        measured = metric_of(run.entry, metric)
        return None if measured is None else (measured[0], rank_of(measured[1], measured[0]))
    if column == "duration":
        return run.entry.get("summary", {}).get("duration_ms")
    return cells_of(run.entry, None)[column].casefold() or None


def layout_of(
    columns: int, heading: str, settings: Mapping[str, int], *, named: bool, mixed: bool
) -> dict[str, int]:
    """Return the columns that fit into ``columns`` terminal columns, with their widths.

    Parameters
    ----------
    columns
        The available width.
    heading
        The heading of the metric.
    settings
        The widths of the settings in which the runs differ.
    named
        Whether any run has a name; the name takes the remaining space.
    mixed
        Whether there are runs of both kinds.
    """
    widths: dict[str, int] = {}
    is_narrow = named and columns < _NARROW
    for column, needed in _WIDTHS.items():
        widths[column] = needed
        if column == METRIC:
            widths[column] = max(needed, min(width(heading), 16) + 2)
        if column == ("name" if is_narrow else METRIC):
            widths |= settings
    if is_narrow:
        widths["run"] = _TIME
    if not named:
        del widths["name"]
    if not mixed:
        del widths["kind"]
    taken, kept = 0, dict[str, int]()
    for column, needed in widths.items():
        least = needed if taken or needed < columns else columns
        if taken + least <= columns:
            kept[column] = least
            taken += least + _GAP
    if "name" in kept:
        kept["name"] += max(columns - taken + _GAP, 0)
    at = _ORDER.index(METRIC) + 1
    order = (*_ORDER[:at], *settings, *_ORDER[at:])
    return {column: kept[column] for column in order if column in kept}


def widths_of(settings: Mapping[str, RunColumn], runs: Sequence[ListedRun]) -> dict[str, int]:
    """Return the widths of the settings, with room for an arrow beside the heading."""
    return {
        name: min(
            max(
                width(title_of(column, ())) + 2,
                *(width(printable(cell(run.entry, column))) for run in runs),
            ),
            _WIDEST,
        )
        for name, column in settings.items()
    }


def numbers_in(settings: Mapping[str, RunColumn], runs: Sequence[ListedRun]) -> frozenset[str]:
    """Return the settings whose values are all numbers, which are right-aligned."""
    entries = [run.entry for run in runs]
    return frozenset(name for name, column in settings.items() if holds_numbers(entries, column))


def shown(run: ListedRun, metric: str | None, settings: Mapping[str, RunColumn]) -> dict[str, str]:
    """Return the cells of a run by column, shortened but not yet printable."""
    cells = cells_of(run.entry, metric)
    if cells["alias"]:
        cells["name"] = f"{cells['alias']} {cells['name']}".strip()
    found = {column: shorten(str(cells[column]), 400) for column in _ORDER}
    return found | {name: cell(run.entry, column) for name, column in settings.items()}
