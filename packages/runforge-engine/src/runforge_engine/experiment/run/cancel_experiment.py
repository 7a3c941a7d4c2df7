"""State of an experiment run, and its cancellation from another process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.store.experiment_runs import ExperimentFolder, experiment_runs

from runforge_engine.pipeline.cancel import PATIENCE, ask_to_end
from runforge_engine.runtime.folder_lock import is_held

State = Literal["running", "succeeded", "failed", "cancelled", "interrupted", "unknown"]


def state_of(folder: ExperimentFolder) -> State:
    """Return how a run ended, or what it is at.

    ``interrupted``: it has no final status, and no process runs it. ``unknown``: its
    configuration tells no status, as that of another tool may, or cannot be read; then a lock,
    which anybody can take, tells nothing either.
    """
    # In this order: a run that is no longer locked has written its final status.
    held = is_held(folder.path)
    try:
        status = "running" if folder.config is None else folder.status
    except RunForgeError:
        status = None
    if status == "running" and held is False:
        return "interrupted"
    return status or "unknown"


def stop_experiment(path: Path, *, patience: float = PATIENCE) -> ExperimentFolder:
    """Ask the run of an experiment to end, wait until it has, and return it.

    Parameters
    ----------
    path
        The run folder.
    patience
        How long to wait, in seconds.

    Raises
    ------
    RunForgeError
        ``RUN_ALREADY_COMPLETE`` where the run has ended in another way, before or meanwhile;
        ``RUN_NOT_RUNNING`` if no process runs it; what
        :func:`~runforge_engine.pipeline.cancel.ask_to_end` raises.
    """
    state = state_of(ExperimentFolder(path))
    if state == "running":
        ask_to_end(
            path, layout.CONFIG, lambda: ExperimentFolder(path).status != "running", patience
        )
        folder = ExperimentFolder(path)
        state = state_of(folder)
        if state == "cancelled":
            return folder
    if state in ("interrupted", "unknown"):
        raise RunForgeError(
            ErrorCode.RUN_NOT_RUNNING,
            f"No process on this machine is running {quote(path.name)}: it was interrupted."
            if state == "interrupted"
            else f"The state of the run {quote(path.name)} is unknown.",
            hint="A run on another machine is cancelled there.",
            path=str(path),
        )
    raise RunForgeError(
        ErrorCode.RUN_ALREADY_COMPLETE,
        f"The run {quote(path.name)} has ended already: {state}.",
        path=str(path),
    )


def running_experiments(root: Path) -> Iterator[ExperimentFolder]:
    """Yield the experiment runs in progress in the repository ``root``, the newest first.

    Raises ``FILE_UNREADABLE`` where the folder of the runs cannot be read.
    """
    for path in reversed(experiment_runs(root)):
        folder = ExperimentFolder(path)
        if state_of(folder) == "running":
            yield folder
