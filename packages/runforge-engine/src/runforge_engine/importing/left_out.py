"""What a run of another tool has and its imported run does not, counted by kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from runforge_contracts.display import quote
from runforge_contracts.types import LeftOut

What = Literal["metrics", "parameters", "tags", "artifacts", "times", "names", "datasets", "models"]
#: How many of the things that are left out for one reason are named.
_NAMED = 3
_LONG = 120


@dataclass(slots=True)
class _Reason:
    count: int = 0
    #: The first ones, each once, and whether there are others.
    examples: list[str] = field(default_factory=list)
    more: bool = False


class Losses:
    """What is left out of one run, by reason."""

    def __init__(self) -> None:
        self._reasons: dict[tuple[What, str], _Reason] = {}

    def add(self, what: What, reason: str, example: object = None, count: int = 1) -> None:
        """Count something.

        Parameters
        ----------
        what
            What it concerns.
        reason
            What is left out or changed, and why, as a sentence without its full stop.
        example
            What it is; the first ones of each reason are named.
        count
            How many.
        """
        known = self._reasons.setdefault((what, reason), _Reason())
        known.count += count
        shown = None if example is None else quote(example, _LONG)
        if shown is not None and shown not in known.examples:
            known.more = len(known.examples) == _NAMED
            known.examples += [] if known.more else [shown]

    def items(self) -> Iterator[LeftOut]:
        """Yield one item for each reason, in the order in which they came up."""
        for (what, reason), known in self._reasons.items():
            named = ", ".join(known.examples) + (" and others" if known.more else "")
            message = f"{reason}{f': {named}' if named else ''}."
            yield LeftOut(what=what, count=known.count, message=message)
