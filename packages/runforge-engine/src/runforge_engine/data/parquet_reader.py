"""Read the columns of a Parquet file with the same result as for an equivalent CSV file.

Source: specification, section 11.1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import printable, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_engine.data.cells import EXACT
from runforge_engine.data.column_table import ColumnTable, has_nan, magnitude
from runforge_engine.data.dataset_source import DatasetSource

if TYPE_CHECKING:
    import pyarrow as pa


def is_parquet(source: DatasetSource) -> bool:
    """Return whether the bytes are a Parquet file."""
    return source.sheet is None and source.data[:4] == b"PAR1"


def _open(source: DatasetSource) -> Any:
    """Open a Parquet file; raise ``DATASET_MALFORMED`` if it cannot be read."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(pa.BufferReader(source.data))
    except (pa.ArrowException, OSError) as error:
        raise _bad_parquet(source, error) from None


def parquet_names(source: DatasetSource) -> tuple[str, ...]:
    """Return the column names, in order; raise ``DATASET_MALFORMED`` if they cannot be read."""
    return tuple(_open(source).schema_arrow.names)


def read_parquet(source: DatasetSource, numeric: Sequence[int], text: Sequence[int]) -> ColumnTable:
    """Read the columns at the positions ``numeric`` and ``text``; raise ``DATASET_MALFORMED``."""
    import pyarrow as pa

    names = parquet_names(source)
    wanted = [names[position] for position in [*numeric, *text]]
    counts = Counter(names)
    repeated = any(counts[name] > 1 for name in wanted)
    try:
        # Columns are selected by name, so repeated names require reading all columns.
        table = _open(source).read(columns=None if repeated else wanted)
    except (pa.ArrowException, OSError) as error:
        raise _bad_parquet(source, error) from None
    textless: dict[int, tuple[int, str]] = {}
    columns: dict[int, pa.ChunkedArray] = {}
    times: dict[int, pa.ChunkedArray] = {}
    for position in [*numeric, *text]:
        column = _plain(table.column(position if repeated else names[position]))
        if position in numeric:
            columns[position] = _as_numbers(column)
            continue
        if pa.types.is_timestamp(column.type) or pa.types.is_time(column.type):
            times[position] = column
        columns[position], problem = _as_text(column)
        if problem is not None:
            textless[position] = problem
    return ColumnTable(names, table.num_rows, columns, textless, times=times)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a Parquet column without extension and dictionary types."""
    import pyarrow as pa

    if isinstance(column.type, pa.BaseExtensionType):
        column = column.cast(column.type.storage_type)
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _as_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a Parquet column as read from CSV: float64, boolean or strings."""
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
    if not has_nan(column):
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)


def _as_text(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, tuple[int, str] | None]:
    """Return a Parquet column as the strings of a CSV file, and the first unsuitable row.

    A row is unsuitable if its value is nested or not UTF-8; it is returned with the type.
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
        # Arrow would omit the unit of a duration.
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


def _bad_parquet(source: DatasetSource, error: Exception) -> RunForgeError:
    return RunForgeError(
        ErrorCode.DATASET_MALFORMED,
        f"The Parquet file cannot be read: {shorten(printable(str(error)), 200)}",
        path=str(source.path),
    )
