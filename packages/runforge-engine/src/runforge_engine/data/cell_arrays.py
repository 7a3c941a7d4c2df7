"""Trim and match the cells of a column of strings, as arrays of Arrow.

Source: specification, sections 11.2 and 24.3.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from runforge_engine.data.cells import BLANKS, MISSING

if TYPE_CHECKING:
    import pyarrow as pa

#: Most cells that are few, and how many cells with a value there are for each of them.
_FEW, _EACH = 10, 20


def trimmed(column: pa.ChunkedArray) -> pa.Array:
    """Return the cells of a column of strings, trimmed and in one piece; null where missing.

    A dictionary-encoded column stays so, and each of its values is in the dictionary once.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = column.combine_chunks()
    if not pa.types.is_dictionary(cells.type):
        cells = pc.utf8_trim(cells, BLANKS)
        missing = pc.is_in(cells, value_set=pa.array(sorted(MISSING)))
        return pc.if_else(missing, pa.scalar(None, pa.string()), cells)
    values = trimmed(pa.chunked_array([cells.dictionary])).dictionary_encode()
    if values.dictionary.equals(cells.dictionary):
        return cells
    indices = values.indices.take(cells.indices)
    return pa.DictionaryArray.from_arrays(indices, values.dictionary)


def number_pattern(decimal: str, thousands: str | None) -> str:
    """Return the regular expression (RE2) of a trimmed number with these marks."""
    point, group = re.escape(decimal), re.escape(thousands or "")
    whole = rf"[0-9]{{1,3}}(?:{group}[0-9]{{3}})+|[0-9]+" if thousands else "[0-9]+"
    return rf"\A[+-]?(?:(?:{whole})(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?\z"


def without(cells: pa.Array, values: Sequence[str]) -> pa.Array:
    """Return cells, which may be dictionary-encoded, with null in place of some values."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not values:
        return cells
    listed = pa.array(values, pa.string())
    if not pa.types.is_dictionary(cells.type):
        return pc.if_else(pc.is_in(cells, listed), pa.scalar(None, cells.type), cells)
    absent = pc.is_in(cells.dictionary, listed).take(cells.indices)
    indices = pc.if_else(absent, pa.scalar(None, cells.indices.type), cells.indices)
    return pa.DictionaryArray.from_arrays(indices, cells.dictionary)


def stray_cells(cells: pa.Array, pattern: str) -> list[tuple[int, str]]:
    """Return the few cells that do not match, with their rows from 1; none if they are many.

    Few are at most ten cells, and at most one in twenty of those with a value.

    Parameters
    ----------
    cells
        Trimmed cells, null where missing; they may be dictionary-encoded.
    pattern
        The regular expression (RE2) that the others match.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    def differing(values: pa.Array) -> pa.Array:
        return pc.fill_null(pc.invert(pc.match_substring_regex(values, pattern)), False)

    most = min(_FEW, (len(cells) - cells.null_count) // _EACH)
    encoded = pa.types.is_dictionary(cells.type)
    values = cells.dictionary if encoded else cells
    # Most columns are ruled out by their first values.
    if not most or (pc.sum(differing(values[:100])).as_py() or 0) > most:
        return []
    found = differing(values)
    if encoded:
        found = pc.fill_null(found.take(cells.indices), False)
    rows = np.flatnonzero(found.to_numpy(zero_copy_only=False)).tolist()
    return [(row + 1, cells[row].as_py()) for row in rows] if len(rows) <= most else []
