"""How much memory a training would take, judged from the outside of its dataset.

The file is not read for that: its size, its header and a few of its lines tell about how many rows
and classes it has.

Source: ``docs/benchmarks.md``.
"""

from __future__ import annotations

import csv
import io
import os
import stat
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.system.system_files import FOLLOWING

from runforge_engine.modeling.configuration import Configuration
from runforge_engine.runtime.available_memory import VARIABLE, free_memory, size_text

#: Bytes of a sample, and the number of samples after the one at the start of the file.
_SAMPLE = 2**16
_PLACES = 3
#: Bytes of a sample where a line is longer than that.
_LONG = 2**24
#: Memory that is not worth to be looked for.
_LITTLE = 64 * 2**20
#: Memory of the libraries.
_BASE = 200 * 2**20


@dataclass(frozen=True, slots=True)
class Shape:
    """The estimated size of a dataset."""

    #: Approximate number of rows.
    rows: int
    features: int
    #: Number of distinct labels in the sampled rows.
    classes: int
    #: Bytes of the file and, where it is compressed, of its text.
    size: int


def check_memory(
    path: Path,
    label_column: str,
    exclude_columns: Collection[str],
    configuration: Configuration,
    prepared: int | None = None,
) -> None:
    """Refuse a dataset that is too large for the memory.

    ``prepared`` is the number of columns that a recipe makes of it.

    Raises
    ------
    RunForgeError
        ``MEMORY_INSUFFICIENT``, or ``USAGE_INVALID`` for a limit that is not a size. Other
        problems of the dataset are reported when it is read.
    """
    shape = look(path, label_column, exclude_columns)
    if shape is None:
        return
    if prepared is not None:
        # Most of what a recipe makes is a digit and a comma.
        size = shape.size + 2 * shape.rows * prepared
        shape = replace(shape, features=prepared, size=size)
    needed, free = footprint(shape, configuration), free_memory()
    if free is not None and needed > free:
        raise _insufficient(path, shape, needed, free)


def has_room(
    path: Path, shape: Shape, configuration: Configuration, runs: int, *, only: bool = False
) -> bool:
    """Return whether there is memory for so many fits at once to a table that is in memory.

    Parameters
    ----------
    only
        Whether there is no other fit at the moment: then this one must have room.

    Raises
    ------
    RunForgeError
        ``MEMORY_INSUFFICIENT`` if a fit without others has no room.
    """
    needed = _fit_memory(shape, configuration)
    if runs * needed < _LITTLE:
        return True
    free = free_memory()
    if free is None or runs * needed <= free:
        return True
    if only and needed > free:
        raise _insufficient(path, shape, needed, free)
    return only


def _fit_memory(shape: Shape, configuration: Configuration) -> int:
    """Return an estimate of what a fit takes beside the table, in bytes."""
    train = 0.8 * 8 * shape.rows * shape.features
    if configuration.family == "linear_svc":
        return round(2 * train)
    if configuration.family == "random_forest":
        return round(2 * _model(shape, configuration))
    return round(max(0.2 * train, 3 * 8 * 0.8 * shape.rows * max(shape.classes, 2)))


def _insufficient(path: Path, shape: Shape, needed: int, free: int) -> RunForgeError:
    return RunForgeError(
        ErrorCode.MEMORY_INSUFFICIENT,
        f"To train on {quote(path.name)} takes about {size_text(needed)} of memory, for about"
        f" {float(f'{shape.rows:.2g}'):,.0f} rows of {shape.features:,} features;"
        f" {size_text(free)} are free.",
        hint="Leave columns out, take a part of the rows, or go to a larger machine."
        f" {VARIABLE}=0 lets it be tried all the same.",
        path=str(path),
    )


