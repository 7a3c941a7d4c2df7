"""From bytes to columns: CSV, compressed CSV and Parquet, without a guess.

The reader is Arrow's, which is strict about the number of fields in a row and exact about floats.
It has one meaning for a cell, :func:`parse_number` and :data:`MISSING`; where Arrow's fast
conversion refuses a column, its cells are read by that meaning as text, so the verdict never
depends on the route. Columns go by their places, because names may be missing or given twice.

Source: RunForge contract, "Data"; RFC 4180.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
import math
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import printable, quote, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_engine.data.dataset_source import Source
from runforge_engine.data.foreign_formats import recognise
from runforge_engine.runtime.platform_info import usable_cores

if TYPE_CHECKING:
    import pyarrow as pa

#: What stands for a missing value, after trimming.
MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"})
#: Largest dataset after decompression, in bytes.
MAX_DECOMPRESSED = 4 * 2**30

#: Least and largest size of the blocks in which numbers are parsed: the smaller fits a processor's
#: own memory, which saves a quarter of the time; the larger is for rows that fit no smaller one.
_BLOCKS = (2**19, 2**23)
#: Bytes of a block for each column of the table, each of which costs as much as parsing some rows.
_COLUMN = 2**13

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
#: What is trimmed from a cell.
BLANKS = " \t\r\n\v\f"
_ANYTHING = re.compile(rb"[^ \t\r\n\v\f]")
_BOM = codecs.BOM_UTF8
#: Every integer up to this one is a double; of those beyond it, most are not.
EXACT = 2**53
#: The words of a boolean, in lower case.
BOOLEANS = ("false", "true")
#: Rows that are looked at to find the columns that hold booleans.
_SAMPLE = 20
#: Bytes that are looked at once for quotes.
_STEP = 2**22
_TRUE, _FALSE = (
    ["".join(letters) for letters in itertools.product(*zip(word, word.upper(), strict=True))]
    for word in ("true", "false")
)


def parse_number(cell: str) -> float | None:
    """Return the value of a cell that holds a decimal number, or None for any other text."""
    text = cell.strip(BLANKS)
    return float(text) if _NUMBER.fullmatch(text) else None


def is_missing(cell: str) -> bool:
    """Tell whether a cell holds no value."""
    return cell.strip(BLANKS) in MISSING


def are_booleans(cells: Collection[str]) -> bool:
    """Tell whether trimmed cells are all true or false, in any case; where there are none, no."""
    return bool(cells) and all(cell.lower() in BOOLEANS for cell in cells)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table whose structure has been checked."""

    #: Of all columns, in order.
    names: tuple[str, ...]
    num_rows: int
    #: Arrow columns by their places: float64 or boolean, or text where the fast conversion refused
    #: or where integers are so large that not every one is a double.
    columns: dict[int, pa.ChunkedArray]
    #: Columns that were asked for as text and have none: the first row without, and what is there.
    textless: dict[int, tuple[int, str]]


def read_names(source: Source) -> tuple[str, ...]:
    """Return the column names, in order.

    Raises
    ------
    RunForgeError
        As :func:`read_table`, as far as the header shows it.
    """
    if _is_parquet(source):
        return tuple(_parquet(source).schema_arrow.names)
    return _header(csv_text(source), source)[0]


def read_table(source: Source, numeric: Sequence[int], text: Sequence[int]) -> Table:
    """Read the columns at the places ``numeric`` and ``text``; all rows are checked.

    Raises
    ------
    RunForgeError
        ``DATASET_EMPTY``, ``DATASET_ENCODING_INVALID``, ``DATASET_FORMAT_UNSUPPORTED``,
        ``DATASET_DELIMITER_UNSUPPORTED``, ``DATASET_MALFORMED`` or ``DATASET_ROW_RAGGED``.
    """
    if _is_parquet(source):
        return _read_parquet(source, numeric, text)
    import pyarrow as pa

    data = csv_text(source)
    names, begin = _header(data, source)
    if data.count(b'"') % 2:
        # Arrow could take the rest of the file for one field.
        raise _explain(data, len(names), source, "a quote is not closed")
    if not _quotes_match(data, begin):
        # Of a quote in the wrong place Arrow makes what it can: it joined rows.
        fault = _find_fault(data, len(names), source, closed=True)
        if fault is not None:
            raise fault
    if not _ANYTHING.search(data, begin):
        nothing = pa.chunked_array([], pa.string())
        return Table(names, 0, dict.fromkeys([*numeric, *text], nothing), {})
    csv_file = _Csv(data, begin, len(names))
    table = _read_numbers(csv_file, numeric, text) if numeric else None
    if table is None:
        # Either a cell is no plain number, or the structure is broken: read as text, only the
        # latter fails again.
        try:
            table = csv_file.read({}, [*numeric, *text], block_size=0)
        except pa.ArrowInvalid as error:
            raise _explain(data, len(names), source, str(error)) from None
    columns = {place: table.column(str(place)) for place in [*numeric, *text]}
    return Table(names, table.num_rows, columns, {})


