"""Text for people: safe on any terminal, and durations as every client shows them."""

from __future__ import annotations

import unicodedata

#: Unicode categories that can move a cursor, hide text or break a line.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})


def printable(text: str) -> str:
    """Replace every character that could act on a terminal by its escape.

    Names and labels come from other people's files: a newline, an escape sequence or a
    bidirectional override in one of them must not reach a terminal as it stands.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character if unicodedata.category(character) not in _UNPRINTABLE else _escape(character)
        for character in text
    )


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def shorten(text: str, limit: int) -> str:
    """Cut ``text`` to at most ``limit`` characters, marking the cut with an ellipsis."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def quote(value: object, limit: int = 60) -> str:
    """Return ``value`` in backticks, printable and cut to ``limit`` characters, for messages."""
    # Cut first: a value of a gigabyte must not be escaped whole.
    return f"`{printable(shorten(str(value), limit))}`"


def format_duration(milliseconds: int) -> str:
    """Return a duration as every client shows it: ``123ms``, ``5.0s``, ``2.5m``, ``1.5h``.

    Source: result.json contract, "Duration Formatting".
    """
    if milliseconds < 1_000:
        return f"{milliseconds}ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1_000:.1f}s"
    if milliseconds < 3_600_000:
        return f"{milliseconds / 60_000:.1f}m"
    return f"{milliseconds / 3_600_000:.1f}h"
