"""Rules for metrics that all clients share, so that they show a run in the same way."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

#: Words in the names of metrics for which lower is better.
_LOWER_IS_BETTER = frozenset({"loss", "error", "mae", "mse", "rmse", "nll", "perplexity"})
_WORDS = re.compile(r"[^\W_]+")
#: Names in ``metrics.v1`` of metrics that have another name in ``result.json`` and the index.
SUMMARY_NAMES = {
    "f1_macro": "f1_score",
    "precision_macro": "precision",
    "recall_macro": "recall",
}
#: The metrics of a trained run that are one number, by all of their names.
TRAINED_METRICS = (
    "accuracy",
    "f1_macro",
    "precision_macro",
    "recall_macro",
    "roc_auc",
    "log_loss",
    *SUMMARY_NAMES.values(),
)
_PREFERRED = ("accuracy", "f1_score", "loss")


class Metric(NamedTuple):
    """Name and value of a metric; as a string, ``accuracy=0.9667``."""

    name: str
    value: float

    def __str__(self) -> str:
        return f"{self.name}={self.value:.4f}"


def lower_is_better(metric: str) -> bool:
    """Return whether lower is better: for a loss or an error, such as ``val_loss``."""
    return not _LOWER_IS_BETTER.isdisjoint(_WORDS.findall(metric.lower()))


def rank_of(value: float, metric: str) -> float:
    """Return a number that is lower for better values of a metric."""
    return value if lower_is_better(metric) else -value


def ranks_of(metrics: Mapping[str, float], names: Iterable[str]) -> list[float]:
    """Return a number for each name that is lower for better values; NaN and no value come last."""
    values = ((name, metrics.get(name)) for name in names)
    return [
        math.inf if value is None or math.isnan(value) else rank_of(value, name)
        for name, value in values
    ]


def recorded_name(name: str, metrics: Collection[str]) -> str | None:
    """Return the name of a metric among those of a summary; it may be that in ``metrics.v1``."""
    known = (name, SUMMARY_NAMES.get(name, name))
    return next((each for each in known if each in metrics), None)


def find_metric(metrics: Mapping[str, float], name: str) -> Metric | None:
    """Return the metric of a summary that a name means, as :func:`recorded_name`, or None."""
    found = recorded_name(name, metrics)
    return None if found is None else Metric(found, metrics[found])


class ClassMetrics(NamedTuple):
    """The metrics of one class against the rest."""

    label: int | str
    precision: float
    recall: float
    f1: float
    #: Validation rows of the class.
    rows: int


def class_metrics(metrics: Mapping[str, Any]) -> list[ClassMetrics]:
    """Return the metrics by class of a raw ``metrics.v1``; none where it has two classes."""
    columns = [metrics.get(f"per_class_{name}", ()) for name in ("precision", "recall", "f1")]
    rows = map(sum, metrics["confusion_matrix"])
    return [
        ClassMetrics(*values)
        for values in zip(metrics.get("class_labels", ()), *columns, rows, strict=False)
    ]


def by_preference(names: Iterable[str]) -> list[str]:
    """Return names of metrics in the order in which they decide which run is better.

    Accuracy, F1 score and loss come first, then all others in the order of Unicode code points.
    """
    known = set(names)
    first = [name for name in _PREFERRED if name in known]
    return [*first, *sorted(known.difference(first))]


def primary_metric(summary: Mapping[str, Any] | None) -> Metric | None:
    """Return name and value of the primary metric of a run, or None if there is none.

    The summary's choice comes first, then ``accuracy``, ``f1_score``, ``loss``, then the first name
    in the order of Unicode code points.

    Parameters
    ----------
    summary
        The ``summary`` object of ``result.json``.

    Source: specification, section 10.4.
    """
    if not summary:
        return None
    chosen = summary.get("primary_metric")
    if chosen:
        return Metric(chosen["name"], chosen["value"])
    metrics = summary.get("metrics") or {}
    name = next(iter(by_preference(metrics)), None)
    return None if name is None else Metric(name, metrics[name])
