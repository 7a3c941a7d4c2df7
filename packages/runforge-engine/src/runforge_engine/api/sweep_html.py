"""The notebook display of a sweep: what it found, a heat map for two parameters, and its members.

The colours are translucent, so that they suit light and dark notebooks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from runforge_contracts.display import printable, shorten

from runforge_engine.api.html_tables import html_table
from runforge_engine.store.sweep_grid import SweepGrid, extent_of, goodness, grids_of, mean_of
from runforge_engine.store.sweep_settings import SweepSetting, settings_of
from runforge_engine.store.sweep_table import SweepCell, SweepColumn, SweepTable

#: Maximum number of rows of a table, and of metrics.
_SHOWN, _METRICS = 20, 4
#: Maximum length of a name.
_LONG = 80


def sweep_html(table: SweepTable) -> str:
    """Return a sweep as HTML for a notebook; every name is escaped."""
    counts = ", ".join(f"{count:,} {status}" for status, count in table.counts.items())
    title = f"Sweep {table.name or table.group_id}: {table.status}; {counts or 'no members'}"
    return "".join([_paragraph(title, strong=True), *_parts(table)])


def _parts(table: SweepTable) -> Iterator[str]:
    metric = table.metric
    best = table.best()
    if metric is not None and best:
        settings = settings_of(table)
        repeated = [setting for setting in settings if len(setting.values) > 1]
        value = table.value(best[0]) or 0.0
        tied = f", and of {len(best) - 1:,} more" if len(best) > 1 else ""
        where = _setting(table.columns, best[0].cells)
        yield _paragraph(f"Best {metric}: {value:.4f} of member {best[0].number}{tied}. {where}")
        grids = grids_of(table, metric)[:1]
        if grids and not grids[0].others:
            yield _heat_map(table, grids[0], metric)
        if repeated:
            yield _settings(table, settings, metric)
    yield _members(table)


def _paragraph(text: str, *, strong: bool = False) -> str:
    shown = escape(printable(shorten(text, 500)))
    return f"<p>{f'<strong>{shown}</strong>' if strong else shown}</p>"


def _setting(columns: Sequence[SweepColumn], cells: Sequence[SweepCell]) -> str:
    return ", ".join(
        f"{column.name}={cell.text}"
        for column, cell in zip(columns, cells, strict=True)
        if cell.is_named
    )


def _heat_map(table: SweepTable, grid: SweepGrid, metric: str) -> str:
    extent = extent_of(table, [grid], metric) or (0.0, 0.0)
    heads = "".join(_head(cell.text, "col") for cell in grid.columns)
    corner = _head(f"{grid.down.name} / {grid.across.name}", "col")
    body = []
    for row in grid.rows:
        cells = [_head(row.text, "row")]
        for column in grid.columns:
            mean = mean_of(table, grid.at(row, column), metric)
            if mean is None:
                cells.append("<td></td>")
                continue
            alpha = 0.5 * goodness(mean, extent, metric)
            cells.append(f'<td style="background: rgba(40, 120, 220, {alpha:.2f})">{mean:.4f}</td>')
        body.append(f"<tr>{''.join(cells)}</tr>")
    caption = f"{metric}; the stronger the colour, the better"
    if max(len(rows) for rows in grid.members.values()) > 1:
        caption = f"Mean {caption}"
    return (
        f"<table><caption>{escape(printable(shorten(caption, _LONG)))}</caption>"
        f"<thead><tr>{corner}{heads}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _head(text: str, scope: str) -> str:
    return f'<th scope="{scope}">{escape(printable(shorten(text, _LONG)))}</th>'


def _settings(table: SweepTable, settings: Sequence[SweepSetting], metric: str) -> str:
    measured = [setting for setting in settings if setting.mean is not None]
    rows = [
        (
            *(cell.text for cell in setting.cells),
            _interval(setting),
            f"{setting.least:.4f}",
            f"{setting.greatest:.4f}",
            str(len(setting.values)),
        )
        for setting in measured[:_SHOWN]
    ]
    header = tuple(column.name for column in table.setting_columns)
    title = f"Mean {metric} over the seeds with its 95 % interval (Student's t)"
    return html_table(
        (*header, "mean", "least", "greatest", "runs"), rows, title=title + _some(measured)
    )


def _interval(setting: SweepSetting) -> str:
    mean, half = setting.mean or 0.0, setting.half_width
    return f"{mean:.4f}" if half is None else f"{mean:.4f} ± {half:.4f}"


def _members(table: SweepTable) -> str:
    metrics = table.metrics[:_METRICS]
    rows = [
        (
            str(row.number),
            *(cell.text for cell in row.cells),
            row.status,
            *(f"{row.metrics[name]:.4f}" if name in row.metrics else "" for name in metrics),
            row.run_id or "",
        )
        for row in table.ranked()[:_SHOWN]
    ]
    header = ("member", *(column.name for column in table.columns), "status", *metrics, "run")
    return html_table(header, rows, title="Members, the best first" + _some(table.rows))


def _some(items: Sequence[object]) -> str:
    return f" (the first {_SHOWN} of {len(items):,})" if len(items) > _SHOWN else ""
