"""Write a report as Markdown: CommonMark with GitHub's tables, with every name escaped.

Source: CommonMark 0.31.2, "Backslash escapes" and "Code spans"; GitHub Flavored Markdown, "Tables".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from runforge_contracts.display import printable
from runforge_contracts.markdown import code, prose

from runforge_cli.report.report_blocks import (
    Bars,
    Block,
    Cell,
    Commands,
    Facts,
    HeatMap,
    IntervalRow,
    Intervals,
    Matrix,
    Multiples,
    Name,
    Paragraph,
    Parallel,
    Plot,
    Report,
    Section,
    TableBlock,
    Text,
    mean_text,
)
from runforge_cli.terminal.text_layout import number

#: Characters that start a block at the start of a line.
_BEGINNING = re.compile(r"^([-+=#>]|\d+(?=[.)]))")
_TICKS = re.compile("`+")


def markdown_page(report: Report) -> str:
    """Return a report as a Markdown document."""
    lines = [f"# {prose(report.title)}", "", _text(report.lead)]
    for section in report.sections:
        lines += ["", *_section(section, 2)]
    lines += ["", "---", "", _text(report.footer)]
    return "\n".join(lines) + "\n"


def _section(section: Section, level: int) -> Iterator[str]:
    yield f"{'#' * level} {prose(section.title)}"
    for block in section.blocks:
        yield ""
        yield from _block(block)
    for part in section.parts:
        yield ""
        yield from _section(part, level + 1)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(text, kind):
            yield ("" if kind == "plain" else "> ") + _text(text)
        case Facts(items):
            for name, text in items:
                yield f"* {_text(name)}: {_text(text, inside=True)}"
        case TableBlock():
            yield from _table(block)
        case Bars(caption, header, rows):
            signed = any(value < 0 for _, value in rows)
            cells = [
                [[Name(name)], f"{value:+.4f}".replace("-", "−") if signed else number(value)]
                for name, value in rows
            ]
            yield from _table(TableBlock(caption, header, cells, frozenset({1})))
        case Intervals(caption, header, rows):
            head = (*header, "Range", "Values")
            groups = [_interval(row) for row in rows]
            yield from _table(TableBlock(caption, head, groups, frozenset({1, 2, 3})))
        case HeatMap():
            yield from _heat_map(block)
        case Matrix(labels, counts):
            yield from _matrix(labels, counts)
        case Plot() | Multiples() | Parallel():
            yield f"{_bold(block.title)} – {prose(block.description)}"
            yield ""
            yield from _table(block.table)
        case Commands(lines):
            yield from _fenced(lines)


def _table(table: TableBlock) -> Iterator[str]:
    yield _bold(table.caption)
    yield ""
    yield _row([prose(text) for text in table.header])
    rules = ("---:" if index in table.numeric else "---" for index in range(len(table.header)))
    yield _row(list(rules))
    for row in table.rows:
        yield _row(list(map(_cell, row)))


def _cell(cell: Text | Cell) -> str:
    if not isinstance(cell, Cell):
        return _text(cell, inside=True, table=True)
    sign = "**" if cell.mark == "best" else "*"
    return f"{sign}{_text(cell.text, inside=True, table=True).strip()}{sign}"


def _interval(row: IntervalRow) -> list[Text]:
    ends = f"{number(float(min(row.values)))} to {number(float(max(row.values)))}"
    return [row.label, mean_text(row), ends, f"{len(row.values):,}"]


def _heat_map(block: HeatMap) -> Iterator[str]:
    rows, columns = block.names
    yield _bold(block.caption)
    yield ""
    corner = f"{prose(rows)} / {prose(columns)}"
    yield _row([corner, *(code(label, table=True) for label in block.columns)])
    yield _row(["---", *("---:" for _ in block.columns)])
    for label, cells in zip(block.rows, block.cells, strict=True):
        texts = [_bold(cell.text) if cell.is_best else prose(cell.text) for cell in cells]
        yield _row([code(label, table=True), *texts])


def _matrix(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Iterator[str]:
    names = [code(label, table=True) for label in labels]
    yield "**Confusion matrix (rows: true class, columns: predicted class)**"
    yield ""
    yield _row(["", *names])
    yield _row(["---", *("---:" for _ in names)])
    for name, row in zip(names, counts, strict=True):
        yield _row([name, *(f"{count:,}" for count in row)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _fenced(lines: Sequence[str]) -> Iterator[str]:
    shown = [printable(line) for line in lines]
    longest = max((len(run) for line in shown for run in _TICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}sh"
    yield from shown
    yield fence


def _text(text: Text, *, inside: bool = False, table: bool = False) -> str:
    """Return prose and names as Markdown; names become code.

    Parameters
    ----------
    text
        The prose and names.
    inside
        Whether it is inside a line, where it cannot start a block.
    table
        Whether it is in a cell of a table.
    """
    parts = [text] if isinstance(text, str) else list(text)
    written = "".join(
        code(part, table=table) if isinstance(part, Name) else prose(part) for part in parts
    )
    if inside:
        return written
    # Escape what would start a block: a number as an entity, other characters with a backslash.
    return _BEGINNING.sub(_kept_down, written.strip())


def _kept_down(found: re.Match[str]) -> str:
    text = found[1]
    return f"&#{ord(text[0])};{text[1:]}" if text[0].isdigit() else f"\\{text}"


def _bold(text: str) -> str:
    # Asterisks beside a space are not emphasis.
    return f"**{prose(text.strip())}**"
