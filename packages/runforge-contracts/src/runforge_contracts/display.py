"""Strings for display: safe on any terminal, and durations in the common form."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

#: Unicode categories that can move a cursor, hide text or break a line.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})


def printable(text: str) -> str:
    """Replace every character that could control a terminal by its escape.

    Names and labels come from untrusted files: a newline, an escape sequence or a bidirectional
    override must not reach a terminal unescaped.
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
    # Cut first: escaping a very large value would be slow.
    return f"`{printable(shorten(str(value), limit))}`"


def quote_some(values: Sequence[object], most: int = 5) -> str:
    """Return the first ``most`` values as :func:`quote` does, and an ellipsis for any others."""
    more = ", …" if len(values) > most else ""
    return ", ".join(map(quote, values[:most])) + more


def time_text(timestamp: str) -> str:
    """Return a timestamp of a document in readable form."""
    return timestamp.replace("T", " ").removesuffix("Z").removesuffix("+00:00") + " UTC"


def format_duration(milliseconds: float) -> str:
    """Return a duration in the form of all clients: ``123ms``, ``5.0s``, ``2.5m``, ``1.5h``.

    The unit is chosen before the milliseconds are rounded, so that 59,950 are ``60.0s``; the one
    decimal is rounded in integers, halves up.

    Source: specification, section 10.3.
    """
    milliseconds = int(milliseconds)  # JSON writes an integer as 1150.0, too
    if milliseconds < 1_000:
        return f"{milliseconds}ms"
    for limit, unit, letter in ((60_000, 1_000, "s"), (3_600_000, 60_000, "m")):
        if milliseconds < limit:
            return _tenths(milliseconds, unit) + letter
    return _tenths(milliseconds, 3_600_000) + "h"


def _tenths(milliseconds: int, unit: int) -> str:
    """Divide to one decimal, halves up, in integers: a double has no exact tenths."""
    tenths = (20 * milliseconds + unit) // (2 * unit)
    return f"{tenths // 10}.{tenths % 10}"
