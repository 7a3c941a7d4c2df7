"""The sections of a report on a sweep."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from runforge_contracts.display import format_duration, shorten, time_text
from runforge_engine.store.sweep_settings import SweepSetting, settings_of
from runforge_engine.store.sweep_table import SweepRow, SweepTable

from runforge_cli import __version__
from runforge_cli.render.sweep_words import (
    best_setting_text,
    best_text,
    counts_text,
    duplicates_text,
    members_text,
    repeats,
    setting_text,
    spread_text,
    tie_text,
)
from runforge_cli.report.compared_runs import best_value
from runforge_cli.report.report_blocks import (
    Block,
    Cell,
    Commands,
    Facts,
    Name,
    Paragraph,
    Report,
    Section,
    TableBlock,
    Text,
    prose,
)
from runforge_cli.report.sweep_plots import MAX_METRICS, picture_blocks, settings_table, strips
from runforge_cli.terminal.text_layout import number, plural

#: Maximum number of members and of settings in the tables, and of other items in a list.
MAX_ROWS, _SHOWN = 1_000, 40
#: Maximum length of free text, of a value and of a heading.
_LONG, _SHORT = 2_000, 60
_NONE = "–"


def sweep_report(sweep: SweepTable, folder: str) -> Report:
    """Return the report on a sweep.

    Parameters
    ----------
    sweep
        The sweep.
    folder
        The folder of the group, relative to the workspace.
    """
    settings = settings_of(sweep)
    metric = sweep.metric
    sections = [
        Section("Outcome", list(_outcome(sweep, settings, folder))),
        Section("Parameters and results", picture_blocks(sweep, metric) if metric else []),
        Section("Spread over the seeds", list(spread_blocks(sweep, settings))),
        Section("Members", list(_members(sweep))),
        Section("Errors", list(_errors(sweep))),
        Section("Other metrics", list(_others(sweep))),
        Section("Plan", list(_plan(sweep))),
        Section("Next", list(_next(sweep))),
    ]
    title = f"Sweep {sweep.name or sweep.group_id}"
    footer = f"Written by RunForge {__version__} from the recorded documents."
    filled = [section for section in sections if section.blocks]
    return Report(shorten(title, _LONG), _lead(sweep, settings), filled, footer)


def _lead(sweep: SweepTable, settings: Sequence[SweepSetting]) -> Text:
    counts = counts_text(sweep)
    best = best_setting_text(sweep, settings) or best_text(sweep)
    text = f"{counts[:1].upper()}{counts[1:]}."
    return f"{text} Best: {best}." if best else text


def _outcome(sweep: SweepTable, settings: Sequence[SweepSetting], folder: str) -> Iterator[Block]:
    recorded, execution = sweep.facts, sweep.facts.get("execution") or {}
    facts: list[tuple[str, Text]] = [
        ("Sweep", [Name(sweep.group_id)]),
        ("Status", sweep.status),
        ("Outcome", counts_text(sweep)),
    ]
    if recorded.get("client"):
        facts.append(("Written by", str(recorded["client"])))
    if sweep.name:
        facts.append(("Name", shorten(sweep.name, _LONG)))
    setting, best = best_setting_text(sweep, settings), best_text(sweep)
    if setting:
        facts.append(("Best setting", setting))
    if best:
        facts.append(("Best member", best))
        run_id = sweep.best()[0].run_id
        if run_id:
            facts.append(("Its run", [Name(run_id)]))
    if execution.get("started_at"):
        facts.append(("Started", time_text(str(execution["started_at"]))))
    if execution.get("finished_at"):
        facts.append(("Finished", time_text(str(execution["finished_at"]))))
    spent = sum(row.duration_ms or 0 for row in sweep.rows)
    if spent:
        facts.append(("Time of all runs", format_duration(spent)))
    if execution.get("max_parallel"):
        facts.append(("At a time", plural(execution["max_parallel"], "run")))
    if execution.get("scheduler"):
        facts.append(("Scheduler", [Name(shorten(str(execution["scheduler"]), _LONG))]))
    facts += [("Dataset", text) for text in _datasets(recorded)]
    facts.append(("Folder", [Name(folder)]))
    yield Facts(facts)
    notes = shorten(str(recorded.get("notes") or ""), _LONG).splitlines()
    for line in [line for line in notes if line.strip()][:_SHOWN]:
        yield Paragraph(line, "note")
    if sweep.status == "running":
        yield Paragraph(
            f"The sweep is in progress: {sweep.done:,} of {len(sweep.rows):,} members are done."
            " This report shows what there was when it was written.",
            "warning",
        )
    elif sweep.status == "interrupted":
        left = len(sweep.rows) - sweep.done
        yield Paragraph(
            f"The process ended before the sweep did; {plural(left, 'member is', 'members are')}"
            " left.",
            "warning",
        )
    for text in (
        tie_text(sweep.best()),
        spread_text(sweep, settings) if repeats(settings) else None,
        duplicates_text(sweep),
    ):
        if text:
            yield Paragraph(text, "guide")


def _datasets(recorded: Any) -> Iterator[Text]:
    listed = recorded.get("datasets")
    for item in (listed if isinstance(listed, list) else [])[:_SHOWN]:
        yield [Name(str(item.get("path"))), ", SHA-256 ", Name(str(item.get("sha256")))]


def spread_blocks(sweep: SweepTable, settings: Sequence[SweepSetting]) -> Iterator[Block]:
    """Yield the spread of the primary metric over the seeds, if a setting has several."""
    metric = sweep.metric
    measured = [setting for setting in settings if setting.values]
    if metric is None or not repeats(measured):
        return
    columns = sweep.setting_columns
    if len(columns) > 1 or not columns:
        labels: list[Sequence[str]] = [
            [setting_text(columns, item.cells) if columns else "all seeds"] for item in measured
        ]
        yield strips(measured, labels, metric, what="Settings, the best first", name="Setting")
    caption = f"Mean {metric} over the seeds, its 95 % interval (Student's t), and range"
    yield settings_table(columns, measured[:MAX_ROWS], caption)
    if len(measured) > MAX_ROWS:
        yield Paragraph(f"{len(measured) - MAX_ROWS:,} more settings are not shown.")


def _members(sweep: SweepTable) -> Iterator[Block]:
    ranked = sweep.ranked()
    if not ranked:
        return
    metrics = sweep.metrics[:MAX_METRICS]
    several = len(sweep.counts) > 1
    header = [
        "#",
        *(shorten(column.name, _SHORT) for column in sweep.columns),
        *(shorten(name, _SHORT) for name in metrics),
        "Duration",
        *(["Status"] if several else []),
        "Run",
    ]
    best = {name: best_value(sweep, name) for name in metrics}
    rows = [
        [
            str(row.number),
            *([Name(cell.text)] for cell in row.cells),
            *(_measure(sweep, row, name, best[name]) for name in metrics),
            _NONE if row.duration_ms is None else format_duration(row.duration_ms),
            *([row.status] if several else []),
            [Name(row.run_id)] if row.run_id else _NONE,
        ]
        for row in ranked[:MAX_ROWS]
    ]
    first = 1 + len(sweep.columns)
    numeric = {0, *range(first, first + len(metrics) + 1)}
    numeric |= {at for at, column in enumerate(sweep.columns, 1) if column.is_numeric}
    some = f", the first {MAX_ROWS:,} of {len(ranked):,}" if len(ranked) > MAX_ROWS else ""
    yield TableBlock(
        f"Members, the best first{some}; the best values are bold", header, rows, frozenset(numeric)
    )


def _measure(sweep: SweepTable, row: SweepRow, metric: str, best: float | None) -> Text | Cell:
    value = sweep.value(row, metric)
    if value is None:
        return _NONE
    text = number(float(value))
    return Cell(text, "best") if value == best else text


def _errors(sweep: SweepTable) -> Iterator[Block]:
    found = sweep.errors()
    if found:
        rows: list[list[Text]] = [
            [[Name(code)], f"{len(numbers):,}", members_text(numbers), prose(shorten(message, 500))]
            for code, message, numbers in found[:_SHOWN]
        ]
        yield TableBlock(
            "Errors of the members",
            ("Code", "Count", "Members", "First message"),
            rows,
            frozenset({1}),
        )
    for row in [row for row in sweep.rows if row.problem][:_SHOWN]:
        text = prose(shorten(row.problem or "", _LONG))
        yield Paragraph([f"Member {row.number} cannot be read: ", *text], "warning")


def _others(sweep: SweepTable) -> Iterator[Block]:
    for metric in sweep.metrics[1:MAX_METRICS]:
        yield from picture_blocks(sweep, metric)


def _plan(sweep: SweepTable) -> Iterator[Block]:
    rows: list[list[Text]] = [
        [
            [Name(shorten(column.name, _SHORT))],
            [Name(shorten(column.path, 200))],
            f"{len(column.cells):,}",
            _values([cell.text for cell in column.cells]),
        ]
        for column in (*sweep.columns, *sweep.constants)
    ]
    if rows:
        yield TableBlock(
            "Parameters of the plan", ("Name", "Path", "Count", "Values"), rows, frozenset({2})
        )


def _values(texts: Sequence[str]) -> list[str]:
    parts: list[str] = []
    for text in texts[:_SHOWN]:
        parts += [", ", Name(text)]
    if len(texts) > _SHOWN:
        parts.append(f" and {len(texts) - _SHOWN:,} more")
    return parts[1:]


def _next(sweep: SweepTable) -> Iterator[Block]:
    group, best = shlex.quote(sweep.group_id), sweep.best()
    lines = [f"runforge sweep show {group}", f"runforge diff --group {group}"]
    if sweep.status == "interrupted":
        lines.append(f"runforge sweep --resume {group}")
    if best and best[0].run_id:
        run = shlex.quote(best[0].run_id)
        lines += [f"runforge report {run}", f"runforge reproduce {run}"]
    yield Commands(lines)
