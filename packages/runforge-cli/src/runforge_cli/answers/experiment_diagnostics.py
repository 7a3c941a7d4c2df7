"""The diagnostics of an experiment run, which its documents do not have as such."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runforge_contracts.diagnostics import (
    Diagnostic,
    DiagnosticCode,
    diagnostic,
    error_diagnostic,
    raw_diagnostic,
)
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode
from runforge_contracts.store.experiment_runs import ExperimentRun

from runforge_cli.listing.experiment_rows import TolerantRun

#: Members of ``failure`` and of the configuration that explain an error.
_DETAILS = ("hint",)
_OF_THE_END = ("exit_code", "signal")


def experiment_diagnostics(folder: ExperimentRun) -> list[dict[str, Any]]:
    """Return why a run failed, what its record lacks, and which of its documents are invalid."""
    run = TolerantRun(folder.path)
    found = [*_failure(run), *_gaps(run)]
    # Documents that were read above, among them the invalid ones.
    found += [error_diagnostic(error, folder.path) for error in run.problems.values()]
    return [raw_diagnostic(item) for item in found]


def experiment_diagnostics_document(folder: ExperimentRun) -> dict[str, Any]:
    """Return what ``diagnostics --json`` prints of an experiment run."""
    diagnostics = experiment_diagnostics(folder)
    return {"run_id": folder.id, "kind": "experiment", "diagnostics": diagnostics}


def _failure(run: TolerantRun) -> Iterator[Diagnostic]:
    config = run.config or {}
    failure = config.get("failure") or {}
    if not failure or config.get("status") == "cancelled":
        return
    code = failure.get("code")
    details = {name: failure[name] for name in _DETAILS if isinstance(failure.get(name), str)}
    yield Diagnostic(
        code=code if isinstance(code, str) else ErrorCode.EXPERIMENT_FAILED.value,
        severity="error",
        message=str(failure.get("message", "")),
        details={**details, **{name: config[name] for name in _OF_THE_END if name in config}},
    )


def _gaps(run: TolerantRun) -> Iterator[Diagnostic]:
    config, origin = run.config or {}, run.imported_from
    if origin is not None:
        yield diagnostic(
            DiagnosticCode.PROVENANCE_INCOMPLETE,
            f"The run was imported from {quote(origin['tool'])}: its code and system are as far"
            " known as that tool recorded them.",
        )
        for part in origin.get("left_out", ()):
            yield diagnostic(
                DiagnosticCode.PROVENANCE_INCOMPLETE, f"{part['message']} ({part['count']:,})"
            )
    elif "created_by" in config and "commit" not in (config.get("code") or {}):
        yield diagnostic(
            DiagnosticCode.PROVENANCE_INCOMPLETE,
            "No commit is recorded, so nothing but the copy of the program shows the code.",
        )
    for name, reference in (config.get("references") or {}).items():
        if isinstance(reference, dict) and "after" in reference:
            yield diagnostic(
                DiagnosticCode.PROVENANCE_INCOMPLETE,
                f"The {quote(name)} was changed while the run used it.",
                reference=name,
            )
