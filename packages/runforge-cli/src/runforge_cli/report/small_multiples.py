"""Small pictures of many runs with the same scales: a curve, a history or a matrix for each."""

from __future__ import annotations

from collections.abc import Sequence

from runforge_contracts.display import shorten

from runforge_cli.report.report_blocks import (
    Multiples,
    Name,
    Series,
    SmallMatrix,
    SmallPlot,
    TableBlock,
    Text,
)
from runforge_cli.report.scales import UNIT, Scale

#: Maximum number of pictures of one kind, and of points of a line.
MAX_PICTURES, _POINTS = 24, 60
_LONG = 40


def small_plots(
    title: str,
    description: str,
    lines: Sequence[tuple[str, Series]],
    table: TableBlock,
    *,
    baseline: str,
    diagonal: bool = False,
    scales: tuple[Scale, Scale] = (UNIT, UNIT),
) -> Multiples:
    """Return a small plot for each line, with the line of the baseline pale behind it.

    Parameters
    ----------
    title, description
        What all of them show.
    lines
        The lines by the letters of their runs, in the order of the plots; only the first are drawn.
    table
        The data of all lines.
    baseline
        The letter of the baseline.
    diagonal
        Whether to draw the diagonal.
    scales
        The horizontal and the vertical scale.
    """
    behind = next((thinned(series) for letter, series in lines if letter == baseline), None)
    drawn = [(letter, thinned(series)) for letter, series in lines[:MAX_PICTURES]]
    pale = f" The pale line is {baseline}." if behind is not None else ""
    return Multiples(
        title,
        f"{description}{pale}{_some(len(lines))}",
        [
            SmallPlot(
                _label(letter),
                series.remark,
                f"{title}, run {letter}: {series.remark}.",
                series,
                None if letter == baseline else behind,
            )
            for letter, series in drawn
        ],
        table,
        diagonal=diagonal,
        x_scale=scales[0],
        y_scale=scales[1],
    )


def small_matrices(
    classes: Sequence[str], found: Sequence[tuple[str, Sequence[Sequence[int]]]]
) -> Multiples:
    """Return confusion matrices of the same classes as small squares.

    Parameters
    ----------
    classes
        The labels of rows and columns.
    found
        The counts by the letters of their runs, in the order of the pictures.
    """
    rows: list[list[Text]] = []
    items = []
    for letter, counts in found:
        total = sum(map(sum, counts))
        wrong = total - sum(row[at] for at, row in enumerate(counts))
        often, true, predicted = max(
            (
                (count, -at, -to)
                for at, row in enumerate(counts)
                for to, count in enumerate(row)
                if at != to
            ),
            default=(0, 0, 0),
        )
        pair: Text = "–"
        if often:
            pair = [Name(classes[-true]), " as ", Name(classes[-predicted]), f": {often:,}"]
        rows.append([letter, f"{total:,}", f"{wrong:,}", pair])
        remark = f"{wrong:,} of {total:,} wrong"
        items.append(
            SmallMatrix(
                _label(letter), remark, f"Confusion matrix, run {letter}: {remark}.", counts
            )
        )
    listed = ", ".join(shorten(label, _LONG) for label in classes)
    return Multiples(
        "Validation rows by true and predicted class",
        f"Rows are true classes and columns predicted ones, in this order: {listed}. Right"
        f" predictions are on the diagonal.{_some(len(found))}",
        items[:MAX_PICTURES],
        TableBlock(
            "Wrong predictions",
            ("Run", "Rows", "Wrong", "Most frequent confusion"),
            rows,
            frozenset({1, 2}),
        ),
    )


def _label(letter: str) -> Text:
    return [Name(letter)]


def _some(count: int) -> str:
    if count <= MAX_PICTURES:
        return ""
    return f" The first {MAX_PICTURES} of {count:,} runs are drawn; the table lists all."


def thinned(series: Series) -> Series:
    """Return a line with few points, without dots and intervals."""
    count = len(series.x)
    kept = min(count, _POINTS)
    places = [at * (count - 1) // max(kept - 1, 1) for at in range(kept)]
    return Series(
        series.label,
        [series.x[at] for at in places],
        [series.y[at] for at in places],
        series.remark,
        steps=series.steps,
    )