def csv_text(source: Source) -> bytes:
    """Return the CSV text of a source: decompressed, UTF-8, not empty, of a kind that is read."""
    if source.text is None:
        source.text = _checked_text(source)
    return source.text


def _checked_text(source: Source) -> bytes:
    data = _decompress(source) if source.data[:2] == b"\x1f\x8b" else source.data
    foreign = recognise(data)
    if foreign is not None:
        raise RunForgeError(
            ErrorCode.DATASET_FORMAT_UNSUPPORTED,
            f"The dataset is {foreign.what}, not CSV or Parquet.",
            hint=foreign.hint,
            path=str(source.path),
        )
    _check_encoding(data, source)
    if not _ANYTHING.search(data, len(_BOM) if data.startswith(_BOM) else 0):
        raise RunForgeError(
            ErrorCode.DATASET_EMPTY,
            "The dataset is empty.",
            hint="A table has the names of its columns in the first line, and rows below it.",
            path=str(source.path),
        )
    return data


def _decompress(source: Source) -> bytes:
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


def _check_encoding(data: bytes, source: Source) -> None:
    nul = data.find(b"\x00")
    if nul >= 0 or data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise _nul(data, nul, source)
    if data.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    view, step = memoryview(data), 2**24
    for start in range(0, len(data), step):
        try:
            # In pieces, so that no second copy of a large file lies in memory.
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


_ICONV = "Convert it, such as with `iconv -f {} -t UTF-8 old.csv > new.csv`."


def _nul(data: bytes, nul: int, source: Source) -> RunForgeError:
    """Return the error on a NUL character: one that went astray, or text of another encoding."""
    encoding = None
    if data[:4] in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
        encoding = "UTF-32"
    elif data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        encoding = "UTF-16"
    elif 0 <= nul < 4 and data.count(b"\x00", 0, 64) >= len(data[:64]) // 3:
        # Without a byte order mark.
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
    """Return the number of the line that a byte is in, from 1."""
    return data.count(b"\n", 0, at) + 1


def _header(data: bytes, source: Source) -> tuple[tuple[str, ...], int]:
    """Return the column names, and where in the text the rows begin."""
    lines = _Lines(data)
    records = (record for record in csv.reader(lines, strict=True) if record)
    try:
        names = tuple(next(records, ()))
    except csv.Error as error:
        raise RunForgeError(
            ErrorCode.DATASET_MALFORMED,
            f"The header of the dataset cannot be read: {error}.",
            hint="Look for a quote that is not closed.",
            path=str(source.path),
        ) from None
    begin, below = lines.end, list[list[str]]()
    # The reader of the rows reports what is wrong with them.
    with suppress(csv.Error):
        below.extend(itertools.islice(records, _SAMPLE))
    several = (record for record in below if sum(map(bool, record)) > 1)
    first = next(several, below[0] if below else [])
    problem = _header_problem(names, first)
    if problem is not None:
        code, message, hint = problem
        raise RunForgeError(code, message, hint=hint, path=str(source.path))
    return names, begin


