"""Plots of what grows with what: both axes by their logarithm, so that a slope is a power."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import svg

_WIDTH, _HEIGHT = 420, 320
_LEFT, _TOP, _RIGHT, _BOTTOM = 62, 40, 14, 74
#: Colours that people with any kind of colour vision tell apart (Okabe and Ito).
_COLOURS = ("#000000", "#0072b2", "#d55e00", "#009e73")
_STYLE = """
text { font: 12px sans-serif; fill: #333; }
.title { font-weight: bold; }
.frame { fill: none; stroke: #999; }
.grid { stroke: #ddd; }
"""

#: Logarithms of 1, 2 and 5 times each power of ten.
_MARKS = [power + math.log10(digit) for power in range(-6, 9) for digit in (1, 2, 5)]


@dataclass(frozen=True)
class Line:
    """One thing that grows."""

    name: str
    y: Sequence[float]
    dashed: bool = False


@dataclass(frozen=True)
class Plot:
    """Things that grow with the same."""

    title: str
    x_axis: str
    x: Sequence[float]
    y_axis: str
    lines: Sequence[Line]


def draw(plots: Sequence[Plot]) -> str:
    """Return the plots side by side as one picture."""
    elements: list[svg.Element] = [
        svg.Style(text=_STYLE),
        svg.Rect(width=_WIDTH * len(plots), height=_HEIGHT, fill="#fff"),
    ]
    for number, plot in enumerate(plots):
        move = svg.Translate(_WIDTH * number, 0)
        elements.append(svg.G(transform=[move], elements=_plot(plot)))
    picture = svg.SVG(
        viewBox=svg.ViewBoxSpec(0, 0, _WIDTH * len(plots), _HEIGHT),
        width=_WIDTH * len(plots),
        height=_HEIGHT,
        elements=elements,
        extra={"role": "img", "aria-label": html.escape("; ".join(plot.title for plot in plots))},
    )
    return f"{picture}\n"


def _plot(plot: Plot) -> list[svg.Element]:
    across = _Scale.over(plot.x, _LEFT, _WIDTH - _RIGHT)
    values = [value for line in plot.lines for value in line.y]
    up = _Scale.over(values, _HEIGHT - _BOTTOM, _TOP, decades=True)
    elements: list[svg.Element] = [
        _text(plot.title, _LEFT, 20, "start", "title"),
        svg.Rect(
            x=_LEFT,
            y=_TOP,
            width=_WIDTH - _RIGHT - _LEFT,
            height=_HEIGHT - _BOTTOM - _TOP,
            class_=["frame"],
        ),
        _text(plot.x_axis, (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - _BOTTOM + 34, "middle"),
        _text(plot.y_axis, _LEFT, _TOP - 6, "start"),
    ]
    for value in plot.x:
        elements.append(_text(_short(value), across(value), _HEIGHT - _BOTTOM + 16, "middle"))
    for value in up.ticks():
        y = up(value)
        elements.append(svg.Line(x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_=["grid"]))
        elements.append(_text(_short(value), _LEFT - 6, y + 4, "end"))
    for number, line in enumerate(plot.lines):
        points = [(across(x), up(y)) for x, y in zip(plot.x, line.y, strict=True)]
        elements += _curve(points, _COLOURS[number], dashed=line.dashed)
        elements += _key(line, number)
    return elements


def _curve(
    points: Sequence[tuple[float, float]], colour: str, *, dashed: bool
) -> list[svg.Element]:
    (first, *others) = points
    path: list[svg.PathData] = [svg.M(*first), *(svg.L(*point) for point in others)]
    dashes: list[svg.Number] | None = [4, 3] if dashed else None
    line = svg.Path(d=path, stroke=colour, stroke_width=2, fill="none", stroke_dasharray=dashes)
    return [line, *(svg.Circle(cx=x, cy=y, r=2.5, fill=colour) for x, y in points)]


def _key(line: Line, number: int) -> list[svg.Element]:
    x, y = _LEFT + 170 * (number % 2), _HEIGHT - 26 + 16 * (number // 2)
    mark, _ = _curve([(x, y - 4), (x + 22, y - 4)], _COLOURS[number], dashed=line.dashed)[:2]
    return [mark, _text(line.name, x + 28, y, "start")]


@dataclass(frozen=True)
class _Scale:
    """Where a value lies between two edges of a picture, by its logarithm."""

    least: float
    greatest: float
    begin: float
    end: float

    @classmethod
    def over(
        cls, values: Sequence[float], begin: float, end: float, *, decades: bool = False
    ) -> _Scale:
        least, greatest = math.log10(min(values)), math.log10(max(values))
        if decades:
            # Whole steps of 1, 2, 5, so that the marks reach to the edges.
            least = max(mark for mark in _MARKS if mark <= least)
            greatest = min(mark for mark in _MARKS if mark >= greatest)
        margin = 0.0 if decades else 0.04 * (greatest - least)
        return cls(least - margin, greatest + margin, begin, end)

    def __call__(self, value: float) -> float:
        share = (math.log10(value) - self.least) / (self.greatest - self.least)
        return round(self.begin + share * (self.end - self.begin), 1)

    def ticks(self) -> list[float]:
        marks = [mark for mark in _MARKS if self.least <= mark <= self.greatest]
        if len(marks) > 9:
            marks = [mark for mark in marks if mark == round(mark)]
        return [10**mark for mark in marks]


def _short(value: float) -> str:
    """Return a number as a plot has room for it."""
    value = float(f"{value:.3g}")
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _text(text: str, x: float, y: float, anchor: str, style: str | None = None) -> svg.Text:
    return svg.Text(
        text=html.escape(text), x=x, y=y, text_anchor=anchor, class_=[style] if style else None
    )
