"""Parse ``--grid`` and ``--seeds``: the values that a sweep tries."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.documents import REMOVE
from runforge_contracts.errors import ErrorCode, RunForgeError

_RANGE = re.compile(r"([0-9]+)\.\.([0-9]+)")
#: The most seeds that are tried.
_MOST_SEEDS = 10_000


def parse_grid(texts: Iterable[str]) -> dict[str, list[Any]]:
    """Return the values by name of ``NAME=V1,V2,...`` strings, in their order.

    A value is typed as that of ``--param``; ``null`` is
    :data:`~runforge_contracts.documents.REMOVE`.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` where a string has another form, or names what an earlier one names.
    """
    from runforge_engine.modeling.configuration import parse_parameters

    grid: dict[str, list[Any]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        if not (name and equals and values):
            raise _refused(
                f"{quote(text)} is not a setting with its values.",
                "Write it as NAME=V1,V2, such as --grid C=0.1,1,10.",
            )
        if name in grid:
            raise _refused(
                f"The setting {quote(name)} is given twice.",
                "Give all its values at once, such as --grid C=0.1,1,10.",
            )
        grid[name] = [
            REMOVE if value == "null" else parse_parameters([f"value={value}"])["value"]
            for value in values.split(",")
        ]
        if "" in grid[name]:
            raise _refused(f"{quote(text)} has an empty value.", "Separate values by one comma.")
    return grid


def parse_seeds(text: str | None) -> list[int]:
    """Return the seeds of ``1..5``, ``1,2,3``, or both forms with commas between them.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for another form, a seed that is too large, and too many of them.
    """
    seeds: list[int] = []
    for part in text.split(",") if text is not None else ():
        ends = _RANGE.fullmatch(part)
        first, last = ends.groups() if ends else (part, part)
        if not (first.isascii() and first.isdigit()) or max(len(first), len(last)) > 10:
            raise _refused(
                f"{quote(part)} is not a seed or a range of seeds.",
                "Write them as 1..5 or 1,2,3.",
            )
        if int(last) < int(first) or int(last) >= 2**32:
            raise _refused(
                f"{quote(part)} is not a range of seeds.",
                f"A seed is a number from 0 to {2**32 - 1}, and the first one comes first.",
            )
        if len(seeds) + int(last) - int(first) >= _MOST_SEEDS:
            raise _refused(
                f"There are more than {_MOST_SEEDS:,} seeds.", "Make several sweeps of them."
            )
        seeds += range(int(first), int(last) + 1)
    return seeds


def _refused(message: str, hint: str) -> RunForgeError:
    return RunForgeError(ErrorCode.USAGE_INVALID, message, hint=hint)
