"""Interpret a cell of a table: a number, a boolean, or a missing value.

Source: specification, section 11.2.
"""

from __future__ import annotations

import re
from collections.abc import Collection

#: Cells that represent a missing value, after trimming.
MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"})
#: Characters that are trimmed from a cell.
BLANKS = " \t\r\n\v\f"
#: Every integer up to this one is exact as a double; most of the larger ones are not.
EXACT = 2**53
#: The words for boolean values, in lower case.
BOOLEANS = ("false", "true")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)


def parse_number(cell: str) -> float | None:
    """Return the value of a cell that holds a decimal number, or None for any other string."""
    text = cell.strip(BLANKS)
    return float(text) if _NUMBER.fullmatch(text) else None


def is_missing(cell: str) -> bool:
    """Return whether a cell holds no value."""
    return cell.strip(BLANKS) in MISSING


def are_booleans(cells: Collection[str]) -> bool:
    """Return whether trimmed cells are all true or false, in any case; False if there are none."""
    return bool(cells) and all(cell.lower() in BOOLEANS for cell in cells)
