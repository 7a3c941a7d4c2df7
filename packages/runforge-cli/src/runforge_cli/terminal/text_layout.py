"""Lay out text in columns: tables, pairs and bars that fit the terminal for any names."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise, zip_longest

from runforge_contracts.display import printable

#: Space between two columns.
GAP = "  "
#: Minimum widths of a name and of a value in a table.
_NAME, _VALUE = 24, 12
#: Maximum number of lines of a table cell.
_TALLEST = 3
#: Characters after which a name may be broken.
_SIGNS = "/._-"
#: Width of a curve with few values.
_WIDE = 40
#: Blocks from the lowest to the highest.
_BLOCKS = "▁▂▃▄▅▆▇█"
_chosen = ContextVar("_chosen", default=0)


@contextmanager
def within(columns: int) -> Iterator[None]:
    """Lay out text for ``columns`` columns in this thread, regardless of the terminal."""
    token = _chosen.set(columns)
    try:
        yield
    finally:
        _chosen.reset(token)


def terminal_width() -> int:
    """Return the width of the terminal; 80 if there is no terminal."""
    if _chosen.get():
        return max(_chosen.get(), 40)
    # Like shutil.get_terminal_size; importing shutil takes a tenth of the time of `runforge runs`.
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return max(int(columns), 40)
    try:
        found = os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1).columns
    except (OSError, ValueError):
        found = 0
    return max(found or 80, 40)


def width(text: str) -> int:
    """Return the width of ``text`` in terminal columns; East Asian wide characters take two."""
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
    """Cut ``text`` to at most ``columns`` terminal columns, with an ellipsis if it is cut."""
    if width(text) <= columns:
        return text
    return _head(text, 0, max(columns - 1, 1)) + "…"


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
    cut: bool = False,
    indent: int = 0,
) -> list[str]:
    """Return the lines of a table.

    Parameters
    ----------
    header, rows
        Cells; they are made printable here.
    right
        Columns that are right-aligned.
    flexible
        The column that shrinks if the table is wider than the terminal: its cells are wrapped.
    cut
        Whether those cells are cut instead of wrapped, so that each row has one line.
    indent
        Spaces before each line.
    """
    cells = _printable(header, rows)
    widths = _widths(cells)
    excess = _taken(widths, indent) - terminal_width()
    if flexible is not None and excess > 0:
        widths[flexible] = max(widths[flexible] - excess, 4)
        if cut:
            for row in cells:
                row[flexible] = fit(row[flexible], widths[flexible])
    return _lines(cells, widths, indent=indent, right=right)


def beside(header: Sequence[str], rows: Sequence[Sequence[str]], *, indent: int = 2) -> list[str]:
    """Return a table of names with a value per heading, or a list if it is too wide.

    Names are never cut; they are wrapped only if the values cannot shrink further.
    """
    if not rows:
        return []
    cells = _printable(header, rows)
    widths = _widths(cells)
    for columns, least in ((range(1, len(widths)), _VALUE), (range(1), _NAME)):
        while _taken(widths, indent) > terminal_width():
            widest = max(columns, key=widths.__getitem__)
            if widths[widest] <= least:
                break
            widths[widest] -= 1
    tallest = max(
        len(wrap(cell, columns))
        for row in cells
        for cell, columns in zip(row[1:], widths[1:], strict=True)
    )
    if _taken(widths, indent) <= terminal_width() and tallest <= _TALLEST:
        return _lines(cells, widths, indent=indent)
    lines = []
    for name, *values in rows:
        groups: dict[str, list[str]] = {}
        for heading, value in zip(header[1:], values, strict=True):
            groups.setdefault(value, []).append(heading)
        lines += paragraph(name, indent=indent)
        lines += pairs(
            ((", ".join(who), value) for value, who in groups.items()), indent=indent + 2
        )
    return lines


def _printable(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[list[str]]:
    return [[printable(cell) for cell in row] for row in (header, *rows)]


def _widths(cells: list[list[str]]) -> list[int]:
    return [max(map(width, column)) for column in zip(*cells, strict=True)]


def _taken(widths: list[int], indent: int) -> int:
    """Return the width of a table."""
    return indent + sum(widths) + len(GAP) * (len(widths) - 1)


def _lines(
    cells: list[list[str]], widths: list[int], *, indent: int, right: Sequence[int] = ()
) -> list[str]:
    """Return the lines of a table, wrapping cells that are too wide."""
    lines = []
    for row in cells if any(cells[0]) else cells[1:]:
        parts = [_within(cell, columns) for cell, columns in zip(row, widths, strict=True)]
        for line in zip_longest(*parts, fillvalue=""):
            shown = GAP.join(
                pad(part, columns, right=index in right)
                for index, (part, columns) in enumerate(zip(line, widths, strict=True))
            )
            lines.append((" " * indent + shown).rstrip())
    return lines


def wrap(text: str, columns: int, *, whole: bool = False) -> list[str]:
    """Break ``text`` into lines of at most ``columns`` terminal columns, at spaces if possible.

    A word that is too long is broken after a character such as a slash if it has one. With
    ``whole`` it is not broken, so that it can be copied from the terminal.
    """
    lines, line, taken = [], "", 0
    for word in text.split(" "):
        for index, piece in enumerate([word] if whole else _broken(word, columns)):
            glue = " " if line and not index else ""
            if line and (index or taken + 1 + width(piece) > columns):
                lines.append(line)
                line, taken, glue = "", 0, ""
            line += glue + piece
            taken += len(glue) + width(piece)
    return [*lines, line]


def _within(text: str, columns: int) -> list[str]:
    """Return ``text`` as lines of at most ``columns`` terminal columns.

    The continuation lines of a single word are indented, so that they do not look like other names.
    """
    if width(text) <= columns:
        return [text]
    space = "  " if " " not in text and columns > _VALUE else ""
    first, *rest = wrap(text, columns - len(space))
    return [first, *(space + line for line in rest)]


def _broken(word: str, columns: int) -> list[str]:
    """Return ``word`` in pieces of at most ``columns`` terminal columns, see :data:`_SIGNS`."""
    pieces, start = list[str](), 0
    while True:
        piece = _head(word, start, columns)
        if start + len(piece) >= len(word):
            return [*pieces, piece]
        end = 1 + max(piece.rfind(sign) for sign in _SIGNS)
        # Breaking near the start would leave a very short piece.
        if end > len(piece) // 3:
            piece = piece[:end]
        pieces.append(piece)
        start += len(piece)


def _head(text: str, start: int, columns: int) -> str:
    """Return the part of ``text`` from ``start`` that fits ``columns`` terminal columns."""
    if text.isascii():
        return text[start : start + columns]
    taken = 0
    for end in range(start, len(text)):
        taken += width(text[end])
        if taken > columns and end > start:
            return text[start:end]
    return text[start:]


def paragraph(text: str, *, indent: int = 0) -> list[str]:
    """Return ``text`` as lines that fit the terminal."""
    return [
        " " * indent + line for line in wrap(printable(text), min(terminal_width(), 100) - indent)
    ]


def hanging(line: str) -> list[str]:
    """Return a printable line as lines that fit the terminal, with a hanging indent."""
    text = line.lstrip(" ")
    indent = len(line) - len(text)
    first, *rest = wrap(text, terminal_width() - indent - 2, whole=True)
    return [" " * indent + first, *(" " * (indent + 2) + more for more in rest)]


def pairs(
    items: Iterable[tuple[str, str]], *, indent: int = 2, commands: Collection[str] = ()
) -> list[str]:
    """Return a list of names and values in two columns; long ones are wrapped.

    The values of ``commands`` are not, so that they can be copied.
    """
    shown = [(printable(name), printable(text)) for name, text in items]
    column = min(max((width(name) for name, _ in shown), default=0), terminal_width() // 2)
    room = terminal_width() - indent - column - len(GAP)
    return [
        (" " * indent + pad(part, column) + GAP + line).rstrip()
        for name, text in shown
        for part, line in zip_longest(
            _within(name, column),
            [text] if name in commands else wrap(text, room),
            fillvalue="",
        )
    ]


def bar(value: float, greatest: float, columns: int | None = None) -> str:
    """Return a bar whose length is ``value`` over ``greatest``, in eighths of a column."""
    if greatest <= 0:
        return ""
    columns = columns or (20 if terminal_width() >= 60 else 10)
    eighths = round(8 * columns * min(value / greatest, 1.0))
    return "█" * (eighths // 8) + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[eighths % 8]


def sparkline(values: Sequence[float], columns: int) -> str:
    """Return finite values as a row of blocks, scaled from the least to the greatest value.

    If there are more values than columns, each block shows the mean of its share of the values.
    """
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[round(top * share)] for share in _shares(_means(values, columns)))


def chart(values: Sequence[float], columns: int, lines: int) -> list[str]:
    """Return finite values as a curve of blocks, labelled with the greatest and least value.

    If there are few values, each takes several columns.
    """
    wide = max(min(columns, _WIDE) // max(len(values), 1), 1)
    means = [mean for mean in _means(values, columns) for _ in range(wide)]
    eighths = [max(round(8 * lines * share), 1) for share in _shares(means)]
    marks = {0: number(float(max(means))), lines - 1: number(float(min(means)))}
    side = max(map(len, marks.values()))
    drawn = []
    for line in range(lines):
        below = 8 * (lines - 1 - line)
        row = "".join(
            " " if high <= below else _BLOCKS[min(high - below, 8) - 1] for high in eighths
        )
        drawn.append(f"  {marks.get(line, ''):>{side}} {row}".rstrip())
    return drawn


def _means(values: Sequence[float], columns: int) -> Sequence[float]:
    """Return at most ``columns`` values, each the mean of its share."""
    if len(values) <= columns:
        return values
    edges = [len(values) * at // columns for at in range(columns + 1)]
    shares = (values[first:last] for first, last in pairwise(edges))
    # Divide before adding, because the sum of very large numbers overflows.
    return [sum(value / len(share) for value in share) for share in shares]


def _shares(values: Sequence[float]) -> list[float]:
    """Return the position of each value between the least and the greatest; 0.5 if equal."""
    least, greatest = min(values, default=0.0), max(values, default=0.0)
    # Halve before subtracting, because the difference may overflow.
    span = greatest / 2 - least / 2
    return [(value / 2 - least / 2) / span if span else 0.5 for value in values]


def number(value: float) -> str:
    """Return a number for display: integers in full, others to four places or digits."""
    if isinstance(value, int):
        return f"{value:,}"
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        return f"{value:.4f}"
    return f"{value:.4g}"


def plural(count: int, noun: str, many: str | None = None) -> str:
    """Return a count with its noun; ``many`` is the plural if it is irregular."""
    return f"{count:,} " + (noun if count == 1 else many or f"{noun}s")
