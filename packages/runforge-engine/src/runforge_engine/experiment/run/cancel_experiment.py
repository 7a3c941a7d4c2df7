"""Ask the run of an experiment to end, from another process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.store.experiment_runs import ExperimentRun, experiment_runs

from runforge_engine.experiment.record.experiment_state import state_of
from runforge_engine.pipeline.cancel import PATIENCE, ask_to_end


def stop_experiment(path: Path, *, patience: float = PATIENCE) -> ExperimentRun:
    """Ask the run of an experiment to end, wait until it has, and return it.

    Parameters
    ----------
    path
        The run folder.
    patience
        Maximum time to wait, in seconds.

    Raises
    ------
    RunForgeError
        ``RUN_ALREADY_COMPLETE`` where the run has ended in another way, before or meanwhile;
        ``RUN_NOT_RUNNING`` if no process runs it; the errors of
        :func:`~runforge_engine.pipeline.cancel.ask_to_end`.
    """
    state = state_of(ExperimentRun(path))
    if state == "running":
        ask_to_end(path, layout.CONFIG, lambda: ExperimentRun(path).status != "running", patience)
        folder = ExperimentRun(path)
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


def running_experiments(root: Path) -> Iterator[ExperimentRun]:
    """Yield the experiment runs in progress in the repository ``root``, the newest first.

    Raises ``FILE_UNREADABLE`` where the folder of the runs cannot be read.
    """
    for path in reversed(experiment_runs(root)):
        folder = ExperimentRun(path)
        if state_of(folder) == "running":
            yield folder
