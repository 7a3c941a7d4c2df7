"""Index entries as people see them: the cells of a list of runs, and its order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from runforge_contracts.rules import LOWER_IS_BETTER, primary_metric
from runforge_contracts.run_ids import started
from runforge_contracts.text import format_duration

from runforge_cli.columns import number

if TYPE_CHECKING:
    from pathlib import Path

#: Heading of the metrics where the runs have not all the same one.
METRIC = "metric"
#: Fields of an entry that a table for programs has.
_FIELDS = (
    "run_id",
    "created_at",
    "status",
    "name",
    "model_family",
    "preset_id",
    "label_column",
    "duration_ms",
    "device",
    "run_dir",
    "dataset_fingerprint_sha256",
    "model_sha256",
)


def status_of(entry: dict[str, Any]) -> str:
    """Return how the run ended, or what becomes of it."""
    return str(entry.get("status") or entry.get("state", "incomplete"))


def add_states(entries: Iterable[dict[str, Any]], workspace: Path) -> None:
    """Add to entries without a status what becomes of their runs."""
    unfinished = [entry for entry in entries if "status" not in entry]
    if unfinished:
        from runforge_engine.holding import state_of

        for entry in unfinished:
            entry["state"] = state_of(workspace / entry["run_dir"])


def metrics_of(entry: dict[str, Any]) -> dict[str, float]:
    """Return the final metrics by name."""
    metrics: dict[str, float] = entry.get("summary", {}).get("final_metrics", {})
    return metrics


def metric_of(entry: dict[str, Any], name: str | None) -> tuple[str, float] | None:
    """Return name and value of the metric ``name``, or of the one that stands for the run."""
    metrics = metrics_of(entry)
    if name is None:
        return primary_metric({"metrics": metrics})
    return (name, metrics[name]) if name in metrics else None


def common_metric(entries: Iterable[dict[str, Any]]) -> str | None:
    """Return the metric that stands for each of the runs, if it is the same for all."""
    measured = [metric_of(entry, None) for entry in entries]
    names = {chosen[0] for chosen in measured if chosen}
    return names.pop() if len(names) == 1 else None


def cells_of(entry: dict[str, Any], metric: str | None) -> dict[str, str]:
    """Return what a list of runs says of one, by column; not yet printable.

    Parameters
    ----------
    entry
        An entry of the index.
    metric
        The metric that is shown; None for the one that stands for the run.
    """
    measured = metric_of(entry, metric)
    span = entry.get("summary", {}).get("duration_ms")
    return {
        "run": entry["run_id"],
        "status": status_of(entry),
        metric or METRIC: "" if measured is None else number(measured[1]),
        "duration": "" if span is None else format_duration(span),
        "model": entry.get("model_family", ""),
        "preset": entry.get("preset_id", ""),
        "label": entry.get("label_column", ""),
        "name": "" if entry.get("name") == entry["run_id"] else entry.get("name", ""),
    }


def csv_header(entries: Iterable[dict[str, Any]]) -> list[str]:
    """Return the columns that describe runs in a table for programs: fields first, then metrics."""
    metrics = {name for entry in entries for name in metrics_of(entry)}
    return [*_FIELDS, *sorted(metrics - set(_FIELDS))]


def csv_row(entry: dict[str, Any], header: Iterable[str]) -> list[str]:
    """Return the cells of a run: numbers in full, nothing where something is not known."""
    summary = entry.get("summary", {})
    known = {**metrics_of(entry), **summary, **entry, "status": status_of(entry)}
    return [str(known.get(name, "")) for name in header]


def newest_first(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return entries by when their runs began; of two of the same second the later listed first."""
    return sorted(entries, key=started)[::-1]


def rank(value: float, metric: str) -> float:
    """Return a value that sorts better values of a metric before worse ones."""
    return value if metric in LOWER_IS_BETTER else -value
