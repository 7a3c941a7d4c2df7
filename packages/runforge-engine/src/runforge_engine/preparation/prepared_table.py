"""Apply a recipe to a raw table: the CSV of a table of numbers, in pieces.

Source: specification, section 24.4.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.errors import ErrorCode, Location, Problem, RunForgeError
from runforge_contracts.prepared_names import escaped_name, raw_name
from runforge_contracts.validation import MAX_PROBLEMS

from runforge_engine.data.cell_arrays import trimmed
from runforge_engine.data.column_choice import check_unique, missing_columns, other_delimiter
from runforge_engine.data.column_table import ColumnTable
from runforge_engine.data.dataset_source import DatasetSource, read_source
from runforge_engine.data.message_parts import did_you_mean
from runforge_engine.data.table_reader import read_names, read_table
from runforge_engine.preparation.column_conversion import (
    Conversion,
    UnexpectedValuesError,
    conversion,
)

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

#: About how many bytes are made at once.
_PIECE = 2**20
#: Most bytes of the values of merged columns: they should stay in a processor's cache.
_MERGED = 2**20
#: How often values of merged columns must repeat, on average.
_FEW = 8
#: The hint on unexpected values in several columns.
_SEVERAL = "Correct the cells, or say in the recipe what happens to them."
_QUOTED = re.compile(r'[",\r\n]')


@dataclass(frozen=True, slots=True, eq=False)
class PreparedTable:
    """A table that a recipe makes of a raw one; checked, and not yet written."""

    num_rows: int
    #: Names of the columns; that of the label is the last.
    names: list[str]
    has_label: bool
    #: Raw columns that the recipe does not name.
    unlisted: list[str]
    #: For each raw column: the fields as strings, and indices into them if they repeat.
    parts: list[tuple[pa.Array, pa.Array | None]]

    def pieces(self) -> Iterator[memoryview]:
        """Yield the bytes of the CSV file."""
        import pyarrow.compute as pc

        yield memoryview((",".join(map(_quoted, self.names)) + "\n").encode())
        if not self.num_rows:
            return
        parts = _merged(self.parts, self.num_rows)
        values, indices = parts[-1]
        if len(self.names) == 1:
            # An empty line would not be a row.
            values = pc.if_else(pc.equal(values, ""), '""', values)
        parts[-1] = _followed(values, "\n"), indices
        step = max(int(_PIECE / sum(map(_width, parts))), 1)
        groups = _grouped(parts)
        for begin in range(0, self.num_rows, step):
            end = min(begin + step, self.num_rows)
            fields = [group.fields(begin, end) for group in groups]
            alone = len(groups) == 1 and groups[0].parts
            lines = fields[0] if alone else pc.binary_join_element_wise(*fields, ",")
            # The characters of a new array of strings stand one after the other.
            yield memoryview(lines.buffers()[2])


@dataclass(frozen=True, slots=True, eq=False)
class _Neighbours:
    """Parts that are next to each other."""

    values: pa.Array
    #: For each part whose values repeat, the indices, and what to add to them.
    parts: list[tuple[np.ndarray, int]]

    def fields(self, begin: int, end: int) -> pa.Array:
        """Return the fields of some rows, as one string for each row."""
        import numpy as np
        import pyarrow as pa

        rows, width = end - begin, len(self.parts)
        if not width:
            return self.values.slice(begin, rows)
        indices = np.empty((rows, width), np.int32)
        for place, (column, first) in enumerate(self.parts):
            np.add(column[begin:end], first, out=indices[:, place], casting="same_kind")
        taken = self.values.take(_as_arrow(indices))
        # The strings of a row stand one after the other, so they are one without a copy.
        _, ends, characters = taken.buffers()
        ends = np.frombuffer(ends, np.int32, rows * width + 1)[::width].copy()
        return pa.Array.from_buffers(pa.string(), rows, [None, pa.py_buffer(ends), characters])


def _grouped(parts: list[tuple[pa.Array, pa.Array | None]]) -> list[_Neighbours]:
    """Return the parts as few groups: neighbours that repeat make one, while its values are few.

    Then most fields of a row are copied once, and few strings are joined.
    """
    groups: list[list[tuple[pa.Array, pa.Array | None]]] = []
    size = 0
    for part in parts:
        values, indices = part
        size += values.nbytes
        before = groups[-1][-1][1] if groups else None
        if before is not None and indices is not None and size <= _MERGED:
            groups[-1].append(part)
        else:
            groups.append([part])
            size = values.nbytes
    return [_neighbours(group) for group in groups]


def _neighbours(group: list[tuple[pa.Array, pa.Array | None]]) -> _Neighbours:
    import pyarrow as pa

    *firsts, last = (values for values, _ in group)
    values = pa.concat_arrays([*(_followed(item, ",") for item in firsts), last])
    starts = itertools.accumulate((len(item) for item in firsts), initial=0)
    columns = ((indices, start) for (_, indices), start in zip(group, starts, strict=True))
    return _Neighbours(
        values, [(item.to_numpy(), start) for item, start in columns if item is not None]
    )


def _followed(values: pa.Array, mark: str) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(values, pa.scalar(""), mark)


def _as_arrow(integers: np.ndarray) -> pa.Array:
    """Return an array of 32-bit integers as Arrow's, without the modules for masked arrays."""
    import pyarrow as pa

    return pa.Array.from_buffers(pa.int32(), integers.size, [None, pa.py_buffer(integers)])


def _width(part: tuple[pa.Array, pa.Array | None]) -> float:
    """Return about how many bytes the fields of a row have."""
    values, _ = part
    return max(float(values.nbytes) / len(values), 1)