def footprint(shape: Shape, configuration: Configuration) -> int:
    """Return an estimate of the peak memory of a training, in bytes."""
    table = 8 * shape.rows * shape.features
    train, scores = 0.8 * table, 8 * 0.8 * shape.rows * max(shape.classes, 2)
    # The text beside the columns of its numbers, and what the parser has at hand.
    reading = shape.size + 1.75 * table + 32 * shape.rows
    dividing = 2 * table  # The columns, and the rows that they become.
    # The scaler subtracts the mean in a copy; a solver has a few numbers for each row and class.
    fitting = table + max(1.2 * train, 3 * scores)
    if configuration.family == "linear_svc":
        fitting = table + 2 * train  # liblinear has each number with the column that it is in.
    if configuration.family == "random_forest":
        model = _model(shape, configuration)
        fitting = table + max(1.2 * train, 0.5 * train + 2 * model)
    return _BASE + round(max(reading, dividing, fitting))


def _model(shape: Shape, configuration: Configuration) -> float:
    """Return the bytes of a forest."""
    given = {item.name: item.value for item in configuration.hyperparameters}
    nodes = 0.8 * shape.rows * _nodes_per_row(shape.classes)
    if given["max_depth"] is not None:
        nodes = min(nodes, 2.0 ** (given["max_depth"] + 1))
    return float(given["n_estimators"] * nodes * (64 + 8 * shape.classes))


def _nodes_per_row(classes: int) -> float:
    """Return how many nodes a tree has for each row that it is grown from, if its depth is free.

    As measured, with 2 to 50 classes that overlap. Where no feature separates them there is a
    quarter more, and far less where they lie well apart.
    """
    return float(1 - max(classes, 2) ** -0.4)


def look(path: Path, label_column: str, exclude_columns: Collection[str]) -> Shape | None:
    """Return what a dataset looks like, or None where its first lines do not show it."""
    try:
        # Not to wait for the other end of a pipe.
        descriptor = os.open(path, FOLLOWING)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return None
            return _look(file, status.st_size, label_column, exclude_columns)
    except (OSError, ValueError, zlib.error, csv.Error):
        return None


def _look(
    file: BinaryIO, size: int, label_column: str, exclude_columns: Collection[str]
) -> Shape | None:
    head = file.read(_SAMPLE)
    if head.startswith(b"PAR1"):
        return _look_at_parquet(file, size, label_column, exclude_columns)
    if head.count(b"\n") < 2:
        head += file.read(_LONG)
    pieces, text_size = [head], size
    if head.startswith(b"\x1f\x8b"):
        pieces = [zlib.decompressobj(wbits=31).decompress(head, _LONG)]
        # A gzip file ends with the size of what is in it, up to a multiple of 4 GiB.
        file.seek(-4, os.SEEK_END)
        text_size = max(int.from_bytes(file.read(4), "little"), size)
        size += text_size
    else:
        for place in range(1, _PLACES + 1):
            file.seek(max(size * place // (_PLACES + 1), len(head)))
            pieces.append(file.read(_SAMPLE))
    # The last line of a piece is cut off.
    records = list(_records(pieces[0].rpartition(b"\n")[0]))
    lines = sum(piece.count(b"\n") for piece in pieces)
    if not records or label_column not in records[0] or not lines:
        return None
    names, place = records[0], records[0].index(label_column)
    return Shape(
        rows=round(text_size * lines / sum(map(len, pieces))),
        features=len({*names} - {label_column, *exclude_columns}),
        classes=len({record[place] for record in records[1:] if len(record) > place}),
        size=size,
    )


def _records(text: bytes) -> Iterator[list[str]]:
    lines = io.StringIO(text.decode("utf-8-sig", "replace"), newline="")
    return (record for record in csv.reader(lines) if record)


def _look_at_parquet(
    file: BinaryIO, size: int, label_column: str, exclude_columns: Collection[str]
) -> Shape | None:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        metadata = parquet.read_metadata(file)
    except pa.ArrowException:
        return None
    names = {*metadata.schema.to_arrow_schema().names}
    return Shape(
        rows=metadata.num_rows,
        features=len(names - {label_column, *exclude_columns}),
        classes=0,
        size=size,
    )
