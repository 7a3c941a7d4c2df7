"""Pages on one document of a run, which the commands print and the browser shows.

Each function raises ``ARTIFACT_NOT_FOUND`` if the run has no such document.
"""

from __future__ import annotations

from typing import Any

from runforge_contracts.display import printable, quote
from runforge_contracts.store import layout
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import class_labels

from runforge_cli.render.artifact_pages import heading, require_document
from runforge_cli.render.tables import (
    class_lines,
    coefficient_lines,
    confusion_section,
    diagnostic_lines,
    importance_lines,
    metric_lines,
)
from runforge_cli.terminal.text_layout import number, pairs, paragraph

_GUIDE = (
    "Features were standardized before training: a coefficient is the change of the score of the"
    " class when the feature increases by one standard deviation. Compare coefficients with each"
    " other, not with raw values."
)
_SCORES = {
    "logistic_regression": " The score is the log-odds of the class.",
    "linear_svc": " The score is the value of the decision function, not a probability.",
}


def metrics_document(folder: Run) -> dict[str, Any]:
    """Return the metrics of a run; older and other clients write only a few."""
    detailed = folder.content(layout.METRICS_V1)
    if detailed is not None:
        return detailed
    if folder.record is None and folder.metrics:
        return folder.metrics  # Clients without a run record have them in the result alone.
    return require_document(
        folder, layout.METRICS, "metrics", "It was written by an older version."
    )


def metrics_page(folder: Run) -> list[str]:
    """Return all metrics, also by class, and the confusion matrix."""
    metrics = metrics_document(folder)
    lines = [*heading(folder, "Metrics"), ""]
    if "confusion_matrix" not in metrics:
        return lines + pairs((name, number(value)) for name, value in metrics.items())
    lines += metric_lines(metrics)
    by_class = class_lines(metrics)
    if by_class:
        lines += ["", "By class", *by_class]
    title, matrix = confusion_section(metrics, class_labels(folder))
    return [*lines, "", *paragraph(title), *matrix]


def importance_document(folder: Run) -> dict[str, Any]:
    """Return the feature importances of a forest."""
    return require_document(
        folder,
        layout.FEATURE_IMPORTANCE,
        "feature importances",
        "Only random_forest has them; `runforge coefficients` is for linear models.",
    )


def importance_page(folder: Run) -> list[str]:
    """Return the feature importances of a forest, most important first."""
    importance = importance_document(folder)
    return [*heading(folder, "Feature importances"), "", *importance_lines(importance)]


def coefficients_document(folder: Run) -> dict[str, Any]:
    """Return the coefficients of a linear model."""
    return require_document(
        folder,
        layout.LINEAR_COEFFICIENTS,
        "linear coefficients",
        "Only linear models have them; `runforge importance` is for forests.",
    )


def coefficients_page(folder: Run) -> list[str]:
    """Return the coefficients of a linear model by class, with a guide to reading them."""
    coefficients = coefficients_document(folder)
    intercepts = [
        (printable(str(item["class"])), f"{item['intercept']:+.4f}")
        for item in coefficients["intercepts"]
    ]
    return [
        *heading(folder, "Coefficients"),
        "",
        *paragraph(_guide(coefficients)),
        "",
        *coefficient_lines(coefficients),
        "",
        "Intercepts",
        *pairs(intercepts),
    ]


def _guide(coefficients: dict[str, Any]) -> str:
    guide = _GUIDE + _SCORES[coefficients["model_family"]]
    if coefficients["num_classes"] == 2:
        lesser, greater = (quote(label) for label in coefficients["classes"])
        guide += f" Positive coefficients favour {greater}, negative ones {lesser}."
    return guide


def diagnostics_page(folder: Run) -> list[str]:
    """Return the diagnostics of the run."""
    lines = diagnostic_lines(folder.diagnostics) or ["  No diagnostics."]
    return [*heading(folder, "Diagnostics"), "", *lines]