def _header_problem(
    names: Sequence[str], first: Sequence[str]
) -> tuple[ErrorCode, str, str] | None:
    """Return what is wrong with a first line that is not the names of the columns.

    Parameters
    ----------
    names
        Fields of the first line.
    first
        Those of the first line below that has several; empty where there is none.
    """
    filled = [name for name in names if name.strip(BLANKS)]
    below = [cell for cell in first if cell.strip(BLANKS)]
    shown = f"The first line is {quote(filled[0] if filled else '', 60)}"
    alone = len(filled) == 1 and bool(names[0].strip(BLANKS))
    remove = "Remove the first line; the first line has the names of the columns."
    if filled and _CONFLICT.match(filled[0]):
        return ErrorCode.DATASET_MALFORMED, f"{shown}, the mark of a merge conflict.", _RESOLVE
    if alone and _SEPARATOR.fullmatch(names[0]):
        shown = f"The first line is {quote(','.join(names))}"
        return ErrorCode.DATASET_MALFORMED, f"{shown}, a note for a spreadsheet program.", remove
    if len(names) == 1:
        for delimiter, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if delimiter in names[0] and (not first or delimiter in ",".join(first)):
                return (
                    ErrorCode.DATASET_DELIMITER_UNSUPPORTED,
                    f"The dataset separates its columns by {word}, not by commas.",
                    "Save it with commas; check numbers for decimal commas, too.",
                )
    if filled and _is_comment(names[0]) and (alone or len(names) != len(first or names)):
        return ErrorCode.DATASET_MALFORMED, f"{shown}, which looks like a comment.", _UNCOMMENT
    if len(below) < 2:
        return None
    texts = all(parse_number(cell) is None and not is_missing(cell) for cell in below)
    if alone and (len(names) == 1 or texts):
        return ErrorCode.DATASET_MALFORMED, f"{shown}, which looks like a title.", remove
    if not filled and texts:
        return ErrorCode.DATASET_MALFORMED, "The first line holds no names, but commas.", remove
    return None


_CONFLICT = re.compile(r"(?:<{7}|={7}|>{7}|\|{7})(?: |$)")
_SEPARATOR = re.compile(r"sep=.?", re.IGNORECASE)
_RESOLVE = "Resolve the conflict first: two versions of the file were merged."
_UNCOMMENT = "Remove the comments, such as with `grep -v '^#' old.csv > new.csv`."


def _is_comment(cell: str) -> bool:
    return cell.lstrip(BLANKS).startswith("#")


class _Lines:
    """The lines of a CSV text, and where in the text the last of them ends."""

    def __init__(self, data: bytes, begin: int = 0) -> None:
        self._data = data
        self.end = max(begin, len(_BOM) if data.startswith(_BOM) else 0)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        begin, data = self.end, self._data
        if begin >= len(data):
            raise StopIteration
        feed = data.find(b"\n", begin)
        end = feed + 1 or len(data)
        back = data.find(b"\r", begin, end)
        if 0 <= back < feed - 1 or (back >= 0 and feed < 0):
            end = back + 1
        self.end = end
        return data[begin:end].decode()


def _records(data: bytes) -> Iterator[tuple[list[str], str]]:
    """Give the records of a CSV text one by one, the header first, each with what is written.

    Empty lines are no records.
    """
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline=""):
            taken.append(line)
            yield line

    for record in csv.reader(lines(), strict=True):
        raw = "".join(taken)
        taken.clear()
        if record:
            yield record, raw


@dataclass(frozen=True, slots=True, eq=False)
class _Csv:
    """The rows of a CSV text."""

    data: bytes
    #: Where the rows begin.
    begin: int
    #: Number of columns.
    width: int

    def read(
        self, types: Mapping[int, pa.DataType], text: Sequence[int], *, block_size: int
    ) -> pa.Table:
        """Read columns in blocks, into which the rows must fit; 0 stands for one block.

        The columns of the result are called by their places.
        """
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        kinds = {**types, **dict.fromkeys(text, pa.string())}
        threads = usable_cores() if block_size else 1
        # A view: there is no second copy of the text.
        rows = pa.py_buffer(self.data).slice(self.begin)
        with _arrow_threads(threads):
            return arrow_csv.read_csv(
                pa.BufferReader(rows),
                # One block has nothing to share among threads, and threads were once seen to wait
                # for ever.
                read_options=arrow_csv.ReadOptions(
                    block_size=block_size or min(len(rows) + 1, 2**31 - 1),
                    use_threads=threads > 1,
                    column_names=[str(place) for place in range(self.width)],
                ),
                # To look for line breaks within quotes slows the parser down.
                parse_options=arrow_csv.ParseOptions(
                    newlines_in_values=self.data.find(b'"', self.begin) >= 0
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types={str(place): kind for place, kind in kinds.items()},
                    include_columns=[str(place) for place in kinds],
                    null_values=sorted(MISSING),
                    true_values=_TRUE,
                    false_values=_FALSE,
                    strings_can_be_null=False,
                ),
            )

    def booleans(self, places: Sequence[int]) -> list[int]:
        """Return those of the columns whose first cells are true and false, in any case."""
        records = csv.reader(_Lines(self.data, self.begin))
        found: dict[int, set[str]] = {place: set() for place in places}
        try:
            for record in itertools.islice(records, _SAMPLE):
                for place in places if record else ():
                    found[place].add(record[place].strip(BLANKS))
        except (csv.Error, IndexError):
            return []  # The reader of all rows reports what is wrong.
        return [place for place, cells in found.items() if are_booleans(cells - MISSING)]


