"""The documents of a run as tables: metrics, matrix, importances, coefficients, diagnostics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runforge_contracts.text import printable

from runforge_cli.columns import GAP, bar, number, pairs, table

_METRICS = ("accuracy", "precision_macro", "recall_macro", "f1_macro", "roc_auc", "log_loss")
_LOWER = {"log_loss": " (lower is better)"}
#: Classes up to which a confusion matrix is drawn.
_MAX_MATRIX = 12


def metric_lines(metrics: dict[str, Any]) -> list[str]:
    """Return the metrics of ``metrics.v1.json``, one a line."""
    return pairs(
        (name, number(metrics[name]) + _LOWER.get(name, "")) for name in _METRICS if name in metrics
    )


def class_lines(metrics: dict[str, Any]) -> list[str]:
    """Return the metrics of each class, where there are any."""
    rows = [
        [
            str(item["class"]),
            *(number(item[key]) for key in ("precision", "recall", "f1", "support")),
        ]
        for item in metrics.get("metrics_by_class", ())
    ]
    header = ("class", "precision", "recall", "f1", "rows")
    return table(header, rows, right=(1, 2, 3, 4), flexible=0, indent=2) if rows else []


def confusion_lines(metrics: dict[str, Any], classes: Sequence[Any] | None) -> list[str]:
    """Return the confusion matrix; of many classes, the pairs that are confused most."""
    matrix: list[list[int]] = metrics["confusion_matrix"]
    labels = [str(label) for label in metrics.get("class_labels") or classes or range(len(matrix))]
    if len(labels) != len(matrix):
        labels = [str(index) for index in range(len(matrix))]
    if len(labels) > _MAX_MATRIX:
        return _confused_pairs(matrix, labels)
    short = [printable(label)[:10] for label in labels]
    rows = [
        [label, *(str(count) for count in row)] for label, row in zip(labels, matrix, strict=True)
    ]
    columns = tuple(range(1, len(labels) + 1))
    return table(["", *short], rows, right=columns, flexible=0, indent=2)


def _confused_pairs(matrix: list[list[int]], labels: list[str]) -> list[str]:
    pairs_ = [
        (count, labels[row], labels[column])
        for row, counts in enumerate(matrix)
        for column, count in enumerate(counts)
        if row != column and count
    ]
    worst = sorted(pairs_, key=lambda item: -item[0])[:8]
    rows = [[true, predicted, str(count)] for count, true, predicted in worst]
    return (
        table(("true", "predicted", "rows"), rows, right=(2,), flexible=0, indent=2) if rows else []
    )


def importance_lines(importance: dict[str, Any], most: int | None = None) -> list[str]:
    """Return the features of a forest with their Gini importances, most important first."""
    features = importance["features_by_importance"][:most]
    greatest = max((item["importance"] for item in features), default=0.0)
    rows = [
        [item["name"], number(item["importance"]), bar(item["importance"], greatest)]
        for item in features
    ]
    return table(("", "", ""), rows, right=(1,), flexible=0, indent=2)


def coefficient_lines(
    coefficients: dict[str, Any], most: int | None = None, max_classes: int | None = None
) -> list[str]:
    """Return the coefficients of each class, strongest first."""
    groups = coefficients["coefficients_by_class"]
    lines: list[str] = []
    for group in groups[:max_classes]:
        features = group["features"][:most]
        greatest = max((item["abs_coefficient"] for item in features), default=0.0)
        rows = [
            [item["name"], f"{item['coefficient']:+.4f}", bar(item["abs_coefficient"], greatest)]
            for item in features
        ]
        lines.append(f"{GAP}{printable(str(group['class']))}")
        lines += table(("", "", ""), rows, right=(1,), flexible=0, indent=4)
    left = len(groups) - len(groups[:max_classes])
    if left:
        lines.append(f"{GAP}… and {left} more classes")
    return lines


def diagnostic_lines(diagnostics: Sequence[dict[str, Any]]) -> list[str]:
    """Return diagnostics in words, what matters most first."""
    order = ("error", "warning", "info")
    ranked = sorted(diagnostics, key=lambda item: order.index(item["severity"]))
    return pairs((item["severity"], f"{item['message']} [{item['code']}]") for item in ranked)
