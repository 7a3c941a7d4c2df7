"""What a recipe makes of each raw column, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runforge_contracts.display import shorten
from runforge_contracts.prepared_names import escaped_name

from runforge_cli.terminal.text_layout import plural

#: Maximum number of characters of a list of categories.
_VALUES = 60


def becomes(column: Mapping[str, Any]) -> str:
    """Return what an action makes of a column, or why the column is dropped."""
    action, missing = column["action"], column.get("missing")
    if action == "drop":
        return str(column.get("because", ""))
    if action == "one_hot":
        values = shorten(", ".join(column["categories"]), _VALUES)
        text = f"{plural(len(column['categories']), 'column')}: {values}"
    elif action == "date":
        text = f"{', '.join(column['parts'])}, of {column['format']}"
    elif action == "boolean" and "true" in column:
        text = f"1 for {', '.join(column['true'])}; 0 for {', '.join(column['false'])}"
    elif action == "number":
        text = f"a number, thousands mark {column['thousands_mark']!r}"
    else:
        text = {"boolean": "1 for true, 0 for false"}.get(action, "the number")
    if "missing_values" in column:
        text += f"; missing if {shorten(', '.join(column['missing_values']), _VALUES)}"
    if missing == "indicator":
        text += f"; where missing 0, and 1 in {escaped_name(column['column'])}:missing"
    return text
