"""A sweep on the terminal: its summary, its settings and its members, the best first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from runforge_contracts.display import format_duration, printable, shorten, time_text
from runforge_engine.store.sweep_settings import SweepSetting, settings_of
from runforge_engine.store.sweep_table import (
    SweepCell,
    SweepColumn,
    SweepRow,
    SweepTable,
)

from runforge_cli.render.run_summary import section
from runforge_cli.render.sweep_words import (
    best_setting_text,
    best_text,
    counts_text,
    duplicates_text,
    error_text,
    interval_text,
    repeats,
    setting_text,
    spread_text,
    tie_text,
)
from runforge_cli.terminal.text_layout import (
    GAP,
    fit,
    number,
    pairs,
    paragraph,
    plural,
    table,
    terminal_width,
    width,
)

#: Maximum width of a value or a heading in a column.
_WIDEST = 18
#: Least width of the name of a sweep in a list.
_NAME = 8
#: Maximum number of errors, datasets and constants shown.
_SHOWN = 10
_LONG = 300
_COLORS = {"succeeded": "32", "failed": "31", "running": "36"}
_OTHER_COLOR = "33"
_STATES = {
    "running": "The sweep is in progress.",
    "interrupted": "The process ended before the sweep did.",
}
#: Parts of a heading after which it may be wrapped.
_PARTS = re.compile(r"[^_./ -]*[_./ -]+|[^_./ -]+")
#: The column of all parameters.
_TOGETHER = "setting"
#: Columns that are dropped if the table is too wide.
_DISPENSABLE = ("duration",)


def sweep_lines(
    sweep: SweepTable,
    rows: Sequence[SweepRow],
    *,
    limit: int,
    metric: str | None = None,
    folder: str | None = None,
    repeated: str = "",
    colored: bool = False,
) -> Iterator[str]:
    """Yield the lines of a sweep.

    Parameters
    ----------
    sweep
        The sweep.
    rows
        Its members in the order of the table.
    limit
        Maximum number of members, and of settings.
    metric
        The metric to show; the common primary metric by default.
    folder
        The path of the group's folder as it can be typed.
    repeated
        Options that the suggested commands need.
    colored
        Whether to colour the status.
    """
    status = sweep.status
    shown = (
        f"\x1b[{_COLORS.get(status, _OTHER_COLOR)}m{status}\x1b[0m"
        if colored
        else printable(status)
    )
    yield f"Sweep {printable(sweep.group_id)}: {shown}"
    yield from pairs(_facts(sweep, metric, folder))
    name = metric or sweep.metric
    settings = settings_of(sweep, name)
    if repeats(settings) and sweep.setting_columns:
        yield from section(*_settings(sweep, settings, name, limit))
        said = spread_text(sweep, settings)
        yield from paragraph(said, indent=2) if said else ()
    elif repeats(settings):
        yield from section("All seeds", pairs(_over_seeds(settings, name)))
    yield from section(_title(rows, name, limit), members_lines(sweep, rows[:limit], metric))
    if len(rows) > limit:
        left = len(rows) - limit
        yield from paragraph(f"{left:,} more; use --limit {len(rows)} to show all.", indent=2)
    yield from section("Errors", _errors(sweep))
    yield from section("Next", pairs(_next(sweep, repeated)))


def _facts(sweep: SweepTable, metric: str | None, folder: str | None) -> Iterator[tuple[str, str]]:
    facts, execution = sweep.facts, sweep.facts.get("execution") or {}
    if sweep.name:
        yield "name", shorten(sweep.name, _LONG)
    if facts.get("notes"):
        yield "notes", shorten(str(facts["notes"]), _LONG)
    if facts.get("client"):
        yield "written by", str(facts["client"])
    yield "outcome", counts_text(sweep)
    if sweep.status in _STATES:
        left = len(sweep.rows) - sweep.done
        done = f"{sweep.done:,} of {len(sweep.rows):,} done, {left:,} left."
        yield "state", f"{_STATES[sweep.status]} {done}"
    setting = best_setting_text(sweep, settings_of(sweep, metric)) if sweep.seeds > 1 else None
    if setting:
        yield "best setting", setting
    best = best_text(sweep, metric)
    if best:
        yield "best member" if setting else "best", best
    tie = tie_text(sweep.best(metric))
    if tie:
        yield "tie", tie
    for column in sweep.columns[:_SHOWN]:
        yield column.name, _values(column.cells)
    if len(sweep.columns) > _SHOWN:
        yield "", f"and {plural(len(sweep.columns) - _SHOWN, 'more parameter')}"
    if sweep.constants:
        same = [f"{column.name} {column.cells[0].text}" for column in sweep.constants]
        yield "same in all", ", ".join(same[:_SHOWN])
    duplicates = duplicates_text(sweep)
    if duplicates:
        yield "duplicates", duplicates
    datasets = facts.get("datasets")
    for item in (datasets if isinstance(datasets, list) else [])[:_SHOWN]:
        yield "dataset", f"{item.get('path')} (sha256 {str(item.get('sha256'))[:12]}…)"
    if execution.get("started_at"):
        yield "started", time_text(str(execution["started_at"]))
    if execution.get("finished_at"):
        yield "finished", time_text(str(execution["finished_at"]))
    if execution.get("max_parallel"):
        yield "at a time", plural(execution["max_parallel"], "run")
    if execution.get("scheduler"):
        yield "scheduler", shorten(str(execution["scheduler"]), _LONG)
    if folder:
        yield "folder", folder


def _values(cells: Sequence[SweepCell]) -> str:
    shown = ", ".join(cell.text for cell in cells[:_SHOWN])
    return shown + (f" and {len(cells) - _SHOWN:,} more values" if len(cells) > _SHOWN else "")


def _title(rows: Sequence[SweepRow], metric: str | None, limit: int) -> str:
    title = "Members" if len(rows) <= limit else f"Members, the first {limit} of {len(rows):,}"
    return title if metric is not None else f"{title} (none has a metric)"


def members_lines(
    sweep: SweepTable, rows: Sequence[SweepRow], metric: str | None = None, *, indent: int = 2
) -> list[str]:
    """Return the table of members: what varies, metric, duration, status and run.

    If the parameters do not fit the terminal, they share one column.
    """
    if not rows:
        return []
    name = metric or sweep.metric
    columns: dict[str, list[str]] = {"#": [str(row.number) for row in rows]}
    measures = {
        "metric": [_measure(sweep.value(row, name)) for row in rows],
        "duration": [_duration(row) for row in rows],
        "status": [_status(row) for row in rows],
        "run": [row.run_id or "" for row in rows],
    }
    if not any(measures["metric"]):
        del measures["metric"]
    if not any(measures["duration"]):
        del measures["duration"]
    if {row.status for row in sweep.rows} == {"succeeded"}:
        del measures["status"]
    if not any(measures["run"]):
        del measures["run"]
    headings = {"metric": fit(printable(name or ""), _WIDEST)}
    parameters = _parameter_columns(sweep.columns, [row.cells for row in rows])
    return _fitted(
        {**columns, **parameters, **measures},
        headings,
        indent=indent,
        right={"#", "metric", "duration", *_numeric(sweep.columns)},
        together=[setting_text(sweep.columns, row.cells) for row in rows],
        parameters=list(parameters),
    )


def _settings(
    sweep: SweepTable, settings: Sequence[SweepSetting], metric: str | None, limit: int
) -> tuple[str, list[str]]:
    columns = sweep.setting_columns
    shown = [setting for setting in settings if setting.values][:limit]
    if not shown:
        return "", []
    runs = {len(setting.values) for setting in shown}
    counted = f"{runs.pop()} runs each" if len(runs) == 1 else "runs: how many there are"
    title = (
        f"Settings: mean of {printable(metric or '')} over the seeds with its 95 % interval"
        f" (Student's t), and range; {counted}"
    )
    parameters = _parameter_columns(columns, [setting.cells for setting in shown])
    several = len({len(setting.values) for setting in shown}) > 1
    lines = _fitted(
        {
            **parameters,
            "mean": [interval_text(setting) for setting in shown],
            "least": [number(setting.least) for setting in shown],
            "greatest": [number(setting.greatest) for setting in shown],
            **({"runs": [str(len(setting.values)) for setting in shown]} if several else {}),
        },
        {},
        indent=2,
        right={"mean", "least", "greatest", "runs", *_numeric(columns)},
        together=[setting_text(columns, setting.cells) for setting in shown],
        parameters=list(parameters),
    )
    left = sum(1 for setting in settings if setting.values) - len(shown)
    if left > 0:
        lines += paragraph(f"{plural(left, 'more setting')}; use --limit.", indent=2)
    return title, lines


def _over_seeds(settings: Sequence[SweepSetting], metric: str | None) -> Iterator[tuple[str, str]]:
    for setting in settings:
        if setting.values:
            yield "mean", f"{metric} {interval_text(setting)} (95 % interval, Student's t)"
            yield "range", f"{number(setting.least)} to {number(setting.greatest)}"
            yield "runs", str(len(setting.values))


def _parameter_columns(
    columns: Sequence[SweepColumn], rows: Sequence[Sequence[SweepCell]]
) -> dict[str, list[str]]:
    # A parameter may have the name of another column; the space keeps the keys distinct.
    return {
        f" {column.name}": [fit(printable(cells[at].text), _WIDEST) for cells in rows]
        for at, column in enumerate(columns)
    }


def _numeric(columns: Sequence[SweepColumn]) -> set[str]:
    return {f" {column.name}" for column in columns if column.is_numeric}


def _fitted(
    columns: dict[str, list[str]],
    headings: dict[str, str],
    *,
    indent: int,
    right: set[str],
    together: list[str],
    parameters: list[str],
) -> list[str]:
    """Return a table that fits the terminal.

    If it is too wide, headings are wrapped, then the parameters share one column.
    """
    heads = {name: [headings.get(name, _heading(name))] for name in columns}
    for name in _DISPENSABLE:
        if _needed(columns, heads, indent) > terminal_width():
            columns.pop(name, None)
    if _needed(columns, heads, indent) > terminal_width():
        heads = {name: _wrapped(heads[name][0], columns[name]) for name in columns}
    flexible = len(columns) - 1
    if parameters and _needed(columns, heads, indent) > terminal_width():
        items = list(columns.items())
        flexible = list(columns).index(parameters[0])
        rest = [item for item in items[flexible:] if item[0] not in parameters]
        columns = dict([*items[:flexible], (_TOGETHER, together), *rest])
        heads = {name: [headings.get(name, _heading(name))] for name in columns}
    heights = max(len(heads[name]) for name in columns)
    # The last lines of the headings are beside each other.
    filled = [[""] * (heights - len(heads[name])) + heads[name] for name in columns]
    above = [list(line) for line in zip(*filled, strict=True)]
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    at = [index for index, name in enumerate(columns) if name in right]
    return table(above[0], [*above[1:], *rows], right=at, flexible=flexible, indent=indent)


def _heading(name: str) -> str:
    return fit(printable(name.removeprefix(" ")), _WIDEST)


def _wrapped(heading: str, cells: Sequence[str]) -> list[str]:
    """Return a heading in lines that are as wide as the cells, or as its longest part."""
    parts = _PARTS.findall(heading)
    room = max(width(text) for text in (*parts, *cells, " "))
    lines = [""]
    for part in parts:
        if width(lines[-1] + part) > room:
            lines.append("")
        lines[-1] += part
    return lines


def _needed(columns: dict[str, list[str]], heads: dict[str, list[str]], indent: int) -> int:
    widths = [max(map(width, (*heads[name], *cells))) for name, cells in columns.items()]
    return indent + sum(widths) + len(GAP) * (len(widths) - 1)


def _measure(value: float | None) -> str:
    return "" if value is None else number(float(value))


def _duration(row: SweepRow) -> str:
    return "" if row.duration_ms is None else format_duration(row.duration_ms)


def _status(row: SweepRow) -> str:
    return f"{row.status}, unreadable" if row.problem else row.status


def _errors(sweep: SweepTable) -> list[str]:
    lines: list[str] = []
    found = sweep.errors()
    for code, message, numbers in found[:_SHOWN]:
        text = error_text(shorten(message, _LONG), code, numbers)
        lines += paragraph(text[:1].upper() + text[1:], indent=2)
    if len(found) > _SHOWN:
        lines += paragraph(f"and {plural(len(found) - _SHOWN, 'more kind')} of error", indent=2)
    unread = [row for row in sweep.rows if row.problem]
    for row in unread[:_SHOWN]:
        lines += paragraph(f"Member {row.number} cannot be read: {row.problem}", indent=2)
    if len(unread) > _SHOWN:
        lines += paragraph(f"and {plural(len(unread) - _SHOWN, 'more member')}", indent=2)
    return lines


def _next(sweep: SweepTable, repeated: str) -> Iterator[tuple[str, str]]:
    group = printable(sweep.group_id) + repeated
    best = sweep.best()
    if sweep.status == "interrupted" or (sweep.counts.get("pending") and sweep.status != "running"):
        yield "finish it", f"runforge sweep --resume {group}"
    if best:
        yield "report", f"runforge report --group {group}"
        if len(sweep.rows) > 1:
            yield "differences", f"runforge diff --group {group}"
        if best[0].run_id:
            yield "the best run", f"runforge show {printable(best[0].run_id)}{repeated}"


def list_lines(sweeps: Sequence[SweepTable]) -> list[str]:
    """Return the table of sweeps, with as many columns as fit the terminal."""
    columns = {
        "sweep": [sweep.group_id for sweep in sweeps],
        "status": [sweep.status for sweep in sweeps],
        "succeeded": [
            f"{sweep.counts.get('succeeded', 0):,} of {len(sweep.rows):,}" for sweep in sweeps
        ],
        "best": [_best_value(sweep) for sweep in sweeps],
        "name": [sweep.name or "" for sweep in sweeps],
    }
    columns = {name: cells for name, cells in columns.items() if any(cells)}
    # A long name is cut, but not to nothing.
    cut = {**columns, "name": [fit(cell, _NAME) for cell in columns.get("name", ())]}
    for name in ("best", "name", "succeeded", "status"):
        if _needed(cut, {heading: [heading] for heading in cut}, 0) <= terminal_width():
            break
        columns.pop(name, None)
        cut.pop(name, None)
    right = [list(columns).index("succeeded")] if "succeeded" in columns else []
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return table(list(columns), rows, right=right, flexible=len(columns) - 1, cut=True)


def _best_value(sweep: SweepTable) -> str:
    best = sweep.best()
    value = sweep.value(best[0]) if best else None
    return "" if value is None else f"{fit(sweep.metric or '', _WIDEST)} {number(float(value))}"
