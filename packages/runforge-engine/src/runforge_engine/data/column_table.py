"""A table of Arrow columns, and functions on such columns: missing values and magnitude."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runforge_engine.data.cells import BLANKS, EXACT, MISSING

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, eq=False)
class ColumnTable:
    """A table whose structure has been checked."""

    #: Names of all columns, in order.
    names: tuple[str, ...]
    num_rows: int
    #: Arrow columns by position: float64 or boolean, or strings if the fast conversion failed
    #: or an integer is beyond ``EXACT``. Strings may be dictionary-encoded, if that was asked for.
    columns: dict[int, pa.ChunkedArray]
    #: Columns read as strings that contain other values: the first such row, and its type.
    textless: dict[int, tuple[int, str]]
    #: Columns of numbers for which :func:`is_small` is known to be true.
    small: frozenset[int] = frozenset()
    #: Columns of times in a Parquet file, as they are there; ``columns`` has them as strings.
    times: dict[int, pa.ChunkedArray] = field(default_factory=dict)

    def dates(self, position: int) -> pa.ChunkedArray:
        """Return the column at a position as dates are read: a time is one of whole seconds.

        A time that has a time zone is that of UTC, with ``T`` before it and ``Z`` after it.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        column = self.times.get(position)
        if column is None:
            return self.columns[position]
        zoned = pa.types.is_timestamp(column.type) and column.type.tz is not None
        if zoned:
            column = column.cast(pa.timestamp(column.type.unit, "UTC"))
            column = column.cast(pa.timestamp(column.type.unit))
        text = pc.replace_substring_regex(column.cast(pa.string()), r"\.[0-9]+$", "")
        if not zoned:
            return text
        return pc.binary_join_element_wise(pc.replace_substring(text, " ", "T"), "Z", "")


def may_lack_values(column: pa.ChunkedArray) -> bool:
    """Return whether a column could have missing values, without reading its cells."""
    import pyarrow as pa

    return bool(column.null_count) or bool(pa.types.is_string(column.type))


def missing_mask(column: pa.ChunkedArray) -> Any:
    """Return which values of a column are missing: a boolean ndarray of shape (n_rows,)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_string(column.type):
        return column.is_null().to_numpy()
    trimmed = pc.utf8_trim(pc.fill_null(column, ""), BLANKS)
    return pc.is_in(trimmed, value_set=pa.array(sorted(MISSING))).to_numpy()


def magnitude(column: pa.ChunkedArray) -> float:
    """Return the largest absolute value of a column of numbers; 0 if it has none."""
    import pyarrow.compute as pc

    ends = pc.min_max(column).as_py()
    return max(0 if end is None else abs(end) for end in ends.values())


def has_nan(column: pa.ChunkedArray) -> bool:
    """Return whether a column has NaN values: Arrow also accepts spellings that are not missing."""
    import pyarrow.compute as pc

    return bool(pc.any(pc.is_nan(column)).as_py())


def is_small(column: pa.ChunkedArray) -> bool:
    """Return whether all values of a column of numbers are below ``EXACT`` in size, and not NaN.

    Takes a quarter of the time of :func:`has_nan` and :func:`magnitude`.
    """
    import pyarrow.compute as pc

    return bool(pc.all(pc.less(pc.abs(column), float(EXACT)), min_count=0).as_py())


def release_unused() -> None:
    """Return memory to the system that Arrow has freed but still holds."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
