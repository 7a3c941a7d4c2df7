"""Text from elsewhere in Markdown: nothing of it is markup, a link or HTML.

Source: CommonMark 0.31.2, "Backslash escapes" and "Code spans"; GitHub Flavored Markdown, "Tables"
and "Autolinks".
"""

from __future__ import annotations

import re

from runforge_contracts.display import printable

#: What may begin markup within a line. An underscore within a word is none, nor is a colon but that
#: of an address, nor an at sign but that of a mention.
_MARKUP = re.compile(r"([\\`*\[\]<|~&$]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|@(?=\w))")
#: A string that a reader may turn into a link.
_LINK = re.compile(r"(?i)\b(www)\.")
_TICKS = re.compile("`+")


def prose(text: str) -> str:
    """Return ``text`` on one line, in which nothing is markup; it must not begin the line."""
    return _LINK.sub(r"\1\\.", _MARKUP.sub(r"\\\1", printable(text)))


def code(text: str, *, table: bool = False) -> str:
    """Return a name as a code span; ``table``: it stands in a cell of a table."""
    shown = printable(text)
    if not shown.strip():
        # A code span of nothing is none.
        return f"“{shown}”"
    runs = {len(run) for run in _TICKS.findall(shown)}
    fence = "`" * next(size for size in range(1, len(runs) + 2) if size not in runs)
    padding = " " if shown[0] in "` " or shown[-1] in "` " else ""
    span = f"{fence}{padding}{shown}{padding}{fence}"
    # A table is divided at its bars before anything else is read.
    return span.replace("|", "\\|") if table else span
