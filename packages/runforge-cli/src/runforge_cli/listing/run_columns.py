"""Columns of a list of runs: those that were asked for, or those in which the runs differ."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from runforge_contracts.display import format_duration, printable, quote, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.selection.run_condition import is_number, value_text
from runforge_contracts.selection.run_values import (
    FIELDS,
    RunColumn,
    column_of,
    hyperparameters_in,
    metric_names,
    unknown_name,
    values_of,
)

from runforge_cli.terminal.text_layout import number

#: What stands for every column, and the columns that it does not have: they are no values of their
#: own, or need documents of the runs.
ALL = "all"
_NOT_IN_ALL = ("metric", "tags", "run_dir")
#: The first ones of all columns, before hyperparameters and metrics.
_FIRST = ("run", "status", "seed", "group")
#: Characters of a digest that are shown, and those that it has.
_DIGEST, _DIGITS = 12, 64
#: Longest number that is shown in full.
_PLAIN = 10
_Entry = dict[str, Any]


def field(name: str) -> RunColumn:
    """Return the column of a field."""
    return RunColumn("field", name)


def parse_columns(text: str) -> list[str]:
    """Return the names in a list that is separated by commas; a name with a comma is quoted.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if a name is empty.
    """
    import csv

    names = [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]
    if not names or not all(names):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(text)} is no list of columns: a name is empty.",
            hint="Give names separated by commas, as in `--columns C,seed,accuracy`, or `all`.",
        )
    return names


def named_columns(names: Sequence[str], entries: Sequence[_Entry]) -> list[RunColumn]:
    """Return the columns with the given names; ``all`` stands for those that the runs have.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if no run has a value of a name.
    """
    metrics = metric_names(entries)
    found: list[RunColumn] = []
    for name in names:
        if name == ALL:
            found += every_column(entries)
            continue
        column = column_of(name, metrics)
        if (
            column.source != "field"
            and entries
            and not any(values_of(entry, column) for entry in entries)
        ):
            raise unknown_name(name, entries, f"The column {quote(name)}")
        found.append(column)
    return list(dict.fromkeys(found))


def every_column(entries: Sequence[_Entry]) -> list[RunColumn]:
    """Return every column of which a run has a value, but for the tags."""
    params = sorted({name for entry in entries for name in hyperparameters_in(entry)})
    columns = [
        *(field(name) for name in _FIRST),
        *(RunColumn("param", name) for name in params),
        *(RunColumn("metric", name) for name in sorted(metric_names(entries))),
        *(field(name) for name in FIELDS if name not in (*_FIRST, *_NOT_IN_ALL)),
    ]
    if not entries:
        return columns
    return [column for column in columns if any(cell(entry, column) for entry in entries)]


def cell(entry: _Entry, column: RunColumn) -> str:
    """Return a value for display; not yet printable, and empty if it is missing."""
    values = values_of(entry, column)
    if not values:
        return ""
    value = values[0]
    if column.is_numeric and column != field("seed") and is_number(value):
        return format_duration(value) if column == field("duration") else number(value)
    if column.source == "param":
        return setting_text(value)
    if column in (field("tags"), field("alias")):
        return ", ".join(map(value_text, values))
    if column == field("created"):
        return value_text(value).replace("T", " ").removesuffix("Z")
    if column in (field("dataset"), field("model_sha256")):
        text = value_text(value)
        return text[:_DIGEST] if len(text) == _DIGITS else text  # an experiment names its dataset
    if column == field("name") and value == entry["run_id"]:
        return ""
    return value_text(value)


def setting_text(value: Any) -> str:
    """Return a hyperparameter or a seed for display: a long number to six digits."""
    text = value_text(value)
    if isinstance(value, float) and len(text) > _PLAIN:
        return f"{value:.6g}"
    return shorten(text, 400)


def csv_cell(entry: _Entry, column: RunColumn) -> str:
    """Return a value for a table of other programs: in full, and empty if it is missing."""
    values = values_of(entry, column)
    if column == field("dataset"):
        values = values if "dataset_fingerprint_sha256" in entry else ()
    if column in (field("tags"), field("alias")):
        return ",".join(map(value_text, values))
    return value_text(values[0]) if values else ""


def title_of(column: RunColumn, metrics: Collection[str]) -> str:
    """Return the heading of a column, printable and short."""
    return shorten(printable(column.title(metrics)), 20)


def holds_numbers(entries: Iterable[_Entry], column: RunColumn) -> bool:
    """Return whether all values of a column are numbers, which are aligned to the right."""
    return all(is_number(value) for entry in entries for value in values_of(entry, column))
