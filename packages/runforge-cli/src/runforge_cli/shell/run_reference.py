"""Resolve an argument to a file, or to a run and its model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_cli.shell.file_argument import is_file

if TYPE_CHECKING:
    from pathlib import Path

    from runforge_contracts.store.run import Run

    from runforge_cli.shell.settings import Settings


def find_run(settings: Settings, reference: str) -> Run:
    """Return the trained run that an argument names if it is not the path of a file.

    Raises
    ------
    RunForgeError
        ``FILE_NOT_FOUND`` if it names no run either, ``RUN_NOT_FOUND`` if there are no runs,
        ``RUN_AMBIGUOUS``, ``USAGE_INVALID`` for an experiment run.
    """
    from runforge_contracts.store.layout import MODEL
    from runforge_contracts.store.lookup import made
    from runforge_contracts.store.removed_lookup import find_removed

    try:
        return settings.find_run(
            reference,
            "`runforge show {run}` lists its files; give the path of one of them.",
            made(MODEL),
        )
    except RunForgeError as error:
        # The error on a listed run or an alias whose folder is missing is already specific.
        is_specific = reference == "latest" or error.problems or _is_alias(settings, reference)
        if error.code is not ErrorCode.RUN_NOT_FOUND or is_specific:
            raise
        if find_removed(reference, settings.places()):
            raise
        raise RunForgeError(
            ErrorCode.FILE_NOT_FOUND,
            f"{quote(reference, 200)} is neither a file nor a run.",
            hint="`runforge runs` lists the runs; `latest` is the newest one.",
        ) from None


def model_path(folder: Run) -> Path:
    """Return the path of a run's model.

    Raises
    ------
    RunForgeError
        ``ARTIFACT_NOT_FOUND`` if the run has none.
    """
    from runforge_contracts.store.layout import MODEL

    artifacts: dict[str, str] = (folder.record or {}).get("artifacts") or {}
    path = folder.path / artifacts.get("model_pkl", MODEL)
    if not is_file(path):
        raise RunForgeError(
            ErrorCode.ARTIFACT_NOT_FOUND,
            f"The run {quote(folder.id)} has no model.",
            hint=f"{folder.ending} `runforge show` shows more.",
            path=str(path),
        )
    return path


def _is_alias(settings: Settings, reference: str) -> bool:
    from runforge_contracts.store.aliases import find_aliases

    return bool(find_aliases(reference.removeprefix("alias:"), settings.stores()))
