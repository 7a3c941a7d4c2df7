"""What an address asks for: the values of its query, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.datastructures import QueryParams


#: Rows on a page of a list, at most so many; and the number of the last page.
_LIMIT, _MOST, _LAST = 50, 500, 1_000_000


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


def page_of(query: QueryParams) -> tuple[int, int]:
    """Return how many rows a page of a list has, and the number of the page.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for anything but a number in range.
    """
    return whole_number(query, "limit", _LIMIT, _MOST), whole_number(query, "page", 1, _LAST)


def paging_of(query: QueryParams, total: int, shown: int) -> dict[str, Any]:
    """Return which rows of a list are shown, and the addresses of the pages around."""
    limit, page = page_of(query)
    last = max(-(-total // limit), 1)

    def address(number: int) -> str:
        return changed(query, {"page": None if number == 1 else str(number)})

    return {
        "first": (page - 1) * limit + 1,
        "last": (page - 1) * limit + shown,
        "page": page,
        "pages": last,
        "before": address(min(page - 1, last)) if page > 1 else None,
        "after": address(page + 1) if page < last else None,
    }
