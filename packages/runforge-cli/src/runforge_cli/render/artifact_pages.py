"""Read one document of a run, with an error that explains why the run has none."""

from __future__ import annotations

from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.run import Run

from runforge_cli.terminal.text_layout import paragraph


def require_document(folder: Run, file: str, what: str, hint: str) -> dict[str, Any]:
    """Return the raw document at ``file``.

    Raises
    ------
    RunForgeError
        ``ARTIFACT_NOT_FOUND`` if the run has none.
    """
    document = folder.content(file)
    if document is None:
        unfinished = folder.status != "succeeded"
        if folder.record is None and not unfinished:
            hint = "The client that wrote the run stores none; `runforge show` shows what it has."
        raise RunForgeError(
            ErrorCode.ARTIFACT_NOT_FOUND,
            f"The run {quote(folder.id)} has no {what}.",
            hint=f"{folder.ending} `runforge show` shows more." if unfinished else hint,
            path=str(folder.path / file),
        )
    return document


def heading(folder: Run, what: str) -> list[str]:
    """Return the heading of a page."""
    family = folder.model_family
    return paragraph(f"{what} of run {folder.id}" + (f" ({family})" if family else ""))
