"""Index entries as people see them: the cells of a list of runs, and its order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import format_duration
from runforge_contracts.metrics import SUMMARY_NAMES, lower_is_better, primary_metric
from runforge_contracts.run_ids import started

from runforge_cli.render.text_layout import number

if TYPE_CHECKING:
    from pathlib import Path

#: Heading of the metrics where the runs have not all the same one.
METRIC = "metric"
#: Kind of the runs that RunForge has trained, and the column that tells kinds apart.
TRAINED, _KIND = "trained", "kind"
#: What stands before the name of a metric that could be mistaken for a field.
_METRIC = "metric."
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


def kind_of(entry: dict[str, Any]) -> str:
    """Return what kind of run it is."""
    return str(entry.get("kind", TRAINED))


def models_of(entry: dict[str, Any]) -> tuple[str, ...]:
    """Return what the model may be called: an experiment may name a family of RunForge's own."""
    model = str(entry.get("model_family", ""))
    return model, model.removeprefix("runforge/")


def status_of(entry: dict[str, Any]) -> str:
    """Return how the run ended, or what becomes of it."""
    return str(entry.get("status") or entry.get("state", "incomplete"))


def add_states(entries: Iterable[dict[str, Any]], workspace: Path) -> None:
    """Add to entries without a status what becomes of their runs."""
    unfinished = [entry for entry in entries if not {"status", "state"} & entry.keys()]
    for entry in unfinished:
        path = workspace / entry["run_dir"]
        if kind_of(entry) == TRAINED:
            from runforge_engine.runtime.folder_lock import state_of

            entry["state"] = state_of(path)
        else:
            from runforge_contracts.store.experiment_runs import ExperimentRun
            from runforge_engine.experiment.record import experiment_state

            entry["state"] = experiment_state.state_of(ExperimentRun(path))


def metrics_of(entry: dict[str, Any]) -> dict[str, float]:
    """Return the final metrics by name."""
    metrics: dict[str, float] = entry.get("summary", {}).get("final_metrics", {})
    return metrics


def metric_of(entry: dict[str, Any], name: str | None) -> tuple[str, float] | None:
    """Return name and value of the metric ``name``, or of the one that stands for the run.

    A metric may be named as ``metrics.v1`` names it, which is what is shown of a run.
    """
    metrics = metrics_of(entry)
    if name is None:
        return primary_metric({"metrics": metrics})
    for known in (name, SUMMARY_NAMES.get(name, name)):
        if known in metrics:
            return known, metrics[known]
    return None


def common_metric(entries: Iterable[dict[str, Any]]) -> str | None:
    """Return the metric that stands for each of the runs, if it is the same for all."""
    measured = [metric_of(entry, None) for entry in entries]
    names = {chosen[0] for chosen in measured if chosen}
    return names.pop() if len(names) == 1 else None


def cells_of(entry: dict[str, Any], metric: str | None) -> dict[str, str]:
    """Return what a list of runs says of one, by column; not yet printable.

    The column of the metric is :data:`METRIC`, whatever the metric is called.

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
        "kind": kind_of(entry),
        "status": status_of(entry),
        METRIC: "" if measured is None else number(measured[1]),
        "duration": "" if span is None else format_duration(span),
        "model": entry.get("model_family", ""),
        "preset": entry.get("preset_id", ""),
        "label": entry.get("label_column", ""),
        "name": "" if entry.get("name") == entry["run_id"] else entry.get("name", ""),
    }


def heading(column: str, metric: str | None) -> str:
    """Return the name of a column as people see it."""
    return metric if column == METRIC and metric is not None else column


def csv_header(entries: Iterable[dict[str, Any]]) -> list[str]:
    """Return the columns that describe runs in a table for programs: fields first, then metrics.

    A metric that is called as a field has ``metric.`` before its name, and so has one whose name
    begins with that.
    """
    entries = list(entries)
    kind = [_KIND] if any(kind_of(entry) != TRAINED for entry in entries) else []
    metrics = {_column(name) for entry in entries for name in metrics_of(entry)}
    return [*_FIELDS, *kind, *sorted(metrics)]


def csv_row(entry: dict[str, Any], header: Iterable[str]) -> list[str]:
    """Return the cells of a run: numbers in full, nothing where something is not known."""
    fields = {
        **entry.get("summary", {}),
        **entry,
        "status": status_of(entry),
        _KIND: kind_of(entry),
    }
    known = {name: fields[name] for name in (*_FIELDS, _KIND) if name in fields}
    known |= {_column(name): value for name, value in metrics_of(entry).items()}
    return [str(known.get(name, "")) for name in header]


def _column(metric: str) -> str:
    taken = metric in _FIELDS or metric == _KIND or metric.startswith(_METRIC)
    return f"{_METRIC}{metric}" if taken else metric


def newest_first(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return entries by when their runs began; of two of the same second the later listed first."""
    return sorted(entries, key=started)[::-1]


def rank(value: float, metric: str) -> float:
    """Return a value that sorts better values of a metric before worse ones."""
    return value if lower_is_better(metric) else -value
