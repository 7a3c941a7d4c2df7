"""Define the values that make up the report of a reproduction.

Source: schema ``reproduction.v1``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class _Absent:
    """The type of a marker for a missing value; ``None`` is JSON's null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()

#: Tolerance within which two learned numbers count as equal; relative for numbers above one.
TOLERANCE = 1e-9


class Verdict(StrEnum):
    """The outcome of a reproduction, from best to worst."""

    IDENTICAL_BYTES = "identical bytes"
    IDENTICAL_CONTENT = "identical content"
    IDENTICAL_PREDICTIONS = "identical predictions, coefficients within 1e-9"
    DIFFERENT = "different"
    NOT_REPRODUCIBLE = "not reproducible here"


@dataclass(frozen=True, slots=True)
class ValueDifference:
    """A value that differs between the record and the new run; for numbers, with the difference."""

    field: str
    recorded: Any = ABSENT
    here: Any = ABSENT

    @property
    def difference(self) -> float | None:
        """Return the difference between two numbers."""
        pair = (self.recorded, self.here)
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in pair):
            return float(abs(self.recorded - self.here))
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as a JSON object of the document."""
        distance = self.difference
        return {
            "field": self.field,
            **_values(recorded=self.recorded, here=self.here),
            **({} if distance is None else {"difference": distance}),
        }


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason for a verdict."""

    field: str
    #: One sentence, if the values need an explanation.
    message: str | None = None
    recorded: Any = ABSENT
    here: Any = ABSENT
    #: Whether the user may be able to provide what is missing.
    missing: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the reason as a JSON object of the document."""
        return {
            "field": self.field,
            **({} if self.message is None else {"message": self.message}),
            **_values(recorded=self.recorded, here=self.here),
        }


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A value that differs between the request and the run record."""

    #: JSON Pointer into the request.
    field: str
    request: Any
    run: Any

    def to_dict(self) -> dict[str, Any]:
        """Return the contradiction as a JSON object of the document."""
        return {"field": self.field, "request": scalar(self.request), "run": scalar(self.run)}


@dataclass(frozen=True, slots=True)
class UncheckedPart:
    """A part that could not be compared."""

    what: str
    why: str

    def to_dict(self) -> dict[str, str]:
        """Return the part as a JSON object of the document."""
        return {"what": self.what, "why": self.why}


def _values(**values: Any) -> dict[str, Any]:
    return {name: scalar(value) for name, value in values.items() if value is not ABSENT}


def scalar(value: Any) -> Any:
    """Return a value as shown in a document: a list or an object is replaced by its size."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    return value
