"""Parallel coordinates as inline SVG, built like the plots of :mod:`runforge_cli.report.plots`."""

from __future__ import annotations

import html
from collections.abc import Sequence

import svg
from runforge_contracts.display import printable, shorten

from runforge_cli.report.plots import STYLES
from runforge_cli.report.report_blocks import Parallel, ParallelLine
from runforge_cli.report.scales import Scale

#: Distance of two axes, length of one, and space around them, in units of about one pixel.
_APART, _LENGTH, _LEFT, _TOP, _RIGHT, _BOTTOM = 122, 240, 108, 26, 56, 12
#: Most characters of the name of an axis and of a mark.
_NAME, _MARK = 15, 13


def parallel_svg(block: Parallel) -> str:
    """Return parallel coordinates as an ``svg`` element with a description.

    The element has a width of its own, since its text would become too small in a narrow window.
    """
    width = _LEFT + _APART * (len(block.axes) - 1) + _RIGHT
    height = _TOP + _LENGTH + _BOTTOM
    # The lines with a style come last, so that they lie above the pale ones.
    lines = sorted(block.lines, key=lambda line: -1 if line.style is None else line.style)
    elements: list[svg.Element] = [_line(line) for line in lines]
    for at, (name, scale) in enumerate(block.axes):
        elements += _axis(_LEFT + _APART * at, name, scale)
    return str(
        svg.SVG(
            xmlns=None,
            viewBox=svg.ViewBoxSpec(0, 0, width, height),
            width=width,
            height=height,
            class_=["plot", "parallel"],
            elements=elements,
            extra={"role": "img", "aria-label": _escaped(f"{block.title}. {block.description}")},
        )
    )


def _axis(x: int, name: str, scale: Scale) -> list[svg.Element]:
    bottom = _TOP + _LENGTH
    elements: list[svg.Element] = [
        svg.Line(x1=x, y1=_TOP, x2=x, y2=bottom, class_=["axis"]),
        _text(shorten(name, _NAME), x, _TOP - 12, "middle", "name"),
    ]
    for mark in scale.marks:
        y = round(bottom - _LENGTH * scale.share(mark), 1)
        elements.append(svg.Line(x1=x - 4, y1=y, x2=x, y2=y, class_=["axis"]))
        elements.append(_text(shorten(scale.label(mark), _MARK), x - 7, y + 4, "end"))
    return elements


def _line(line: ParallelLine) -> svg.Element:
    classes = ["series", "pale" if line.style is None else f"s{line.style % STYLES}"]
    label = line.label if isinstance(line.label, str) else "".join(line.label)
    return svg.Path(
        d=_path(line.shares),
        class_=classes,
        elements=[svg.Title(text=_escaped(label))],
    )


def _path(shares: Sequence[float | None]) -> list[svg.PathData]:
    """Return the path through the axes, interrupted where there is no value."""
    path: list[svg.PathData] = []
    begins = True
    for at, share in enumerate(shares):
        if share is None:
            begins = True
            continue
        x, y = _LEFT + _APART * at, round(_TOP + _LENGTH * (1 - share), 1)
        alone = begins and (at + 1 == len(shares) or shares[at + 1] is None)
        path.append(svg.M(x, y) if begins else svg.L(x, y))
        if alone:
            # A value without neighbours is a short dash.
            path.append(svg.H(x + 6))
        begins = False
    return path


def _text(text: str, x: float, y: float, anchor: str, style: str = "") -> svg.Text:
    return svg.Text(
        text=_escaped(text),
        x=x,
        y=y,
        text_anchor=anchor,  # type: ignore[arg-type]
        class_=[style] if style else None,
    )


def _escaped(text: str) -> str:
    return html.escape(printable(text))
