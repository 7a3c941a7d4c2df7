"""Metrics over the steps of one or more experiment runs, as plots with tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from runforge_contracts.display import shorten
from runforge_contracts.metrics import by_preference

from runforge_cli.report.report_blocks import (
    HANDFUL,
    Block,
    Multiples,
    Name,
    Paragraph,
    Plot,
    Series,
    TableBlock,
    Text,
)
from runforge_cli.report.scales import scale_of
from runforge_cli.report.small_multiples import small_plots
from runforge_cli.terminal.text_layout import number, plural

#: Maximum number of plots of a run, and of metrics with a small plot for each run.
MAX_PLOTS, MAX_MULTIPLES = 24, 6
#: Maximum number of steps in the table of a plot.
_STEPS = 12
#: A long line is divided into this many pieces, and the extremes of each piece are drawn.
_PIECES = 100
#: Maximum length of the name of a metric.
_LONG = 80
_NONE = "–"


class Point(NamedTuple):
    """A logged value of a metric."""

    step: float
    value: float


History = Mapping[str, Sequence[Point]]


def history_blocks(history: History) -> list[Block]:
    """Return a plot for each metric of a run that has more than one value."""
    drawn = {name: points for name, points in history.items() if len(points) > 1}
    blocks: list[Block] = [
        _plot(name, [("", points)]) for name, points in list(drawn.items())[:MAX_PLOTS]
    ]
    if len(drawn) > MAX_PLOTS:
        left = plural(len(drawn) - MAX_PLOTS, "metric is", "metrics are")
        blocks.append(Paragraph(f"{left} not drawn; the table above lists all."))
    return blocks


def compared_blocks(histories: Sequence[tuple[str, History]], baseline: str) -> list[Block]:
    """Return a picture for each metric that at least two runs have.

    A handful of runs share a plot; each of more runs has a small one.

    Parameters
    ----------
    histories
        The letters and histories of the runs, in the order of the lines.
    baseline
        The letter of the baseline.
    """
    drawn = _lines(histories)
    few = all(len(lines) <= HANDFUL for _, lines in drawn)
    most = MAX_PLOTS if few else MAX_MULTIPLES
    blocks: list[Block] = [
        _plot(name, lines) if len(lines) <= HANDFUL else _small(name, lines, baseline)
        for name, lines in drawn[:most]
    ]
    if len(drawn) > most:
        left = plural(len(drawn) - most, "more metric is", "more metrics are")
        blocks.append(Paragraph(f"{left} not drawn."))
    return blocks


def compared_plots(histories: Sequence[tuple[str, History]]) -> list[Plot]:
    """Return a plot for each metric that at least two runs have, with a line for each run."""
    return [_plot(name, lines) for name, lines in _lines(histories)]


def _lines(
    histories: Sequence[tuple[str, History]],
) -> list[tuple[str, list[tuple[str, Sequence[Point]]]]]:
    """Return the letters and values of the runs for each metric that at least two have."""
    drawn = []
    for name in by_preference({name for _, history in histories for name in history}):
        lines = [(letter, history[name]) for letter, history in histories if history.get(name)]
        if len(lines) > 1 and any(len(points) > 1 for _, points in lines):
            drawn.append((name, lines))
    return drawn


def _small(name: str, lines: Sequence[tuple[str, Sequence[Point]]], baseline: str) -> Multiples:
    plot = _plot(name, lines)
    return small_plots(
        plot.title,
        f"The {plot.title} of each run over the step; all plots have the same scales.",
        [("".join(series.label), series) for series in plot.series],
        plot.table,
        baseline=baseline,
        scales=(plot.x_scale, plot.y_scale),
    )


def history_table(history: History, summary: Mapping[str, float], most: int) -> Iterator[Block]:
    """Yield the table of the final values and the range of each metric."""
    names = list(dict.fromkeys([*summary, *history]))
    if not names:
        return
    rows: list[list[Text]] = []
    for name in names[:most]:
        points = history.get(name, ())
        final = number(summary[name]) if name in summary else _NONE
        rows.append([[Name(shorten(name, _LONG))], final, *_extent(points)])
    yield TableBlock(
        "Final metrics and their history",
        ("Metric", "Final", "Values", "First", "Least", "Greatest"),
        rows,
        frozenset(range(1, 6)),
    )
    if len(names) > most:
        left = plural(len(names) - most, "more metric is", "more metrics are")
        yield Paragraph(f"{left} not shown.")


def _extent(points: Sequence[Point]) -> list[str]:
    if not points:
        return [_NONE] * 4
    least, greatest = _least(points), _greatest(points)
    return [
        f"{len(points):,}",
        number(points[0].value),
        f"{number(least.value)} at {least.step:g}",
        f"{number(greatest.value)} at {greatest.step:g}",
    ]


def _least(points: Sequence[Point]) -> Point:
    return min(points, key=lambda point: point.value)


def _greatest(points: Sequence[Point]) -> Point:
    return max(points, key=lambda point: point.value)


def _plot(name: str, lines: Sequence[tuple[str, Sequence[Point]]]) -> Plot:
    shown = [(letter, _ordered(points)) for letter, points in lines]
    every = [point for _, points in shown for point in points]
    whole = all(float(point.step).is_integer() for point in every)
    x = scale_of((point.step for point in every), whole=whole)
    y = scale_of(point.value for point in every)
    several = len(lines) > 1
    title = shorten(name, _LONG)
    return Plot(
        title=title,
        description=_compared(shown) if several else _described(shown[0][1]),
        x_axis="step",
        y_axis="value",
        series=[
            Series(
                [Name(letter or title)],
                [x.share(point.step) for point in drawn],
                [y.share(point.value) for point in drawn],
                f"last {number(points[-1].value)}",
                dots=(0.1,) if len(drawn) == 1 else (),
            )
            for letter, points in shown
            for drawn in [_thinned(points)]
        ],
        table=_comparison(lines) if several else _samples(shown[0][1]),
        x_scale=x,
        y_scale=y,
    )


def _ordered(points: Sequence[Point]) -> list[Point]:
    """Return points sorted by step; points of the same step keep their order."""
    return sorted(points, key=lambda point: point.step)


def _described(points: Sequence[Point]) -> str:
    least, greatest = _least(points), _greatest(points)
    return (
        f"{plural(len(points), 'value')} from {number(points[0].value)} to"
        f" {number(points[-1].value)}, the least {number(least.value)} at step {least.step:g}, the"
        f" greatest {number(greatest.value)} at step {greatest.step:g}."
    )


def _compared(lines: Sequence[tuple[str, Sequence[Point]]]) -> str:
    return " ".join(
        f"{letter} goes from {number(points[0].value)} to {number(points[-1].value)}."
        for letter, points in lines
    )


def _samples(points: Sequence[Point]) -> TableBlock:
    count = min(len(points), _STEPS)
    chosen = [points[round(at * (len(points) - 1) / max(count - 1, 1))] for at in range(count)]
    some = f"{count} of {len(points):,} values" if count < len(points) else "All values"
    return TableBlock(
        some,
        ("Step", "Value"),
        [[f"{point.step:g}", number(point.value)] for point in chosen],
        frozenset({0, 1}),
    )


def _comparison(lines: Sequence[tuple[str, Sequence[Point]]]) -> TableBlock:
    return TableBlock(
        "First, last and extreme values",
        ("Run", "Values", "First", "Least", "Greatest", "Last"),
        [
            [[Name(letter)], *_extent(points), number(points[-1].value)]
            for letter, points in ((letter, _ordered(points)) for letter, points in lines)
        ],
        frozenset(range(1, 6)),
    )


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    """Return a reduced number of points that includes the extremes of each piece."""
    if len(points) <= 2 * _PIECES:
        return points
    kept: list[Point] = [points[0]]
    for at in range(_PIECES):
        piece = points[len(points) * at // _PIECES : len(points) * (at + 1) // _PIECES]
        kept += sorted({_least(piece), _greatest(piece)}, key=piece.index)
    return [*kept, points[-1]]
