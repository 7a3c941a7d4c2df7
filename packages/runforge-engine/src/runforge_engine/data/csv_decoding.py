"""Decode the bytes of a CSV file: decompress them, and check their format and encoding.

Source: specification, section 11.1.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib

from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.data.foreign_formats import recognise

#: Largest dataset after decompression, in bytes.
MAX_DECOMPRESSED = 4 * 2**30
ANYTHING = re.compile(rb"[^ \t\r\n\v\f]")
BOM = codecs.BOM_UTF8
_ICONV = "Convert it, such as with `iconv -f {} -t UTF-8 old.csv > new.csv`."


def csv_text(source: DatasetSource) -> bytes:
    """Return the CSV content of a dataset: decompressed UTF-8 that is not empty."""
    if source.text is None:
        if source.sheet is None:
            source.text = _checked_text(source)
        else:
            from runforge_engine.data.workbook_reader import sheet_csv

            source.text = _not_empty(sheet_csv(source), source)
    return source.text


def _checked_text(source: DatasetSource) -> bytes:
    data = _decompress(source) if source.data[:2] == b"\x1f\x8b" else source.data
    if source.encoding != "utf-8":
        data = _as_utf8(data, source)
    foreign = recognise(data)
    if foreign is not None:
        raise RunForgeError(
            ErrorCode.DATASET_FORMAT_UNSUPPORTED,
            f"The dataset is {foreign.what}, not CSV or Parquet.",
            hint=foreign.hint,
            path=str(source.path),
        )
    _check_encoding(data, source)
    return _not_empty(data, source)


def _not_empty(data: bytes, source: DatasetSource) -> bytes:
    if not ANYTHING.search(data, len(BOM) if data.startswith(BOM) else 0):
        raise RunForgeError(
            ErrorCode.DATASET_EMPTY,
            "The dataset is empty.",
            hint="A table has the names of its columns in the first line, and rows below it.",
            path=str(source.path),
        )
    return data


def _decompress(source: DatasetSource) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(source.data)) as file:
        try:
            data = file.read(MAX_DECOMPRESSED + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise RunForgeError(
                ErrorCode.DATASET_MALFORMED,
                f"The dataset cannot be decompressed: {error}.",
                path=str(source.path),
            ) from None
    if len(data) > MAX_DECOMPRESSED:
        raise RunForgeError(
            ErrorCode.DATASET_FORMAT_UNSUPPORTED,
            f"The dataset decompresses to more than {MAX_DECOMPRESSED:,} bytes.",
            hint="Decompress it first.",
            path=str(source.path),
        )
    return data


def _as_utf8(data: bytes, source: DatasetSource) -> bytes:
    """Return the bytes of a dataset in another encoding, which was named, as UTF-8."""
    try:
        return data.decode(source.encoding).encode()
    except UnicodeDecodeError as error:
        raise RunForgeError(
            ErrorCode.DATASET_ENCODING_INVALID,
            f"The dataset is not {source.encoding}: byte {error.start}, in line"
            f" {_line(data, error.start)}, is not part of a character.",
            hint="Name the encoding that the file was written in.",
            path=str(source.path),
        ) from None


def _check_encoding(data: bytes, source: DatasetSource) -> None:
    nul = data.find(b"\x00")
    if nul >= 0 or data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise _nul(data, nul, source)
    if data.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    view, step = memoryview(data), 2**24
    for start in range(0, len(data), step):
        try:
            # In chunks, so that no second copy of a large file is in memory.
            decoder.decode(view[start : start + step], final=start + step >= len(data))
        except UnicodeDecodeError as error:
            at = max(start + error.start, 0)
            raise RunForgeError(
                ErrorCode.DATASET_ENCODING_INVALID,
                f"The dataset is not UTF-8: a byte near {at}, in line {_line(data, at)}, is not"
                " part of a character.",
                hint=_ICONV.format("LATIN1"),
                path=str(source.path),
            ) from None


def _nul(data: bytes, nul: int, source: DatasetSource) -> RunForgeError:
    """Return the error for a NUL character: a stray one, or a sign of another encoding."""
    encoding = None
    if data[:4] in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
        encoding = "UTF-32"
    elif data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        encoding = "UTF-16"
    elif 0 <= nul < 4 and data.count(b"\x00", 0, 64) >= len(data[:64]) // 3:
        # UTF-16 without a byte order mark.
        encoding = "UTF-16LE" if nul % 2 else "UTF-16BE"
    if encoding is None:
        message = f"The dataset holds a NUL character, in line {_line(data, nul)} (byte {nul})."
        hint = "Remove it, such as with `tr -d '\\000' < old.csv > new.csv`."
    else:
        message = f"The dataset is not UTF-8: it looks like {encoding}."
        hint = _ICONV.format(encoding)
    return RunForgeError(
        ErrorCode.DATASET_ENCODING_INVALID, message, hint=hint, path=str(source.path)
    )


def _line(data: bytes, at: int) -> int:
    """Return the number of the line that contains a byte, counted from 1."""
    return data.count(b"\n", 0, at) + 1
