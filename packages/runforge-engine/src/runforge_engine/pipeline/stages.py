"""The stages of a run that trains to the end: dataset, split, fit, evaluation, artifacts, record.

Source: RunForge guarantees, "Lifecycle of a Run"; RunForge contract, sections "Data", "Training"
and "Documents and versions".
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeVar

import msgspec
from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.types import MetricsPhase2, MetricsV1

from runforge_engine import __version__
from runforge_engine.data.dataset import Dataset, load_dataset
from runforge_engine.data.split import VALIDATION_FRACTION, split_rows
from runforge_engine.model_file.limits import Limits
from runforge_engine.model_file.model_inspection import inspect_model_bytes
from runforge_engine.modeling.configuration import check_classes
from runforge_engine.modeling.evaluation import evaluate
from runforge_engine.modeling.fit import dump_model, fit
from runforge_engine.modeling.interpretability import build_index, interpret
from runforge_engine.pipeline.event_log import Journal
from runforge_engine.pipeline.plan import Plan
from runforge_engine.pipeline.run_writer import RunRecord
from runforge_engine.provenance.collect import collect_provenance
from runforge_engine.runtime.background import begin_aside, run_aside
from runforge_engine.runtime.cancellation import Cancellation

T = TypeVar("T")

#: What this process has just made itself is read whatever its size.
_UNBOUNDED = Limits(
    file_bytes=sys.maxsize,
    operations=sys.maxsize,
    memo_entries=sys.maxsize,
    text_bytes=sys.maxsize,
    column_major_bytes=sys.maxsize,
    tree_nodes=sys.maxsize,
    seconds=math.inf,
)


@dataclass(frozen=True, slots=True)
class Completed:
    """A run that trained to the end, as far as ``result.json`` tells of it."""

    metrics: dict[str, float]

    def summary(self) -> dict[str, Any]:
        """Return the ``summary`` of ``result.json``."""
        chosen = {"name": "accuracy", "value": self.metrics["accuracy"]}
        return {"primary_metric": chosen, "metrics": self.metrics}


def complete(
    plan: Plan, run_id: str, record: RunRecord, journal: Journal, cancellation: Cancellation
) -> Completed:
    """Train as planned and write everything that a completed training leaves.

    Raises
    ------
    RunForgeError
        For data that cannot be learned from, a failing estimator, a store that cannot be written,
        and ``CANCELLED``.
    """
    configuration = plan.configuration

    def aside(work: Callable[[], T]) -> T:
        return run_aside(lambda _: work(), cancellation.check)

    journal.step = "dataset"
    # It is the code of before the fit, which can take hours, that made the model.
    origin = begin_aside(lambda _: _provenance(plan))
    dataset = aside(lambda: _load(plan))
    _tell_dataset(plan, dataset, journal)

    journal.step = "training"
    parts = aside(lambda: _divide(dataset, configuration.seed))
    provenance, gaps = origin.result(cancellation.check)
    journal.diagnose(gaps)
    journal.event("train_started")
    begun_ms = plan.start.clock.monotonic_ms()
    fitted = fit(
        configuration,
        *parts.take_train(),
        progress=lambda epoch, total: journal.event(
            "train_progress", epoch=epoch, total_epochs=total
        ),
        cancellation=cancellation,
    )
    journal.diagnose(fitted.diagnostics)
    journal.event(
        "train_finished", duration_seconds=(plan.start.clock.monotonic_ms() - begun_ms) / 1000
    )

    journal.step = "evaluation"
    # Of a large forest both take seconds.
    dumped = begin_aside(lambda _: _dump(fitted.pipeline, dataset.feature_names))
    evaluation = aside(
        lambda: evaluate(fitted.pipeline, parts.X_validation, parts.y_validation, dataset.classes)
    )
    interpretation = aside(
        lambda: interpret(fitted.pipeline, configuration.family, dataset.feature_names)
    )
    journal.event(
        "metrics_computed",
        metrics_profile=evaluation.metrics.metrics_profile,
        accuracy=evaluation.metrics.accuracy,
    )
    journal.diagnose([*evaluation.diagnostics, *interpretation.diagnostics])

    journal.step = "artifacts"
    model, content_sha256, model_sha256 = dumped.result(cancellation.check)
    record.write_bytes(layout.MODEL, model, cancellation.check, model_sha256)
    snapshot = MetricsPhase2(
        accuracy=evaluation.metrics.accuracy,
        num_samples=len(dataset.y),
        num_features=len(dataset.feature_names),
    )
    record.write_struct(layout.METRICS, snapshot)
    record.write_struct(layout.METRICS_V1, evaluation.metrics)
    if interpretation.feature_importance is not None:
        record.write_struct(layout.FEATURE_IMPORTANCE, interpretation.feature_importance)
    if interpretation.linear_coefficients is not None:
        record.write_struct(layout.LINEAR_COEFFICIENTS, interpretation.linear_coefficients)
    created_at = plan.start.clock.now()
    index = build_index(
        interpretation,
        evaluation.metrics,
        run_id=run_id,
        version=__version__,
        created_at=created_at,
    )
    record.write_struct(layout.INTERPRETABILITY_INDEX, index)
    journal.event("artifacts_written", artifact_count=len(record.digests) - 1)

    run = {
        "schema_version": "run.v0.4.0",
        "run_id": run_id,
        "runforge_version": __version__,
        "created_at": created_at,
        "dataset": {
            "path": plan.request.raw["dataset"]["path"],
            "fingerprint_sha256": plan.source.sha256,
        },
        "label_column": dataset.label_column,
        "num_samples": snapshot.num_samples,
        "num_features": snapshot.num_features,
        "dropped_rows_missing_values": dataset.rows_dropped,
        "status": "succeeded",
        "preset": configuration.preset,
        "model_family": configuration.family,
        **_profile(plan),
        "hyperparameters": [
            {"name": item.name, "value": item.value, "source": item.source}
            for item in configuration.hyperparameters
        ],
        "seed": configuration.seed,
        "device": plan.device,
        "classes": list(dataset.classes),
        "feature_names": list(dataset.feature_names),
        "split": {
            "method": "stratified",
            "validation_fraction": VALIDATION_FRACTION,
            "train_rows": len(dataset.y) - len(parts.y_validation),
            "validation_rows": len(parts.y_validation),
        },
        "metrics": msgspec.to_builtins(snapshot),
        "metrics_v1": {
            "schema_version": "metrics.v1",
            "metrics_profile": evaluation.metrics.metrics_profile,
            "artifact_path": layout.METRICS_V1,
        },
        **_pointers(record),
        "artifact_digests": {
            file: digest
            for file, digest in sorted(record.digests.items())
            if file != layout.REQUEST
        },
        "model_content_sha256": content_sha256,
        "provenance": provenance,
    }
    # The last moment to cancel: a run with this record is complete.
    cancellation.check()
    record.write_raw(layout.RUN, run, "run.v0.4.0")
    return Completed(_summary_metrics(evaluation.metrics))


@dataclass(slots=True)
class _Parts:
    """The rows to train with and those to validate with."""

    X_train: Any
    y_train: Any
    X_validation: Any
    y_validation: Any

    def take_train(self) -> tuple[Any, Any]:
        """Give the rows to train with away, so that they are in memory no longer than needed."""
        X, y = self.X_train, self.y_train
        self.X_train = self.y_train = None
        return X, y


def _divide(dataset: Dataset, seed: int) -> _Parts:
    split = split_rows(dataset.positions, seed)
    # Twice as fast as indexing with the rows.
    X_train, X_validation = (
        dataset.X.take(rows, axis=0) for rows in (split.train, split.validation)
    )
    dataset.release()
    return _Parts(X_train, dataset.y[split.train], X_validation, dataset.y[split.validation])


def _load(plan: Plan) -> Dataset:
    plan.libraries.wait_for_tables()
    reference = plan.request.raw["dataset"]
    dataset = load_dataset(
        plan.source, reference["label_column"], reference.get("exclude_columns", ())
    )
    check_classes(plan.configuration, len(dataset.classes))
    return dataset


def _tell_dataset(plan: Plan, dataset: Dataset, journal: Journal) -> None:
    journal.event(
        "dataset_loaded",
        num_samples=len(dataset.y),
        num_features=len(dataset.feature_names),
        rows_dropped=dataset.rows_dropped,
        num_classes=len(dataset.classes),
    )
    journal.diagnose([*dataset.diagnostics, *plan.diagnostics])


def _dump(pipeline: Any, feature_names: Sequence[str]) -> tuple[bytes, str, str]:
    """Return the model as a file, with the digests of what it is and of its bytes."""
    model = dump_model(pipeline, feature_names)
    return model, *_digests(model)


def _digests(model: bytes) -> tuple[str, str]:
    """Return the digests of what the model is and of its bytes.

    Both come from the reader that others will judge it with.

    A model that this reader would refuse must not be written: nobody could use it.
    """
    inspection = inspect_model_bytes(model, layout.MODEL, limits=_UNBOUNDED)
    if inspection.content_sha256 is None or inspection.sha256 is None:
        reason = "; ".join(finding.message for finding in inspection.findings)
        raise RunForgeError(
            ErrorCode.INTERNAL,
            f"The model was not written, because our own reader refuses it: {reason}",
            hint="This is a fault of RunForge; please report it with the request.",
        )
    return inspection.content_sha256, inspection.sha256


def _provenance(plan: Plan) -> tuple[dict[str, Any], list[Diagnostic]]:
    """Return where the run comes from, and what the record of it lacks."""
    gaps: list[str] = []
    provenance = collect_provenance(
        plan.store.workspace, plan.store.name, plan.request.raw["created_by"], gaps.append
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
    return provenance, found


def _profile(plan: Plan) -> dict[str, str]:
    """Return the profile's fields: all together, or none."""
    profile = plan.configuration.profile
    if profile is None:
        return {}
    return {
        "profile_name": profile.name,
        "profile_version": profile.version,
        "expanded_parameters_hash": profile.expanded_parameters_hash,
    }


