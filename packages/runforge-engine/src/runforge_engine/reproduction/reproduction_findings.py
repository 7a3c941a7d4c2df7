"""The parts of a reproduction's report, as values.

Source: schema ``reproduction.v1``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class _Absent:
    """Stands for a value that is not there; ``None`` is JSON's null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()

#: How far two learned numbers may be apart to count as equal, relative above one.
TOLERANCE = 1e-9


class Verdict(StrEnum):
    """What became of the repetition, from best to worst."""

    IDENTICAL_BYTES = "identical bytes"
    IDENTICAL_CONTENT = "identical content"
    IDENTICAL_PREDICTIONS = "identical predictions, coefficients within 1e-9"
    DIFFERENT = "different"
    NOT_REPRODUCIBLE = "not reproducible here"


@dataclass(frozen=True, slots=True)
class ValueDifference:
    """A value in the record and here; numbers with how far they are apart."""

    field: str
    recorded: Any = ABSENT
    here: Any = ABSENT

    @property
    def difference(self) -> float | None:
        """How far two numbers are apart."""
        pair = (self.recorded, self.here)
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in pair):
            return float(abs(self.recorded - self.here))
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as the document has it."""
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
    #: One sentence, where the values do not speak for themselves.
    message: str | None = None
    recorded: Any = ABSENT
    here: Any = ABSENT
    #: Whether something is missing that the user may bring.
    missing: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the reason as the document has it."""
        return {
            "field": self.field,
            **({} if self.message is None else {"message": self.message}),
            **_values(recorded=self.recorded, here=self.here),
        }


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A value that the request and the run record give differently."""

    #: JSON Pointer into the request.
    field: str
    request: Any
    run: Any

    def to_dict(self) -> dict[str, Any]:
        """Return the contradiction as the document has it."""
        return {"field": self.field, "request": scalar(self.request), "run": scalar(self.run)}


@dataclass(frozen=True, slots=True)
class UncheckedPart:
    """Something that could not be compared."""

    what: str
    why: str

    def to_dict(self) -> dict[str, str]:
        """Return it as the document has it."""
        return {"what": self.what, "why": self.why}


def _values(**values: Any) -> dict[str, Any]:
    return {name: scalar(value) for name, value in values.items() if value is not ABSENT}


def scalar(value: Any) -> Any:
    """Return a value as a document can show it: a list or an object by its size."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    return value
