"""Metrics of a fitted pipeline on the validation rows, by profile.

Every number is what the function of the same name in ``sklearn.metrics`` returns. A metric that
cannot be computed is absent, and a diagnostic says why.

Source: specification, sections 9.2 and 9.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET, UnsetType
from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic
from runforge_contracts.types import MetricsProfile, MetricsV1

from runforge_engine.modeling.fit import within_range


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
    import numpy as np
    from sklearn.metrics import accuracy_score, confusion_matrix

    binary = len(classes) == 2
    predicted, scores, probabilities = _predict(pipeline, X, binary=binary)
    labels = list(classes)
    matrix = confusion_matrix(y, predicted, labels=labels)
    # What follows depends only on how often which label was taken for which: each pair once, with
    # its weight, gives the same numbers as all the rows.
    rows, columns = np.nonzero(matrix)
    names = np.asarray(labels)
    pairs: dict[str, Any] = {
        "y_true": names[rows],
        "y_pred": names[columns],
        "sample_weight": matrix[rows, columns],
    }
    precision, recall, f1, _ = _scores(pairs, labels, average="macro")
    diagnostics: list[Diagnostic] = []
    roc_auc: float | UnsetType = UNSET
    log_loss: float | UnsetType = UNSET
    if binary and scores is not None:
        roc_auc = _roc_auc(y, scores, classes, diagnostics)
    if binary and probabilities is not None:
        log_loss = _log_loss(y, probabilities, labels)
    by_class: dict[str, list[float]] = {}
    diagnostics.extend(_undefined(matrix, classes))
    profile: MetricsProfile
    if not binary:
        by_class = _by_class(pairs, labels)
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
        accuracy=float(accuracy_score(**pairs)),
        precision_macro=float(precision),
        recall_macro=float(recall),
        f1_macro=float(f1),
        confusion_matrix=matrix.tolist(),
        roc_auc=roc_auc,
        log_loss=log_loss,
        **by_class,
    )
    return Evaluation(metrics, tuple(diagnostics))


def _predict(pipeline: Any, X: Any, *, binary: bool) -> tuple[Any, Any, Any]:
    """Return predicted labels, scores of the greater class and probabilities, where there are any.

    The model runs once where labels and probabilities come from the same numbers: a forest
    predicts the class of the greatest mean probability.
    """
    import numpy as np

    scaled, classifier = pipeline[:-1].transform(within_range(pipeline, X)), pipeline[-1]
    if hasattr(classifier, "decision_function"):
        predicted = classifier.predict(scaled)
        if not binary:
            return predicted, None, None
        if not hasattr(classifier, "predict_proba"):
            return predicted, classifier.decision_function(scaled), None
        probabilities = classifier.predict_proba(scaled)
        return predicted, probabilities[:, 1], probabilities
    probabilities = classifier.predict_proba(scaled)
    predicted = classifier.classes_.take(np.argmax(probabilities, axis=1), axis=0)
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


def _scores(pairs: dict[str, Any], labels: list[int | str], *, average: str | None) -> Any:
    """Return precision, recall, F1 and support."""
    from sklearn.metrics import precision_recall_fscore_support

    return precision_recall_fscore_support(**pairs, labels=labels, average=average, zero_division=0)


def _by_class(pairs: dict[str, Any], labels: list[int | str]) -> dict[str, list[float]]:
    precision, recall, f1, _ = _scores(pairs, labels, average=None)
    return {
        "per_class_precision": precision.tolist(),
        "per_class_recall": recall.tolist(),
        "per_class_f1": f1.tolist(),
    }


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
