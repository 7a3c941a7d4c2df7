"""What an address asks for: the values of its query, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.datastructures import QueryParams


def whole_number(query: QueryParams, name: str, default: int, most: int) -> int:
    """Return a number from 1 to ``most``; raise ``USAGE_INVALID`` for anything else."""
    text = query.get(name) or str(default)
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
    if not 1 <= number <= most:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"Invalid value for {quote(name)}: {quote(text)} is not a number from 1 to {most:,}.",
        )
    return number


def changed(query: QueryParams, changes: Mapping[str, str | None]) -> str:
    """Return a query with values replaced, or removed where the new one is None."""
    kept = [(name, value) for name, value in query.multi_items() if name not in changes and value]
    added = [(name, value) for name, value in changes.items() if value is not None]
    return "?" + urlencode([*kept, *added])
