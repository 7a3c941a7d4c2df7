"""Plots as inline SVG, built with the svg.py library and coloured by the style sheet of the page.

Strings are escaped here, because the library does not escape them. The elements have no styles,
scripts or external references.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import pairwise

import svg
from runforge_contracts.display import printable

from runforge_cli.report.report_blocks import (
    IntervalRow,
    Multiples,
    Plot,
    Series,
    SmallMatrix,
    SmallPlot,
)
from runforge_cli.report.scales import Scale
from runforge_cli.report.styles import heat_of

#: Number of line styles that differ in colour and dashes.
STYLES = 8
#: Size of a plot and of the square within it, in SVG units of about one pixel.
_WIDTH, _HEIGHT = 340, 316
_LEFT, _TOP, _SIDE = 48, 10, 260
#: Radii of the smallest and of the largest dot.
_SMALL, _LARGE = 2.5, 8
#: Half of the width of the ends of an interval.
_CAP = 4
#: Width of a character beside an axis, and of the remaining space there.
_CHARACTER, _BESIDE = 7, 27

#: Size of the square of a small plot, space around it, and width of a character beside it.
_SMALL_SIDE, _EDGE, _SMALL_CHARACTER = 120, 4, 6.5
#: Maximum number of classes whose counts are written into a small matrix.
_WITH_COUNTS = 4


def plot_svg(plot: Plot, identity: str) -> str:
    """Return a plot as an ``svg`` element with title and description.

    Parameters
    ----------
    plot
        The plot; its values are between zero and one.
    identity
        Prefix of the ids in the element; unique in the page.
    """
    longest = max((len(plot.y_scale.label(mark)) for mark in plot.y_scale.marks), default=0)
    # The picture is extended to the left if the marks are long.
    more = max(_BESIDE + _CHARACTER * longest - _LEFT, 0)
    elements: list[svg.Element] = [
        svg.Title(id=f"{identity}-title", text=_escaped(plot.title)),
        svg.Desc(id=f"{identity}-desc", text=_escaped(plot.description)),
        *_axes(plot, more),
    ]
    if plot.diagonal:
        elements.append(_line((0, 0), (1, 1), "reference"))
    numbered = sorted(enumerate(plot.series), key=lambda item: not item[1].pale)
    for number, series in numbered:
        style = "pale" if series.pale else f"s{number % STYLES}"
        elements += _series(series, f"series {style}")
    return str(
        svg.SVG(
            xmlns=None,
            viewBox=svg.ViewBoxSpec(-more, 0, _WIDTH + more, _HEIGHT),
            class_=["plot"],
            elements=elements,
            extra={"role": "img", "aria-labelledby": f"{identity}-title {identity}-desc"},
        )
    )


def key_svg(number: int, series: Series | None = None) -> str:
    """Return a sample of the line or dot of series ``number`` for the legend."""
    style = ["series", f"s{number % STYLES}"]
    mark: svg.Element = svg.Line(x1=0, y1=6, x2=28, y2=6, class_=style)
    if series is not None and (len(series.x) == 1 or not series.line):
        mark = svg.Circle(cx=14, cy=6, r=4.5, class_=[*style, "dot"])
    return _decoration(svg.ViewBoxSpec(0, 0, 28, 12), "key", [mark])


def small_svg(multiples: Multiples, item: SmallPlot | SmallMatrix) -> str:
    """Return one of the small pictures as an ``svg`` element with a description."""
    if isinstance(item, SmallMatrix):
        box, elements = _small_matrix(item.counts)
    else:
        box, elements = _small_plot(multiples, item)
    return str(
        svg.SVG(
            xmlns=None,
            viewBox=box,
            class_=["small"],
            elements=elements,
            extra={"role": "img", "aria-label": _escaped(item.description)},
        )
    )


def _small_plot(multiples: Multiples, item: SmallPlot) -> tuple[svg.ViewBoxSpec, list[svg.Element]]:
    x_scale, y_scale = multiples.x_scale, multiples.y_scale
    # The ends of the axes have their values; a full axis would fill the small picture.
    ends = [[f"{end:.3g}" for end in (scale.lower, scale.upper)] for scale in (x_scale, y_scale)]
    left = _EDGE + _SMALL_CHARACTER * max(map(len, ends[1]))
    side, bottom = _SMALL_SIDE, _EDGE + _SMALL_SIDE

    def at(x: float, y: float) -> tuple[float, float]:
        return round(left + side * x, 1), round(bottom - side * y, 1)

    elements: list[svg.Element] = [
        svg.Rect(x=left, y=_EDGE, width=side, height=side, class_=["frame"])
    ]
    for share in map(y_scale.share, y_scale.marks):
        if 0 < share < 1:
            (x1, y1), (x2, y2) = at(0, share), at(1, share)
            elements.append(svg.Line(x1=x1, y1=y1, x2=x2, y2=y2, class_=["grid"]))
    if multiples.diagonal:
        (x1, y1), (x2, y2) = at(0, 0), at(1, 1)
        elements.append(svg.Line(x1=x1, y1=y1, x2=x2, y2=y2, class_=["reference"]))
    for series, style in ((item.baseline, "pale"), (item.series, "s0")):
        if series is None:
            continue
        points = [at(x, y) for x, y in zip(series.x, series.y, strict=True)]
        classes = ["series", style]
        if len(points) == 1:
            (cx, cy) = points[0]
            elements.append(svg.Circle(cx=cx, cy=cy, r=3, class_=[*classes, "dot"]))
        elif points:
            path = _path(points, steps=series.steps)
            elements.append(svg.Path(d=path, class_=classes))
    (low, high), (lower, upper) = ends
    elements += [
        _text(low, left, bottom + 13, "start"),
        _text(high, left + side, bottom + 13, "end"),
        _text(lower, left - 3, bottom, "end"),
        _text(upper, left - 3, _EDGE + 9, "end"),
    ]
    return svg.ViewBoxSpec(0, 0, round(left + side + _EDGE, 1), bottom + 17), elements


def _small_matrix(
    counts: Sequence[Sequence[int]],
) -> tuple[svg.ViewBoxSpec, list[svg.Element]]:
    size = round(_SMALL_SIDE / len(counts), 2)
    elements: list[svg.Element] = []
    for true, row in enumerate(counts):
        total = max(sum(row), 1)
        for predicted, count in enumerate(row):
            x, y = round(predicted * size, 2), round(true * size, 2)
            style = heat_of(count, total, is_right=predicted == true).split()
            elements.append(svg.Rect(x=x, y=y, width=size, height=size, class_=["square", *style]))
            if len(counts) <= _WITH_COUNTS:
                elements.append(_text(f"{count:,}", x + size / 2, y + size / 2 + 4, "middle"))
    return svg.ViewBoxSpec(-1, -1, _SMALL_SIDE + 2, _SMALL_SIDE + 2), elements


def bar_svg(value: float, greatest: float, *, signed: bool) -> str:
    """Return a bar for ``value``; with ``signed``, zero is in the middle."""
    share = 0.0 if greatest <= 0 else min(abs(value) / greatest, 1.0)
    length = round(share * (50 if signed else 100), 2)
    start = (50 - length if value < 0 else 50) if signed else 0
    elements: list[svg.Element] = [
        svg.Rect(
            x=round(start, 2),
            y=1,
            width=length,
            height=8,
            class_=["negative" if value < 0 else "positive"],
        )
    ]
    if signed:
        elements.append(svg.Line(x1=50, y1=0, x2=50, y2=10, class_=["zero"]))
    return _decoration(svg.ViewBoxSpec(0, 0, 100, 10), "bar", elements)


def strip_svg(row: IntervalRow, scale: Scale) -> str:
    """Return a strip with the values of a group, their mean and its interval."""

    def at(value: float) -> float:
        return round(100 * min(max(scale.share(value), 0.0), 1.0), 2)

    elements: list[svg.Element] = []
    if row.half_width is not None:
        low, high = at(row.mean - row.half_width), at(row.mean + row.half_width)
        wide = round(max(high - low, 0.5), 2)
        elements.append(svg.Rect(x=low, y=3, width=wide, height=8, class_=["interval"]))
    elements += [
        svg.Line(x1=at(value), y1=3, x2=at(value), y2=11, class_=["tick"]) for value in row.values
    ]
    elements.append(svg.Line(x1=at(row.mean), y1=0, x2=at(row.mean), y2=14, class_=["mean"]))
    return _decoration(svg.ViewBoxSpec(0, 0, 100, 14), "strip", elements)


def _decoration(box: svg.ViewBoxSpec, name: str, elements: list[svg.Element]) -> str:
    """Return a picture that is hidden from screen readers, because a table has its content."""
    return str(
        svg.SVG(
            xmlns=None,
            viewBox=box,
            preserveAspectRatio=svg.PreserveAspectRatio("none")
            if name in ("bar", "strip")
            else None,
            class_=[name],
            elements=elements,
            extra={"aria-hidden": "true", "focusable": "false"},
        )
    )


def _axes(plot: Plot, more: int) -> list[svg.Element]:
    elements: list[svg.Element] = [
        svg.Rect(x=_LEFT, y=_TOP, width=_SIDE, height=_SIDE, class_=["frame"])
    ]
    for mark in plot.x_scale.marks:
        share = plot.x_scale.share(mark)
        if 0 < share < 1:
            elements.append(_line((share, 0), (share, 1), "grid"))
        elements.append(
            _text(plot.x_scale.label(mark), _place(share, 0)[0], _TOP + _SIDE + 16, "middle")
        )
    for mark in plot.y_scale.marks:
        share = plot.y_scale.share(mark)
        if 0 < share < 1:
            elements.append(_line((0, share), (1, share), "grid"))
        elements.append(_text(plot.y_scale.label(mark), _LEFT - 7, _place(0, share)[1] + 4, "end"))
    elements.append(_text(plot.x_axis, _LEFT + _SIDE / 2, _TOP + _SIDE + 36, "middle"))
    middle = _TOP + _SIDE / 2
    turned = svg.Rotate(-90, 12 - more, middle)
    elements.append(_text(plot.y_axis, 12 - more, middle, "middle", turned))
    return elements


def _series(series: Series, style: str) -> list[svg.Element]:
    points = [_place(x, y) for x, y in zip(series.x, series.y, strict=True)]
    elements: list[svg.Element] = []
    for x, low, high in zip(series.x, series.low, series.high, strict=False):
        elements += _whisker(x, low, high, style)
    if len(points) > 1 and series.line:
        thin = ["thin"] if series.dots else []
        path = _path(points, steps=series.steps)
        elements.append(svg.Path(d=path, class_=[*style.split(), *thin]))
    for (x, y), area in zip(points, series.dots, strict=False):
        radius = round(_SMALL + (_LARGE - _SMALL) * area**0.5, 2)
        elements.append(svg.Circle(cx=x, cy=y, r=radius, class_=[*style.split(), "dot"]))
    return elements


def _whisker(x: float, low: float, high: float, style: str) -> list[svg.Element]:
    """Return a vertical interval with a short line at each end."""
    at, bottom = _place(x, low)
    _, top = _place(x, high)
    classes = [*style.split(), "whisker"]
    return [
        svg.Line(x1=at, y1=bottom, x2=at, y2=top, class_=classes),
        *(svg.Line(x1=at - _CAP, y1=y, x2=at + _CAP, y2=y, class_=classes) for y in (bottom, top)),
    ]


def _path(points: Sequence[tuple[float, float]], *, steps: bool) -> list[svg.PathData]:
    path: list[svg.PathData] = [svg.M(*points[0])]
    for (_, before), (x, y) in pairwise(points):
        if steps and y != before:
            # The precision at a recall also applies to lower recalls, down to the next point.
            path.append(svg.V(y))
            path.append(svg.H(x))
        else:
            path.append(svg.L(x, y))
    return path


def _line(start: tuple[float, float], end: tuple[float, float], style: str) -> svg.Line:
    (x1, y1), (x2, y2) = _place(*start), _place(*end)
    return svg.Line(x1=x1, y1=y1, x2=x2, y2=y2, class_=[style])


def _text(
    text: str, x: float, y: float, anchor: str, turned: svg.Transform | None = None
) -> svg.Text:
    return svg.Text(
        text=_escaped(text),
        x=x,
        y=y,
        text_anchor=anchor,  # type: ignore[arg-type]
        transform=None if turned is None else [turned],
    )


def _place(x: float, y: float) -> tuple[float, float]:
    """Return the position of a point of the unit square in the picture, to two decimals."""
    return round(_LEFT + _SIDE * x, 2), round(_TOP + _SIDE * (1 - y), 2)


def _escaped(text: str) -> str:
    return html.escape(printable(text))
