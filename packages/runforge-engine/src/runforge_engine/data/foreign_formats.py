"""Recognize files that look like tables but have another format, by their first bytes.

Source: file(1), ``magic``; Git LFS specification, version 1.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Foreign(NamedTuple):
    """The format of a file, and how to extract the table from it."""

    what: str
    hint: str


_EXPORT = "Save or export it as CSV (UTF-8, comma)."
_UNPACK = "Unpack it first, such as with `{}`; gzip (.csv.gz) is read as it is."

_WORKBOOK = Foreign("an Excel workbook", _EXPORT)
_SHEETS = Foreign(
    "an Excel workbook",
    "Save or export a sheet as CSV (UTF-8, comma), or make a table of numbers of it: `runforge"
    " prepare BOOK.xlsx --label COLUMN --sheet NAME`.",
)
_SPREADSHEET = Foreign("an OpenDocument spreadsheet", _EXPORT)
_ARCHIVE = Foreign("a ZIP archive", _UNPACK.format("unzip data.zip"))
_ZIP = Foreign(
    "a ZIP archive or an Excel workbook", "Unpack the archive; save a workbook as CSV (UTF-8)."
)

_MAGIC: tuple[tuple[bytes, Foreign], ...] = (
    (b"\xfd7zXZ\x00", Foreign("an xz file", _UNPACK.format("unxz -k data.csv.xz"))),
    (b"\x28\xb5\x2f\xfd", Foreign("a Zstandard file", _UNPACK.format("unzstd data.csv.zst"))),
    (b"7z\xbc\xaf\x27\x1c", Foreign("a 7z archive", _UNPACK.format("7z x data.7z"))),
    (b"Rar!\x1a\x07", Foreign("a RAR archive", _UNPACK.format("unrar x data.rar"))),
    (b"\xd0\xcf\x11\xe0", _WORKBOOK),
    (b"SQLite format 3\x00", Foreign("an SQLite database", _EXPORT)),
    (b"\x89HDF", Foreign("an HDF5 file", _EXPORT)),
    (b"ARROW1", Foreign("an Arrow file", "Save it as CSV or Parquet.")),
    (b"FEA1", Foreign("a Feather file", "Save it as CSV or Parquet.")),
    (b"\x93NUMPY", Foreign("a NumPy array", "Save it as CSV with a line of column names.")),
    (b"%PDF-", Foreign("a PDF document", "Get the table from where the document was made.")),
    (
        b"version https://git-lfs.github.com/spec/",
        Foreign("a Git LFS pointer, which stands for the file", "Fetch the file: `git lfs pull`."),
    ),
)
#: The start of a ZIP archive: with files, empty, or the first part of several.
_PK = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_BZIP2 = re.compile(rb"BZh[1-9]1AY&SY")
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_HTML = re.compile(rb"\s*<(?:!doctype\s+html|html|head)\b", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml\b")
_JSON = re.compile(rb'\s*(?:\{\s*"[^"]*"\s*:|\[\s*[{\[])')
#: Position of the magic in a tar archive, and number of bytes searched at the end of a ZIP archive.
_TAR = slice(257, 262)
_ZIP_END = 2**16


def recognise(data: bytes) -> Foreign | None:
    """Return the format of a file that is not a table, or None if it may be one."""
    for magic, foreign in _MAGIC:
        if data.startswith(magic):
            return foreign
    if _BZIP2.match(data):
        return Foreign("a bzip2 file", _UNPACK.format("bunzip2 -k data.csv.bz2"))
    if data.startswith(_PK):
        return _zip(data)
    if data[_TAR] == b"ustar":
        return Foreign("a tar archive", _UNPACK.format("tar -xf data.tar"))
    head = data[:512].removeprefix(b"\xef\xbb\xbf")
    if _PICKLE.match(head):
        return Foreign("a pickle, which can hold code", "Save it as CSV or Parquet.")
    if _HTML.match(head):
        return Foreign(
            "a web page", "Download the file itself; a link often leads to a page about it."
        )
    if _XML.match(head):
        return Foreign("an XML document", _EXPORT)
    return Foreign("a JSON document", _EXPORT) if _JSON.match(head) else None


def _zip(data: bytes) -> Foreign:
    end = data[-_ZIP_END:]
    if b"application/vnd.oasis.opendocument.spreadsheet" in data[:128]:
        return _SPREADSHEET
    if b"xl/workbook" in end:
        return _SHEETS
    return _ARCHIVE if b"PK\x05\x06" in end else _ZIP
