"""Read a sheet of an Excel workbook (.xlsx) as the CSV that has the same cells.

The package calamine reads it. It keeps a sheet as a rectangle, so that two cells far apart could
take all memory; the places of the cells are looked at before.

Source: specification, section 24.2; ECMA-376, Part 1, 18.3.1.4 and 18.3.1.73.
"""

from __future__ import annotations

import csv
import datetime
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, NoReturn
from xml.parsers import expat

from runforge_contracts.display import printable, quote, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_engine.data.cells import BLANKS, EXACT
from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.runtime.extras import install_extra

#: Most cells of a sheet, and most bytes of a workbook after decompression.
_MAX_CELLS = 2**25
_MAX_BYTES = 2**32
_CHUNK = 2**22
#: The reference of a cell, such as ``AB12``, or of a row, without letters.
_REFERENCE = re.compile(r"([A-Za-z]{0,20})([0-9]{1,20})")
#: The element that has the cells of a sheet. Without these bytes a part is none.
_CELLS = b"sheetData"
#: Parts of files in other formats that calamine knows, whose sizes are not looked at.
_OTHER_FORMATS = ("xl/workbook.bin", "content.xml")


def sheet_csv(source: DatasetSource) -> bytes:
    """Return the named sheet of a workbook as CSV in UTF-8, without rows that have no value.

    Raises
    ------
    RunForgeError
        ``EXTRA_MISSING``; ``DATASET_FORMAT_UNSUPPORTED`` for another file or a sheet that is too
        large; ``DATASET_NOT_FOUND`` if there is no such sheet; ``DATASET_MALFORMED``.
    """
    if not source.data.startswith(b"PK"):
        raise _other_format(source)
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
                if part.filename.replace("\\", "/").lower().lstrip("/") in _OTHER_FORMATS:
                    raise _other_format(source)
                places = _Places()
                for chunk in _chunks(archive, part):
                    size += len(chunk)
                    places.feed(chunk)
                    if size > _MAX_BYTES or places.cells > _MAX_CELLS:
                        raise RunForgeError(
                            ErrorCode.DATASET_FORMAT_UNSUPPORTED,
                            f"The workbook is too large: a sheet has more than {_MAX_CELLS:,} cells"
                            f" from the first to the last one, or all have {_MAX_BYTES:,} bytes.",
                            hint="Save the sheet as CSV (UTF-8, comma).",
                            path=str(source.path),
                        )
                places.finish()
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        expat.ExpatError,
    ) as error:
        raise _malformed(source, error) from None


def _chunks(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the bytes of a part of a workbook."""
    with archive.open(part) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


class _Places:
    """How far the cells of a part reach, counted as calamine does where references are missing."""

    def __init__(self) -> None:
        self._rows = self._columns = 0
        self._row = self._column = 0
        self._is_sheet = False
        self._end = b""
        self._error: expat.ExpatError | None = None
        # UTF-8 whatever the part declares: calamine reads the names of elements as bytes.
        self._parser = expat.ParserCreate("UTF-8")
        self._parser.StartElementHandler = self._element
        self._parser.StartDoctypeDeclHandler = self._doctype

    @property
    def cells(self) -> int:
        """The cells of the rectangle from A1 to the last row and column."""
        return self._rows * self._columns

    def feed(self, chunk: bytes) -> None:
        """Read the next bytes. A part that is no XML may be a picture: it is an error later."""
        self._is_sheet = self._is_sheet or _CELLS in self._end + chunk
        self._end = chunk[-len(_CELLS) :]
        self._parse(chunk, is_final=False)

    def finish(self) -> None:
        """Raise ``ExpatError`` for a sheet whose cells were not all seen."""
        self._parse(b"", is_final=True)
        if self._is_sheet and self._error is not None:
            raise self._error

    def _parse(self, chunk: bytes, *, is_final: bool) -> None:
        if self._error is None:
            try:
                self._parser.Parse(chunk, is_final)
            except expat.ExpatError as error:
                self._error = error

    def _element(self, name: str, attributes: dict[str, str]) -> None:
        kind = name.rpartition(":")[2]
        if kind == "row":
            self._row, self._column = self._row + 1, 0
        elif kind == "c":
            self._column += 1
            self._columns = max(self._columns, self._column)
        else:
            return
        reference = attributes.get("r")
        if reference is not None:
            self._go_to(reference)
        self._rows = max(self._rows, self._row)

    def _go_to(self, reference: str) -> None:
        """Continue at a cell or a row."""
        place = _REFERENCE.fullmatch(reference)
        if place is None:
            raise expat.ExpatError(f"{quote(reference, 40)} is not the place of a cell")
        self._row = int(place[2])
        if place[1]:
            self._column = _column(place[1].upper())
            self._columns = max(self._columns, self._column)

    def _doctype(self, *_: object) -> NoReturn:
        raise expat.ExpatError("a part has a document type declaration")


def _column(letters: str) -> int:
    """Return the number of a column, from 1."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _other_format(source: DatasetSource) -> RunForgeError:
    return RunForgeError(
        ErrorCode.DATASET_FORMAT_UNSUPPORTED,
        f"A sheet is named, and {quote(source.path, 200)} is not an Excel workbook (.xlsx).",
        hint="Save it as .xlsx, without a password; other files have no sheets.",
        path=str(source.path),
    )


def _malformed(source: DatasetSource, error: Exception) -> RunForgeError:
    return RunForgeError(
        ErrorCode.DATASET_MALFORMED,
        f"The workbook cannot be read: {shorten(printable(str(error)), 200)}.",
        hint="Open it in a spreadsheet program, and save it again.",
        path=str(source.path),
    )