def _pointers(record: RunRecord) -> dict[str, Any]:
    """Return the pointers to the artifacts that were written, and nothing for the others."""
    pointers: dict[str, Any] = {}
    artifacts = {"model_pkl": layout.MODEL, "metrics_v1_json": layout.METRICS_V1}
    for name, file in _INTERPRETABILITY.items():
        if file in record.digests:
            pointers[f"{name}_schema_version"] = PurePosixPath(file).stem
            pointers[f"{name}_artifact"] = file
            artifacts[f"{name}_json"] = file
    return {**pointers, "artifacts": artifacts}


_INTERPRETABILITY = {
    "feature_importance": layout.FEATURE_IMPORTANCE,
    "linear_coefficients": layout.LINEAR_COEFFICIENTS,
    "interpretability_index": layout.INTERPRETABILITY_INDEX,
}


def _summary_metrics(metrics: MetricsV1) -> dict[str, float]:
    """Return the metrics by the names of ``result.json``; one that was not computed is absent."""
    named = {
        "accuracy": metrics.accuracy,
        "f1_score": metrics.f1_macro,
        "precision": metrics.precision_macro,
        "recall": metrics.recall_macro,
        "roc_auc": metrics.roc_auc,
        "log_loss": metrics.log_loss,
    }
    return {name: value for name, value in named.items() if value is not msgspec.UNSET}
