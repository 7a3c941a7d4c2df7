"""Read the names of columns from the start of a dataset, and check those that a request names.

Source: specification, section 11.6.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path

from runforge_contracts.errors import RunForgeError
from runforge_contracts.system.system_files import FOLLOWING

from runforge_engine.data.column_choice import check_names
from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.data.table_reader import read_names

#: Bytes at the start of a file in which its header is looked for.
_HEAD = 2**20


def check_requested_names(
    source: DatasetSource, label_column: str, exclude_columns: Collection[str]
) -> None:
    """Raise an error for a label or an excluded column that the dataset does not have.

    Every other problem of the dataset is left to the reader of its rows, and so is a source whose
    bytes are not in this process.

    Raises
    ------
    RunForgeError
        ``LABEL_NOT_FOUND`` or ``COLUMN_NOT_FOUND``.
    """
    if not source.data:
        return
    try:
        names = read_names(source)
    except RunForgeError:
        return
    check_names(names, label_column, exclude_columns, source)


def check_names_of_file(
    path: Path,
    label_column: str,
    exclude_columns: Collection[str],
    *,
    in_python: bool,
    delimiter: str = ",",
    encoding: str = "utf-8",
) -> None:
    """Raise the errors of :func:`check_requested_names`; of a large file only the start is read."""
    head = _head(path)
    if head is not None:
        source = DatasetSource(path, head, "", None, in_python, delimiter, encoding)
        check_requested_names(source, label_column, exclude_columns)


def csv_columns(path: Path) -> tuple[str, ...]:
    """Return the names in the header of a CSV file; none if there are none that can be read."""
    try:
        return raw_columns(path, {})
    except RunForgeError:
        return ()


def raw_columns(path: Path, form: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names in the header of a CSV file, of which only the start is read.

    Parameters
    ----------
    path
        The file.
    form
        Its delimiter and encoding, as the section ``source`` of a recipe has them.

    Raises
    ------
    RunForgeError
        The errors of :func:`~runforge_engine.data.table_reader.read_names`.
    """
    head = _head(path, parquet=False)
    if head is None:
        return ()
    delimiter, encoding = form.get("delimiter", ","), form.get("encoding", "utf-8")
    return read_names(DatasetSource(path, head, "", None, False, delimiter, encoding))


def _head(path: Path, *, parquet: bool = True) -> bytes | None:
    """Return the start of a CSV file, up to the end of a line; the whole of a Parquet file."""
    try:
        # Not to wait for the other end of a pipe.
        descriptor = os.open(path, FOLLOWING)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            head = file.read(_HEAD)
            if head.startswith(b"PAR1"):
                return head + file.read() if parquet else None
    except (OSError, ValueError):
        return None
    is_whole = len(head) < _HEAD
    if head.startswith(b"\x1f\x8b"):
        try:
            text = zlib.decompressobj(wbits=31)
            head = text.decompress(head, _HEAD)
        except zlib.error:
            return None
        is_whole = text.eof and not text.unconsumed_tail
    # A line that is cut off could be cut off within a character.
    return head if is_whole else head[: head.rfind(b"\n") + 1]
