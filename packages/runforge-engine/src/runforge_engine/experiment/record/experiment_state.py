"""The state of an experiment's run: how it ended, or whether it is still running."""

from __future__ import annotations

from runforge_contracts.errors import RunForgeError
from runforge_contracts.store.experiment_runs import ExperimentRun
from runforge_contracts.store.run import RunStatus

from runforge_engine.runtime.folder_lock import is_held


def state_of(folder: ExperimentRun) -> RunStatus:
    """Return how a run ended, or what it is at.

    ``interrupted``: it has not told its end, and nobody is at work on it. ``unknown``: its
    configuration tells no status, as that of another tool may, or cannot be read; then a lock,
    which anybody can take, tells nothing either.
    """
    # In this order: what is not held any more has told its end.
    held = is_held(folder.path)
    try:
        status = "running" if folder.config is None else folder.status
    except RunForgeError:
        status = None
    if status == "running" and held is False:
        return "interrupted"
    return status or "unknown"
