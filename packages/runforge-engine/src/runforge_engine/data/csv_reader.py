"""Read the columns of a CSV file with Arrow.

Arrow is strict about the number of fields in a row and exact about floats. If its fast conversion
rejects a column, the cells are read as strings, so that every cell has the same meaning (see
:mod:`runforge_engine.data.cells`) however it is read.

Source: specification, section 11.1; RFC 4180.
"""

from __future__ import annotations

import csv
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runforge_contracts.shared_work import usable_cores

from runforge_engine.data.cells import BLANKS, EXACT, MISSING, are_booleans
from runforge_engine.data.column_table import ColumnTable, has_nan, is_small, magnitude
from runforge_engine.data.csv_decoding import ANYTHING, csv_text
from runforge_engine.data.csv_header import SAMPLE_ROWS, CsvLines, read_header
from runforge_engine.data.csv_structure import find_structure_error, quotes_match, structure_error
from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.runtime.background import in_threads

if TYPE_CHECKING:
    import pyarrow as pa


#: Smallest and largest size of the blocks in which numbers are parsed: the smaller fits into a
#: processor's cache, which saves a quarter of the time; the larger is for longer rows.
_BLOCK_SIZES = (2**19, 2**23)
#: Number of blocks for each core that Arrow is given at once.
_BLOCKS_AT_ONCE = 16
#: Smallest size of the blocks in which strings are parsed: each has a dictionary.
_ENCODED_BLOCK = 2**20
#: Number of rows that are searched for columns that repeat their values.
_FIRST_ROWS = 200
#: Minimum bytes of a block per column: reading a column of a block has a fixed cost.
_BYTES_PER_COLUMN = 2**14
#: The end of a row, with another row after it that Arrow reads alike as the first of its input:
#: there it skips a byte order mark.
_ROW_END = re.compile(rb"\n(?=[^\r\n\xef])")
_TRUE, _FALSE = (
    ["".join(letters) for letters in itertools.product(*zip(word, word.upper(), strict=True))]
    for word in ("true", "false")
)


def read_csv(
    source: DatasetSource, numeric: Sequence[int], text: Sequence[int], *, encode: bool = False
) -> ColumnTable:
    """Read the columns of a CSV file at the positions ``numeric`` and ``text``; check all rows.

    With ``encode``, strings that repeat are dictionary-encoded.

    Raises
    ------
    RunForgeError
        ``DATASET_EMPTY``, ``DATASET_ENCODING_INVALID``, ``DATASET_FORMAT_UNSUPPORTED``,
        ``DATASET_DELIMITER_UNSUPPORTED``, ``DATASET_MALFORMED`` or ``DATASET_ROW_RAGGED``.
    """
    import pyarrow as pa

    data = csv_text(source)
    names, begin = read_header(data, source)
    # Few files have quotes, and a search is faster than a count.
    quoted = data.find(b'"', begin) >= 0
    if data.count(b'"', 0, len(data) if quoted else begin) % 2:
        # Arrow could read the rest of the file as one field.
        raise structure_error(data, len(names), source, "a quote is not closed")
    if quoted and not quotes_match(data, begin, source.delimiter):
        # Arrow accepts a misplaced quote and joins rows.
        error = find_structure_error(data, len(names), source, closed=True)
        if error is not None:
            raise error
    if not ANYTHING.search(data, begin):
        nothing = pa.chunked_array([], pa.string())
        return ColumnTable(names, 0, dict.fromkeys([*numeric, *text], nothing), {})
    csv_file = _CsvRows(data, begin, len(names), source.delimiter, quoted)
    table, small = None, frozenset[int]()
    if encode:
        table = _read_encoded(csv_file, text)
    elif numeric:
        table, small = _read_numbers(csv_file, numeric, text)
    if table is None:
        # A cell is not a plain number, or the structure is broken. Reading strings fails only for
        # the latter.
        try:
            table = csv_file.read({}, [*numeric, *text], block_size=0)
        except pa.ArrowInvalid as error:
            raise structure_error(data, len(names), source, str(error)) from None
    columns = {position: table.column(str(position)) for position in [*numeric, *text]}
    return ColumnTable(names, table.num_rows, columns, {}, small)


