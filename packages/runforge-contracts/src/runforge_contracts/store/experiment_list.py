"""List experiment runs, with the values that are shown for each without opening it.

Experiment runs have no index. Their ids are sorted by time, so that to list the newest runs only
those are read; to list all, all are read.
"""

from __future__ import annotations

from typing import Any

from runforge_contracts.errors import RunForgeError
from runforge_contracts.run_ids import parse_experiment_run_id
from runforge_contracts.store.configured_values import configured
from runforge_contracts.store.experiment_runs import ExperimentRun
from runforge_contracts.store.index_form import Newest
from runforge_contracts.store.layout import ExperimentLayout
from runforge_contracts.store.reading import parent_of
from runforge_contracts.store.removals import removed_runs

#: Fields of an entry for an experiment run.
KIND = "experiment"
#: State of a run whose configuration cannot be read, and of one without a status.
UNREADABLE, UNKNOWN = "unreadable", "unknown"
#: Begins the names of values that say which program is run; the list has the experiment for it.
_PROGRAM = "run."


def newest_experiments(place: ExperimentLayout, count: int | None = None) -> Newest:
    """Return entries of the newest ``count`` runs, or of all, and the number of all runs.

    Raises
    ------
    RunForgeError
        ``FILE_UNREADABLE`` if the folder of runs cannot be read. A run that cannot be read has an
        entry with the state ``unreadable``.
    """
    removed = removed_runs(place)
    ids = [run_id for run_id in place.ids() if str(run_id) not in removed]
    shown = ids if count is None else ids[-count:]
    folders = [ExperimentRun(place.run_folder(str(run_id))) for run_id in shown]
    return Newest([describe_experiment(folder, place) for folder in folders], len(ids))


def describe_experiment(folder: ExperimentRun, place: ExperimentLayout) -> dict[str, Any]:
    """Return the list entry of a run, with the fields of an index entry.

    ``kind`` distinguishes it from those. ``name`` is the experiment, ``model_family`` the model as
    the experiment names it, ``hyperparameters`` the configured values by dotted names and what user
    code logged as parameters. A run that has not finished has no ``status``; ``state`` is
    ``unknown`` if another tool recorded none, and ``unreadable`` if its documents cannot be read.
    """
    found = parse_experiment_run_id(folder.id)
    entry: dict[str, Any] = {
        "kind": KIND,
        "run_id": folder.id,
        "created_at": "" if found is None else f"{found.day}T00:00:00Z",
        "run_dir": place.relative(folder.path),
        "summary": {"final_metrics": {}},
    }
    try:
        config = folder.config
    except RunForgeError:
        return {**entry, "state": UNREADABLE}
    if config is None:
        return {**entry, "state": UNREADABLE} if found is None else entry
    status = config.get("status", UNKNOWN)
    data = config.get("references", {}).get("dataset", {})
    entry |= {
        "name": config["experiment"],
        "model_family": config["model"],
        "dataset": config["dataset"],
        "summary": {"final_metrics": _final(folder)},
    }
    parent = parent_of(config)
    if parent is not None:
        entry["rerun_from"] = parent
    if type(config.get("seed")) is int:
        entry["seed"] = config["seed"]
    values = {
        name: value
        for name, value in configured(config)
        if name != "seed" and not name.startswith(_PROGRAM)
    }
    values |= config.get("parameters") or {}
    if values:
        entry["hyperparameters"] = {
            name: value for name, value in values.items() if not isinstance(value, dict | list)
        }
    if "started_at" in config:
        entry["created_at"] = config["started_at"]
    if "duration_ms" in config:
        entry["summary"]["duration_ms"] = config["duration_ms"]
    if "sha256" in data:
        entry["dataset_fingerprint_sha256"] = data["sha256"]
    if status != "running":
        entry["state" if status == UNKNOWN else "status"] = status
    return entry


def _final(folder: ExperimentRun) -> dict[str, float]:
    """Return the final or the latest metrics; empty if they cannot be read."""
    try:
        return folder.metrics
    except RunForgeError:
        return {}
