"""Checks that metrics follow from the confusion matrix and agree between files.

Source: specification, sections 9.1 to 9.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runforge_contracts.invariants.checked_folder import CheckedRun
from runforge_contracts.invariants.finding import Finding, close, disagreement, unequal
from runforge_contracts.metrics import SUMMARY_NAMES
from runforge_contracts.store import layout

_MACROS = ("precision", "recall", "f1")
#: Metrics that a result repeats.
_SUMMARIZED = ("accuracy", *SUMMARY_NAMES, "roc_auc", "log_loss")
#: Families whose model gives probabilities.
_WITH_PROBABILITIES = frozenset({"logistic_regression", "random_forest"})


def metric_findings(folder: CheckedRun) -> Iterator[Finding]:
    """Yield the violations in the metrics of a run."""
    metrics = folder.content(layout.METRICS)
    metrics_v1 = folder.content(layout.METRICS_V1)
    run = folder.record
    if metrics is not None and run is not None:
        yield from unequal(
            "metrics.agree",
            "{run} and {metrics} disagree at {pointer}: {found} and {expected}.",
            layout.RUN,
            "/metrics",
            metrics,
            run["metrics"],
            run=layout.RUN,
            metrics=layout.METRICS,
        )
        for count in ("num_samples", "num_features"):
            if count in run:
                yield from disagreement(
                    "metrics.agree",
                    layout.METRICS,
                    f"/{count}",
                    layout.RUN,
                    run[count],
                    metrics[count],
                )
    if metrics_v1 is None:
        return
    if metrics is not None and not close(metrics["accuracy"], metrics_v1["accuracy"]):
        yield Finding(
            "metrics.agree",
            f"{layout.METRICS} has the accuracy {metrics['accuracy']}; {layout.METRICS_V1} has"
            f" {metrics_v1['accuracy']}.",
            layout.METRICS,
            "/accuracy",
            metrics_v1["accuracy"],
            metrics["accuracy"],
        )
    yield from matrix_findings(metrics_v1, run)
    yield from _profile(metrics_v1, run)
    summary = ((folder.result or {}).get("summary") or {}).get("metrics") or {}
    # Older clients had other definitions of the metrics besides accuracy.
    for name in _SUMMARIZED if folder.is_current else ("accuracy",):
        shown, expected = SUMMARY_NAMES.get(name, name), metrics_v1.get(name)
        if expected is not None and not close(summary.get(shown, expected), expected):
            yield Finding(
                "metrics.agree",
                f"{layout.RESULT} has the {shown} {summary[shown]}; {layout.METRICS_V1} has"
                f" {expected} as {name}.",
                layout.RESULT,
                f"/summary/metrics/{shown}",
                expected,
                summary[shown],
            )


def matrix_findings(
    metrics: dict[str, Any], run: dict[str, Any] | None = None
) -> Iterator[Finding]:
    """Yield a matrix of the wrong size, and metrics that do not follow from it.

    Parameters
    ----------
    metrics
        A ``metrics.v1``.
    run
        The record of the run, whose validation rows the matrix counts.
    """
    rule, file = "metrics.confusion-matrix", layout.METRICS_V1
    matrix, size = metrics["confusion_matrix"], metrics["num_classes"]
    if len(matrix) != size or any(len(row) != size for row in matrix):
        shape = [len(matrix), *{len(row) for row in matrix}]
        message = f"The confusion matrix has the shape {shape}; there are {size} classes."
        yield Finding(rule, message, file, "/confusion_matrix", [size, size], shape)
        return
    labels = metrics.get("class_labels")
    if labels is not None and len(labels) != size:
        message = f"There are {len(labels)} labels for {size} classes."
        yield Finding(rule, message, file, "/class_labels", size, len(labels))
    total = sum(map(sum, matrix))
    if run is not None and "split" in run:
        yield from unequal(
            "metrics.confusion-matrix",
            "The confusion matrix counts {found} rows; {expected} are for validation.",
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
            message = f"{name} is {metrics[name]}; the confusion matrix gives {value}."
            yield Finding(rule, message, file, f"/{name}", value, metrics[name])
    for place, name in enumerate(_MACROS):
        yield from _by_class(metrics, f"per_class_{name}", [values[place] for values in by_class])


def _by_class(metrics: dict[str, Any], name: str, expected: list[float]) -> Iterator[Finding]:
    rule, file = "metrics.confusion-matrix", layout.METRICS_V1
    found = metrics.get(name)
    if found is None:
        return
    if len(found) != len(expected):
        message = f"{name} has {len(found)} values for {len(expected)} classes."
        yield Finding(rule, message, file, f"/{name}", len(expected), len(found))
        return
    for index, (value, given) in enumerate(zip(expected, found, strict=True)):
        if not close(value, given):
            message = f"{name} is {given}; the confusion matrix gives {value}."
            yield Finding(rule, message, file, f"/{name}/{index}", value, given)


def _of_class(matrix: list[list[int]], index: int, predicted: int) -> tuple[float, ...]:
    """Return precision, recall and F1 of a class; a ratio to 0 is 0."""
    hits, true = matrix[index][index], sum(matrix[index])
    return _ratio(hits, predicted), _ratio(hits, true), _ratio(2 * hits, predicted + true)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def profile_of(num_classes: int, family: str) -> str:
    """Return the profile of the metrics of a model with some classes.

    Source: specification, section 9.3.
    """
    if num_classes > 2:
        return "classification.multiclass.v1"
    if family in _WITH_PROBABILITIES:
        return "classification.proba.v1"
    return "classification.base.v1"


def _profile(metrics: dict[str, Any], run: dict[str, Any] | None) -> Iterator[Finding]:
    """Yield a finding if the profile does not follow from classes and model family."""
    if run is None or "model_family" not in run:
        return
    profile = profile_of(metrics["num_classes"], run["model_family"])
    message = "The profile is {found}; {classes} classes and a {family} need {expected}."
    yield from unequal(
        "metrics.profile",
        message,
        layout.METRICS_V1,
        "/metrics_profile",
        profile,
        metrics["metrics_profile"],
        classes=str(metrics["num_classes"]),
        family=run["model_family"],
    )
    if "metrics_v1" in run:
        yield from disagreement(
            "metrics.agree",
            layout.RUN,
            "/metrics_v1/metrics_profile",
            layout.METRICS_V1,
            metrics["metrics_profile"],
            run["metrics_v1"]["metrics_profile"],
        )
