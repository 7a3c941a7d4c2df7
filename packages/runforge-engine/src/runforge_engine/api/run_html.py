"""The notebook display of a run: facts, dropped rows, diagnostics, matrix and curves.

The colours are those of the notebook, so that it suits light and dark ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import printable, shorten
from runforge_contracts.recorded_diagnostics import placed_message
from runforge_contracts.store.summary import RunSummary

from runforge_engine.api.html_tables import class_table, confusion_table

if TYPE_CHECKING:
    from runforge_engine.modeling.curves import Curve

#: Maximum number of classes in a table or a matrix, of curves in a drawing, and of diagnostics.
_CLASSES, _CURVES, _DIAGNOSTICS = 12, 6, 20
#: Maximum length of a message.
_LONG = 400
#: Side of a drawing, and its margin.
_SIDE, _MARGIN = 220, 26
_SEVERITIES = ("error", "warning", "info")
#: Dashes that tell the curves of several classes apart without colours.
_DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 2", "10 4")


def dropped_text(summary: RunSummary) -> str | None:
    """Return how many rows were used, and how many were left out for missing values."""
    data = summary.data
    if data.rows is None:
        return None
    used = f"{data.rows:,}"
    if not data.dropped_rows:
        return used
    share = data.dropped_rows / (data.rows + data.dropped_rows)
    return f"{used} used, {data.dropped_rows:,} dropped for missing values ({share:.1%})"


def diagnostics_html(diagnostics: Sequence[Mapping[str, Any]]) -> str:
    """Return the diagnostics as a table, the most severe first; nothing if there are none."""
    ordered = sorted(diagnostics, key=lambda item: _SEVERITIES.index(item["severity"]))
    rows = "".join(
        f"<tr>{_cell(item['severity'])}{_cell(placed_message(item))}{_cell(item['code'])}</tr>"
        for item in ordered[:_DIAGNOSTICS]
    )
    more = len(ordered) - _DIAGNOSTICS
    if more > 0:
        rows += f"<tr>{_cell('')}{_cell(f'and {more:,} more: run.diagnostics')}{_cell('')}</tr>"
    if not ordered:
        return ""
    return f"<table><caption>Diagnostics</caption><tbody>{rows}</tbody></table>"


def _cell(text: str) -> str:
    shown = escape(printable(shorten(text, _LONG)))
    return f'<td style="text-align: left; white-space: normal">{shown}</td>'


def matrix_html(metrics: Mapping[str, Any], classes: Sequence[Any]) -> str:
    """Return the metrics by class and the confusion matrix, as far as they are small enough."""
    counts = metrics.get("confusion_matrix") or []
    if not counts or len(counts) > _CLASSES:
        return ""
    labels = [str(label) for label in classes] or [str(number) for number in range(len(counts))]
    if len(labels) != len(counts):
        return ""
    return class_table(metrics, "By class") + confusion_table(counts, labels, "Confusion matrix")


def curves_html(roc: Sequence[Curve], precision_recall: Sequence[Curve]) -> str:
    """Return drawings of the curves of the validation rows; nothing if there are none."""
    drawings = [
        _drawing("ROC", "false positive rate", "true positive rate", roc),
        _drawing("Precision and recall", "recall", "precision", precision_recall),
    ]
    if not any(drawings):
        return ""
    return f'<div style="display: flex; flex-wrap: wrap; gap: 1em">{"".join(drawings)}</div>'


def _drawing(title: str, across: str, up: str, curves: Sequence[Curve]) -> str:
    if not curves:
        return ""
    shown = curves[:_CURVES]
    size = _SIDE + 2 * _MARGIN
    frame = (
        f'<rect x="{_MARGIN}" y="{_MARGIN}" width="{_SIDE}" height="{_SIDE}" fill="none"'
        ' stroke="currentColor" stroke-opacity="0.4"/>'
    )
    lines = "".join(_line(curve, dash) for curve, dash in zip(shown, _DASHES, strict=False))
    texts = "".join(_texts(across, up, size))
    areas = _legend(shown, len(curves))
    return (
        f'<figure style="margin: 0; max-width: {size}px"><figcaption>{escape(title)}</figcaption>'
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {size} {size}"'
        f' style="width: 100%; max-width: {size}px" font-size="11" fill="currentColor">'
        f"{frame}{lines}{texts}</svg><div>{areas}</div></figure>"
    )


def _line(curve: Curve, dash: str) -> str:
    points = " ".join(
        f"{_MARGIN + x * _SIDE:.1f},{_MARGIN + (1 - y) * _SIDE:.1f}"
        for x, y in zip(curve.x, curve.y, strict=True)
    )
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="1.5"'
        f"{dashes}/>"
    )


def _texts(across: str, up: str, size: int) -> Iterator[str]:
    middle, end = size // 2, _MARGIN + _SIDE
    yield f'<text x="{middle}" y="{size - 6}" text-anchor="middle">{escape(across)}</text>'
    yield (
        f'<text x="12" y="{middle}" text-anchor="middle"'
        f' transform="rotate(-90 12 {middle})">{escape(up)}</text>'
    )
    yield f'<text x="{_MARGIN}" y="{end + 12}" text-anchor="middle">0</text>'
    yield f'<text x="{end}" y="{end + 12}" text-anchor="middle">1</text>'
    yield f'<text x="{_MARGIN - 4}" y="{_MARGIN + 4}" text-anchor="end">1</text>'


def _legend(curves: Iterable[Curve], count: int) -> str:
    parts = []
    for curve, dash in zip(curves, _DASHES, strict=False):
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        sample = (
            '<svg width="26" height="8" aria-hidden="true"><line x1="0" y1="4" x2="26" y2="4"'
            f' stroke="currentColor" stroke-width="1.5"{dashes}/></svg>'
        )
        label = escape(printable(shorten(str(curve.label), 40)))
        parts.append(f"<div>{sample} {label}: area {curve.area:.4f}</div>")
    if count > len(parts):
        parts.append(f"<div>and {count - len(parts):,} more</div>")
    return "".join(parts)
