"""Tables in HTML for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from runforge_contracts.display import printable, shorten
from runforge_contracts.metrics import class_metrics

#: Maximum number of characters of a string in a table.
_LONG = 80


def html_table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]], *, title: str = "") -> str:
    """Return a table for a notebook; the content of the cells is escaped."""

    def cells(kind: str, row: tuple[str, ...]) -> str:
        texts = (escape(printable(shorten(cell, _LONG))) for cell in row)
        return "".join(f'<{kind} style="text-align: left">{text}</{kind}>' for text in texts)

    head = f"<thead><tr>{cells('th', header)}</tr></thead>" if any(header) else ""
    caption = f"<caption>{escape(printable(title))}</caption>" if title else ""
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table>{caption}{head}<tbody>{body}</tbody></table>"


def class_table(metrics: Mapping[str, Any], title: str = "") -> str:
    """Return the metrics by class of a ``metrics.v1``; nothing if it has none."""
    rows = [
        (str(label), *(f"{value:.4f}" for value in values), str(count))
        for label, *values, count in class_metrics(metrics)
    ]
    header = ("class", "precision", "recall", "f1", "rows")
    return html_table(header, rows, title=title) if rows else ""


def confusion_table(counts: Sequence[Sequence[int]], labels: Sequence[str], title: str = "") -> str:
    """Return a confusion matrix, with a row for each true and a column for each predicted class."""
    rows = [
        (label, *(f"{count:,}" for count in row)) for label, row in zip(labels, counts, strict=True)
    ]
    return html_table(("true / predicted", *labels), rows, title=title)
