"""Tables in HTML for notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from runforge_contracts.display import printable, shorten

#: Maximum number of characters of a string in a table.
_LONG = 80


def html_table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]], *, title: str = "") -> str:
    """Return a table for a notebook; the content of the cells is escaped."""

    def cells(kind: str, row: tuple[str, ...]) -> str:
        texts = (escape(printable(shorten(cell, _LONG))) for cell in row)
        return "".join(f'<{kind} style="text-align: left">{text}</{kind}>' for text in texts)

    head = f"<thead><tr>{cells('th', header)}</tr></thead>" if any(header) else ""
    caption = f"<caption>{escape(printable(title))}</caption>" if title else ""
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table>{caption}{head}<tbody>{body}</tbody></table>"
