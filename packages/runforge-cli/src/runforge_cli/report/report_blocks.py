"""The document model of a report, independent of the output format.

A plain string is prose; a :class:`Name` is a name or value from a document or a dataset. Neither is
trusted: the writers of the formats escape both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

from runforge_cli.report.scales import UNIT, Scale
from runforge_cli.terminal.text_layout import number


class Name(str):
    """A name, path, value or command, shown literally as code."""

    __slots__ = ()


class Link(str):
    """Prose that leads to the section with a key where a page has links."""

    __slots__ = ("key",)

    def __new__(cls, text: str, key: str) -> Self:
        """Return the link with the text and the key of the section."""
        link = super().__new__(cls, text)
        link.key = key
        return link

    key: str


#: A string of prose, or a sequence of prose, names and links.
Text = str | Sequence[str]

#: Most runs that are compared side by side: values in columns, and lines in one plot.
HANDFUL = 4


def prose(text: str) -> list[str]:
    """Return a sentence of a document, with names in backticks, as prose and names."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return [text]
    return [Name(part) if index % 2 else part for index, part in enumerate(parts)]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One or more sentences."""

    text: Text
    #: The style: ``plain``, ``guide``, ``warning`` or ``note``.
    kind: str = "plain"


@dataclass(frozen=True, slots=True)
class Facts:
    """A list of names and values."""

    items: Sequence[tuple[str, Text]]


@dataclass(frozen=True, slots=True)
class Cell:
    """A marked cell of a table: the best value of its column, or one that differs."""

    text: Text
    mark: Literal["best", "changed"]


def text_of(cell: Text | Cell) -> Text:
    """Return the text of a cell."""
    return cell.text if isinstance(cell, Cell) else cell


@dataclass(frozen=True, slots=True)
class TableBlock:
    """A table with a header; the first column names the rows."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Text | Cell]]
    #: Columns of numbers, which are right-aligned.
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Bars:
    """Named numbers with a bar each; the bars of negative numbers go to the left."""

    caption: str
    header: tuple[str, str]
    rows: Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """A named group of values with their mean and its interval, in the unit of the scale."""

    label: Text
    values: Sequence[float]
    mean: float
    #: Half of the width of the interval; None without one.
    half_width: float | None


def mean_text(row: IntervalRow) -> str:
    """Return the mean of a group with its interval."""
    mean = number(float(row.mean))
    return mean if row.half_width is None else f"{mean} ± {number(float(row.half_width))}"


@dataclass(frozen=True, slots=True)
class Intervals:
    """Groups of values, each drawn as a strip: its values, their mean and the interval of it."""

    caption: str
    #: The headings of the names and of the means.
    header: tuple[str, str]
    rows: Sequence[IntervalRow]
    scale: Scale


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A cell of a heat map."""

    text: str
    #: Its colour: 0 is the worst value of the map, 1 the best; None without a value.
    share: float | None = None
    #: Whether it has the best value.
    is_best: bool = False


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A table of values by two parameters, whose cells are coloured."""

    caption: str
    #: The names of the parameters of the rows and of the columns.
    names: tuple[str, str]
    rows: Sequence[str]
    columns: Sequence[str]
    cells: Sequence[Sequence[HeatCell]]


@dataclass(frozen=True, slots=True)
class Matrix:
    """A confusion matrix: rows are true classes, columns are predicted classes."""

    labels: Sequence[str]
    counts: Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a plot, or dots in it, in the unit square."""

    label: Text
    x: Sequence[float]
    y: Sequence[float]
    #: A remark beside the label in the legend.
    remark: str = ""
    #: Whether to draw steps: each value also applies back to the previous point.
    steps: bool = False
    #: The area of the dot of each point, as a share of the largest one; empty for no dots.
    dots: Sequence[float] = ()
    #: Whether to connect the points.
    line: bool = True
    #: The ends of an interval around each point; empty for no intervals.
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    #: Whether it is drawn pale behind the others and left out of the legend.
    pale: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot over the unit square, with a description and a table of the same data."""

    title: str
    description: str
    x_axis: str
    y_axis: str
    series: Sequence[Series]
    table: TableBlock
    #: Whether to draw the diagonal, which marks random guesses or perfect calibration.
    diagonal: bool = False
    #: The values at the edges of the square.
    x_scale: Scale = UNIT
    y_scale: Scale = UNIT


@dataclass(frozen=True, slots=True)
class ParallelLine:
    """The line of a run through the axes of parallel coordinates."""

    label: Text
    #: Its position on each axis, from 0 at the bottom to 1; None where the run has no value.
    shares: Sequence[float | None]
    #: The number of its style; None for a pale line behind the others.
    style: int | None = None


@dataclass(frozen=True, slots=True)
class Parallel:
    """Parallel coordinates: an axis for each parameter or metric, and a line for each run.

    Source: Inselberg 1985, "The plane with parallel coordinates".
    """

    title: str
    description: str
    #: The names of the axes, with their scales.
    axes: Sequence[tuple[str, Scale]]
    lines: Sequence[ParallelLine]
    #: What each style means; a style may be of several lines.
    legend: Sequence[Text]
    table: TableBlock


@dataclass(frozen=True, slots=True)
class SmallPlot:
    """One of several small plots with the same scales."""

    label: Text
    #: A remark beside the label.
    remark: str
    #: What it shows, for those who cannot see it.
    description: str
    series: Series
    #: The line of the baseline, which is drawn pale behind the other; None in its own plot.
    baseline: Series | None


@dataclass(frozen=True, slots=True)
class SmallMatrix:
    """One of several small confusion matrices."""

    label: Text
    remark: str
    description: str
    counts: Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Multiples:
    """Small pictures of one kind, one for each run, and a table of the same data."""

    title: str
    description: str
    items: Sequence[SmallPlot | SmallMatrix]
    table: TableBlock
    #: Whether to draw the diagonal.
    diagonal: bool = False
    #: The values at the edges of all plots.
    x_scale: Scale = UNIT
    y_scale: Scale = UNIT


@dataclass(frozen=True, slots=True)
class Commands:
    """Shell commands."""

    lines: Sequence[str]


Block = (
    Paragraph
    | Facts
    | TableBlock
    | Bars
    | Intervals
    | HeatMap
    | Matrix
    | Plot
    | Multiples
    | Parallel
    | Commands
)


@dataclass(frozen=True, slots=True)
class Section:
    """A titled section."""

    title: str
    blocks: Sequence[Block] = ()
    parts: Sequence[Section] = field(default=())
    #: Whether a page shows the content only when it is asked for.
    folded: bool = False
    #: The key by which a :class:`Link` leads to it.
    key: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A complete report."""

    title: str
    #: A one-line summary.
    lead: Text
    sections: Sequence[Section]
    footer: str
    #: Whether a wide window is used in full, for tables with many columns.
    is_broad: bool = False
