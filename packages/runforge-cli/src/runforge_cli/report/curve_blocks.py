"""ROC, precision-recall and calibration curves of one or more runs, as plots with tables."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from runforge_contracts.display import shorten

from runforge_cli.report.report_blocks import (
    HANDFUL,
    Block,
    Multiples,
    Name,
    Paragraph,
    Plot,
    Series,
    TableBlock,
    prose,
)
from runforge_cli.report.report_input import Material
from runforge_cli.report.small_multiples import small_plots
from runforge_cli.terminal.text_layout import number, plural

if TYPE_CHECKING:
    from runforge_engine.modeling.curves import Calibration, Curve, Curves

#: Maximum number of lines in one plot, so that they can be distinguished.
MAX_LINES = 8
_LEVELS = (0.01, 0.05, 0.1, 0.2, 0.5)
_RECALLS = (0.5, 0.8, 0.9, 0.95, 1.0)
#: Maximum length of a label.
_LABEL = 40
_ROC = (
    "True positive rate over false positive rate for every threshold; random guesses are on the"
    " diagonal."
)
_PRECISION_RECALL = (
    "The share of rows predicted as the class that are of the class, over the share of the class"
    " that is found."
)
_CALIBRATION = (
    "Observed frequency over predicted probability in bins of equal width; calibrated"
    " probabilities are on the diagonal."
)


def curve_blocks(material: Material) -> list[Block]:
    """Return the plots of a run, or a paragraph on why there are none."""
    curves = material.curves
    if curves is None:
        if material.folder.status != "succeeded":
            return []
        return [Paragraph(["This report has no curves. ", *prose(material.missing)])]
    binary = len(curves.roc) == 1 and curves.operating_point is not None
    source = (
        f"Computed for this report from the recorded model and dataset, whose digests were"
        f" checked, on the {plural(curves.rows, 'validation row')} of the run. The predictions"
        " reproduce the recorded metrics."
    )
    blocks: list[Block] = [Paragraph(source)]
    if not curves.roc:
        blocks.append(Paragraph("The validation rows have only one class, so there are no curves."))
        return blocks
    of = f"of the class {curves.roc[0].label}" if binary else "of each class against the rest"
    lines = [(str(curve.label), curve) for curve in _worst_first(curves.roc)]
    ranked = [(str(curve.label), curve) for curve in _worst_first(curves.precision_recall)]
    point = curves.operating_point if binary else None
    blocks += [_roc(lines, of, point), _precision_recall(ranked, of)]
    blocks += _calibration([("", curves)])
    if len(lines) > MAX_LINES:
        shown = f"The first two plots show the {MAX_LINES} of {len(lines)} classes"
        blocks.append(Paragraph(f"{shown} with the lowest areas; the tables have all classes."))
    return blocks


def _worst_first(curves: Sequence[Curve]) -> Sequence[Curve]:
    """Return the curves, sorted by area if there are too many for one plot."""
    if len(curves) <= MAX_LINES:
        return curves
    return sorted(curves, key=lambda curve: curve.area)


def compared_blocks(materials: Sequence[Material], baseline: str) -> list[Block]:
    """Return plots of the curves of several runs, if they have the same classes.

    A handful of runs share a plot; each of more runs has small ones. Of more than two classes, the
    ROC curves of each class against the rest are averaged.

    Parameters
    ----------
    materials
        The runs in the order of the lines.
    baseline
        The letter of the baseline.
    """
    plots = compared_plots(materials)
    if not plots or len(plots[0][0].series) <= HANDFUL:
        return [plot for plot, _ in plots]
    return [_small(plot, about, baseline) for plot, about in plots]


def compared_plots(materials: Sequence[Material]) -> list[tuple[Plot, str]]:
    """Return a plot of each kind of curve with a line for each run, and what the curve is.

    Empty if fewer than two runs have curves, or their classes differ.
    """
    shown = [
        (material.letter, material.curves)
        for material in materials
        if material.curves is not None and material.curves.roc
    ]
    labels = {tuple(str(curve.label) for curve in curves.roc) for _, curves in shown}
    if len(shown) < 2 or len(labels) != 1:
        return []
    (classes,), most = labels, len(shown)
    if len(classes) == 1:
        of = f"of the class {classes[0]}"
        roc = [(letter, curves.roc[0]) for letter, curves in shown]
        ranked = [(letter, curves.precision_recall[0]) for letter, curves in shown]
        plots = [
            (_roc(roc, of, None, most), _ROC),
            (_precision_recall(ranked, of, most), _PRECISION_RECALL),
        ]
    else:
        from runforge_engine.modeling.curves import mean_curve

        of = f"of each of {len(classes):,} classes against the rest, averaged"
        means = [(letter, mean_curve(curves.roc)) for letter, curves in shown]
        plots = [(_roc(means, of, None, most), _ROC)]
    plots += [(plot, _CALIBRATION) for plot in _calibration(shown)]
    return plots


def _small(plot: Plot, about: str, baseline: str) -> Multiples:
    """Return the lines of a plot as small plots."""
    return small_plots(
        plot.title,
        f"{about} Horizontal: {plot.x_axis}; vertical: {plot.y_axis}.",
        [("".join(series.label), series) for series in plot.series],
        plot.table,
        baseline=baseline,
        diagonal=plot.diagonal,
    )


def _roc(
    lines: Sequence[tuple[str, Curve]],
    of: str,
    point: tuple[float, float] | None,
    most: int = MAX_LINES,
) -> Plot:
    series = [
        Series(_label(label), curve.x, curve.y, f"area {number(curve.area)}")
        for label, curve in lines[:most]
    ]
    if point is not None:
        x, y = point
        remark = f"{x:.1%} and {y:.1%}"
        series.append(Series("predictions of the model", (x,), (y,), remark, dots=(0.3,)))
    rows = [
        [
            [Name(label)],
            number(curve.area),
            *(f"{max(_until(curve, level)):.1%}" for level in _LEVELS),
        ]
        for label, curve in lines
    ]
    return Plot(
        title=f"ROC curve {of}",
        description=f"{_ROC} {_areas('Area under the curve', lines)}",
        x_axis="false positive rate",
        y_axis="true positive rate",
        series=series,
        table=TableBlock(
            "True positive rate at a false positive rate of at most",
            ("Line", "Area", *(f"{level:.0%}" for level in _LEVELS)),
            rows,
            frozenset(range(1, len(_LEVELS) + 2)),
        ),
        diagonal=True,
    )


def _until(curve: Curve, level: float) -> Sequence[float]:
    return curve.y[: bisect_right(curve.x, level)] or (0.0,)


def _precision_recall(lines: Sequence[tuple[str, Curve]], of: str, most: int = MAX_LINES) -> Plot:
    rows = [
        [
            [Name(label)],
            number(curve.area),
            f"{curve.prevalence:.1%}",
            *(f"{_best_precision(curve, recall):.1%}" for recall in _RECALLS),
        ]
        for label, curve in lines
    ]
    return Plot(
        title=f"Precision over recall {of}",
        description=f"{_PRECISION_RECALL} {_areas('Average precision', lines)}",
        x_axis="recall",
        y_axis="precision",
        series=[
            Series(
                _label(label),
                curve.x,
                curve.y,
                f"average {number(curve.area)}",
                steps=True,
            )
            for label, curve in lines[:most]
        ],
        table=TableBlock(
            "Best precision at a recall of at least",
            ("Line", "Average", "Random guess", *(f"{recall:.0%}" for recall in _RECALLS)),
            rows,
            frozenset(range(1, len(_RECALLS) + 3)),
        ),
    )


def _best_precision(curve: Curve, recall: float) -> float:
    points = zip(curve.x, curve.y, strict=True)
    return max((y for x, y in points if x >= recall - 1e-12), default=0.0)


def _label(label: str) -> list[str]:
    return [Name(shorten(label, _LABEL))]


def _areas(what: str, lines: Sequence[tuple[str, Curve]]) -> str:
    areas = [f"{shorten(label, _LABEL)} {number(c.area)}" for label, c in lines[:MAX_LINES]]
    return f"{what}: {', '.join(areas)}."


def _calibration(lines: Iterable[tuple[str, Curves]]) -> list[Plot]:
    shown = [(letter, c.calibration) for letter, c in lines if c.calibration is not None]
    if not shown:
        return []
    label = shown[0][1].label
    of = "the predicted class" if label is None else f"the class {label}"
    return [
        Plot(
            title=f"Calibration of the probability of {of}",
            description=" ".join(
                (
                    f"{_CALIBRATION} Larger dots have more rows.",
                    *(
                        f"{f'{letter}: ' if letter else ''}Mean distance {found.error:.3f}, Brier"
                        f" score {found.brier:.3f}."
                        for letter, found in shown
                    ),
                )
            ),
            x_axis="mean predicted probability",
            y_axis="observed frequency",
            series=[
                Series(
                    letter or "bins",
                    [item.expected for item in found.bins],
                    [item.observed for item in found.bins],
                    f"distance {found.error:.3f}",
                    dots=[item.rows / max(b.rows for b in found.bins) for item in found.bins],
                )
                for letter, found in shown
            ],
            table=_distances(shown) if len(shown) > HANDFUL else _bins(shown),
            diagonal=True,
        )
    ]


def _bins(shown: Sequence[tuple[str, Calibration]]) -> TableBlock:
    several = len(shown) > 1
    return TableBlock(
        "Bins of the probability",
        (*(("Line",) if several else ()), "Probability", "Rows", "Mean", "Observed"),
        [
            [
                *([[Name(letter)]] if several else []),
                f"{item.lower:.1f} to {item.upper:.1f}",
                f"{item.rows:,}",
                f"{item.expected:.3f}",
                f"{item.observed:.3f}",
            ]
            for letter, found in shown
            for item in found.bins
        ],
        frozenset(range(1 + several, 4 + several)),
    )


def _distances(shown: Sequence[tuple[str, Calibration]]) -> TableBlock:
    return TableBlock(
        "Calibration of the probabilities",
        ("Line", "Mean distance", "Brier score"),
        [[[Name(letter)], f"{found.error:.3f}", f"{found.brier:.3f}"] for letter, found in shown],
        frozenset({1, 2}),
    )