@dataclass(frozen=True, slots=True, eq=False)
class _CsvRows:
    """The rows of a CSV file."""

    data: bytes
    #: Offset of the first row.
    begin: int
    #: Number of columns.
    width: int
    #: What separates the fields.
    delimiter: str
    #: Whether there are quotes.
    quoted: bool

    def read(
        self, types: Mapping[int, pa.DataType], text: Sequence[int], *, block_size: int
    ) -> pa.Table:
        """Read columns in blocks that are larger than any row; 0 means one block.

        The columns of the result are named by their positions.
        """
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        kinds = {**types, **dict.fromkeys(text, pa.string())}
        threads = usable_cores() if block_size else 1
        read_options = arrow_csv.ReadOptions(
            block_size=block_size or min(len(self.data) - self.begin + 1, 2**31 - 1),
            # One block is not parallel, and threads were once seen to hang.
            use_threads=threads > 1,
            column_names=[str(position) for position in range(self.width)],
        )
        # Support for line breaks within quotes makes the parser slower.
        parse_options = arrow_csv.ParseOptions(
            delimiter=self.delimiter, newlines_in_values=self.quoted
        )
        convert_options = arrow_csv.ConvertOptions(
            # What was decoded is UTF-8.
            check_utf8=False,
            column_types={str(position): kind for position, kind in kinds.items()},
            include_columns=[str(position) for position in kinds],
            null_values=sorted(MISSING),
            true_values=_TRUE,
            false_values=_FALSE,
            strings_can_be_null=False,
        )
        # A view, to avoid a second copy of the data.
        rows = pa.py_buffer(self.data)
        with _arrow_threads(threads):
            return pa.concat_tables(
                arrow_csv.read_csv(
                    pa.BufferReader(rows.slice(begin, end - begin)),
                    read_options=read_options,
                    parse_options=parse_options,
                    convert_options=convert_options,
                )
                for begin, end in self._portions(block_size * threads * _BLOCKS_AT_ONCE)
            )

    def _portions(self, size: int) -> Iterator[tuple[int, int]]:
        """Yield begin and end of portions of whole rows; all rows at once for a size of 0.

        Arrow splits the text of all that it is given into fields before it converts most of them,
        which takes as much memory as the text.
        """
        begin = self.begin
        # Only where there are no quotes does each line break end a row.
        while size and not self.quoted and (found := _ROW_END.search(self.data, begin + size)):
            yield begin, found.end()
            begin = found.end()
        yield begin, len(self.data)

    def booleans(self, positions: Sequence[int]) -> list[int]:
        """Return the columns whose first cells are true and false, in any case."""
        records = csv.reader(CsvLines(self.data, self.begin), delimiter=self.delimiter)
        found: dict[int, set[str]] = {position: set() for position in positions}
        try:
            for record in itertools.islice(records, SAMPLE_ROWS):
                for position in positions if record else ():
                    found[position].add(record[position].strip(BLANKS))
        except (csv.Error, IndexError):
            return []  # The reader of all rows reports the problem.
        return [position for position, cells in found.items() if are_booleans(cells - MISSING)]

    def repeating(self, positions: Sequence[int]) -> list[int]:
        """Return the columns whose first cells have few different values."""
        lines = CsvLines(self.data, self.begin)
        records = filter(None, csv.reader(lines, delimiter=self.delimiter))
        try:
            columns = [*zip(*itertools.islice(records, _FIRST_ROWS), strict=True)]
            return [place for place in positions if len({*columns[place]}) * 2 <= _FIRST_ROWS]
        except (csv.Error, IndexError, ValueError):
            return []  # The reader of all rows reports the problem.


def _read_encoded(csv_file: _CsvRows, text: Sequence[int]) -> pa.Table | None:
    """Read the columns as strings, dictionary-encoded where they repeat; None if that fails."""
    import pyarrow as pa

    kinds = dict.fromkeys(csv_file.repeating(text), pa.dictionary(pa.int32(), pa.string()))
    plain = [position for position in text if position not in kinds]
    block_size = min(max(_BYTES_PER_COLUMN * csv_file.width, _ENCODED_BLOCK), _BLOCK_SIZES[1])
    try:
        return csv_file.read(kinds, plain, block_size=block_size).unify_dictionaries()
    except pa.ArrowInvalid:
        return None


def _read_numbers(
    csv_file: _CsvRows, numeric: Sequence[int], text: Sequence[int]
) -> tuple[pa.Table | None, frozenset[int]]:
    """Read the columns with Arrow's fast conversion; no table if it rejects one.

    Also returns the columns of small numbers.
    """
    import pyarrow as pa

    types = {
        **dict.fromkeys(numeric, pa.float64()),
        **dict.fromkeys(csv_file.booleans(numeric), pa.bool_()),
    }
    floats = [position for position, kind in types.items() if kind == pa.float64()]
    least, largest = _BLOCK_SIZES
    for block_size in (min(max(_BYTES_PER_COLUMN * csv_file.width, least), largest), largest):
        try:
            table = csv_file.read(types, text, block_size=block_size)
            small = _small_columns(table, floats)
            others = {place: table.column(str(place)) for place in floats if place not in small}
            if any(map(has_nan, others.values())):
                break
            large = [
                place for place, column in others.items() if EXACT <= magnitude(column) < math.inf
            ]
            if large:
                # Read as strings, to check whether a double represents them exactly.
                cells = csv_file.read({}, large, block_size=block_size)
        except pa.ArrowInvalid:
            continue
        for name in map(str, large):
            table = table.set_column(table.schema.get_field_index(name), name, cells.column(name))
        return table, small
    return None, frozenset()


def _small_columns(table: pa.Table, places: Sequence[int]) -> frozenset[int]:
    """Return which columns of numbers are small, by :func:`is_small`; on all cores."""
    small = set[int]()

    def look(place: int) -> None:
        if is_small(table.column(str(place))):
            small.add(place)

    in_threads(look, places)
    return frozenset(small)


@contextmanager
def _arrow_threads(count: int) -> Iterator[None]:
    """Set the number of threads of Arrow's pool within the context.

    By default it is ``OMP_NUM_THREADS``, which is one if the numeric environment is pinned. The
    order of the rows does not depend on it.
    """
    import pyarrow as pa

    before = pa.cpu_count()
    pa.set_cpu_count(max(before, count))
    try:
        yield
    finally:
        pa.set_cpu_count(before)