def _read_numbers(csv_file: _Csv, numeric: Sequence[int], text: Sequence[int]) -> pa.Table | None:
    """Read the columns by Arrow's fast conversion, or return None where it refuses one."""
    import pyarrow as pa

    types = {
        **dict.fromkeys(numeric, pa.float64()),
        **dict.fromkeys(csv_file.booleans(numeric), pa.bool_()),
    }
    least, largest = _BLOCKS
    for block_size in (min(max(_COLUMN * csv_file.width, least), largest), largest):
        try:
            table = csv_file.read(types, text, block_size=block_size)
            floats = {str(place) for place, kind in types.items() if kind == pa.float64()}
            if any(_has_nan(table.column(name)) for name in floats):
                return None
            large = [name for name in floats if EXACT <= magnitude(table.column(name)) < math.inf]
            if large:
                # What was written there is asked for: whether a double holds it.
                cells = csv_file.read({}, [int(name) for name in large], block_size=block_size)
        except pa.ArrowInvalid:
            continue
        for name in large:
            table = table.set_column(table.schema.get_field_index(name), name, cells.column(name))
        return table
    return None


def magnitude(column: pa.ChunkedArray) -> float:
    """Return the largest absolute value of a column of numbers; 0 where it has none."""
    import pyarrow.compute as pc

    ends = pc.min_max(column).as_py()
    return max(0 if end is None else abs(end) for end in ends.values())


@contextmanager
def _arrow_threads(count: int) -> Iterator[None]:
    """Give Arrow's pool so many threads for a while.

    It has as many as ``OMP_NUM_THREADS`` says, which is one where the numeric environment is
    pinned. The rows keep their order however many there are.
    """
    import pyarrow as pa

    before = pa.cpu_count()
    pa.set_cpu_count(max(before, count))
    try:
        yield
    finally:
        pa.set_cpu_count(before)


