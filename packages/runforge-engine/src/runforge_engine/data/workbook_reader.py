"""Read a sheet of an Excel workbook (.xlsx) as the CSV that has the same cells.

The package calamine reads it. It keeps a sheet as a rectangle, so that two cells far apart could
take all memory; the references of the cells are looked at before.

Source: specification, section 24.2; ECMA-376, Part 1, 18.3.1.4.
"""

from __future__ import annotations

import csv
import datetime
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from runforge_contracts.display import printable, quote, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_engine.data.cells import BLANKS, EXACT
from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.runtime.extras import install_extra

#: Most cells of a sheet, and most bytes of a workbook after decompression.
_MAX_CELLS = 2**25
_MAX_BYTES = 2**32
_CHUNK = 2**22
#: The reference of a cell, such as ``r="AB12"``, and the most bytes that it takes.
_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["']""")
_OVERLAP = 64


def sheet_csv(source: DatasetSource) -> bytes:
    """Return the named sheet of a workbook as CSV in UTF-8, without rows that have no value.

    Raises
    ------
    RunForgeError
        ``EXTRA_MISSING``; ``DATASET_FORMAT_UNSUPPORTED`` for another file or a sheet that is too
        large; ``DATASET_NOT_FOUND`` if there is no such sheet; ``DATASET_MALFORMED``.
    """
    if not source.data.startswith(b"PK"):
        raise RunForgeError(
            ErrorCode.DATASET_FORMAT_UNSUPPORTED,
            f"A sheet is named, and {quote(source.path, 200)} is not an Excel workbook (.xlsx).",
            hint="Save it as .xlsx, without a password; other files have no sheets.",
            path=str(source.path),
        )
    _check_size(source)
    rows = [[*map(_plain, row)] for row in _rows(source)]
    timed = {
        index
        for row in rows
        for index, value in enumerate(row)
        if isinstance(value, datetime.datetime)
    }
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    for row in rows:
        cells = [_cell(value, timed=index in timed) for index, value in enumerate(row)]
        if any(cell.strip(BLANKS) for cell in cells):
            out.writerow(cells)
    return text.getvalue().encode()


def _rows(source: DatasetSource) -> list[list[Any]]:
    """Return the cells of the sheet, as Python has them."""
    try:
        from python_calamine import CalamineError, CalamineWorkbook, WorksheetNotFound
    except ImportError as missing:
        raise RunForgeError(
            ErrorCode.EXTRA_MISSING,
            f"Excel workbooks need the package python-calamine: {missing}.",
            hint=f"Install it with `{install_extra('runforge-engine', 'excel')}`, or save the sheet"
            " as CSV.",
        ) from None
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(source.data))
    except CalamineError as error:
        raise _malformed(source, error) from None
    try:
        rows: list[list[Any]] = book.get_sheet_by_name(str(source.sheet)).to_python()
    except WorksheetNotFound:
        names = ", ".join(quote(name, 40) for name in book.sheet_names[:20])
        raise RunForgeError(
            ErrorCode.DATASET_NOT_FOUND,
            f"The workbook has no sheet {quote(str(source.sheet), 60)}.",
            hint=f"Its sheets: {names}." if names else "It has no sheets.",
            path=str(source.path),
        ) from None
    except CalamineError as error:
        raise _malformed(source, error) from None
    return rows


def _plain(value: Any) -> Any:
    """Return the value of a cell, with a number for a duration: its seconds."""
    return value.total_seconds() if isinstance(value, datetime.timedelta) else value


def _cell(value: Any, *, timed: bool) -> str:
    """Return a value as the cell of a CSV file; ``timed`` if a date of its column has a time."""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    if isinstance(value, datetime.date):
        return f"{value.isoformat()} 00:00:00" if timed else value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
        return str(int(value))
    return str(value)


def _check_size(source: DatasetSource) -> None:
    """Raise ``DATASET_FORMAT_UNSUPPORTED`` for a workbook that would take all memory."""
    size = 0
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            for part in archive.infolist():
                columns = rows = 0
                for chunk in _chunks(archive, part):
                    size += len(chunk)
                    found = {*_REFERENCE.findall(chunk)}
                    columns = max([columns, *(_column(letters) for letters, _ in found)])
                    rows = max([rows, *(int(digits) for _, digits in found)])
                    if size > _MAX_BYTES or columns * rows > _MAX_CELLS:
                        raise RunForgeError(
                            ErrorCode.DATASET_FORMAT_UNSUPPORTED,
                            f"The workbook is too large: a sheet has more than {_MAX_CELLS:,} cells"
                            f" from the first to the last one, or all have {_MAX_BYTES:,} bytes.",
                            hint="Save the sheet as CSV (UTF-8, comma).",
                            path=str(source.path),
                        )
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _malformed(source, error) from None


def _chunks(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the bytes of a part of a workbook, each chunk with the end of the one before."""
    end = b""
    with archive.open(part) as file:
        while chunk := file.read(_CHUNK):
            yield end + chunk
            end = chunk[-_OVERLAP:]


def _column(letters: bytes) -> int:
    """Return the number of a column, from 1."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _malformed(source: DatasetSource, error: Exception) -> RunForgeError:
    return RunForgeError(
        ErrorCode.DATASET_MALFORMED,
        f"The workbook cannot be read: {shorten(printable(str(error)), 200)}.",
        hint="Open it in a spreadsheet program, and save it again.",
        path=str(source.path),
    )
