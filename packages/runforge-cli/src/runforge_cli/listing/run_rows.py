"""The cells, columns and order of a list of runs, made from index entries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import format_duration
from runforge_contracts.metrics import SUMMARY_NAMES, lower_is_better, primary_metric
from runforge_contracts.run_ids import started

from runforge_cli.terminal.text_layout import number

if TYPE_CHECKING:
    from pathlib import Path

#: Heading of the metric column if the runs do not all have the same metric.
METRIC = "metric"
#: The kind of runs that RunForge trained, and the column of the kind.
TRAINED, _KIND = "trained", "kind"
#: Prefix of metrics whose name could be mistaken for a field.
_METRIC = "metric."
#: Fields of an entry that the CSV table has.
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
    """Return the kind of a run."""
    return str(entry.get("kind", TRAINED))


def models_of(entry: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of the model; an experiment may write ``runforge/`` before a family."""
    model = str(entry.get("model_family", ""))
    return model, model.removeprefix("runforge/")


def status_of(entry: dict[str, Any]) -> str:
    """Return the status of a finished run, or the state of another one."""
    return str(entry.get("status") or entry.get("state", "incomplete"))


def add_states(entries: Iterable[dict[str, Any]], workspace: Path) -> None:
    """Add the current state to entries without a status."""
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
    """Return name and value of the metric ``name``, or of the primary metric if it is None.

    A metric may also be given by its name in ``metrics.v1``, which is the one shown for a run.
    """
    metrics = metrics_of(entry)
    if name is None:
        return primary_metric({"metrics": metrics})
    for known in (name, SUMMARY_NAMES.get(name, name)):
        if known in metrics:
            return known, metrics[known]
    return None


def common_metric(entries: Iterable[dict[str, Any]]) -> str | None:
    """Return the primary metric of the runs if it is the same for all."""
    measured = [metric_of(entry, None) for entry in entries]
    names = {chosen[0] for chosen in measured if chosen}
    return names.pop() if len(names) == 1 else None


def cells_of(entry: dict[str, Any], metric: str | None) -> dict[str, str]:
    """Return the cells of a run by column; not yet printable.

    The column of the metric is always :data:`METRIC`.

    Parameters
    ----------
    entry
        An entry of the index.
    metric
        The metric to show; None for the primary metric of the run.
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
    """Return the displayed name of a column."""
    return metric if column == METRIC and metric is not None else column


def csv_header(entries: Iterable[dict[str, Any]]) -> list[str]:
    """Return the columns of a CSV table of runs: fields first, then metrics.

    A metric with the name of a field gets the prefix ``metric.``, and so does a metric whose name
    starts with that prefix.
    """
    entries = list(entries)
    kind = [_KIND] if any(kind_of(entry) != TRAINED for entry in entries) else []
    metrics = {_column(name) for entry in entries for name in metrics_of(entry)}
    return [*_FIELDS, *kind, *sorted(metrics)]


def csv_row(entry: dict[str, Any], header: Iterable[str]) -> list[str]:
    """Return the CSV cells of a run: numbers in full precision, empty where unknown."""
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
    """Return entries sorted by start time; within a second, the later entry comes first."""
    return sorted(entries, key=started)[::-1]


def rank(value: float, metric: str) -> float:
    """Return a value that sorts better values of a metric before worse ones."""
    return value if lower_is_better(metric) else -value