def _merged(
    parts: list[tuple[pa.Array, pa.Array | None]], rows: int
) -> list[tuple[pa.Array, pa.Array | None]]:
    """Return fewer parts: neighbours that repeat become one, while its values are few.

    Then fewer strings are joined in each row.
    """
    import numpy as np
    import pyarrow.compute as pc

    merged = parts[:1]
    for part in parts[1:]:
        (left, before), (right, after) = merged[-1], part
        size = len(left) * len(right)
        few = size * _FEW <= rows and size * (_width(merged[-1]) + _width(part)) <= _MERGED
        if before is None or after is None or not few:
            merged.append(part)
            continue
        first, second = np.divmod(np.arange(size, dtype=np.int32), len(right))
        values = pc.binary_join_element_wise(
            left.take(_as_arrow(first)), right.take(_as_arrow(second)), ","
        )
        merged[-1] = values, _as_arrow(before.to_numpy() * len(right) + after.to_numpy())
    return merged


def open_raw(path: Path, source: Mapping[str, Any], *, digest: bool = True) -> DatasetSource:
    """Read a raw file, whose form is that of the section ``source`` of a recipe.

    Its fingerprint is computed only with ``digest``.

    Raises :class:`~runforge_contracts.errors.RunForgeError` as
    :func:`~runforge_engine.data.dataset_source.read_source`.
    """
    raw = read_source(path, digest=digest)
    set_form(raw, source)
    return raw


def set_form(raw: DatasetSource, source: Mapping[str, Any]) -> None:
    """Let a raw file be read in the form that the section ``source`` of a recipe names."""
    raw.delimiter = source.get("delimiter", ",")
    raw.encoding = source.get("encoding", "utf-8")
    raw.sheet = source.get("sheet")


def prepare_table(
    raw: DatasetSource, recipe: Mapping[str, Any], table: ColumnTable | None = None
) -> PreparedTable:
    """Apply a checked recipe to a raw table; ``raw`` is released.

    Parameters
    ----------
    raw
        The raw file.
    recipe
        A recipe without contradictions.
    table
        Its columns, if they have been read to propose the recipe.

    Raises
    ------
    RunForgeError
        ``COLUMN_NOT_FOUND``, ``COLUMN_DUPLICATE``; ``VALUE_UNEXPECTED`` with one problem for each
        column; the errors of :func:`~runforge_engine.data.table_reader.read_table`.
    """
    made = [conversion(column, recipe.get("source", {})) for column in recipe["columns"]]
    conversions = [item for item in made if item is not None]
    names = read_names(raw) if table is None else table.names
    positions = _positions(names, [item.column for item in conversions], raw)
    label = recipe["label"]
    has_label = label in names
    wanted = [*positions, names.index(label)] if has_label else positions
    if has_label:
        check_unique([name for name in names if name == label], raw)
    if table is None:
        table = read_table(raw, [], wanted, encode=True)
        raw.release()
    parts = _converted(table, conversions, positions, raw)
    prepared = [name for item in conversions for name in item.names]
    if has_label:
        prepared.append(escaped_name(label))
        parts.append(_label_fields(table.columns[wanted[-1]]))
    listed = {label, *(column["column"] for column in recipe["columns"])}
    unlisted = [name for name in names if name not in listed]
    return PreparedTable(table.num_rows, prepared, has_label, unlisted, parts)


def _positions(names: tuple[str, ...], wanted: list[str], raw: DatasetSource) -> list[int]:
    """Return the positions of the columns that a recipe uses."""
    lacking = [name for name in wanted if name not in names]
    if lacking:
        other = other_delimiter(ErrorCode.COLUMN_NOT_FOUND, names, lacking[0], raw)
        if other is not None:
            raise other
        if any(raw_name(name) == lacking[0] for name in names):
            hint = "The table is prepared already; a recipe is applied to the raw one."
        else:
            hint = did_you_mean(lacking[0], names) or "Name columns as the table's header does."
        raise missing_columns("The table lacks {} that the recipe uses", lacking, raw, hint)
    used = set(wanted)
    check_unique([name for name in names if name in used], raw)
    return [names.index(name) for name in wanted]


def _converted(
    table: ColumnTable, conversions: list[Conversion], positions: list[int], raw: DatasetSource
) -> list[tuple[pa.Array, pa.Array | None]]:
    """Return the fields of each column; raise an error that names all unexpected values."""
    parts, problems, remedies = [], list[Problem](), list[str]()
    for item, position in zip(conversions, positions, strict=True):
        try:
            cells = table.dates(position) if item.takes_dates else table.columns[position]
            parts.append(item.fields(trimmed(cells)))
        except UnexpectedValuesError as error:
            place = Location(path=str(raw.path), column=item.column, row=error.row)
            remedies.append(f"Correct the cells, or {item.remedy}.")
            problems.append(Problem(str(error), place, remedies[-1]))
            if len(problems) == MAX_PROBLEMS:
                break
    if problems:
        raise RunForgeError(
            ErrorCode.VALUE_UNEXPECTED,
            problems[0].message,
            hint=(remedies[0] if len(problems) == 1 else _SEVERAL)
            + " A trained model keeps its recipe: train again.",
            **problems[0].location._asdict(),
            problems=problems if len(problems) > 1 else (),
        )
    return parts


def _label_fields(column: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """Return the cells of the label as fields of a CSV file, and indices into them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = column.combine_chunks()
    if not pa.types.is_dictionary(cells.type):
        cells = pc.fill_null(cells, "")
    encoded = cells.dictionary_encode()
    return pa.array(map(_quoted, encoded.dictionary.to_pylist()), pa.string()), encoded.indices


def _quoted(text: str) -> str:
    """Return a field of a CSV file, in quotes if it needs them."""
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
