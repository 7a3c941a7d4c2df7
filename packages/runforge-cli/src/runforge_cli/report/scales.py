"""The scales of the axes of a plot, with round marks.

Source: Heckbert 1990, "Nice Numbers for Graph Labels", for the distance between marks.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass

#: Approximate number of marks of an axis.
_MARKS = 5
_GREATEST = sys.float_info.max


@dataclass(frozen=True, slots=True)
class Scale:
    """An interval of numbers with marks."""

    lower: float
    upper: float
    marks: tuple[float, ...]

    def share(self, value: float) -> float:
        """Return the relative position of a number: 0 at the lower end, 1 at the upper."""
        # Halve before subtracting, because the difference may overflow.
        return (value / 2 - self.lower / 2) / (self.upper / 2 - self.lower / 2)


UNIT = Scale(0.0, 1.0, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))


def scale_of(values: Iterable[float], *, whole: bool = False) -> Scale:
    """Return a scale that contains all given finite numbers, with marks at round numbers.

    Parameters
    ----------
    values
        The numbers; at least one.
    whole
        Whether to mark only integers and to end the scale exactly at the extreme numbers.
    """
    numbers = [float(value) for value in values]
    lower, upper = min(numbers), max(numbers)
    if not upper / 2 - lower / 2 > 1e-290:
        margin = abs(lower) / 2 if abs(lower) > 1e-280 else 0.5
        lower, upper = max(lower - margin, -_GREATEST), min(upper + margin, _GREATEST)
    distance = _distance(upper / _MARKS - lower / _MARKS)
    if whole:
        distance = max(distance, 1.0)
    first, last = math.floor(lower / distance), math.ceil(upper / distance)
    marks = tuple(
        mark for number in range(first, last + 1) if abs(mark := number * distance) <= _GREATEST
    )
    if whole or len(marks) < 2:
        return Scale(lower, upper, tuple(mark for mark in marks if lower <= mark <= upper))
    return Scale(min(lower, marks[0]), max(upper, marks[-1]), marks)


def _distance(least: float) -> float:
    """Return the smallest 1, 2 or 5 times a power of ten that is at least ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next((power * factor for factor in (1, 2, 5) if power * factor >= least), power * 10)
