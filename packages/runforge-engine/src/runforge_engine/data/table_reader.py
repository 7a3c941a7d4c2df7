"""Read a table from the bytes of a dataset: CSV, compressed CSV or Parquet.

Columns are named by their positions, because names may be missing or repeated.

Source: specification, section 11.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from runforge_engine.data.column_table import ColumnTable
from runforge_engine.data.csv_decoding import csv_text
from runforge_engine.data.csv_header import read_header
from runforge_engine.data.csv_reader import read_csv
from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.data.parquet_reader import is_parquet, parquet_names, read_parquet


def read_names(source: DatasetSource) -> tuple[str, ...]:
    """Return the column names, in order.

    Raises
    ------
    RunForgeError
        The errors of :func:`read_table` that the header can cause.
    """
    if is_parquet(source):
        return parquet_names(source)
    return read_header(csv_text(source), source)[0]


def read_table(
    source: DatasetSource, numeric: Sequence[int], text: Sequence[int], *, encode: bool = False
) -> ColumnTable:
    """Read the columns at the positions ``numeric`` and ``text``; check all rows.

    Parameters
    ----------
    encode
        Whether strings that repeat may be dictionary-encoded, which saves time and memory.

    Raises
    ------
    RunForgeError
        ``DATASET_EMPTY``, ``DATASET_ENCODING_INVALID``, ``DATASET_FORMAT_UNSUPPORTED``,
        ``DATASET_DELIMITER_UNSUPPORTED``, ``DATASET_MALFORMED`` or ``DATASET_ROW_RAGGED``.
    """
    if is_parquet(source):
        return read_parquet(source, numeric, text)
    return read_csv(source, numeric, text, encode=encode)
