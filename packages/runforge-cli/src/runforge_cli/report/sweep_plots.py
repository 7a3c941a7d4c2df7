"""The pictures of a sweep: heat maps for two parameters, lines for one, and the spread over seeds.

Every picture is a table, or has a table with the same data.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from runforge_contracts.display import shorten
from runforge_contracts.metrics import lower_is_better, rank_of
from runforge_engine.store.sweep_grid import (
    MAX_WIDTH,
    extent_of,
    goodness,
    grids_of,
    mean_of,
)
from runforge_engine.store.sweep_settings import SweepSetting, settings_of
from runforge_engine.store.sweep_table import (
    SweepCell,
    SweepColumn,
    SweepRow,
    SweepTable,
    ordered_cells,
)

from runforge_cli.render.sweep_words import interval_text, repeats, setting_text
from runforge_cli.report.report_blocks import (
    Block,
    HeatCell,
    HeatMap,
    IntervalRow,
    Intervals,
    Name,
    Paragraph,
    Plot,
    Series,
    TableBlock,
)
from runforge_cli.report.scales import Scale, is_geometric, logarithmic_scale, scale_of
from runforge_cli.terminal.text_layout import number, plural

#: Maximum number of metrics with pictures, and of heat maps of one metric.
MAX_METRICS, MAX_MAPS = 4, 6
#: Maximum number of parameters with a picture of their own, of strips, and of dots in a plot.
MAX_PARAMETERS, MAX_STRIPS, MAX_DOTS = 12, 30, 400
#: Maximum length of a name, and area of a dot.
_LONG, _DOT, _SMALL_DOT = 40, 0.1, 0.0
_NONE = "–"


def picture_blocks(sweep: SweepTable, metric: str) -> list[Block]:
    """Return the pictures of one metric over the parameters of a sweep.

    One parameter gives a line, or strips if it is not numeric; two give a heat map. More give a
    heat map for each value of the others, and a picture of each parameter. A list of runs that
    covers less than half of the combinations gives only the latter.
    """
    columns = sweep.setting_columns
    if not columns or all(sweep.value(row, metric) is None for row in sweep.rows):
        return []
    if len(columns) == 1:
        return [_single(sweep, columns[0], metric)]
    blocks: list[Block] = list(_maps(sweep, columns, metric))
    if len(columns) > 2 or not any(isinstance(block, HeatMap) for block in blocks):
        blocks += _alone(sweep, columns, metric)
    return blocks


def _maps(
    sweep: SweepTable, columns: Sequence[SweepColumn], metric: str
) -> Iterator[HeatMap | Paragraph]:
    """Yield the heat maps of the two parameters with the most values."""
    grids = grids_of(sweep, metric)
    extent = extent_of(sweep, grids[:MAX_MAPS], metric)
    if extent is None:
        if any(len(column.cells) > MAX_WIDTH for column in columns):
            yield Paragraph(
                "The parameters have too many values for a heat map; the table has all."
            )
        return
    better = "lower" if lower_is_better(metric) else "higher"
    repeated = max(len(rows) for grid in grids for rows in grid.members.values())
    means_of = f"Each cell is the mean of up to {repeated} runs. " if repeated > 1 else ""
    yield Paragraph(
        f"{means_of}The stronger the colour, the better ({better} {metric}), from"
        f" {number(float(extent[0]))} to {number(float(extent[1]))}; the best is bold and framed."
    )
    for grid in grids[:MAX_MAPS]:
        where = setting_text(grid.others, grid.facet.cells)
        yield HeatMap(
            caption=f"{metric}: {where}" if grid.others else metric,
            names=(shorten(grid.down.name, _LONG), shorten(grid.across.name, _LONG)),
            rows=[cell.text for cell in grid.rows],
            columns=[cell.text for cell in grid.columns],
            cells=[
                [_heat_cell(sweep, grid.at(row, column), metric, extent) for column in grid.columns]
                for row in grid.rows
            ],
        )
    if len(grids) > MAX_MAPS:
        yield Paragraph(
            f"The heat maps are those of the best {MAX_MAPS} of {len(grids):,} combinations of the"
            " other parameters."
        )


def _heat_cell(
    sweep: SweepTable, rows: Sequence[SweepRow], metric: str, extent: tuple[float, float]
) -> HeatCell:
    mean = mean_of(sweep, rows, metric)
    if mean is None:
        statuses = {row.status for row in rows}
        return HeatCell(statuses.pop() if len(statuses) == 1 else _NONE if rows else "")
    share = goodness(mean, extent, metric)
    best = min(extent, key=lambda end: rank_of(end, metric))
    return HeatCell(number(float(mean)), share, mean == best)


def _single(sweep: SweepTable, column: SweepColumn, metric: str) -> Block:
    """Return the picture of the only parameter."""
    settings = [item for item in settings_of(sweep, metric, [column]) if item.values]
    return _picture(column, settings, metric, what=f"{metric} over {column.name}", alone=True)


def _alone(sweep: SweepTable, columns: Sequence[SweepColumn], metric: str) -> Iterator[Block]:
    """Yield a picture of each parameter, over all values of the others."""
    for column in columns[:MAX_PARAMETERS]:
        settings = [
            item
            for item in settings_of(sweep, metric, [column])
            if item.values and item.cells[0].applies
        ]
        if len(settings) > 1:
            what = f"{metric} by {column.name}, over all values of the other parameters"
            yield _picture(column, settings, metric, what=what, alone=False)
    if len(columns) > MAX_PARAMETERS:
        left = plural(len(columns) - MAX_PARAMETERS, "more parameter is", "more parameters are")
        yield Paragraph(f"{left} not drawn.")


def _picture(
    column: SweepColumn,
    settings: Sequence[SweepSetting],
    metric: str,
    *,
    what: str,
    alone: bool,
) -> Block:
    """Return a plot over a numeric parameter, or strips for any other.

    Parameters
    ----------
    column
        The parameter.
    settings
        The members by its value.
    metric
        The metric.
    what
        The title.
    alone
        Whether members with the same value differ only in the seed, so that the mean has an
        interval.
    """
    numbered = [item for item in settings if item.cells[0].number is not None]
    if len(numbered) == len(settings) > 1:
        return _plot(column, settings, metric, what=what, alone=alone)
    order = {cell.key: at for at, cell in enumerate(ordered_cells(column))}
    placed = sorted(settings, key=lambda item: order[item.cells[0].key])
    return strips(
        placed,
        [[Name(item.cells[0].text)] for item in placed],
        metric,
        what=what,
        name=column.name,
        with_intervals=alone,
    )


def strips(
    settings: Sequence[SweepSetting],
    labels: Sequence[Sequence[str]],
    metric: str,
    *,
    what: str,
    name: str,
    with_intervals: bool = True,
) -> Intervals:
    """Return strips with the values of settings, their means and intervals; at least one.

    Parameters
    ----------
    settings
        The settings; all have values.
    labels
        Their names.
    metric
        The metric.
    what
        The title.
    name
        The heading of the names.
    with_intervals
        Whether the values of a setting differ only by the seed.
    """
    rows = [
        IntervalRow(
            label,
            _thinned(item.values),
            item.mean or 0.0,
            item.half_width if with_intervals else None,
        )
        for item, label in zip(settings[:MAX_STRIPS], labels, strict=False)
    ]
    ends = [value for row in rows for value in (*row.values, *_ends(row.mean, row.half_width))]
    scale = scale_of(ends)
    bars = "; the bar is the 95 % interval of the mean (Student's t)" if with_intervals else ""
    some = f", the first {MAX_STRIPS} of {len(settings):,}" if len(settings) > MAX_STRIPS else ""
    return Intervals(
        f"{what}{some} (from {scale.lower:g} to {scale.upper:g}; thin lines are values, thick ones"
        f" means{bars})",
        (shorten(name, _LONG), f"mean {metric}"),
        rows,
        scale,
    )


def _ends(mean: float, half: float | None) -> tuple[float, ...]:
    if half is None or not math.isfinite(mean - half) or not math.isfinite(mean + half):
        return ()
    return mean - half, mean + half


def _thinned(values: Sequence[float]) -> tuple[float, ...]:
    """Return at most a bounded number of values, with the least and the greatest."""
    if len(values) <= MAX_DOTS:
        return tuple(values)
    placed = sorted(values)
    return tuple(placed[at * (len(placed) - 1) // (MAX_DOTS - 1)] for at in range(MAX_DOTS))


def _plot(
    column: SweepColumn,
    settings: Sequence[SweepSetting],
    metric: str,
    *,
    what: str,
    alone: bool,
) -> Plot:
    placed = sorted(settings, key=lambda item: _number(item.cells[0]))
    numbers = [_number(item.cells[0]) for item in placed]
    several = repeats(placed)
    x = _scale(numbers)
    ends = [
        end
        for item in placed
        for end in (*item.values, *(_ends(item.mean or 0.0, item.half_width) if alone else ()))
    ]
    y = scale_of(ends)
    means = [item.mean or 0.0 for item in placed]
    with_intervals = alone and several
    halves = [_ends(m, item.half_width) for m, item in zip(means, placed, strict=True)]
    spans = [half or (m, m) for half, m in zip(halves, means, strict=True)]
    room = max(MAX_DOTS // len(placed), 2)
    dots = [
        (_number(item.cells[0]), value)
        for item in placed
        for value in (item.values if len(ends) <= MAX_DOTS else _few(item.values, room))
    ]
    series = [
        Series(
            "mean" if several else metric,
            [x.share(value) for value in numbers],
            [y.share(mean) for mean in means],
            _remark(with_intervals=with_intervals),
            dots=[_DOT] * len(placed),
            low=[y.share(low) for low, _ in spans] if with_intervals else (),
            high=[y.share(high) for _, high in spans] if with_intervals else (),
        )
    ]
    if several:
        series.append(
            Series(
                "each run",
                [x.share(at) for at, _ in dots],
                [y.share(value) for _, value in dots],
                dots=[_SMALL_DOT] * len(dots),
                line=False,
            )
        )
    return Plot(
        title=shorten(what, 2 * _LONG),
        description=_described(column, placed, metric),
        x_axis=shorten(column.name, _LONG) + (" (logarithmic)" if x.logarithmic else ""),
        y_axis=shorten(metric, _LONG),
        series=series,
        table=settings_table([column], placed, "All values", with_intervals=with_intervals),
        x_scale=x,
        y_scale=y,
    )


def _remark(*, with_intervals: bool) -> str:
    return "with its 95 % interval (Student's t)" if with_intervals else ""


def _scale(numbers: Sequence[float]) -> Scale:
    if is_geometric(numbers):
        return logarithmic_scale(numbers)
    return scale_of(numbers, whole=all(float(value).is_integer() for value in numbers))


def _number(cell: SweepCell) -> float:
    return cell.number or 0.0


def _few(values: Sequence[float], count: int) -> Sequence[float]:
    """Return at most ``count`` values, with the least and the greatest."""
    placed = sorted(values)
    if len(placed) <= count:
        return placed
    return [placed[at * (len(placed) - 1) // (count - 1)] for at in range(count)]


def _described(column: SweepColumn, settings: Sequence[SweepSetting], metric: str) -> str:
    means = {item.cells[0].text: item.mean or 0.0 for item in settings}
    best = min(means, key=lambda text: rank_of(means[text], metric))
    worst = max(means, key=lambda text: rank_of(means[text], metric))
    mean = "mean " if repeats(settings) else ""
    if means[best] == means[worst]:
        values = plural(len(means), "value")
        return f"The {mean}{metric} is {number(means[best])} at all {values} of {column.name}."
    return (
        f"The best {mean}{metric} is {number(float(means[best]))} at {column.name} {best}, the"
        f" worst {number(float(means[worst]))} at {worst}, of {plural(len(means), 'value')}."
    )


def settings_table(
    columns: Sequence[SweepColumn],
    settings: Sequence[SweepSetting],
    caption: str,
    *,
    with_intervals: bool = True,
) -> TableBlock:
    """Return the table of settings: mean, interval, range and number of runs."""
    several = repeats(settings)
    header = [shorten(column.name, _LONG) for column in columns]
    measures = ("Mean", "Least", "Greatest", "Runs") if several else ("Value",)
    rows = []
    for item in settings:
        values: list[str] = [_NONE] * len(measures)
        if item.values:
            mean = interval_text(item) if with_intervals else number(float(item.mean or 0.0))
            values = [mean]
            if several:
                values += [
                    number(float(item.least)),
                    number(float(item.greatest)),
                    f"{len(item.values):,}",
                ]
        rows.append([*([Name(cell.text)] for cell in item.cells), *values])
    first = len(columns)
    numeric = {at for at, column in enumerate(columns) if column.is_numeric}
    return TableBlock(
        caption,
        (*header, *measures),
        rows,
        frozenset({*numeric, *range(first, first + len(measures))}),
    )
