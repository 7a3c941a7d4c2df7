"""The runs of experiments as a list: what is shown of each without opening it.

There is no index of them. Their ids tell their order, so that of many runs only the newest are
read; to know all is to read all.
"""

from __future__ import annotations

from typing import Any

from runforge_contracts.errors import RunForgeError
from runforge_contracts.run_ids import parse_experiment_run_id
from runforge_contracts.store.experiment_runs import ExperimentRun
from runforge_contracts.store.index_form import Newest
from runforge_contracts.store.layout import ExperimentLayout

#: What an entry has that is about the run of an experiment.
KIND = "experiment"
#: State of a run whose configuration cannot be read, and of one that tells no status.
UNREADABLE, UNKNOWN = "unreadable", "unknown"


def newest_experiments(place: ExperimentLayout, count: int | None = None) -> Newest:
    """Return entries of the newest ``count`` runs, or of all, and how many there are.

    Raises
    ------
    RunForgeError
        ``FILE_UNREADABLE`` where the folder of the runs cannot be read. A run that cannot be read
        has an entry that says so.
    """
    ids = place.ids()
    shown = ids if count is None else ids[-count:]
    folders = [ExperimentRun(place.run_folder(str(run_id))) for run_id in shown]
    return Newest([describe_experiment(folder, place) for folder in folders], len(ids))


def describe_experiment(folder: ExperimentRun, place: ExperimentLayout) -> dict[str, Any]:
    """Return what a list says of a run, in the fields that an entry of the index has.

    ``kind`` tells such an entry from those. ``name`` is the experiment, ``model_family`` the model
    as the experiment names it. A run that has not finished has no ``status``; ``state`` is
    ``unknown`` where another tool recorded none, and ``unreadable`` where its documents cannot be
    read.
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
    """Return the final metrics, or those so far; none where they cannot be read."""
    try:
        return folder.metrics
    except RunForgeError:
        return {}
