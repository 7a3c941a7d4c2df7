"""The spread of a metric over the seeds of a setting: mean, confidence interval and range.

Source: Student 1908, "The Probable Error of a Mean".
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from runforge_contracts.metrics import rank_of

from runforge_engine.store.sweep_table import (
    SweepCell,
    SweepColumn,
    SweepRow,
    SweepTable,
)

#: The confidence of the intervals.
CONFIDENCE = 0.95


class SweepSetting(msgspec.Struct, frozen=True):
    """Members that differ in nothing but the seed, and the spread of one metric over them."""

    #: The value of each parameter other than the seed.
    cells: tuple[SweepCell, ...]
    rows: tuple[SweepRow, ...]
    #: The values of the metric, one of each member that has it.
    values: tuple[float, ...]

    @property
    def mean(self) -> float | None:
        """The mean of the values."""
        # Late, because few commands need it. It adds fractions, so no sum is too large for it.
        from statistics import mean

        return mean(self.values) if self.values else None

    @property
    def deviation(self) -> float | None:
        """The sample standard deviation, or None with fewer than two values."""
        count, mean = len(self.values), self.mean
        if count < 2 or mean is None:
            return None
        return math.hypot(*(value - mean for value in self.values)) / math.sqrt(count - 1)

    @property
    def half_width(self) -> float | None:
        """Half of the 95 % confidence interval of the mean, or None with fewer than two values."""
        deviation, count = self.deviation, len(self.values)
        if deviation is None:
            return None
        if deviation == 0:
            return 0.0
        return _student(count - 1) * deviation / math.sqrt(count)

    @property
    def least(self) -> float:
        """The least value."""
        return min(self.values)

    @property
    def greatest(self) -> float:
        """The greatest value."""
        return max(self.values)


def _student(freedom: int) -> float:
    """Return the quantile of Student's t distribution for the two-sided interval."""
    # Late, because it takes longer to import than everything else here.
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + CONFIDENCE) / 2))


def settings_of(
    table: SweepTable,
    metric: str | None = None,
    columns: Sequence[SweepColumn] | None = None,
) -> list[SweepSetting]:
    """Return the settings of a sweep, that with the best mean first.

    Parameters
    ----------
    table
        The sweep.
    metric
        Name of the metric; the common primary metric by default.
    columns
        The parameters that make a setting; by default all but the seed.
    """
    name = table.metric if metric is None else metric
    chosen = table.setting_columns if columns is None else columns
    places = [table.columns.index(column) for column in chosen]
    groups: dict[tuple[str, ...], list[SweepRow]] = {}
    for row in table.rows:
        groups.setdefault(tuple(row.cells[at].key for at in places), []).append(row)
    settings = [
        SweepSetting(
            tuple(rows[0].cells[at] for at in places),
            tuple(rows),
            tuple(value for row in rows if (value := table.value(row, name)) is not None),
        )
        for rows in groups.values()
    ]

    def place(setting: SweepSetting) -> tuple[bool, float, int]:
        mean = setting.mean
        rank = 0.0 if mean is None or name is None else rank_of(mean, name)
        return mean is None, rank, setting.rows[0].number

    return sorted(settings, key=place)


def within_reach(settings: Sequence[SweepSetting]) -> list[SweepSetting]:
    """Return the settings after the best whose interval overlaps that of the best.

    Settings with fewer than two values have no interval and are left out.
    """
    if not settings or settings[0].mean is None or settings[0].half_width is None:
        return []
    best, reach = settings[0].mean, settings[0].half_width
    return [
        setting
        for setting in settings[1:]
        if setting.mean is not None
        and setting.half_width is not None
        and abs(setting.mean - best) <= reach + setting.half_width
    ]
