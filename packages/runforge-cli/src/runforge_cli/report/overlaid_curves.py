"""The curves and histories of many runs in one plot each: a few with a style, the others pale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from runforge_cli.report import curve_blocks, history_blocks
from runforge_cli.report.report_blocks import HANDFUL, Block, Paragraph, Plot, Series
from runforge_cli.report.report_input import AnyMaterial, Material
from runforge_cli.report.small_multiples import thinned
from runforge_cli.terminal.text_layout import plural

#: Lines with a style of their own: the baseline and the best ones.
STRONG = 4
#: Most plots of histories.
_PLOTS = 6


def overlaid_blocks(materials: Sequence[AnyMaterial], baseline: str) -> Iterator[Block]:
    """Yield plots in which the curves or histories of all runs lie above each other.

    A handful of runs have such plots in the comparison already; for them there are none here.

    Parameters
    ----------
    materials
        The runs, the best first.
    baseline
        The letter of the baseline.
    """
    if len(materials) <= HANDFUL:
        return
    trained = [material for material in materials if isinstance(material, Material)]
    histories = [
        (material.letter, material.history)
        for material in materials
        if not isinstance(material, Material)
    ]
    plots = [
        *(plot for plot, _ in curve_blocks.compared_plots(trained)),
        *history_blocks.compared_plots(histories),
    ]
    for plot in plots[:_PLOTS]:
        yield _overlaid(plot, baseline)
    if len(plots) > _PLOTS:
        left = plural(len(plots) - _PLOTS, "more metric is", "more metrics are")
        yield Paragraph(f"{left} not drawn.")


def _overlaid(plot: Plot, baseline: str) -> Plot:
    """Return a plot whose first lines, and that of the baseline, are stronger than the others."""
    base = [series for series in plot.series if _letter(series) == baseline]
    best = [series for series in plot.series if _letter(series) != baseline]
    strong = [*best[: STRONG - len(base)], *base]
    others = best[STRONG - len(base) :]
    text = f" The best runs and the baseline {baseline} are drawn strongly."
    if others:
        text += f" The other {plural(len(others), 'run is', 'runs are')} pale."
    return replace(
        plot,
        description=f"{plural(len(plot.series), 'run')} in one plot.{text}",
        series=[*strong, *(replace(thinned(series), pale=True) for series in others)],
    )


def _letter(series: Series) -> str:
    return "".join(series.label)
