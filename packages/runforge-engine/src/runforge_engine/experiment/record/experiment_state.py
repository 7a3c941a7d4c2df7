"""The state of an experiment's run: how it ended, or whether it is still running."""

from __future__ import annotations

from runforge_contracts.errors import RunForgeError
from runforge_contracts.store.experiment_runs import ExperimentRun
from runforge_contracts.store.run import RunStatus

from runforge_engine.runtime.folder_lock import is_held


def state_of(folder: ExperimentRun) -> RunStatus:
    """Return the status with which a run ended, or its current state.

    ``interrupted``: no final status is recorded, and no process executes the run. ``unknown``: its
    configuration has no status, as with another tool, or cannot be read; a lock is then no
    evidence, because any user can take it.
    """
    # In this order: a run records its final status before it releases its folder.
    held = is_held(folder.path)
    try:
        status = "running" if folder.config is None else folder.status
    except RunForgeError:
        status = None
    if status == "running" and held is False:
        return "interrupted"
    return status or "unknown"
