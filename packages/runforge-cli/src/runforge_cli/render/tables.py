"""Documents of a run as tables: metrics, matrix, importances, coefficients, diagnostics."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runforge_contracts.display import printable
from runforge_contracts.metrics import class_metrics
from runforge_contracts.prepared_names import by_raw_column
from runforge_contracts.recorded_diagnostics import placed_message

from runforge_cli.terminal.text_layout import (
    GAP,
    bar,
    fit,
    number,
    pairs,
    paragraph,
    plural,
    table,
    terminal_width,
    width,
)

_METRICS = ("accuracy", "precision_macro", "recall_macro", "f1_macro", "roc_auc", "log_loss")
_LOWER = {"log_loss": " (lower is better)"}
_SOURCES = {"model_default": "model default", "cli": "command line"}


def source_text(source: str) -> str:
    """Return the source of a hyperparameter for display."""
    return _SOURCES.get(source, source)


def metric_lines(metrics: dict[str, Any]) -> list[str]:
    """Return the metrics of ``metrics.v1.json``, one per line."""
    return pairs(
        (name, number(metrics[name]) + _LOWER.get(name, "")) for name in _METRICS if name in metrics
    )


def class_lines(metrics: dict[str, Any]) -> list[str]:
    """Return the table of the metrics by class, if there are any."""
    rows = [[str(label), *map(number, values)] for label, *values in class_metrics(metrics)]
    header = ("class", "precision", "recall", "f1", "rows")
    return table(header, rows, right=(1, 2, 3, 4), flexible=0, indent=2) if rows else []


def confusion_section(
    metrics: dict[str, Any], classes: Sequence[Any] | None
) -> tuple[str, list[str]]:
    """Return title and lines of the confusion matrix.

    If the names of the classes are too long for the terminal they are numbered. If the matrix is
    too large, the most confused pairs of classes are listed instead.
    """
    matrix: list[list[int]] = metrics["confusion_matrix"]
    labels = [str(label) for label in metrics.get("class_labels") or classes or ()]
    if len(labels) != len(matrix):
        labels = [f"class {index}" for index in range(1, len(matrix) + 1)]
    title = "Confusion matrix (rows: true class, columns: predicted class)"
    names = [printable(label) for label in labels]
    numbers = [str(index) for index in range(1, len(labels) + 1)]
    numbered = [f"{number} {name}" for number, name in zip(numbers, names, strict=True)]
    for rows, columns, least in ((names, names, 0), (numbered, numbers, 12)):
        counts = [
            max(width(name), *(len(str(row[index])) for row in matrix))
            for index, name in enumerate(columns)
        ]
        taken = 2 + sum(count + len(GAP) for count in counts)
        named = max(width(name) for name in rows)
        if taken + min(named, least or named) <= terminal_width():
            cells = [[name, *map(str, counted)] for name, counted in zip(rows, matrix, strict=True)]
            right = tuple(range(1, len(labels) + 1))
            return title, table(["", *columns], cells, right=right, flexible=0, indent=2)
    return "Most confused classes", _confused_pairs(matrix, labels)


def _confused_pairs(matrix: list[list[int]], labels: list[str]) -> list[str]:
    confused = [
        (count, labels[row], labels[column])
        for row, counts in enumerate(matrix)
        for column, count in enumerate(counts)
        if row != column and count
    ]
    if not confused:
        return paragraph("None: every row was predicted correctly.", indent=2)
    worst = sorted(confused, key=lambda item: -item[0])[:8]
    half = max(terminal_width() // 2 - 8, 8)
    rows = [
        [fit(printable(true), half), fit(printable(predicted), half), str(count)]
        for count, true, predicted in worst
    ]
    return table(("true", "predicted", "rows"), rows, right=(2,), flexible=0, indent=2)


def importance_lines(importance: dict[str, Any], most: int | None = None) -> list[str]:
    """Return the features of a forest with their Gini importance, most important first."""
    features = importance["features_by_importance"][:most]
    greatest = max((item["importance"] for item in features), default=0.0)
    rows = [
        [item["name"], number(item["importance"]), bar(item["importance"], greatest)]
        for item in features
    ]
    return table(("", "", ""), rows, right=(1,), flexible=0, indent=2)


def raw_importance_lines(importance: dict[str, Any], most: int | None = None) -> list[str]:
    """Return the raw columns of a forest with a recipe, with the sum of their importances."""
    groups = by_raw_column(item["name"] for item in importance["features_by_importance"])
    return _raw_lines(raw_importances(importance)[:most], groups, number)


def raw_importances(importance: dict[str, Any]) -> list[tuple[str, float]]:
    """Return the sum of the importances of each raw column, the most important first."""
    of = {item["name"]: item["importance"] for item in importance["features_by_importance"]}
    sums = {raw: math.fsum(of[name] for name in names) for raw, names in by_raw_column(of).items()}
    return sorted(sums.items(), key=lambda item: -item[1])


def raw_coefficient_lines(coefficients: dict[str, Any], most: int | None = None) -> list[str]:
    """Return the raw columns of a linear model with a recipe, strongest coefficient first."""
    features = coefficients["coefficients_by_class"][0]["features"]
    groups = by_raw_column(item["name"] for item in features)
    return _raw_lines(raw_coefficients(coefficients)[:most], groups, "{:.4f}".format)


def raw_coefficients(coefficients: dict[str, Any]) -> list[tuple[str, float]]:
    """Return the largest absolute coefficient of each raw column, over its features and classes."""
    strongest: dict[str, float] = {}
    for group in coefficients["coefficients_by_class"]:
        for item in group["features"]:
            name, value = item["name"], item["abs_coefficient"]
            strongest[name] = max(strongest.get(name, 0.0), value)
    groups = by_raw_column(strongest)
    values = [(raw, max(strongest[name] for name in names)) for raw, names in groups.items()]
    return sorted(values, key=lambda item: -item[1])


def _raw_lines(
    ranked: Sequence[tuple[str, float]],
    groups: Mapping[str, Sequence[str]],
    shown: Callable[[float], str],
) -> list[str]:
    """Return a table of raw columns with their values, and how many features each became."""
    rows = [
        [
            raw,
            shown(value),
            bar(value, ranked[0][1]),
            f"{len(groups[raw])} columns" if len(groups[raw]) > 1 else "",
        ]
        for raw, value in ranked
    ]
    return table(("", "", "", ""), rows, right=(1,), flexible=0, indent=2)


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
        lines.append(fit(f"{GAP}{printable(str(group['class']))}", terminal_width()))
        lines += table(("", "", ""), rows, right=(1,), flexible=0, indent=4)
    left = len(groups) - len(groups[:max_classes])
    if left:
        lines.append(f"{GAP}… and {plural(left, 'more class', 'more classes')}")
    return lines


def diagnostic_lines(diagnostics: Sequence[dict[str, Any]]) -> list[str]:
    """Return the diagnostics with their hints, the most severe first."""
    order = ("error", "warning", "info")
    items = []
    for item in sorted(diagnostics, key=lambda item: order.index(item["severity"])):
        items.append((item["severity"], f"{placed_message(item)} [{item['code']}]"))
        hint = item.get("details", {}).get("hint")
        if hint:
            items.append(("hint", str(hint)))
    return pairs(items)
