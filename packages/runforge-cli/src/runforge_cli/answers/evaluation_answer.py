"""What ``evaluate`` and ``show`` of an evaluation print with ``--json``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.errors import RunForgeError
from runforge_contracts.store.evaluations import RecordedEvaluation, metric_differences
from runforge_contracts.store.run import Run

from runforge_cli import CLIENT
from runforge_cli.listing.run_list import trained_in
from runforge_cli.shell.settings import Settings

if TYPE_CHECKING:
    from runforge_contracts.gates import GateResult
    from runforge_engine.evaluations.evaluate_run import NewEvaluation


def new_evaluation(
    settings: Settings,
    run: Run,
    data: str,
    *,
    label: str | None,
    unverified: bool,
    private: bool | None = None,
) -> NewEvaluation:
    """Evaluate the model of a run, and record the evaluation."""
    from runforge_engine.evaluations.evaluate_run import evaluate_run

    return evaluate_run(
        run,
        Path(data),
        settings.target(),
        trained_in(settings.stores()),
        created_by=CLIENT,
        label_column=label,
        private=settings.private if private is None else private,
        unverified=unverified,
    )


def run_of(evaluation: RecordedEvaluation, settings: Settings) -> Run | None:
    """Return the run of an evaluation; None if it is gone."""
    from runforge_contracts.store.lookup import find_any_run

    try:
        found = find_any_run(evaluation.run_id, settings.stores())
    except RunForgeError:
        return None
    return found if isinstance(found, Run) and found.id == evaluation.run_id else None


def evaluation_report(
    evaluation: RecordedEvaluation,
    settings: Settings,
    validation: dict[str, Any] | None,
    *,
    warnings: Sequence[str] | None = None,
    gates: Sequence[GateResult] = (),
) -> dict[str, Any]:
    """Return the document ``evaluation_report.v1``."""
    document: dict[str, Any] = {
        "schema_version": "evaluation_report.v1",
        "evaluation_id": evaluation.id,
        "evaluation_dir": settings.target().relative(evaluation.path.absolute()),
        "evaluation": evaluation.record,
    }
    if validation is not None:
        document["validation"] = validation
    document["differences"] = metric_differences(evaluation.metrics, validation)
    if warnings is not None:
        document["warnings"] = list(warnings)
    if gates:
        document["gates"] = [result.to_dict() for result in gates]
    return document
