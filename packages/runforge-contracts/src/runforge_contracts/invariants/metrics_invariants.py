"""Metrics follow from the confusion matrix, and every file says the same about them.

Source: RunForge guarantees, "Metrics Contract" and "Model-Aware Metrics"; RunForge contract,
"Documents and versions" (rows of the matrix are true labels).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runforge_contracts.invariants.checked_folder import Folder
from runforge_contracts.invariants.finding import Finding, close, unequal
from runforge_contracts.store import layout

_MACROS = ("precision", "recall", "f1")
#: Families whose model gives probabilities.
_WITH_PROBABILITIES = frozenset({"logistic_regression", "random_forest"})


def metric_findings(folder: Folder) -> Iterator[Finding]:
    """Give what is wrong with the metrics of a run."""
    metrics = folder.documents.get(layout.METRICS)
    metrics_v1 = folder.documents.get(layout.METRICS_V1)
    run = folder.run
    if metrics is not None and run is not None:
        yield from unequal(
            "metrics.agree",
            "The record repeats metrics.json.",
            layout.RUN,
            "/metrics",
            metrics,
            run["metrics"],
        )
        for count in ("num_samples", "num_features"):
            if count in run:
                yield from unequal(
                    "metrics.agree",
                    f"{count} is the same everywhere.",
                    layout.METRICS,
                    f"/{count}",
                    run[count],
                    metrics[count],
                )
    if metrics_v1 is None:
        return
    if metrics is not None and not close(metrics["accuracy"], metrics_v1["accuracy"]):
        yield Finding(
            "metrics.agree",
            "Both metrics files give the same accuracy.",
            layout.METRICS,
            "/accuracy",
            metrics_v1["accuracy"],
            metrics["accuracy"],
        )
    yield from _matrix(metrics_v1, run)
    yield from _profile(metrics_v1, run)
    summary = ((folder.result or {}).get("summary") or {}).get("metrics") or {}
    if "accuracy" in summary and not close(summary["accuracy"], metrics_v1["accuracy"]):
        yield Finding(
            "metrics.agree",
            "The result's summary gives the same accuracy.",
            layout.RESULT,
            "/summary/metrics/accuracy",
            metrics_v1["accuracy"],
            summary["accuracy"],
        )


def _matrix(metrics: dict[str, Any], run: dict[str, Any] | None) -> Iterator[Finding]:
    """Give where the matrix is not one of this many classes, or the metrics are not its own."""
    rule, file = "metrics.confusion-matrix", layout.METRICS_V1
    matrix, size = metrics["confusion_matrix"], metrics["num_classes"]
    if len(matrix) != size or any(len(row) != size for row in matrix):
        shape = [len(matrix), *{len(row) for row in matrix}]
        message = "The matrix has a row and a column for each class."
        yield Finding(rule, message, file, "/confusion_matrix", [size, size], shape)
        return
    labels = metrics.get("class_labels")
    if labels is not None and len(labels) != size:
        message = "There is a label for each class."
        yield Finding(rule, message, file, "/class_labels", size, len(labels))
    if labels is not None and run is not None and "classes" in run:
        yield from unequal(
            "metrics.agree",
            "The labels are the record's classes, in its order.",
            file,
            "/class_labels",
            run["classes"],
            labels,
        )
    total = sum(map(sum, matrix))
    if run is not None and "split" in run:
        yield from unequal(
            "metrics.confusion-matrix",
            "The matrix counts every validation row once.",
            file,
            "/confusion_matrix",
            run["split"]["validation_rows"],
            total,
        )
    predicted = [sum(column) for column in zip(*matrix, strict=True)]
    by_class = [_of_class(matrix, index, predicted[index]) for index in range(size)]
    expected = {"accuracy": _ratio(sum(matrix[i][i] for i in range(size)), total)}
    for place, name in enumerate(_MACROS):
        expected[f"{name}_macro"] = sum(values[place] for values in by_class) / size
    for name, value in expected.items():
        if not close(value, metrics[name]):
            message = f"`{name}` follows from the confusion matrix."
            yield Finding(rule, message, file, f"/{name}", value, metrics[name])
    yield from _by_class(metrics, labels, by_class)


def _by_class(
    metrics: dict[str, Any], labels: list[Any] | None, by_class: list[tuple[float, ...]]
) -> Iterator[Finding]:
    rule, file = "metrics.confusion-matrix", layout.METRICS_V1
    entries = metrics.get("metrics_by_class")
    if entries is None:
        return
    if labels is not None:
        found = [entry["class"] for entry in entries]
        message = "There is an entry for each class, in the order of the labels."
        yield from unequal(rule, message, file, "/metrics_by_class", labels, found)
    for index, (entry, values) in enumerate(zip(entries, by_class, strict=False)):
        for name, value in zip((*_MACROS, "support"), values, strict=True):
            if not close(value, entry[name]):
                pointer = f"/metrics_by_class/{index}/{name}"
                message = f"`{name}` follows from the confusion matrix."
                yield Finding(rule, message, file, pointer, value, entry[name])


def _of_class(matrix: list[list[int]], index: int, predicted: int) -> tuple[float, ...]:
    """Return precision, recall, F1 and support of a class; a ratio to nothing is 0."""
    hits, true = matrix[index][index], sum(matrix[index])
    return _ratio(hits, predicted), _ratio(hits, true), _ratio(2 * hits, predicted + true), true


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _profile(metrics: dict[str, Any], run: dict[str, Any] | None) -> Iterator[Finding]:
    """Give where the profile is not the one that classes and family select."""
    if run is None or "model_family" not in run:
        return
    if metrics["num_classes"] > 2:
        profile = "classification.multiclass.v1"
    elif run["model_family"] in _WITH_PROBABILITIES:
        profile = "classification.proba.v1"
    else:
        profile = "classification.base.v1"
    message = "The profile follows from the number of classes and the model family."
    yield from unequal(
        "metrics.profile",
        message,
        layout.METRICS_V1,
        "/metrics_profile",
        profile,
        metrics["metrics_profile"],
    )
    if "metrics_v1" in run:
        yield from unequal(
            "metrics.agree",
            "The record names the profile of metrics.v1.json.",
            layout.RUN,
            "/metrics_v1/metrics_profile",
            metrics["metrics_profile"],
            run["metrics_v1"]["metrics_profile"],
        )
