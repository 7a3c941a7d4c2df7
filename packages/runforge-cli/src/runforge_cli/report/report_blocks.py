"""What a report is made of, apart from how it is written.

A plain text is prose; a :class:`Name` stands for something that a document or a dataset calls by
that name. Neither is trusted: whoever writes a report escapes both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from runforge_cli.report.scales import UNIT, Scale


class Name(str):
    """A name, path, value or command, shown as it is and set apart from prose."""

    __slots__ = ()


#: A text of prose and names.
Text = str | Sequence[str]


def prose(text: str) -> list[str]:
    """Return a sentence of a document, whose names stand in backticks, as prose and names."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return [text]
    return [Name(part) if index % 2 else part for index, part in enumerate(parts)]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences."""

    text: Text
    #: How to read what follows, or what a reader should beware of.
    kind: str = "plain"


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with what they stand for."""

    items: Sequence[tuple[str, Text]]


@dataclass(frozen=True, slots=True)
class Table:
    """Cells with a header; the first column names the rows."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Text]]
    #: Columns that hold numbers.
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Bars:
    """Numbers by name with a bar each; those below zero go the other way."""

    caption: str
    header: tuple[str, str]
    rows: Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Matrix:
    """How often each true class, by rows, was predicted as each class, by columns."""

    labels: Sequence[str]
    counts: Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a plot, or dots in it, in the unit square."""

    label: Text
    x: Sequence[float]
    y: Sequence[float]
    #: What stands beside its name.
    remark: str = ""
    #: Whether the line goes in steps, each value holding back to the one before.
    steps: bool = False
    #: Share of a dot's greatest area, for each point; no dots where there are none.
    dots: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines over the unit square, with a text and a table that say the same."""

    title: str
    description: str
    x_axis: str
    y_axis: str
    series: Sequence[Series]
    table: Table
    #: Whether the diagonal is drawn: where a guess lies, or perfect agreement.
    diagonal: bool = False
    #: What the ends of the square stand for.
    x_scale: Scale = UNIT
    y_scale: Scale = UNIT


@dataclass(frozen=True, slots=True)
class Commands:
    """What to type."""

    lines: Sequence[str]


Block = Paragraph | Facts | Table | Bars | Matrix | Plot | Commands


@dataclass(frozen=True, slots=True)
class Section:
    """A part with a title."""

    title: str
    blocks: Sequence[Block] = ()
    parts: Sequence[Section] = field(default=())


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report."""

    title: str
    #: What there is to say in one line.
    lead: Text
    sections: Sequence[Section]
    footer: str
