"""The repository that experiments and their runs live in."""

from __future__ import annotations

import os
from pathlib import Path

from runforge_contracts import layout
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.experiments import ExperimentFolder, experiment_runs, is_experiment_folder
from runforge_contracts.text import quote


def find_repository(start: Path) -> Path:
    """Return the top folder of the Git repository around ``start``, else ``start`` itself."""
    start = start.absolute()
    for folder in (start, *start.parents):
        if os.path.lexists(folder / ".git"):
            return folder
    return start


def find_experiment_run(reference: str, root: Path) -> ExperimentFolder | None:
    """Return the run of an experiment that ``reference`` names, or None.

    Parameters
    ----------
    reference
        The id of a run, ``latest``, or the path of its folder.
    root
        The repository.

    Raises
    ------
    RunForgeError
        ``FILE_UNREADABLE`` where the folder of the runs cannot be read.
    """
    path = Path(reference)
    if path.name != reference:
        is_run = path.is_dir() and is_experiment_folder(path)
        return ExperimentFolder(path.absolute()) if is_run else None
    runs = experiment_runs(root)
    if reference == "latest":
        return ExperimentFolder(runs[-1]) if runs else None
    return next((ExperimentFolder(run) for run in runs if run.name == reference), None)


def require_experiment_run(reference: str, root: Path) -> ExperimentFolder:
    """Return the run of an experiment that ``reference`` names.

    Raises ``RUN_NOT_FOUND``, or as :func:`find_experiment_run`.
    """
    found = find_experiment_run(reference, root)
    if found is None:
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND,
            f"There is no run {quote(reference, 200)} of an experiment in {quote(root, 200)}.",
            hint=f"The runs lie in `{layout.EXPERIMENT_RUNS}/`; `latest` names the newest.",
        )
    return found
