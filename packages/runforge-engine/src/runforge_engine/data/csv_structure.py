"""Find structural errors of a CSV file: unmatched quotes, rows with a wrong number of fields.

Source: specification, sections 11.1 and 11.6; RFC 4180.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from runforge_contracts.display import printable, quote, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_engine.data.cells import BLANKS
from runforge_engine.data.csv_header import CONFLICT, RESOLVE, UNCOMMENT, is_comment
from runforge_engine.data.dataset_source import DatasetSource

#: Size of the chunks that are searched for quotes, in bytes.
_STEP = 2**22
_QUOTES = (
    "A value with a quote or a comma in it stands in quotes, and the quote in it is written twice:"
    ' "5"" pipe".'
)


def quotes_match(data: bytes, begin: int, delimiter: str = ",") -> bool:
    """Return whether each quote opens a field, closes one, or is one of a pair within a field."""
    import numpy as np

    text, edges = np.frombuffer(data, np.uint8), np.zeros(256, dtype=bool)
    edges[list(f'{delimiter}\r\n"'.encode())] = True
    inside = 0
    for at in range(begin, len(data), _STEP):
        quotes = np.flatnonzero(text[at : at + _STEP] == ord('"')) + at
        opening, closing = quotes[inside::2], quotes[1 - inside :: 2]
        inside = (inside + quotes.size) % 2
        after = closing[closing < len(data) - 1] + 1
        if not (edges[text[opening - 1]].all() and edges[text[after]].all()):
            return False
    return True


def structure_error(data: bytes, width: int, source: DatasetSource, reason: str) -> RunForgeError:
    """Return the error for the first row whose structure is broken."""
    closed = data.count(b'"') % 2 == 0
    return find_structure_error(data, width, source, closed=closed) or RunForgeError(
        ErrorCode.DATASET_MALFORMED,
        f"The dataset cannot be read: {shorten(printable(reason), 200)}.",
        path=str(source.path),
    )


def find_structure_error(
    data: bytes, width: int, source: DatasetSource, *, closed: bool
) -> RunForgeError | None:
    """Return the error for the first row whose structure is broken; None if there is none.

    Parameters
    ----------
    closed
        Whether the numbers of opening and closing quotes are equal.
    """
    path, malformed = str(source.path), ErrorCode.DATASET_MALFORMED
    row, stray = 0, None
    limit = csv.field_size_limit(2**31 - 1)
    try:
        for row, (record, raw) in enumerate(_records(data, source.delimiter)):
            if len(record) != width:
                code, message, hint = _ragged(row, record, width)
                return RunForgeError(code, message, hint=hint, path=path, row=row)
            if not closed and stray is None and raw.count('"') % 2:
                odd = (cell for cell in record if cell.count('"') % 2 and cell in raw)
                stray = row, next(odd, record[0])
    except csv.Error:
        return RunForgeError(
            malformed,
            f"The dataset cannot be read from row {row + 1} on: its quotes do not match.",
            hint=_QUOTES,
            path=path,
            row=row + 1,
        )
    finally:
        csv.field_size_limit(limit)
    if stray is not None:
        row, cell = stray
        message = f"In row {row} a quote is not closed: {quote(cell, 60)}."
        return RunForgeError(malformed, message, hint=_QUOTES, path=path, row=row)
    return None


def _records(data: bytes, delimiter: str) -> Iterator[tuple[list[str], str]]:
    """Yield the records of a CSV file, the header first, each with its source lines.

    Empty lines are skipped.
    """
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline=""):
            taken.append(line)
            yield line

    for record in csv.reader(lines(), strict=True, delimiter=delimiter):
        raw = "".join(taken)
        taken.clear()
        if record:
            yield record, raw


def _ragged(row: int, record: Sequence[str], width: int) -> tuple[ErrorCode, str, str]:
    """Return code, message and hint for a row with more or fewer fields than the header."""
    fields = "1 field" if len(record) == 1 else f"{len(record)} fields"
    message = f"Row {row} has {fields}; the header has {width}."
    first = quote(record[0], 60)
    if CONFLICT.match(record[0]):
        message = f"Row {row} is {first}, the mark of a merge conflict."
        return ErrorCode.DATASET_MALFORMED, message, RESOLVE
    if is_comment(record[0]):
        return ErrorCode.DATASET_ROW_RAGGED, f"{message} It looks like a comment.", UNCOMMENT
    if len(record) > width and not any(cell.strip(BLANKS) for cell in record[width:]):
        hint = "The row ends with commas that the header lacks: remove them."
    else:
        hint = "A comma in a value must stand in quotes."
    return ErrorCode.DATASET_ROW_RAGGED, message, hint
