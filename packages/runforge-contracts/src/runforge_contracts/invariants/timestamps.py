"""Parsing of the timestamps in documents."""

from __future__ import annotations

from datetime import datetime


def moment(timestamp: str) -> datetime | None:
    """Return the instant of a timestamp that follows its schema, or None if there is no such day.

    A leap second counts as the second before it.
    """
    try:
        return datetime.fromisoformat(timestamp.replace(":60", ":59"))
    except ValueError:
        return None
