"""Metrics of a fitted pipeline on labelled rows, by profile.

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


def evaluate(
    pipeline: Any,
    X: Any,
    y: Any,
    classes: Sequence[int | str],
    *,
    rows: str = "validation rows",
) -> Evaluation:
    """Compute the metrics of the profile that fits the model and the number of classes.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted, with at most one thread.
    X : ndarray of shape (n_samples, n_features)
        The rows.
    y : ndarray of shape (n_samples,)
        Their labels.
    classes : sequence of int or str
        All labels, sorted.
    rows : str
        What messages call the rows.
    """
    import numpy as np

    binary = len(classes) == 2
    predicted, scores, probabilities = _predict(pipeline, X, binary=binary)
    labels = list(classes)
    matrix = count_pairs(y, predicted, labels)
    precision, recall, f1 = scores_by_class(matrix)
    diagnostics: list[Diagnostic] = []
    roc_auc: float | UnsetType = UNSET
    log_loss: float | UnsetType = UNSET
    if binary and scores is not None:
        roc_auc = _roc_auc(y, scores, classes, diagnostics, rows)
    if binary and probabilities is not None:
        log_loss = _log_loss(y, probabilities, labels)
    by_class: dict[str, list[float]] = {}
    diagnostics.extend(_undefined(matrix, classes, rows))
    profile: MetricsProfile
    if not binary:
        by_class = {
            "per_class_precision": precision.tolist(),
            "per_class_recall": recall.tolist(),
            "per_class_f1": f1.tolist(),
        }
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
        accuracy=float(np.trace(matrix) / matrix.sum()),
        precision_macro=float(np.nanmean(precision)),
        recall_macro=float(np.nanmean(recall)),
        f1_macro=float(np.nanmean(f1)),
        confusion_matrix=matrix.tolist(),
        roc_auc=roc_auc,
        log_loss=log_loss,
        **by_class,
    )
    return Evaluation(metrics, tuple(diagnostics))


def count_pairs(truth: Any, predicted: Any, labels: Sequence[int | str]) -> Any:
    """Return ``confusion_matrix`` of ``sklearn.metrics``, without its checks.

    Each of those functions takes a hundred times as long to check its arguments as to compute, for
    a small table; so what follows from the counts of the matrix is computed from them.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_samples,)
        Labels.
    labels : sequence of int or str
        All labels, sorted.
    """
    import numpy as np

    names, size = np.asarray(labels), len(labels)
    pairs = np.searchsorted(names, truth) * size + np.searchsorted(names, predicted)
    return np.bincount(pairs, minlength=size * size).reshape(size, size)


def scores_by_class(matrix: Any) -> tuple[Any, Any, Any]:
    """Return precision, recall and F1 of each class, bit by bit as ``sklearn.metrics`` does.

    What is 0/0 is 0.
    """
    import numpy as np

    hits = matrix.diagonal().astype(np.float64)
    found, there = matrix.sum(axis=0), matrix.sum(axis=1)

    def divide(part: Any, whole: Any) -> Any:
        return np.divide(part, whole, out=np.zeros(len(matrix)), where=whole != 0)

    return divide(hits, found), divide(hits, there), divide(2.0 * hits, found + there)


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
    y: Any, scores: Any, classes: Sequence[int | str], diagnostics: list[Diagnostic], rows: str
) -> float | UnsetType:
    import numpy as np
    from sklearn.metrics import roc_auc_score

    present = np.unique(y).tolist()
    if len(present) < 2:
        diagnostics.append(
            diagnostic(
                DiagnosticCode.METRIC_UNDEFINED,
                f"The ROC AUC is not defined: the {rows} hold one class only.",
                metric="roc_auc",
                classes_present=present,
            )
        )
        return UNSET
    return float(roc_auc_score(y == classes[1], scores))


def _log_loss(y: Any, probabilities: Any, labels: list[int | str]) -> float:
    from sklearn.metrics import log_loss

    return float(log_loss(y, probabilities, labels=labels))


def _undefined(matrix: Any, classes: Sequence[int | str], rows: str) -> list[Diagnostic]:
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
        ("recall", never_true, f"not among the {rows}"),
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
