"""Rules that every client shares, so that all of them show the same run alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Metrics of which less is better.
LOWER_IS_BETTER = frozenset({"loss", "log_loss"})

_PREFERRED = ("accuracy", "f1_score", "loss")


def primary_metric(summary: Mapping[str, Any] | None) -> tuple[str, float] | None:
    """Return name and value of the metric that stands for a run, or None if there is none.

    The summary's own choice wins, then ``accuracy``, ``f1_score``, ``loss``, then the first name
    in alphabetical order.

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
        return chosen["name"], chosen["value"]
    metrics = summary.get("metrics") or {}
    name = next((name for name in _PREFERRED if name in metrics), min(metrics, default=None))
    return None if name is None else (name, metrics[name])
