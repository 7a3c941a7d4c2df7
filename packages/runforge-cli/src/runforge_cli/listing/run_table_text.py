"""The table of a list of runs as text: the columns that fit the terminal, best ones first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runforge_contracts.display import printable, quote
from runforge_contracts.selection.run_query import tied
from runforge_contracts.selection.run_values import RunColumn, metric_names, varying

from runforge_cli.listing.run_columns import cell, field, holds_numbers, title_of
from runforge_cli.listing.run_rows import METRIC, cells_of, common_metric, heading
from runforge_cli.terminal.text_layout import GAP, fit, paragraph, table, terminal_width, width

#: Maximum width of the name of a metric or a model.
_LONGEST = 20
#: Width to which names and models are cut.
_SHORT = 12
#: Minimum width of a column that is cut.
_LEAST = 8
#: Maximum number of columns that are named under the table.
_NAMED = 8
#: The mark of a value that another run has, too.
TIE = "="
#: A column of every list, or a setting.
_Column = str | RunColumn


def default_table(
    entries: Sequence[dict[str, Any]],
    metric: str | None,
    sorted_by: RunColumn,
    named: Sequence[RunColumn] = (),
) -> list[str]:
    """Return the table of runs with a metric and the settings in which the runs differ.

    Columns that do not fit are left out; settings that are left out are named below the table.

    Parameters
    ----------
    entries
        The runs, in their order.
    metric
        The metric to show; None for the primary metric of the runs.
    sorted_by
        The column that the runs are sorted by, which is shown.
    named
        Columns that conditions name; settings among them are shown, too.
    """
    shown = metric or common_metric(entries)
    metrics = metric_names(entries)
    cells = [cells_of(entry, shown) for entry in entries]
    ties = tied(entries, sorted_by)
    for row, text in zip(cells, _marked([row[METRIC] for row in cells], ties), strict=True):
        row["model"] = fit(printable(row["model"]), _LONGEST)
        row[METRIC] = text
    listed = {name: [row[name] for row in cells] for name in cells[0]}
    if len(set(listed["kind"])) == 1:
        del listed["kind"]
    listed = {name: column for name, column in listed.items() if any(column)}
    differing = varying(entries)
    asked = [
        column
        for column in (sorted_by, *named)
        if column.source == "param" or column == field("seed")
    ]
    differing = list(dict.fromkeys((*asked, *differing)))
    columns = dict[_Column, list[str]]()
    for name, texts in listed.items():
        columns[name] = texts
        if name == (METRIC if METRIC in listed else "status"):
            for column in differing:
                columns[column] = [
                    fit(printable(cell(entry, column)), _LONGEST) for entry in entries
                ]
    constant = [
        name for name in ("model", "name", "created") if len(set(listed.get(name, ()))) == 1
    ]
    # What is the same for all gives way to what is not.
    early = constant if differing or "created" not in constant else []
    least: list[_Column] = ["label", "preset", "duration", *early]
    least += [
        "created",
        *differing[:0:-1],
        "kind",
        "model",
        "name",
        *differing[:1],
        "alias",
        METRIC,
    ]
    kept = {field("created")} & {*named} | {sorted_by} - {field("created")}
    for column in kept:
        if column.source == "field" and column.name in least:
            least.remove(column.name)
            least.append(column.name)
    headings = {
        column: title_of(column, metrics)
        if isinstance(column, RunColumn)
        else fit(printable(heading(column, shown)), _LONGEST)
        for column in columns
    }
    if "alias" in columns:
        room = _LONGEST if _needed(columns, headings) <= terminal_width() else _SHORT
        columns["alias"] = [fit(printable(text), room) for text in columns["alias"]]
    for dropped in least:
        if _needed(columns, headings) <= terminal_width():
            break
        columns.pop(dropped, None)
    if "model" in columns:
        room = terminal_width() - _needed(columns, headings) + _SHORT
        columns["model"] = [fit(text, max(room, _SHORT)) for text in columns["model"]]
    right = [
        at
        for at, column in enumerate(columns)
        if column in (METRIC, "duration")
        or (isinstance(column, RunColumn) and holds_numbers(entries, column))
    ]
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    header = [headings[column] for column in columns]
    lines = table(header, rows, right=right, flexible=len(columns) - 1, cut=True)
    left = [headings[column] for column in differing if column not in columns]
    return lines + _tie_line(ties, sorted_by, shown) + _left_out(left, "Also different")


def _marked(texts: Sequence[str], ties: Sequence[bool]) -> list[str]:
    """Return values of a metric, of which equal ones are marked."""
    if not any(ties):
        return list(texts)
    return [f"{text} {TIE if tie else ' '}" for text, tie in zip(texts, ties, strict=True)]


def _tie_line(ties: Sequence[bool], column: RunColumn, metric: str | None) -> list[str]:
    """Return the line that explains the mark of equal values."""
    if not any(ties):
        return []
    name = column.name if column.source == "metric" else metric or METRIC
    return paragraph(
        f"{TIE} tied with another run by {quote(name, _LONGEST)};"
        " the other metrics decide the order."
    )


def _left_out(names: Sequence[str], what: str) -> list[str]:
    """Return the line that names columns for which there is no room."""
    if not names:
        return []
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    listed = ", ".join(quote(name, _LONGEST) for name in names[:_NAMED])
    return paragraph(f"{what}: {listed}{more}; --columns and --csv show more.")


def chosen_table(
    entries: Sequence[dict[str, Any]],
    columns: Sequence[RunColumn],
    sorted_by: RunColumn | None = None,
) -> list[str]:
    """Return the table of runs with the given columns.

    Wide columns are cut if the table is wider than the terminal; then the last ones are left out.
    If the runs are sorted by a metric, equal values of it are marked.
    """
    metrics = metric_names(entries)
    parts = []
    for column in columns:
        texts = [printable(cell(entry, column)) for entry in entries]
        if column == sorted_by:
            texts = _marked(texts, tied(entries, column))
        parts.append([title_of(column, metrics), *texts])
    widths = [max(map(width, part)) for part in parts]
    taken = sum(widths) + len(GAP) * (len(widths) - 1)
    while taken > terminal_width():
        at = max(
            (index for index, column in enumerate(columns) if column != field("run")),
            key=widths.__getitem__,
            default=0,
        )
        if widths[at] <= _LEAST or columns[at] == field("run"):
            break
        widths[at] -= 1
        taken -= 1
    kept = len(columns)
    while kept > 1 and taken > terminal_width():
        kept -= 1
        taken -= widths[kept] + len(GAP)
    rows = zip(
        *([fit(text, room) for text in part] for part, room in zip(parts, widths, strict=True)),
        strict=True,
    )
    header, *lines = [list(row[:kept]) for row in rows]
    right = [at for at, column in enumerate(columns[:kept]) if holds_numbers(entries, column)]
    shown = table(header, lines, right=right, flexible=None)
    left = [title_of(column, metrics) for column in columns[kept:]]
    return shown + _left_out(left, "No room for")


def _needed(columns: dict[_Column, list[str]], headings: dict[_Column, str]) -> int:
    """Return the width of a table, in which names and models are cut to 12 columns."""
    widths = {
        name: max(width(printable(text)) for text in (headings[name], *texts))
        for name, texts in columns.items()
    }
    for name in ("name", "model"):
        if name in widths:
            widths[name] = min(widths[name], _SHORT)
    return sum(widths.values()) + len(GAP) * (len(widths) - 1)
