"""Rules that every client shares, so that all of them show the same run alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

#: Words in the name of a metric of which less is better.
_LOWER_IS_BETTER = frozenset({"loss", "error", "mae", "mse", "rmse", "nll", "perplexity"})
_WORDS = re.compile(r"[^\W_]+")
#: What ``metrics.v1`` calls metrics that ``result.json`` and the index have under another name.
SUMMARY_NAMES = {
    "f1_macro": "f1_score",
    "precision_macro": "precision",
    "recall_macro": "recall",
}
_PREFERRED = ("accuracy", "f1_score", "loss")


class Metric(NamedTuple):
    """Name and value of a metric; as a string, ``accuracy=0.9667``."""

    name: str
    value: float

    def __str__(self) -> str:
        return f"{self.name}={self.value:.4f}"


def lower_is_better(metric: str) -> bool:
    """Tell whether less of a metric is better: of a loss or an error, such as ``val_loss``."""
    return not _LOWER_IS_BETTER.isdisjoint(_WORDS.findall(metric.lower()))


def primary_metric(summary: Mapping[str, Any] | None) -> Metric | None:
    """Return name and value of the metric that stands for a run, or None if there is none.

    The summary's own choice wins, then ``accuracy``, ``f1_score``, ``loss``, then the first name
    in alphabetical order, which is that of the Unicode code points.

    Parameters
    ----------
    summary
        The ``summary`` object of ``result.json``.

    Source: result.json contract, "Primary Metric Selection Policy".
    """
    if not summary:
        return None
    chosen = summary.get("primary_metric")
    if chosen:
        return Metric(chosen["name"], chosen["value"])
    metrics = summary.get("metrics") or {}
    name = next((name for name in _PREFERRED if name in metrics), min(metrics, default=None))
    return None if name is None else Metric(name, metrics[name])
