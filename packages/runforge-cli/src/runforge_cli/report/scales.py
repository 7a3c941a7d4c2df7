"""The scales of the axes of a plot, with round marks.

Source: Heckbert 1990, "Nice Numbers for Graph Labels", for the distance between marks.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

#: Approximate number of marks of an axis.
_MARKS = 5
#: Maximum number of marks of a logarithmic axis, and the ratio from which one is worth it.
_MOST, _FAR = 7, 4
#: The least positive number, and the greatest.
_LEAST = math.ulp(0.0)
_GREATEST = sys.float_info.max


@dataclass(frozen=True, slots=True)
class Scale:
    """An interval of numbers with marks."""

    lower: float
    upper: float
    marks: tuple[float, ...]
    #: Whether equal ratios have equal distances; all numbers are then positive.
    logarithmic: bool = False
    #: The text of each mark; by default the number.
    labels: tuple[str, ...] = ()

    def share(self, value: float) -> float:
        """Return the relative position of a number: 0 at the lower end, 1 at the upper."""
        if self.logarithmic:
            least = math.log10(self.lower)
            return (math.log10(value) - least) / (math.log10(self.upper) - least)
        # Halve before subtracting, because the difference may overflow.
        return (value / 2 - self.lower / 2) / (self.upper / 2 - self.lower / 2)

    def label(self, mark: float) -> str:
        """Return the text at a mark."""
        return self.labels[self.marks.index(mark)] if self.labels else f"{mark:g}"


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


def is_geometric(values: Iterable[float]) -> bool:
    """Return whether numbers are spaced by ratios rather than by differences, such as 1, 10, 100.

    Their logarithms must then be spaced more evenly than the numbers themselves.
    """
    numbers = sorted({float(value) for value in values})
    if len(numbers) < 3 or numbers[0] <= 0 or numbers[-1] / numbers[0] < _FAR:
        return False
    return _unevenness([math.log10(value) for value in numbers]) < _unevenness(numbers)


def _unevenness(numbers: list[float]) -> float:
    """Return the greatest distance between neighbours over the mean distance."""
    steps = [after / 2 - before / 2 for before, after in pairwise(numbers)]
    # The mean of the steps, without their sum.
    mean = (numbers[-1] / 2 - numbers[0] / 2) / len(steps)
    return max(steps) / mean if mean > 0 else 1.0


def logarithmic_scale(values: Iterable[float]) -> Scale:
    """Return a logarithmic scale that contains all given positive numbers.

    Its marks are 1, 2 or 5 times powers of ten, or some of these powers if there are many.
    """
    numbers = [float(value) for value in values]
    steps = _steps(min(numbers), max(numbers))
    if len(steps) > _MOST:
        powers = _powers(min(numbers), max(numbers))
        every = -(-(len(powers) - 1) // (_MOST - 1)) or 1
        steps = powers[::every]
        if steps[-1] < max(numbers):
            steps.append(powers[-1])
    lower, upper = min((*numbers, *steps)), max((*numbers, *steps))
    if not lower < upper:
        lower, upper = max(lower / 2, _LEAST), min(upper * 2, _GREATEST)
    return Scale(lower, upper, tuple(steps), logarithmic=True)


def _powers(lower: float, upper: float) -> list[float]:
    first, last = math.floor(math.log10(lower)), math.ceil(math.log10(upper))
    return [10.0**power for power in range(max(first, -307), min(last, 308) + 1)]


def _steps(lower: float, upper: float) -> list[float]:
    """Return the 1, 2 and 5 times powers of ten from the last at most ``lower``."""
    known = [
        float(f"{factor}e{power}")
        for power in range(
            max(math.floor(math.log10(lower)), -307), min(math.ceil(math.log10(upper)), 307) + 1
        )
        for factor in (1, 2, 5)
    ]
    first = max((at for at, step in enumerate(known) if step <= lower), default=0)
    last = min((at for at, step in enumerate(known) if step >= upper), default=len(known) - 1)
    return known[first : max(last, first) + 1]


def named_scale(names: Sequence[str]) -> Scale:
    """Return a scale with a mark for each name, at 0, 1, 2 and so on."""
    last = len(names) - 1
    return Scale(-0.5, last + 0.5, tuple(map(float, range(len(names)))), labels=tuple(names))


def _distance(least: float) -> float:
    """Return the smallest 1, 2 or 5 times a power of ten that is at least ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next((power * factor for factor in (1, 2, 5) if power * factor >= least), power * 10)
