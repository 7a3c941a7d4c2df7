"""One document of a run, or a clear word on why the run has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runforge_contracts import layout
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.reading import RunFolder
from runforge_contracts.text import quote

from runforge_cli.columns import paragraph

if TYPE_CHECKING:
    from pathlib import Path

    from runforge_cli.settings import Settings


def require_document(folder: RunFolder, file: str, what: str, hint: str) -> dict[str, Any]:
    """Return the raw document at ``file``.

    Raises
    ------
    RunForgeError
        ``ARTIFACT_NOT_FOUND`` where the run has none.
    """
    document = folder.raw(file)
    if document is None:
        unfinished = folder.status != "succeeded"
        raise RunForgeError(
            ErrorCode.ARTIFACT_NOT_FOUND,
            f"The run {quote(folder.run_id)} has no {what}.",
            hint=f"The run is {folder.status}; `runforge show` tells more." if unfinished else hint,
            path=str(folder.path / file),
        )
    return document


def heading(folder: RunFolder, what: str) -> list[str]:
    """Return the first lines of a view."""
    family = (folder.run or {}).get("model_family")
    return paragraph(f"{what} of run {folder.run_id}" + (f" ({family})" if family else ""))


def model_of(settings: Settings, reference: str) -> Path:
    """Return the path of the model of the run that ``reference`` names.

    Raises
    ------
    RunForgeError
        ``FILE_NOT_FOUND`` where it names neither a file nor a run, ``ARTIFACT_NOT_FOUND`` where
        the run has no model.
    """
    try:
        folder = settings.find_run(reference)
    except RunForgeError as error:
        if error.code is not ErrorCode.RUN_NOT_FOUND or reference == "latest":
            raise
        raise RunForgeError(
            ErrorCode.FILE_NOT_FOUND,
            f"{quote(reference, 200)} is neither a file nor a run.",
            hint="`runforge runs` lists the runs; `latest` names the newest.",
        ) from None
    artifacts: dict[str, str] = (folder.run or {}).get("artifacts") or {}
    path = folder.path / artifacts.get("model_pkl", layout.MODEL)
    if not path.exists():
        raise RunForgeError(
            ErrorCode.ARTIFACT_NOT_FOUND,
            f"The run {quote(folder.run_id)} has no model.",
            hint=f"The run is {folder.status}; `runforge show` tells more.",
            path=str(path),
        )
    return path
