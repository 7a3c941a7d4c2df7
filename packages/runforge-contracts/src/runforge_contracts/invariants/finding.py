"""Findings: one violation of a rule of the contract, with the file and the values."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.display import printable, shorten


class Absent(Enum):
    """The type of :data:`ABSENT`, which stays the same object in another process."""

    VALUE = "absent"


#: Value of a side of a finding that has none.
ABSENT = Absent.VALUE
#: How far a recomputed metric may be from the recorded one; both are sums of a few doubles.
_TOLERANCE = 1e-9
#: Names that editors have for presets.
PRESETS = {"std-train": "balanced", "hq-train": "thorough"}
#: Most characters of a value that a message shows.
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule of the contract, and where."""

    #: Name of the rule, such as ``run.id``; the conformance suite's requirements use the same.
    rule: str
    #: One sentence that states the violation with its values.
    message: str
    #: File below the run folder or the workspace, with forward slashes.
    file: str | None = None
    #: JSON Pointer into it.
    pointer: str | None = None
    expected: Any = ABSENT
    found: Any = ABSENT

    def to_dict(self) -> dict[str, Any]:
        """Return the known parts."""
        parts = {
            "rule": self.rule,
            "message": self.message,
            "file": self.file,
            "pointer": self.pointer,
        }
        result = {name: value for name, value in parts.items() if value is not None}
        if self.expected is not ABSENT:
            result["expected"] = self.expected
        if self.found is not ABSENT:
            result["found"] = self.found
        return result


def unequal(
    rule: str,
    template: str,
    file: str,
    pointer: str,
    expected: Any,
    found: Any,
    /,
    **fields: str,
) -> Iterator[Finding]:
    """Yield a finding if two values differ; JSON has one kind of number.

    Parameters
    ----------
    template
        The message, with ``{expected}`` and ``{found}`` for the first values that differ within
        the two, ``{pointer}`` for their location, and ``fields``. Formatted only if needed.
    """
    if same(expected, found):
        return
    inside, *values = _first_difference(expected, found)
    wanted, actual = map(show_value, values)
    location = pointer + format_pointer(inside)
    message = template.format(expected=wanted, found=actual, pointer=location, **fields)
    yield Finding(rule, message, file, pointer, expected, found)


def disagreement(
    rule: str,
    file: str,
    pointer: str,
    other: str,
    expected: Any,
    found: Any,
) -> Iterator[Finding]:
    """Yield a finding if ``file`` has another value at ``pointer`` than the file ``other``."""
    template = "{file} and {other} disagree on {pointer}: {found} and {expected}."
    yield from unequal(rule, template, file, pointer, expected, found, file=file, other=other)


def _first_difference(expected: Any, found: Any) -> tuple[list[str], Any, Any]:
    """Return the path to the first values that differ within two JSON values, and the values."""
    path: list[str] = []
    while True:
        if isinstance(expected, dict) and isinstance(found, dict):
            if expected.keys() != found.keys():
                break
            key: Any = next(key for key in expected if not same(expected[key], found[key]))
        elif isinstance(expected, list) and isinstance(found, list):
            if len(expected) != len(found):
                break
            key = next(i for i, value in enumerate(expected) if not same(value, found[i]))
        else:
            break
        path.append(str(key))
        expected, found = expected[key], found[key]
    return path, expected, found


def show_value(value: Any) -> str:
    """Return a JSON value for a message: encoded, printable and shortened."""
    chunks = json.JSONEncoder(ensure_ascii=False).iterencode(value)
    return printable(shorten("".join(islice(chunks, _SHOWN)), _SHOWN))


def same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal: numbers as doubles, true and 1 apart.

    Integers beyond 53 bits are rounded to doubles too, as most languages do.
    """
    if type(left) is str:  # as most are
        return bool(left == right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, int | float) and isinstance(right, int | float):
        return float(left) == float(right)
    return bool(left == right)


def close(left: float, right: float) -> bool:
    """Return whether two metrics are equal but for the last digits."""
    return math.isclose(left, right, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
