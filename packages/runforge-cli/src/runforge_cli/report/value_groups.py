"""Differing fields of many runs: each value once, with the runs that have it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runforge_contracts.display import shorten

from runforge_cli.render.differences import value_text
from runforge_cli.report.compared_runs import RunTable
from runforge_cli.report.report_blocks import Block, Name, Paragraph, TableBlock, Text
from runforge_cli.report.run_sections import names
from runforge_cli.terminal.text_layout import plural

#: Maximum numbers of fields, and of values of one field.
_FIELDS, _VALUES = 60, 12
_LONG = 120


def group_blocks(
    runs: RunTable, fields: Sequence[Mapping[str, Any]], caption: str
) -> Iterator[Block]:
    """Yield a table with a row for each value of each differing field, and the equal fields."""
    differing = [field for field in fields if field["agreement"] != "equal"]
    rows = [row for field in differing[:_FIELDS] for row in _rows(runs, field)]
    if rows:
        yield TableBlock(caption, ("Field", "Value", "Runs"), rows)
    if len(differing) > _FIELDS:
        left = plural(len(differing) - _FIELDS, "more field differs", "more fields differ")
        yield Paragraph(f"{left}; `runforge diff --json` has all.")
    equal = [field["name"] for field in fields if field["agreement"] == "equal"]
    if equal:
        yield Paragraph(["Equal in all runs: ", *names(equal, 200), "."])


def _rows(runs: RunTable, field: Mapping[str, Any]) -> Iterator[list[Text]]:
    groups: dict[str, tuple[Text, list[int]]] = {}
    for at, entry in enumerate(field["values"]):
        if field["agreement"] == "incomplete" and "value" not in entry:
            continue
        text: Text = "not recorded"
        if "value" in entry:
            text = [Name(shorten(value_text(entry["value"]), _LONG))]
        key = json.dumps(entry.get("value"), sort_keys=True) if "value" in entry else ""
        groups.setdefault(key, (text, []))[1].append(at)
    listed = sorted(groups.values(), key=lambda item: -len(item[1]))
    for text, positions in listed[:_VALUES]:
        yield [[Name(field["name"])], text, runs.letters_text(positions)]
    if len(listed) > _VALUES:
        left = sum(len(positions) for _, positions in listed[_VALUES:])
        more = plural(len(listed) - _VALUES, "more value", "more values")
        yield [[Name(field["name"])], more, plural(left, "run")]
