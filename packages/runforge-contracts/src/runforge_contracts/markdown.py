"""Escape untrusted strings for Markdown, so that they contain no markup, link or HTML.

Source: CommonMark 0.31.2, "Backslash escapes" and "Code spans"; GitHub Flavored Markdown, "Tables"
and "Autolinks".
"""

from __future__ import annotations

import re

from runforge_contracts.display import printable

#: Characters that may start markup within a line. Exceptions are an underscore within a word, a
#: colon outside a URL, and an at sign outside a mention.
_MARKUP = re.compile(r"([\\`*\[\]<|~&$]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|@(?=\w))")
#: A string that a reader may turn into a link.
_LINK = re.compile(r"(?i)\b(www)\.")
_TICKS = re.compile("`+")


def prose(text: str) -> str:
    """Return ``text`` on one line without markup; it must not be at the start of a line."""
    return _LINK.sub(r"\1\\.", _MARKUP.sub(r"\\\1", printable(text)))


def code(text: str, *, table: bool = False) -> str:
    """Return a name as a code span; ``table`` is for the cell of a table."""
    shown = printable(text)
    if not shown.strip():
        # Markdown has no empty code span.
        return f"“{shown}”"
    runs = {len(run) for run in _TICKS.findall(shown)}
    fence = "`" * next(size for size in range(1, len(runs) + 2) if size not in runs)
    padding = " " if shown[0] in "` " or shown[-1] in "` " else ""
    span = f"{fence}{padding}{shown}{padding}{fence}"
    # A table is split at its bars before anything else is parsed.
    return span.replace("|", "\\|") if table else span
