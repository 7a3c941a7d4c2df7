"""What an argument names: a file, or a run and the model of it."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

if TYPE_CHECKING:
    from pathlib import Path

    from runforge_contracts.store.run import Run

    from runforge_cli.shell.settings import Settings


def is_file(path: Path) -> bool:
    """Tell whether something other than a folder is there; a folder may be that of a run."""
    try:
        return not stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def find_run(settings: Settings, reference: str) -> Run:
    """Return the trained run that an argument names which is no file.

    Raises
    ------
    RunForgeError
        ``FILE_NOT_FOUND`` where it is no run either, ``RUN_NOT_FOUND`` where there is none at all,
        ``RUN_AMBIGUOUS``, ``USAGE_INVALID`` for the run of an experiment.
    """
    from runforge_contracts.store.layout import MODEL
    from runforge_contracts.store.lookup import made

    try:
        return settings.find_run(
            reference,
            "`runforge show {run}` lists the files that it left: name the one you mean.",
            made(MODEL),
        )
    except RunForgeError as error:
        # What the index has of a run whose folder is gone is told as it is.
        if error.code is not ErrorCode.RUN_NOT_FOUND or reference == "latest" or error.problems:
            raise
        raise RunForgeError(
            ErrorCode.FILE_NOT_FOUND,
            f"{quote(reference, 200)} is neither a file nor a run.",
            hint="`runforge runs` lists the runs; `latest` names the last one.",
        ) from None


def model_path(folder: Run) -> Path:
    """Return the path of a run's model.

    Raises
    ------
    RunForgeError
        ``ARTIFACT_NOT_FOUND`` where the run has none.
    """
    from runforge_contracts.store.layout import MODEL

    artifacts: dict[str, str] = (folder.record or {}).get("artifacts") or {}
    path = folder.path / artifacts.get("model_pkl", MODEL)
    if not is_file(path):
        raise RunForgeError(
            ErrorCode.ARTIFACT_NOT_FOUND,
            f"The run {quote(folder.id)} has no model.",
            hint=f"{folder.ending} `runforge show` tells more.",
            path=str(path),
        )
    return path