def release_unused() -> None:
    """Give memory that Arrow has freed back to the system, which it would keep for later."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def _has_nan(column: pa.ChunkedArray) -> bool:
    """Tell whether a column has a NaN that is no missing value: some spellings pass Arrow."""
    import pyarrow.compute as pc

    return bool(pc.any(pc.is_nan(column)).as_py())


def _explain(data: bytes, width: int, source: Source, reason: str) -> RunForgeError:
    """Return the error on the first row whose structure is broken."""
    closed = data.count(b'"') % 2 == 0
    return _find_fault(data, width, source, closed=closed) or RunForgeError(
        ErrorCode.DATASET_MALFORMED,
        f"The dataset cannot be read: {shorten(printable(reason), 200)}.",
        path=str(source.path),
    )


def _quotes_match(data: bytes, begin: int) -> bool:
    """Tell whether each quote opens a field, closes one, or is one of a pair within a field."""
    import numpy as np

    if data.find(b'"', begin) < 0:
        return True
    text, edges = np.frombuffer(data, np.uint8), np.zeros(256, dtype=bool)
    edges[list(b',\r\n"')] = True
    inside = 0
    for at in range(begin, len(data), _STEP):
        quotes = np.flatnonzero(text[at : at + _STEP] == ord('"')) + at
        opening, closing = quotes[inside::2], quotes[1 - inside :: 2]
        inside = (inside + quotes.size) % 2
        after = closing[closing < len(data) - 1] + 1
        if not (edges[text[opening - 1]].all() and edges[text[after]].all()):
            return False
    return True


def _find_fault(data: bytes, width: int, source: Source, *, closed: bool) -> RunForgeError | None:
    """Return the error on the first row whose structure is broken; None where there is none.

    Parameters
    ----------
    closed
        Whether there are as many quotes that open as that close.
    """
    path, malformed = str(source.path), ErrorCode.DATASET_MALFORMED
    row, stray = 0, None
    limit = csv.field_size_limit(2**31 - 1)
    try:
        for row, (record, raw) in enumerate(_records(data)):
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


_QUOTES = (
    "A value with a quote or a comma in it stands in quotes, and the quote in it is written twice:"
    ' "5"" pipe".'
)


def _ragged(row: int, record: Sequence[str], width: int) -> tuple[ErrorCode, str, str]:
    """Return what is wrong with a row that has not as many fields as the header."""
    fields = "1 field" if len(record) == 1 else f"{len(record)} fields"
    message = f"Row {row} has {fields}; the header has {width}."
    first = quote(record[0], 60)
    if _CONFLICT.match(record[0]):
        message = f"Row {row} is {first}, the mark of a merge conflict."
        return ErrorCode.DATASET_MALFORMED, message, _RESOLVE
    if _is_comment(record[0]):
        return ErrorCode.DATASET_ROW_RAGGED, f"{message} It looks like a comment.", _UNCOMMENT
    if len(record) > width and not any(cell.strip(BLANKS) for cell in record[width:]):
        hint = "The row ends with commas that the header lacks: remove them."
    else:
        hint = "A comma in a value must stand in quotes."
    return ErrorCode.DATASET_ROW_RAGGED, message, hint


def _is_parquet(source: Source) -> bool:
    return source.data[:4] == b"PAR1"


def _parquet(source: Source) -> Any:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(pa.BufferReader(source.data))
    except (pa.ArrowException, OSError) as error:
        raise _bad_parquet(source, error) from None


def _read_parquet(source: Source, numeric: Sequence[int], text: Sequence[int]) -> Table:
    import pyarrow as pa

    names = read_names(source)
    wanted = [names[place] for place in [*numeric, *text]]
    counts = Counter(names)
    repeated = any(counts[name] > 1 for name in wanted)
    try:
        # By name, which only the names of all columns tell apart from one another.
        table = _parquet(source).read(columns=None if repeated else wanted)
    except (pa.ArrowException, OSError) as error:
        raise _bad_parquet(source, error) from None
    textless: dict[int, tuple[int, str]] = {}
    columns: dict[int, pa.ChunkedArray] = {}
    for place in [*numeric, *text]:
        column = _plain(table.column(place if repeated else names[place]))
        if place in numeric:
            columns[place] = _as_numbers(column)
            continue
        columns[place], problem = _as_text(column)
        if problem is not None:
            textless[place] = problem
    return Table(names, table.num_rows, columns, textless)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a Parquet column without the ways of Arrow to write its values down."""
    import pyarrow as pa

    if isinstance(column.type, pa.BaseExtensionType):
        column = column.cast(column.type.storage_type)
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _as_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a Parquet column as CSV would give it: float64, boolean or text."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_boolean(kind):
        return column
    if pa.types.is_integer(kind) and magnitude(column) <= EXACT:
        return column.cast(pa.float64())
    return _floats(column) if pa.types.is_floating(kind) else _as_text(column)[0]


def _floats(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of floats as float64; data frames write a missing number as NaN."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = column.cast(pa.float64())
    if not _has_nan(column):
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)


def _as_text(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, tuple[int, str] | None]:
    """Return a Parquet column as CSV would give it as text, and where that is no text of its own.

    What stands for nested values and for bytes that are no UTF-8 says what they are.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_boolean(kind):
        return pc.if_else(column, "True", "False"), None
    if pa.types.is_floating(kind):
        column = _floats(column)
        whole = pc.equal(pc.floor(column), column)
        if pc.all(whole).as_py() and magnitude(column) <= EXACT:
            return column.cast(pa.int64()).cast(pa.string()), None
    try:
        # Of a duration, Arrow writes the number and not the unit.
        if not (pa.types.is_nested(kind) or pa.types.is_duration(kind)):
            return column.cast(pa.string()), None
    except pa.ArrowException:
        pass
    values = column.to_pylist()
    cells = [None if value is None else str(value) for value in values]
    problem = None
    if pa.types.is_nested(kind):
        filled = (row for row, value in enumerate(values, 1) if value is not None)
        problem = next(filled, 1), str(kind)
    elif any(isinstance(value, bytes) for value in values):
        problem = next(row for row, value in enumerate(values, 1) if not _is_utf8(value)), "bytes"
    return pa.chunked_array([pa.array(cells, pa.string())]), problem


def _is_utf8(value: bytes | None) -> bool:
    try:
        return value is None or value.decode() is not None
    except UnicodeDecodeError:
        return False


def _bad_parquet(source: Source, error: Exception) -> RunForgeError:
    return RunForgeError(
        ErrorCode.DATASET_MALFORMED,
        f"The Parquet file cannot be read: {shorten(printable(str(error)), 200)}",
        path=str(source.path),
    )
