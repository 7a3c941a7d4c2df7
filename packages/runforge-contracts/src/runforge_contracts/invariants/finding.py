"""Findings: one difference between what a file says and what must be true."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

#: Stands for a side of a finding that there is nothing to say about.
ABSENT = object()
#: How far a recomputed metric may be from the recorded one; both are sums of a few doubles.
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule of the contract, and where."""

    #: Name of the rule, such as ``run.id``; the conformance suite's requirements use the same.
    rule: str
    #: One sentence.
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
    rule: str, message: str, file: str, pointer: str, expected: Any, found: Any
) -> Iterator[Finding]:
    """Give a finding where two values differ; JSON knows one kind of number."""
    if not same(expected, found):
        yield Finding(rule, message, file, pointer, expected, found)


def same(left: Any, right: Any) -> bool:
    """Tell whether two JSON values are equal: numbers as doubles, true and 1 apart.

    Integers beyond 53 bits are what most languages make of them, too.
    """
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
    """Tell whether two metrics are equal but for the last digits."""
    return math.isclose(left, right, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
