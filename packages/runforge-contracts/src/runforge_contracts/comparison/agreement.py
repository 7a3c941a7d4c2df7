"""Agreement of recorded values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

Agreement = Literal["equal", "different", "incomplete"]


def agreement(values: Iterable[dict[str, Any]]) -> Agreement:
    """Return whether all entries with a ``value`` have the same, and whether all have one."""
    entries = list(values)
    known = [entry["value"] for entry in entries if "value" in entry]
    if any(not same(known[0], value) for value in known[1:]):
        return "different"
    return "equal" if len(known) == len(entries) else "incomplete"


def same(one: Any, other: Any) -> bool:
    """Return whether two recorded values are equal; ``true`` and 1 are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)
