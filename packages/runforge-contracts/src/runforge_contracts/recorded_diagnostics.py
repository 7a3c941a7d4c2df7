"""What recorded diagnostics say, for views of runs: those of raw documents, of any client.

Source: specification, sections 15.3 and 15.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runforge_contracts.errors import ErrorCode

#: Errors of a column that end when the column is excluded.
_OF_A_COLUMN = frozenset(
    {
        ErrorCode.COLUMN_DUPLICATE,
        ErrorCode.FEATURE_NOT_FINITE,
        ErrorCode.FEATURE_NOT_NUMERIC,
        ErrorCode.FEATURE_TOO_LARGE,
        ErrorCode.ZERO_ROWS,
    }
)


def columns_to_exclude(item: Mapping[str, Any]) -> list[str]:
    """Return the columns without which the run of a raw error diagnostic would not have failed."""
    details = item.get("details") or {}
    if item.get("severity") != "error" or item.get("code") not in _OF_A_COLUMN:
        return []
    columns = details.get("columns") or [details.get("column")]
    return [name for name in columns if isinstance(name, str) and name]


def place_text(item: Mapping[str, Any]) -> str:
    """Return the column and the row that a raw error diagnostic names, or an empty string."""
    details = item.get("details") or {}
    if item.get("severity") != "error":
        return ""
    column, row = details.get("column"), details.get("row")
    parts = [
        *([f"column {column}"] if isinstance(column, str) else ()),
        *([f"row {row}"] if isinstance(row, int) else ()),
    ]
    return ", ".join(parts)


def placed_message(item: Mapping[str, Any]) -> str:
    """Return the message of a raw diagnostic, followed by the place of the error."""
    place = place_text(item)
    return f"{item['message']} ({place})" if place else str(item["message"])
