"""Whether recorded values agree."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

Agreement = Literal["equal", "different", "incomplete"]


def agreement(values: Iterable[dict[str, Any]]) -> Agreement:
    """Tell whether all entries that have a ``value`` have the same, and whether all have one."""
    entries = list(values)
    known = [entry["value"] for entry in entries if "value" in entry]
    if any(not same(known[0], value) for value in known[1:]):
        return "different"
    return "equal" if len(known) == len(entries) else "incomplete"


def same(one: Any, other: Any) -> bool:
    """Tell whether two recorded values are the same; ``true`` is not the number one."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)
