"""The training of a run: dataset, split, fit, evaluation, artifacts and ``run.json``.

:func:`train` returns values and writes no file; :func:`complete` also writes what it returns.

Source: specification, sections 12.1 and 12.2.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.types import Provenance, ResultSummary

from runforge_engine import __version__
from runforge_engine.data.dataset import Dataset
from runforge_engine.model_file.limits import InspectionLimits
from runforge_engine.model_file.model_inspection import inspect_model_bytes
from runforge_engine.modeling.configuration import check_classes
from runforge_engine.modeling.evaluation import evaluate
from runforge_engine.modeling.fit import dump_model, fit
from runforge_engine.modeling.interpretability import build_index, interpret
from runforge_engine.pipeline.event_log import EventLog
from runforge_engine.pipeline.plan import Plan
from runforge_engine.pipeline.run_document import result_summary, run_document
from runforge_engine.pipeline.run_writer import RunWriter
from runforge_engine.pipeline.training_outcome import TrainingOutcome
from runforge_engine.runtime.background import run_soon, start_in_background
from runforge_engine.runtime.cancellation import Cancellation

T = TypeVar("T")

#: A fit that took less is followed by work that is not worth a thread, in seconds.
_QUICK = 0.05
#: A model that this process has just made is read at any size.
_UNBOUNDED = InspectionLimits(
    file_bytes=sys.maxsize,
    operations=sys.maxsize,
    memo_entries=sys.maxsize,
    text_bytes=sys.maxsize,
    column_major_bytes=sys.maxsize,
    tree_nodes=sys.maxsize,
    seconds=math.inf,
)


def complete(
    plan: Plan, run_id: str, writer: RunWriter, log: EventLog, cancellation: Cancellation
) -> ResultSummary:
    """Train as planned, write the artifacts and ``run.json``, and return the result's summary.

    Raises
    ------
    RunForgeError
        For data that cannot be learned from, a failing estimator, a store that cannot be written,
        and ``CANCELLED``.
    """
    outcome = train(plan, log, cancellation)
    log.step = "artifacts"
    created_at = write_artifacts(outcome, plan, run_id, writer, cancellation)
    log.event("artifacts_written", artifact_count=len(writer.digests) - 1)
    document = run_document(plan, outcome, run_id, created_at, writer.artifact_digests())
    # The last moment to cancel: a run with this document is complete.
    cancellation.check()
    writer.write_struct(layout.RUN, document)
    return result_summary(outcome.evaluation.metrics)


def train(plan: Plan, log: EventLog, cancellation: Cancellation) -> TrainingOutcome:
    """Load the dataset, fit the model and evaluate it; only ``log`` is written to.

    Raises
    ------
    RunForgeError
        As :func:`complete`.
    """
    configuration = plan.configuration

    def soon(work: Callable[[], T], *, quick: bool) -> T:
        return run_soon(work, cancellation.check, quick=quick)

    log.step = "dataset"
    inputs = plan.inputs
    # Collected before the fit, which can take hours: this is the code that makes the model.
    origin = None if inputs.knows_surroundings else start_in_background(lambda: _provenance(plan))
    dataset = soon(lambda: _load(plan), quick=inputs.has(plan.choice))
    _log_dataset(plan, dataset, log)

    log.step = "training"
    parts = soon(
        lambda: inputs.parts(dataset, configuration, cancellation.check),
        quick=inputs.has(plan.choice, configuration.seed),
    )
    provenance, gaps = _provenance(plan) if origin is None else origin.result(cancellation.check)
    log.diagnose(gaps)
    log.event("train_started")
    started_ms, began = plan.start.clock.monotonic_ms(), time.monotonic()
    fitted = fit(
        configuration,
        *parts.take_train(),
        progress=lambda epoch, total: log.event("train_progress", epoch=epoch, total_epochs=total),
        cancellation=cancellation,
        n_jobs=inputs.threads,
        scaled=parts.scaler,
    )
    # No model takes much longer to be used than to be made.
    quick = inputs.warm and time.monotonic() - began < _QUICK
    log.diagnose(fitted.diagnostics)
    log.event(
        "train_finished", duration_seconds=(plan.start.clock.monotonic_ms() - started_ms) / 1000
    )

    log.step = "evaluation"
    # Encoding and evaluating a large forest take seconds each, so they run at the same time.
    dumped = (
        None
        if quick
        else start_in_background(lambda: _dump(fitted.pipeline, dataset.feature_names))
    )
    evaluation = soon(
        lambda: evaluate(fitted.pipeline, parts.X_validation, parts.y_validation, dataset.classes),
        quick=quick,
    )
    interpretation = soon(
        lambda: interpret(fitted.pipeline, configuration.family, dataset.feature_names),
        quick=quick,
    )
    log.event(
        "metrics_computed",
        metrics_profile=evaluation.metrics.metrics_profile,
        accuracy=evaluation.metrics.accuracy,
    )
    log.diagnose([*evaluation.diagnostics, *interpretation.diagnostics])

    log.step = "artifacts"
    model, content_sha256, model_sha256 = (
        _dump(fitted.pipeline, dataset.feature_names)
        if dumped is None
        else dumped.result(cancellation.check)
    )
    validation_rows = len(parts.y_validation)
    return TrainingOutcome(
        label_column=dataset.label_column,
        classes=tuple(dataset.classes),
        feature_names=tuple(dataset.feature_names),
        rows_dropped=dataset.rows_dropped,
        prepared_sha256=dataset.prepared_sha256,
        train_rows=len(dataset.y) - validation_rows,
        validation_rows=validation_rows,
        evaluation=evaluation,
        interpretation=interpretation,
        model=model,
        model_content_sha256=content_sha256,
        model_sha256=model_sha256,
        provenance=provenance,
    )


def write_artifacts(
    outcome: TrainingOutcome,
    plan: Plan,
    run_id: str,
    writer: RunWriter,
    cancellation: Cancellation,
) -> str:
    """Write the model and the documents beside it, and return the time that they carry."""
    interpretation, metrics = outcome.interpretation, outcome.evaluation.metrics
    writer.write_bytes(layout.MODEL, outcome.model, cancellation.check, outcome.model_sha256)
    writer.write_struct(layout.METRICS, outcome.snapshot)
    writer.write_struct(layout.METRICS_V1, metrics)
    if interpretation.feature_importance is not None:
        writer.write_struct(layout.FEATURE_IMPORTANCE, interpretation.feature_importance)
    if interpretation.linear_coefficients is not None:
        writer.write_struct(layout.LINEAR_COEFFICIENTS, interpretation.linear_coefficients)
    created_at = plan.start.clock.now()
    index = build_index(
        interpretation, metrics, run_id=run_id, version=__version__, created_at=created_at
    )
    writer.write_struct(layout.INTERPRETABILITY_INDEX, index)
    return created_at


def _load(plan: Plan) -> Dataset:
    plan.libraries.wait_for_tables()
    dataset = plan.inputs.dataset(plan.source, plan.choice, plan.configuration.seed)
    check_classes(plan.configuration, len(dataset.classes))
    return dataset


def _log_dataset(plan: Plan, dataset: Dataset, log: EventLog) -> None:
    log.event(
        "dataset_loaded",
        num_samples=len(dataset.y),
        num_features=len(dataset.feature_names),
        rows_dropped=dataset.rows_dropped,
        num_classes=len(dataset.classes),
    )
    log.diagnose([*dataset.diagnostics, *plan.diagnostics])


def _dump(pipeline: Any, feature_names: Sequence[str]) -> tuple[bytes, str, str]:
    """Return the model file, with the digests of its content and of its bytes."""
    model = dump_model(pipeline, feature_names)
    return model, *_digests(model)


def _digests(model: bytes) -> tuple[str, str]:
    """Return the digests of the model's content and of its bytes, by the reader that others use.

    A model that this reader refuses must not be written: it could not be used.
    """
    inspection = inspect_model_bytes(model, layout.MODEL, limits=_UNBOUNDED)
    if inspection.content_sha256 is None or inspection.sha256 is None:
        reason = "; ".join(finding.message for finding in inspection.findings)
        raise RunForgeError(
            ErrorCode.INTERNAL,
            f"The model was not written, because our own reader refuses it: {reason}",
            hint="This is a bug in RunForge; please report it with the request.",
        )
    return inspection.content_sha256, inspection.sha256


def _provenance(plan: Plan) -> tuple[Provenance, list[Diagnostic]]:
    """Return the run's provenance, and a diagnostic for each gap in it."""
    provenance, gaps = plan.inputs.provenance(
        plan.store.workspace, plan.store.name, plan.request.raw["created_by"]
    )
    found = [diagnostic(DiagnosticCode.PROVENANCE_INCOMPLETE, gap) for gap in gaps]
    if not provenance["numerics"]["pinned"]:
        found.append(
            diagnostic(
                DiagnosticCode.NUMERICS_NOT_PINNED,
                "Threads and kernels of the numeric libraries are not the ones that RunForge fixes"
                " before they are loaded, so another machine may differ in the last bits.",
            )
        )
    return msgspec.convert(provenance, Provenance), found
