"""Members of a sweep by two of its parameters, for heat maps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product

import msgspec
from runforge_contracts.metrics import lower_is_better

from runforge_engine.store.sweep_settings import SweepSetting, settings_of
from runforge_engine.store.sweep_table import (
    SweepCell,
    SweepColumn,
    SweepRow,
    SweepTable,
    ordered_cells,
)

#: Maximum number of rows and columns of a grid.
MAX_HEIGHT, MAX_WIDTH = 60, 24


class SweepGrid(msgspec.Struct, frozen=True):
    """The members with the same values of all other parameters, by the values of two."""

    #: The parameters of the rows and of the columns; the former has at least as many values.
    down: SweepColumn
    across: SweepColumn
    #: The other parameters, and the members that share their values.
    others: tuple[SweepColumn, ...]
    facet: SweepSetting
    #: The members by the keys of their values.
    members: Mapping[tuple[str, str], Sequence[SweepRow]]

    @property
    def rows(self) -> tuple[SweepCell, ...]:
        """The values of the parameter of the rows, in order."""
        return ordered_cells(self.down)

    @property
    def columns(self) -> tuple[SweepCell, ...]:
        """The values of the parameter of the columns, in order."""
        return ordered_cells(self.across)

    def at(self, row: SweepCell, column: SweepCell) -> Sequence[SweepRow]:
        """Return the members with two values."""
        return self.members.get((row.key, column.key), ())


def grids_of(table: SweepTable, metric: str) -> list[SweepGrid]:
    """Return the members by the two parameters with the most values, the best grid first.

    There is one grid for each combination of the other parameters. Without two parameters, with too
    many values, or if the members cover less than half of the combinations, there are none.
    """
    columns = table.setting_columns
    if len(columns) < 2:
        return []
    down, across = sorted(columns, key=lambda column: -len(column.cells))[:2]
    if len(down.cells) > MAX_HEIGHT or len(across.cells) > MAX_WIDTH:
        return []
    others = tuple(column for column in columns if column not in (down, across))
    at = {column.path: table.columns.index(column) for column in columns}

    def keys(row: SweepRow, chosen: Sequence[SweepColumn]) -> tuple[str, ...]:
        return tuple(row.cells[at[column.path]].key for column in chosen)

    covered = {keys(row, columns) for row in table.rows}
    if 2 * len(covered) < math.prod(len(column.cells) for column in columns):
        return []
    grids = []
    for facet in settings_of(table, metric, others):
        members: dict[tuple[str, str], list[SweepRow]] = {
            (row.key, column.key): [] for row, column in product(down.cells, across.cells)
        }
        for member in facet.rows:
            first, second = keys(member, (down, across))
            members[first, second].append(member)
        grids.append(SweepGrid(down, across, others, facet, members))
    return grids


def mean_of(table: SweepTable, rows: Sequence[SweepRow], metric: str) -> float | None:
    """Return the mean of a metric over members, or None if none has it."""
    values = [value for row in rows if (value := table.value(row, metric)) is not None]
    return SweepSetting((), (), tuple(values)).mean


def extent_of(
    table: SweepTable, grids: Sequence[SweepGrid], metric: str
) -> tuple[float, float] | None:
    """Return the least and the greatest mean in the cells of grids, or None without any."""
    means = [
        mean
        for grid in grids
        for rows in grid.members.values()
        if (mean := mean_of(table, rows, metric)) is not None
    ]
    return (min(means), max(means)) if means else None


def goodness(value: float, extent: tuple[float, float], metric: str) -> float:
    """Return the position of a value from the worst, 0, to the best, 1."""
    least, greatest = extent
    # Halve before subtracting, because the difference may overflow.
    span = greatest / 2 - least / 2
    if not span > 0:
        return 1.0
    share = min(max((value / 2 - least / 2) / span, 0.0), 1.0)
    return 1 - share if lower_is_better(metric) else share
