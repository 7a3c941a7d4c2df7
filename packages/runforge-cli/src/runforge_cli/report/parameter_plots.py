"""Pictures of compared runs by what differs: a metric against a parameter, and all of it at once.

Both have a table with the same values, and need no script: which metric and which parameter are
drawn is chosen by their names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runforge_contracts.display import quote, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.metrics import lower_is_better
from runforge_contracts.selection.run_values import RunColumn, column_of
from runforge_engine.store.sweep_table import SweepColumn, SweepRow, ordered_cells

from runforge_cli.report.compared_runs import RunTable
from runforge_cli.report.report_blocks import (
    Block,
    Name,
    Paragraph,
    Parallel,
    ParallelLine,
    Plot,
    Series,
    TableBlock,
    Text,
)
from runforge_cli.report.scales import (
    Scale,
    is_geometric,
    logarithmic_scale,
    named_scale,
    scale_of,
)
from runforge_cli.terminal.text_layout import number, plural

#: Most axes of parallel coordinates, most metrics among them, and most names on one axis.
MAX_AXES, _METRICS, _NAMES = 12, 3, 16
#: Maximum length of a name, and of a name below a plot.
_LONG, _BELOW = 40, 10
#: Areas of the dots of most runs, and of those with a style of their own.
_DOT, _LARGE_DOT = 0.1, 0.35
_NONE = "–"


@dataclass(frozen=True)
class RunAxis:
    """What runs can be placed by: a parameter that differs, or a metric."""

    title: str
    name: str
    #: The text of the value of each run; None without a value.
    texts: Sequence[str | None]
    #: The value of each run on the scale; None without a value.
    values: Sequence[float | None]
    scale: Scale

    @property
    def label(self) -> str:
        """The name for an axis."""
        more = " (logarithmic)" if self.scale.logarithmic else ""
        return shorten(self.name, _LONG) + more

    def share(self, at: int) -> float | None:
        """Return the relative position of a run, or None."""
        value = self.values[at]
        return None if value is None else self.scale.share(value)


def axes_of(runs: RunTable) -> tuple[list[RunAxis], list[RunAxis]]:
    """Return the parameters in which the runs differ, and their metrics, the primary one first.

    Parameters with more names than an axis can have are left out.
    """
    columns = [_parameter_axis(runs, column, at) for at, column in enumerate(runs.table.columns)]
    metrics = [_metric_axis(runs, name) for name in runs.metrics]
    return (
        [axis for axis in columns if axis is not None],
        [axis for axis in metrics if axis is not None],
    )


def _parameter_axis(runs: RunTable, column: SweepColumn, at: int) -> RunAxis | None:
    cells = [row.cells[at] for row in runs.table.rows]
    texts = [cell.text if cell.applies and cell.known else None for cell in cells]
    meant = column_of(column.name, ())
    title = meant.title() if meant.source == "field" else _param_title(runs, column.name)
    if all(cell.number is not None for cell in cells if cell.applies and cell.known):
        values = [cell.number if cell.applies and cell.known else None for cell in cells]
        return RunAxis(title, column.name, texts, values, _scale(values))
    names = [cell.text for cell in ordered_cells(column) if cell.applies and cell.known]
    names = list(dict.fromkeys(names))
    if len(names) > _NAMES:
        return None
    places = {name: float(place) for place, name in enumerate(names)}
    values = [None if text is None else places[text] for text in texts]
    return RunAxis(title, column.name, texts, values, named_scale(names))


def _param_title(runs: RunTable, name: str) -> str:
    return RunColumn("param", name).title(runs.metrics)


def _metric_axis(runs: RunTable, name: str) -> RunAxis | None:
    found = [runs.table.value(row, name) for row in runs.table.rows]
    values = [None if value is None else float(value) for value in found]
    if not any(value is not None for value in values):
        return None
    texts = [None if value is None else number(value) for value in values]
    known = [value for value in values if value is not None]
    return RunAxis(RunColumn("metric", name).title(), name, texts, values, scale_of(known))


def _scale(values: Sequence[float | None]) -> Scale:
    known = [value for value in values if value is not None]
    if is_geometric(known):
        return logarithmic_scale(known)
    return scale_of(known, whole=all(value.is_integer() for value in known))


def chosen_axis(axes: Sequence[RunAxis], title: str | None, what: str) -> RunAxis | None:
    """Return the axis with a title, or the first one of numbers if none is asked for, if any.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if there is no such axis.
    """
    if not title:
        numeric = [axis for axis in axes if not axis.scale.labels]
        return next(iter([*numeric, *axes]), None)
    for axis in axes:
        if axis.title == title:
            return axis
    known = ", ".join(quote(axis.title, _LONG) for axis in axes[:20])
    raise RunForgeError(
        ErrorCode.USAGE_INVALID,
        f"The runs do not differ in {what} named {quote(title)}.",
        hint=f"Known: {known}." if axes else None,
    )


def scatter_blocks(runs: RunTable, x: RunAxis, y: RunAxis) -> list[Block]:
    """Return the plot of one value of each run against another, as dots.

    Parameters
    ----------
    runs
        The runs.
    x, y
        What is on the horizontal and on the vertical axis.
    """
    places = [
        (at, across, up)
        for at in range(len(runs.materials))
        if (across := x.share(at)) is not None and (up := y.share(at)) is not None
    ]
    if not places:
        return [
            Paragraph(f"No run has both {shorten(x.name, _LONG)} and {shorten(y.name, _LONG)}.")
        ]
    groups: dict[str, list[tuple[float, float]]] = {}
    for at, across, up in places:
        groups.setdefault(_group(runs, at), []).append((across, up))
    series = [
        Series(
            label,
            [across for across, _ in groups[label]],
            [up for _, up in groups[label]],
            dots=[_DOT if label == _OTHERS else _LARGE_DOT] * len(groups[label]),
            line=False,
        )
        for label in (_OTHERS, _BASELINE, _BEST)
        if label in groups
    ]
    rows: list[list[Text]] = [
        [runs.letters[at], [Name(x.texts[at] or _NONE)], y.texts[at] or _NONE]
        for at in runs.order
        if x.values[at] is not None or y.values[at] is not None
    ]
    missing = len(runs.materials) - len(places)
    left = f" {plural(missing, 'run has', 'runs have')} no value of one of them." if missing else ""
    best = [runs.letters[row.number - 1] for row in _best(runs)]
    first = f" The best by {shorten(runs.table.metric or '', _LONG)} is {best[0]}." if best else ""
    x_scale = x.scale
    if x_scale.labels:
        short = tuple(shorten(label, _BELOW) for label in x_scale.labels)
        # Names below a plot have little room; the table has them in full.
        x_scale = Scale(x_scale.lower, x_scale.upper, x_scale.marks, labels=short)
    return [
        Plot(
            title=f"{shorten(y.name, _LONG)} against {shorten(x.name, _LONG)}",
            description=f"A dot for each of {plural(len(places), 'run')}.{first}{left}",
            x_axis=x.label,
            y_axis=y.label,
            series=series,
            table=TableBlock(
                "Values of the runs, the best first",
                ("Run", shorten(x.name, _LONG), shorten(y.name, _LONG)),
                rows,
                frozenset({2} if x.scale.labels else {1, 2}),
            ),
            x_scale=x_scale,
            y_scale=y.scale,
        )
    ]


_OTHERS, _BASELINE, _BEST = "other runs", "the baseline", "the best"


def _best(runs: RunTable) -> list[SweepRow]:
    """Return the best runs, unless all are equally good."""
    found = runs.table.best()
    measured = [row for row in runs.table.rows if runs.table.value(row) is not None]
    return found if len(found) < len(measured) else []


def _group(runs: RunTable, at: int) -> str:
    if at == 0:
        return _BASELINE
    return _BEST if runs.table.rows[at] in _best(runs) else _OTHERS


def parallel_blocks(
    runs: RunTable, parameters: Sequence[RunAxis], metrics: Sequence[RunAxis], y: RunAxis
) -> list[Block]:
    """Return parallel coordinates of the parameters and the first metrics of the runs.

    Parameters
    ----------
    runs
        The runs.
    parameters, metrics
        What differs, and the metrics of the runs.
    y
        The metric that is always shown, and by which lines are highlighted.
    """
    last = [y, *(axis for axis in metrics if axis is not y)][:_METRICS][::-1]
    axes = [*parameters[: MAX_AXES - len(last)], *last]
    if not parameters or len(axes) < 2:
        return []
    ranked = _ranked(y)
    quarter = max(len(ranked) // 4, 1)
    good = set(ranked[:quarter]) if len(ranked) > 4 else set(ranked[:1])
    better = "lowest" if lower_is_better(y.name) else "highest"
    lines = [
        ParallelLine(
            _told(runs, axes, at),
            [axis.share(at) for axis in axes],
            1 if at == 0 else 0 if at in good else None,
        )
        for at in range(len(runs.materials))
    ]
    left = len(parameters) + len(last) - len(axes)
    more = f" {plural(left, 'more parameter is', 'more parameters are')} left out." if left else ""
    rows: list[list[Text]] = [
        [runs.letters[at], *([Name(text)] if (text := axis.texts[at]) else _NONE for axis in axes)]
        for at in runs.order
    ]
    count = plural(len(good), "run")
    legend: list[Text] = [
        f"the {count} with the {better} {shorten(y.name, _LONG)}",
        f"the baseline {runs.letters[0]}",
    ]
    numeric = frozenset(at for at, axis in enumerate(axes, 1) if not axis.scale.labels)
    return [
        Parallel(
            title=f"Parameters and {'metrics' if len(last) > 1 else 'metric'} of each run",
            description=(
                f"A line for each of {plural(len(lines), 'run')}, through its values on each axis;"
                f" a line is interrupted where a run has no value. Other runs are pale.{more}"
            ),
            axes=[(axis.name, axis.scale) for axis in axes],
            lines=lines,
            legend=legend,
            table=TableBlock(
                "Values of the runs, the best first",
                ("Run", *(shorten(axis.name, _LONG) for axis in axes)),
                rows,
                numeric,
            ),
        )
    ]


def _ranked(axis: RunAxis) -> list[int]:
    """Return the positions of the runs with a metric, the best first."""
    known = [(value, at) for at, value in enumerate(axis.values) if value is not None]
    return [at for _, at in sorted(known, reverse=not lower_is_better(axis.name))]


def _told(runs: RunTable, axes: Sequence[RunAxis], at: int) -> str:
    """Return what a line says where a pointer rests on it."""
    values = ", ".join(
        f"{shorten(axis.name, _LONG)} {axis.texts[at]}" for axis in axes if axis.texts[at]
    )
    name = runs.comparison["runs"][at].get("name")
    run = f"{runs.letters[at]} ({shorten(name, _LONG)})" if name else runs.letters[at]
    return f"{run}: {values}"
