"""All checks of one run folder, of a trained run or of an experiment run."""

from __future__ import annotations

import os
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.invariants.checked_folder import CheckedRun
from runforge_contracts.invariants.document_form import form_findings
from runforge_contracts.invariants.event_invariants import event_findings
from runforge_contracts.invariants.experiment_invariants import check_experiment_run
from runforge_contracts.invariants.file_invariants import evidence_findings
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.invariants.interpretability_invariants import interpretability_findings
from runforge_contracts.invariants.metrics_invariants import metric_findings
from runforge_contracts.invariants.record_invariants import record_findings
from runforge_contracts.store import layout
from runforge_contracts.store.experiment_runs import is_experiment_folder
from runforge_contracts.store.field_documents import DESKTOP_COMMANDS

#: How the command line of Desktop, and Desktop for it, begin ``created_by``.
_DESKTOP_COMMANDS = ("runforge-cli@0.", "runforge-desktop@0.")
_OF_THE_CONTRACT = (layout.RUN, layout.MANIFEST, layout.DIAGNOSTICS)
_CHECKS = (
    evidence_findings,
    record_findings,
    metric_findings,
    interpretability_findings,
    event_findings,
    form_findings,
)


def check_run(path: str | os.PathLike[str]) -> list[Finding]:
    """Return the violations in the run folder at ``path``.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_FOUND`` if there is no folder.
    """
    path = Path(path)
    if is_experiment_folder(path):
        return check_experiment_run(path)
    return check_folder(open_folder(path))


def client_of(path: str | os.PathLike[str]) -> str | None:
    """Return what users call the other client that wrote the run at ``path``; None for no other.

    The command line of Desktop is known by the name that it gives itself in its requests, in a
    folder without the files that only the contract has.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_FOUND`` if there is no folder.

    Source: specification, sections 19.1 and 19.2.
    """
    path = Path(path)
    if is_experiment_folder(path):
        return None
    folder = open_folder(path)
    named = str((folder.request or {}).get("created_by")).startswith(_DESKTOP_COMMANDS)
    if named and folder.files.keys().isdisjoint(_OF_THE_CONTRACT):
        return DESKTOP_COMMANDS
    return folder.client_form


def check_folder(folder: CheckedRun) -> list[Finding]:
    """Return the violations in a run folder that has been read."""
    return [*folder.findings, *(finding for check in _CHECKS for finding in check(folder))]


def open_folder(path: Path, *, in_store: bool | None = None) -> CheckedRun:
    """Read the run folder at ``path``; ``RUN_NOT_FOUND`` if there is none."""
    if path.is_symlink() or not path.is_dir():
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND,
            f"There is no run folder {quote(path, 200)}.",
            hint="Name a folder that holds run.json or result.json.",
            path=str(path),
        )
    return CheckedRun(path, in_store=in_store)
