"""Metrics of a fitted pipeline on the validation rows, by profile.

Every number is what the function of the same name in ``sklearn.metrics`` returns. A metric that
cannot be computed is absent, and a diagnostic says why.

Source: RunForge guarantees, "Model-Aware Metrics".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET, UnsetType
from runforge_contracts._generated.common_v1 import MetricsProfile
from runforge_contracts._generated.metrics_v1 import ClassMetrics, MetricsV1
from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The detailed metrics, and what there is to say about them."""

    metrics: MetricsV1
    diagnostics: tuple[Diagnostic, ...]


def evaluate(pipeline: Any, X: Any, y: Any, classes: Sequence[int | str]) -> Evaluation:
    """Compute the metrics of the profile that fits the model and the number of classes.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted, with at most one thread.
    X : ndarray of shape (n_samples, n_features)
        Validation rows.
    y : ndarray of shape (n_samples,)
        Their labels.
    classes : sequence of int or str
        All labels, sorted.
    """
    from sklearn.metrics import (
        accuracy_score,
        confusion_matrix,
        f1_score,
        precision_score,
        recall_score,
    )

    binary = len(classes) == 2
    predicted, scores, probabilities = _predict(pipeline, X, binary=binary)
    labels = list(classes)
    macro: dict[str, Any] = {"labels": labels, "average": "macro", "zero_division": 0}
    diagnostics: list[Diagnostic] = []
    roc_auc: float | UnsetType = UNSET
    log_loss: float | UnsetType = UNSET
    if binary and scores is not None:
        roc_auc = _roc_auc(y, scores, classes, diagnostics)
    if binary and probabilities is not None:
        log_loss = _log_loss(y, probabilities, labels)
    by_class: list[ClassMetrics] | UnsetType = UNSET
    matrix = confusion_matrix(y, predicted, labels=labels)
    diagnostics.extend(_undefined(matrix, classes))
    profile: MetricsProfile
    if not binary:
        by_class = _by_class(y, predicted, labels)
        profile = "classification.multiclass.v1"
    elif probabilities is not None:
        profile = "classification.proba.v1"
    else:
        profile = "classification.base.v1"
    metrics = MetricsV1(
        schema_version="metrics.v1",
        metrics_profile=profile,
        num_classes=len(classes),
        class_labels=labels,
        accuracy=float(accuracy_score(y, predicted)),
        precision_macro=float(precision_score(y, predicted, **macro)),
        recall_macro=float(recall_score(y, predicted, **macro)),
        f1_macro=float(f1_score(y, predicted, **macro)),
        confusion_matrix=matrix.tolist(),
        roc_auc=roc_auc,
        log_loss=log_loss,
        metrics_by_class=by_class,
    )
    return Evaluation(metrics, tuple(diagnostics))


def _predict(pipeline: Any, X: Any, *, binary: bool) -> tuple[Any, Any, Any]:
    """Return predicted labels, scores of the greater class and probabilities, where there are any.

    The model runs once where labels and probabilities come from the same numbers: a forest
    predicts the class of the greatest mean probability.
    """
    import numpy as np

    if hasattr(pipeline, "decision_function"):
        predicted = pipeline.predict(X)
        if not binary:
            return predicted, None, None
        if not hasattr(pipeline, "predict_proba"):
            return predicted, pipeline.decision_function(X), None
        probabilities = pipeline.predict_proba(X)
        return predicted, probabilities[:, 1], probabilities
    probabilities = pipeline.predict_proba(X)
    predicted = pipeline.classes_.take(np.argmax(probabilities, axis=1), axis=0)
    return predicted, probabilities[:, 1], probabilities


def _roc_auc(
    y: Any, scores: Any, classes: Sequence[int | str], diagnostics: list[Diagnostic]
) -> float | UnsetType:
    import numpy as np
    from sklearn.metrics import roc_auc_score

    present = np.unique(y).tolist()
    if len(present) < 2:
        diagnostics.append(
            diagnostic(
                DiagnosticCode.METRIC_UNDEFINED,
                "The ROC AUC is not defined: the validation rows hold one class only.",
                metric="roc_auc",
                classes_present=present,
            )
        )
        return UNSET
    return float(roc_auc_score(y == classes[1], scores))


def _log_loss(y: Any, probabilities: Any, labels: list[int | str]) -> float:
    from sklearn.metrics import log_loss

    return float(log_loss(y, probabilities, labels=labels))


def _by_class(y: Any, predicted: Any, labels: list[int | str]) -> list[ClassMetrics]:
    from sklearn.metrics import precision_recall_fscore_support

    columns = precision_recall_fscore_support(
        y, predicted, labels=labels, average=None, zero_division=0
    )
    return [
        ClassMetrics(class_=label, precision=p, recall=r, f1=f, support=s)
        for label, p, r, f, s in zip(labels, *(column.tolist() for column in columns), strict=True)
    ]


def _undefined(matrix: Any, classes: Sequence[int | str]) -> list[Diagnostic]:
    """Say which precisions and recalls are 0/0; they count as 0 in the means, as is usual."""
    never_predicted = [
        label for label, n in zip(classes, matrix.sum(axis=0).tolist(), strict=True) if n == 0
    ]
    never_true = [
        label for label, n in zip(classes, matrix.sum(axis=1).tolist(), strict=True) if n == 0
    ]
    found = []
    for metric, labels, reason in (
        ("precision", never_predicted, "never predicted"),
        ("recall", never_true, "not among the validation rows"),
    ):
        if labels:
            found.append(
                diagnostic(
                    DiagnosticCode.METRIC_UNDEFINED,
                    f"The {metric} is not defined and counts as 0 for classes that are {reason}:"
                    f" {len(labels)} of {len(classes)}.",
                    metric=metric,
                    classes=labels,
                )
            )
    return found
