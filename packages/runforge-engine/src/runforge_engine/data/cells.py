"""The meaning of a cell of a table: a number, a boolean, or a missing value.

Source: RunForge contract, "Data".
"""

from __future__ import annotations

import re
from collections.abc import Collection

#: Cells that stand for a missing value, after trimming.
MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"})
#: Characters that are trimmed from a cell.
BLANKS = " \t\r\n\v\f"
#: Every integer up to this one is a double; of those beyond it, most are not.
EXACT = 2**53
#: The words of a boolean, in lower case.
BOOLEANS = ("false", "true")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)


def parse_number(cell: str) -> float | None:
    """Return the value of a cell that holds a decimal number, or None for any other string."""
    text = cell.strip(BLANKS)
    return float(text) if _NUMBER.fullmatch(text) else None


def is_missing(cell: str) -> bool:
    """Tell whether a cell holds no value."""
    return cell.strip(BLANKS) in MISSING


def are_booleans(cells: Collection[str]) -> bool:
    """Tell whether trimmed cells are all true or false, in any case; False where there are none."""
    return bool(cells) and all(cell.lower() in BOOLEANS for cell in cells)
