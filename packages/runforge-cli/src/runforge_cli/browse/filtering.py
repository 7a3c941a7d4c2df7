"""Filter and sort the runs of the browser, and choose the columns of the list."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from runforge_contracts.display import shorten
from runforge_contracts.selection.run_values import rank_of

from runforge_cli.listing.run_list import ListedRun
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
    "name": 12,
    "kind": 10,
    "model": 19,
    "duration": 9,
    "preset": 9,
    "label": 12,
}
_ORDER = ("run", "kind", "status", METRIC, "duration", "model", "preset", "label", "name")
_GAP = 2
#: Columns that are right-aligned.
RIGHT = (METRIC, "duration")


def chosen(runs: Iterable[ListedRun], text: str, folders: Sequence[Path]) -> list[ListedRun]:
    """Return the runs that match every word of ``text``.

    Parameters
    ----------
    runs
        The runs to filter.
    text
        Words. ``status:``, ``model:``, ``preset:``, ``label:``, ``name:``, ``id:`` and ``kind:``
        match one field; ``dataset:`` takes the start of a fingerprint or the path of a file; any
        other word matches any field.
    folders
        The folders that the path of a dataset may be relative to.
    """
    tests = [_test(word.casefold(), word, folders) for word in text.split()]
    return [run for run in runs if all(fits(run) for fits in tests)]


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
    return "\n".join((*map(str, values), run.status, str(digest))).casefold()


def ordered(
    runs: Sequence[ListedRun], column: str, metric: str | None, *, turned: bool
) -> list[ListedRun]:
    """Return runs sorted by a column; runs without a value come last.

    Parameters
    ----------
    runs
        The runs, newest first. This is the order by ``run``, and the order of equal values.
    column
        One of the columns of the list. The best values of a metric come first.
    metric
        The metric that is shown; None for the primary metric of each run.
    turned
        Whether to reverse the order.
    """
    if column == "run":
        return list(reversed(runs)) if turned else list(runs)
    keyed = [(_key(run, column, metric), run) for run in runs]
    known = [pair for pair in keyed if pair[0] is not None]
    rest = [run for key, run in keyed if key is None]
    known.sort(key=lambda pair: pair[0], reverse=turned)
    return [*(run for _, run in known), *rest]


def _key(run: ListedRun, column: str, metric: str | None) -> Any:
    if column == METRIC:
        measured = metric_of(run.entry, metric)
        return None if measured is None else (measured[0], rank_of(measured[1], measured[0]))
    if column == "duration":
        return run.entry.get("summary", {}).get("duration_ms")
    return cells_of(run.entry, None)[column].casefold() or None


def layout_of(columns: int, heading: str, *, named: bool, mixed: bool) -> dict[str, int]:
    """Return the columns that fit into ``columns`` terminal columns, with their widths.

    Parameters
    ----------
    columns
        The available width.
    heading
        The heading of the metric.
    named
        Whether any run has a name; the name takes the remaining space.
    mixed
        Whether there are runs of both kinds.
    """
    widths = {**_WIDTHS, METRIC: max(_WIDTHS[METRIC], min(width(heading), 16) + 2)}
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
    return {column: kept[column] for column in _ORDER if column in kept}


def shown(run: ListedRun, metric: str | None) -> dict[str, str]:
    """Return the cells of a run by column, shortened but not yet printable."""
    cells = cells_of(run.entry, metric)
    return {column: shorten(str(cells[column]), 400) for column in _ORDER}
