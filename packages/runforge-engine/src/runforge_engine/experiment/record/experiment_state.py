"""The state of an experiment's run: how it ended, or whether it is still running."""

from __future__ import annotations

from runforge_contracts.errors import RunForgeError
from runforge_contracts.store.experiment_runs import ExperimentRun
from runforge_contracts.store.run import RunStatus

from runforge_engine.runtime.folder_lock import is_held


def state_of(folder: ExperimentRun) -> RunStatus:
    """Return the status with which a run ended, or its current state.

    ``interrupted``: it has not recorded its end, and no process executes it. ``unknown``: its
    configuration has no status, as that of another tool may, or cannot be read; a lock, which any
    user can take, is no evidence then.
    """
    # In this order: a run has recorded its end before its folder is released.
    held = is_held(folder.path)
    try:
        status = "running" if folder.config is None else folder.status
    except RunForgeError:
        status = None
    if status == "running" and held is False:
        return "interrupted"
    return status or "unknown"
