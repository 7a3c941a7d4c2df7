"""The members of a sweep against the best: the settings that differ, and what else does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runforge_contracts.display import printable, shorten
from runforge_contracts.metrics import lower_is_better
from runforge_engine.store.sweep_table import SweepCell, SweepRow, SweepTable

from runforge_cli.render.differences import signed, value_text
from runforge_cli.render.run_summary import section
from runforge_cli.render.sweep_words import members_text, setting_text, tie_text
from runforge_cli.terminal.text_layout import number, paragraph, table

#: The parts of a comparison that a sweep does not vary on purpose.
_PARTS = {"configuration": "Configuration", "data": "Data", "environment": "Environment"}
#: Fields that differ between any two runs, or that the table of members has.
_EXPECTED = frozenset({"name", "seed", "tags", "notes", "sweep_group_id", "sweep_member"})
#: Maximum number of other differences.
_SHOWN = 20
_LONG = 120
_COLORS = {"better": "32", "worse": "31"}


def sweep_difference_lines(
    sweep: SweepTable,
    numbers: Sequence[int],
    comparison: Mapping[str, Any],
    *,
    limit: int,
    colored: bool = False,
) -> Iterator[str]:
    """Yield the lines of the members of a sweep against the best.

    Parameters
    ----------
    sweep
        The sweep; a member has succeeded.
    numbers
        The members of the compared runs, the best first.
    comparison
        The raw ``comparison.v1`` of these runs.
    limit
        Maximum number of members.
    colored
        Whether to colour better and worse members.
    """
    best, name = sweep.best()[0], sweep.metric or ""
    value = sweep.value(best) or 0.0
    yield from paragraph(
        f"{len(numbers):,} runs of the sweep {sweep.group_id}; the baseline is the best, member"
        f" {best.number}: {setting_text(sweep.columns, best.cells)}, {name}"
        f" {number(float(value))}"
    )
    tie = tie_text(sweep.best())
    if tie:
        yield from paragraph(tie)
    compared = set(numbers)
    others = [row for row in sweep.ranked() if row.number in compared and row != best]
    lines = _members(sweep, best, others[:limit])
    yield from section("Members", [_painted(line) if colored else line for line in lines])
    if len(others) > limit:
        left = len(others) - limit
        yield from paragraph(f"{left:,} more; use --limit {len(others)} to show all.", indent=2)
    for part, title in _PARTS.items():
        yield from section(title, list(_fields(comparison[part], numbers, _of_plan(sweep))))


def _members(sweep: SweepTable, best: SweepRow, rows: Sequence[SweepRow]) -> list[str]:
    if not rows:
        return []
    name = sweep.metric or ""
    cells = [
        [
            str(row.number),
            _measure(sweep, row),
            _verdict(sweep, best, row),
            _differing(sweep, best, row),
        ]
        for row in rows
    ]
    header = ["#", shorten(printable(name), 18), "", "differs from the best"]
    return table(header, cells, right=(0, 1), flexible=3, indent=2)


def _differing(sweep: SweepTable, best: SweepRow, row: SweepRow) -> str:
    parts = [
        f"{column.name}={mine.text}"
        for column, mine, other in zip(sweep.columns, row.cells, best.cells, strict=True)
        if (mine.applies or mine.is_named) and _differ(mine, other)
    ]
    return ", ".join(parts) or "nothing"


def _differ(mine: SweepCell, other: SweepCell) -> bool:
    if mine.known and other.known:
        return mine.value_key != other.value_key
    return mine.key != other.key


def _measure(sweep: SweepTable, row: SweepRow) -> str:
    value = sweep.value(row)
    return row.status if value is None else number(float(value))


def _verdict(sweep: SweepTable, best: SweepRow, row: SweepRow) -> str:
    value, baseline, name = sweep.value(row), sweep.value(best), sweep.metric
    if value is None or baseline is None or name is None:
        return ""
    delta = value - baseline
    if delta == 0:
        return "="
    verdict = "better" if (delta < 0) == lower_is_better(name) else "worse"
    return f"{signed(float(delta))} {verdict}"


def _painted(line: str) -> str:
    for word, color in _COLORS.items():
        line = line.replace(f" {word} ", f" \x1b[{color}m{word}\x1b[0m ")
    return line


def _of_plan(sweep: SweepTable) -> set[str]:
    """Return names that the fields of a comparison may have for the parameters of the plan."""
    paths = [column.path.strip("/") for column in sweep.columns]
    return {
        name
        for path in paths
        for name in (path.replace("/", "."), path.replace("/", "_"), path.rpartition("/")[2])
    }


def _fields(
    fields: Sequence[Mapping[str, Any]], numbers: Sequence[int], planned: set[str]
) -> Iterator[str]:
    shown = 0
    for field in fields:
        if field["agreement"] == "equal" or field["name"] in planned | _EXPECTED:
            continue
        if shown == _SHOWN:
            yield from paragraph("and other fields; --json has all", indent=2)
            return
        shown += 1
        groups: dict[str, tuple[str, list[int]]] = {}
        for number_, entry in zip(numbers, field["values"], strict=True):
            text = value_text(entry["value"]) if "value" in entry else "not recorded"
            key = json.dumps(entry.get("value"), sort_keys=True)
            groups.setdefault(key, (text, []))[1].append(number_)
        listed = sorted(groups.values(), key=lambda item: -len(item[1]))
        texts = [
            f"{shorten(text, _LONG)} in {members_text(members)}" for text, members in listed[:4]
        ]
        more = f"; {len(listed) - 4:,} more values" if len(listed) > 4 else ""
        yield from paragraph(f"{field['name']}: {'; '.join(texts)}{more}", indent=2)
