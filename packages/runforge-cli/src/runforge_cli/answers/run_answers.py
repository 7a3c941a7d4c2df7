"""What ``show``, ``diagnostics`` and ``interpretability`` print with ``--json``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runforge_contracts.lineage.run_family import repeated_by
from runforge_contracts.store import layout
from runforge_contracts.store.aliases import aliases_by_run
from runforge_contracts.store.evaluations import evaluations_of
from runforge_contracts.store.experiment_runs import ExperimentRun
from runforge_contracts.store.lookup import AnyRun
from runforge_contracts.store.reading import group_of, parent_of
from runforge_contracts.store.run import Run

from runforge_cli.render.artifact_pages import require_document
from runforge_cli.shell.settings import Settings

_DOCUMENTS = {
    "request": layout.REQUEST,
    "run": layout.RUN,
    "result": layout.RESULT,
    "metrics": layout.METRICS,
    "metrics_v1": layout.METRICS_V1,
    "feature_importance": layout.FEATURE_IMPORTANCE,
    "linear_coefficients": layout.LINEAR_COEFFICIENTS,
    "interpretability": layout.INTERPRETABILITY_INDEX,
    "manifest": layout.MANIFEST,
}
_OF_EXPERIMENTS = {
    "config": layout.CONFIG,
    "metrics": layout.EXPERIMENT_METRICS,
    "system": layout.SYSTEM,
    "manifest": layout.EXPERIMENT_MANIFEST,
}


def run_document(folder: AnyRun, settings: Settings, bundle: Path | None = None) -> dict[str, Any]:
    """Return all documents of a run, with the errors of invalid ones of an experiment run.

    ``bundle`` is the bundle that the run is unpacked from, if it is in no store.
    """
    if bundle is not None:
        document = run_document(folder, settings)
        elsewhere = {"run_dir": str(bundle)}
        beside = ("aliases", "evaluations")
        return {key: elsewhere.get(key, it) for key, it in document.items() if key not in beside}
    if isinstance(folder, ExperimentRun):
        from runforge_engine.experiment.record.experiment_state import state_of

        from runforge_cli.listing.experiment_rows import TolerantRun

        run = TolerantRun(folder.path)
        documents = {name: run.content(file) for name, file in _OF_EXPERIMENTS.items()}
        return {
            "run_id": run.id,
            "run_dir": settings.target().relative(run.path),
            "kind": "experiment",
            "status": state_of(run),
            **{name: document for name, document in documents.items() if document is not None},
            "problems": [error.to_dict() for error in run.problems.values()],
            **_lineage(run, run.config, settings),
            **_aliases(run, settings),
        }
    documents = {name: folder.content(file) for name, file in _DOCUMENTS.items()}
    client = folder.client_form
    forms = {name: folder.form(file) for name, file in _DOCUMENTS.items()} if client else {}
    of_another = {
        "client": client,
        "forms": {name: form for name, form in forms.items() if form is not None},
    }
    return {
        "run_id": folder.id,
        "run_dir": settings.target().relative(folder.path),
        "status": folder.status,
        **(of_another if client else {}),
        **{name: document for name, document in documents.items() if document is not None},
        "diagnostics": folder.diagnostics,
        **_evaluations(folder, settings),
        **_lineage(folder, folder.request, settings),
        **_aliases(folder, settings),
    }


def _lineage(folder: AnyRun, asked: dict[str, Any] | None, settings: Settings) -> dict[str, Any]:
    """Return the members with the run that a run repeats, and with those that repeat it."""
    found = {
        "repeats": parent_of(asked),
        "repeated_by": repeated_by(folder.id, settings.places()) or None,
        "group_id": group_of(asked),
    }
    return {name: value for name, value in found.items() if value is not None}


def _evaluations(folder: Run, settings: Settings) -> dict[str, Any]:
    """Return the member with the evaluations of a run, if there are any."""
    found = [evaluation.record for evaluation in evaluations_of(folder.id, settings.stores())]
    return {"evaluations": found} if found else {}


def _aliases(folder: AnyRun, settings: Settings) -> dict[str, Any]:
    """Return the member with the aliases of a run, if there are any."""
    found = aliases_by_run(settings.stores()).get(folder.id)
    return {"aliases": found} if found else {}


def diagnostics_document(folder: Run) -> dict[str, Any]:
    """Return the diagnostics of a run."""
    return {
        "schema_version": "diagnostics.v1",
        "run_id": folder.id,
        "diagnostics": folder.diagnostics,
    }


def interpretability_document(folder: Run) -> dict[str, Any]:
    """Return the index of the interpretability outputs of a run.

    Raises
    ------
    RunForgeError
        ``ARTIFACT_NOT_FOUND``.
    """
    return require_document(
        folder,
        layout.INTERPRETABILITY_INDEX,
        "interpretability index",
        "It was written by a version without one.",
    )
