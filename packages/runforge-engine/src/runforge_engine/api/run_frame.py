"""The runs of a store as a data frame and as a table for notebooks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runforge_contracts.selection.run_condition import value_text
from runforge_contracts.selection.run_values import (
    RunColumn,
    hyperparameters_in,
    metric_names,
    metrics_in,
    values_of,
    varying,
)

from runforge_engine.api.html_tables import html_table

if TYPE_CHECKING:
    import pandas as pd

#: Columns of the frame, and the members of the entries that they show.
_COLUMNS = {
    "created_at": "created_at",
    "status": "status",
    "name": "name",
    "model": "model_family",
    "preset": "preset_id",
    "label": "label_column",
    "dataset_sha256": "dataset_fingerprint_sha256",
    "model_sha256": "model_sha256",
    "run_dir": "run_dir",
}
#: Number of metrics and of settings in the notebook display of a store.
_METRICS, _SETTINGS = 4, 6
_Entry = Mapping[str, Any]


def frame_of(entries: Sequence[_Entry]) -> pd.DataFrame:
    """Return a data frame of runs, with a column for each hyperparameter and each metric.

    Parameters
    ----------
    entries
        The index entries of the runs, in the order of the rows.
    """
    import pandas as pd

    metrics = sorted(metric_names(entries))
    params = sorted({name for entry in entries for name in hyperparameters_in(entry)})
    mixed = any("kind" in entry for entry in entries)
    columns: dict[str, pd.Series[Any]] = {
        name: pd.Series([entry.get(field) for entry in entries], dtype="string")
        for name, field in _COLUMNS.items()
    }
    columns["name"] = pd.Series([_name(entry) for entry in entries], dtype="string")
    columns["created_at"] = pd.to_datetime(columns["created_at"], utc=True, format="ISO8601")
    summaries = [entry.get("summary") or {} for entry in entries]
    durations = pd.Series([part.get("duration_ms") for part in summaries], dtype="Int64")
    columns["duration"] = pd.to_timedelta(durations, unit="ms")
    columns["device"] = pd.Series([part.get("device") for part in summaries], dtype="string")
    if mixed:
        kinds = [entry.get("kind", "trained") for entry in entries]
        columns["kind"] = pd.Series(kinds, dtype="string")
    columns["seed"] = _typed([entry.get("seed") for entry in entries], "Int64")
    columns["group_id"] = _typed([entry.get("group_id") for entry in entries], "string")
    for name in params:
        values = [hyperparameters_in(entry).get(name) for entry in entries]
        columns[RunColumn("param", name).title(metrics)] = _typed(values)
    for name in metrics:
        measured = [metrics_in(entry).get(name) for entry in entries]
        columns[RunColumn("metric", name).title()] = pd.Series(measured, dtype="float64")
    frame = pd.DataFrame(columns)
    ids = [entry["run_id"] for entry in entries]
    frame.index = pd.Index(ids, name="run_id", dtype="string")
    return frame


def _typed(values: Sequence[Any], usual: str | None = None) -> pd.Series[Any]:
    """Return values as a series: numbers, strings or booleans as such, a mixture as objects.

    Parameters
    ----------
    values
        The values; None is missing.
    usual
        The type of the series if there is no value.
    """
    import pandas as pd

    known = {type(value) for value in values if value is not None}
    if known == {int}:
        # An integer of a document may be larger than 64 bits.
        small = all(value is None or -(2**63) <= value < 2**63 for value in values)
        return pd.Series(values, dtype="Int64" if small else "object")
    if known in ({float}, {int, float}):
        return pd.Series(values, dtype="float64")
    if known == {str}:
        return pd.Series(values, dtype="string")
    if known == {bool}:
        return pd.Series(values, dtype="boolean")
    return pd.Series(values, dtype=(usual if not known and usual else "object"))


def overview(entries: Sequence[_Entry], statuses: Iterable[str], title: str) -> str:
    """Return a table of runs for a notebook: their metrics, and the settings in which they differ.

    Parameters
    ----------
    entries
        The index entries of the runs, in the order of the rows.
    statuses
        The status of each run.
    title
        The caption.
    """
    measured = metric_names(entries)
    metrics = sorted(measured)[:_METRICS]
    differing = varying(entries)[:_SETTINGS]
    rows = [
        (
            entry["run_id"],
            status,
            *(_metric(entry, name) for name in metrics),
            *(_setting(entry, column) for column in differing),
            str(entry.get("model_family", "")),
            str(_name(entry) or ""),
        )
        for entry, status in zip(entries, statuses, strict=True)
    ]
    names = _titles(differing, measured)
    return html_table(("run", "status", *metrics, *names, "model", "name"), rows, title=title)


def _name(entry: _Entry) -> str | None:
    """Return the name that a run was given; an entry has the id of the run where none was."""
    name = entry.get("name")
    return None if name == entry["run_id"] else name


def _titles(columns: Iterable[RunColumn], metrics: Collection[str]) -> list[str]:
    return [column.title(metrics) for column in columns]


def _metric(entry: _Entry, name: str) -> str:
    value = metrics_in(entry).get(name)
    return "" if value is None else f"{value:.4f}"


def _setting(entry: _Entry, column: RunColumn) -> str:
    values = values_of(entry, column)
    return value_text(values[0]) if values else ""
