"""Text in columns: tables, pairs and bars that fit the terminal and survive any name."""

from __future__ import annotations

import shutil
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence

from runforge_contracts.text import printable

#: Between two columns.
GAP = "  "


def terminal_width() -> int:
    """Return how many columns there are: those of the terminal, 80 where there is none."""
    return max(shutil.get_terminal_size((80, 24)).columns, 40)


def width(text: str) -> int:
    """Return how many terminal columns ``text`` takes; East Asian wide characters take two."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(character)
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )


def fit(text: str, columns: int) -> str:
    """Cut ``text`` to at most ``columns`` terminal columns, marking the cut."""
    if width(text) <= columns:
        return text
    kept = ""
    for character in text:
        if width(kept + character) > columns - 1:
            break
        kept += character
    return kept + "…"


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """Fill ``text`` with spaces up to ``columns`` terminal columns."""
    space = " " * (columns - width(text))
    return space + text if right else text + space


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Sequence[int] = (),
    flexible: int | None = None,
    indent: int = 0,
) -> list[str]:
    """Return the lines of a table.

    Parameters
    ----------
    header, rows
        Cells; they are made printable here.
    right
        Columns whose cells stand at the right.
    flexible
        The column that gives way where the table is wider than the terminal.
    indent
        Spaces before each line.
    """
    cells = [[printable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(width(row[index]) for row in cells) for index in range(len(header))]
    excess = indent + sum(widths) + len(GAP) * (len(widths) - 1) - terminal_width()
    if flexible is not None and excess > 0:
        widths[flexible] = max(widths[flexible] - excess, 8)
    return [
        " " * indent
        + GAP.join(
            pad(fit(cell, columns), columns, right=index in right)
            for index, (cell, columns) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (cells if any(header) else cells[1:])
    ]


def pairs(items: Iterable[tuple[str, str]], *, indent: int = 2) -> list[str]:
    """Return a list of names and texts; long texts are wrapped beside their name."""
    shown = [(printable(name), printable(text)) for name, text in items]
    column = max((width(name) for name, _ in shown), default=0)
    room = max(terminal_width() - indent - column - len(GAP), 20)
    lines = []
    for name, text in shown:
        wrapped = textwrap.wrap(text, room, break_on_hyphens=False) or [""]
        lines.append(" " * indent + pad(name, column) + GAP + wrapped[0])
        lines += [" " * (indent + column) + GAP + rest for rest in wrapped[1:]]
    return lines


def bar(value: float, greatest: float, columns: int = 20) -> str:
    """Return a bar whose length shows ``value`` against ``greatest``, in eighths of a column."""
    if greatest <= 0:
        return ""
    eighths = round(8 * columns * min(value / greatest, 1.0))
    return "█" * (eighths // 8) + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[eighths % 8]


def number(value: float) -> str:
    """Return a number for a person: integers whole, the rest to four places or figures."""
    if isinstance(value, int):
        return f"{value:,}"
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        return f"{value:.4f}"
    return f"{value:.4g}"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
