"""Times as documents write them."""

from __future__ import annotations

from datetime import datetime


def moment(timestamp: str) -> datetime | None:
    """Return the instant of a timestamp that follows its schema, or None on a day that is none.

    A leap second counts as the one before it.
    """
    try:
        return datetime.fromisoformat(timestamp.replace(":60", ":59"))
    except ValueError:
        return None
