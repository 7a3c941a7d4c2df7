"""The cells, columns and order of a list of runs, made from index entries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import format_duration
from runforge_contracts.metrics import find_metric, primary_metric
from runforge_contracts.run_ids import started
from runforge_contracts.selection.run_values import (
    FIELDS,
    MISSING,
    TRAINED,
    RunColumn,
    hyperparameters_in,
    metric_names,
    status_in,
)

from runforge_cli.terminal.text_layout import number

if TYPE_CHECKING:
    from pathlib import Path

#: Heading of the metric column if the runs do not all have the same metric.
METRIC = "metric"
#: The column of the kind of the runs.
_KIND = "kind"
#: Characters of the day in a timestamp.
_DAY = 10
#: Fields of an entry that the CSV table has.
_FIELDS = (
    "run",
    "created",
    "status",
    "name",
    "model",
    "preset",
    "label",
    "duration",
    "device",
    "run_dir",
    "dataset",
    "model_sha256",
)


def kind_of(entry: dict[str, Any]) -> str:
    """Return the kind of a run."""
    return str(entry.get("kind", TRAINED))


def status_of(entry: dict[str, Any]) -> str:
    """Return the status of a finished run, or the state of another one or of a missing one."""
    return status_in(entry)


def add_states(entries: Iterable[dict[str, Any]], workspace: Path) -> None:
    """Add the current state to entries without a status, and of runs whose folder is missing."""
    for entry in entries:
        if "removed" in entry:
            continue  # Its folder went by a recorded decision.
        if not has_folder(entry, workspace):
            entry["state"] = MISSING
        elif {"status", "state"} & entry.keys():
            continue
        elif kind_of(entry) == TRAINED:
            from runforge_engine.runtime.folder_lock import state_of

            entry["state"] = state_of(workspace / entry["run_dir"])
        else:
            from runforge_contracts.store.experiment_runs import ExperimentRun
            from runforge_engine.experiment.record import experiment_state

            run = ExperimentRun(workspace / entry["run_dir"])
            entry["state"] = experiment_state.state_of(run)


def has_folder(entry: dict[str, Any], workspace: Path) -> bool:
    """Return whether a listed run still has its folder; those of experiments are listed by it."""
    return kind_of(entry) != TRAINED or (workspace / entry["run_dir"]).is_dir()


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
    return find_metric(metrics, name)


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
        "created": str(entry.get("created_at", ""))[:_DAY],
        "duration": "" if span is None else format_duration(span),
        "model": entry.get("model_family", ""),
        "preset": entry.get("preset_id", ""),
        "label": entry.get("label_column", ""),
        "alias": ", ".join(entry.get("aliases", ())),
        "name": "" if entry.get("name") == entry["run_id"] else entry.get("name", ""),
    }


def heading(column: str, metric: str | None) -> str:
    """Return the displayed name of a column."""
    return metric if column == METRIC and metric is not None else column


def csv_columns(entries: Iterable[dict[str, Any]]) -> list[RunColumn]:
    """Return the columns of a CSV table of runs: fields, hyperparameters, then metrics."""
    entries = list(entries)
    kind = [_KIND] if any(kind_of(entry) != TRAINED for entry in entries) else []
    params = sorted({name for entry in entries for name in hyperparameters_in(entry)})
    return [
        *(RunColumn("field", name) for name in (*_FIELDS, *kind, "seed", "group")),
        *(RunColumn("param", name) for name in params),
        *(RunColumn("metric", name) for name in sorted(metric_names(entries))),
    ]


def csv_table(
    entries: Iterable[dict[str, Any]], columns: Sequence[RunColumn] | None = None
) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a CSV table of runs.

    A column of it has the name that conditions use, and a field that of the index. A hyperparameter
    or metric whose name means something else has the prefix ``param.`` or ``metric.``.

    Parameters
    ----------
    entries
        The runs.
    columns
        The columns, instead of all; fields then have the names that conditions use.
    """
    from runforge_cli.listing.run_columns import csv_cell

    entries = list(entries)
    metrics = metric_names(entries)
    if columns is None:
        columns = csv_columns(entries)
        header = [
            FIELDS[column.name] if column.source == "field" else column.title(metrics)
            for column in columns
        ]
    else:
        header = [column.title(metrics) for column in columns]
    return header, [[csv_cell(entry, column) for column in columns] for entry in entries]


def newest_first(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return entries sorted by start time; within a second, the later entry comes first."""
    return sorted(entries, key=started)[::-1]
