"""``run.json`` and the summary of ``result.json``, built from a plan and the outcome of a training.

Nothing is read or written here.

Source: specification, sections 7.4 and 8.1 to 8.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import msgspec
from runforge_contracts.store import layout
from runforge_contracts.types import (
    FileDigest,
    MetricsReference,
    MetricsSnapshot,
    MetricsV1,
    PrimaryMetric,
    RecordedHyperparameter,
    ResultSummary,
    RunArtifacts,
    RunDataset,
    RunV040,
    Split,
)

from runforge_engine import __version__
from runforge_engine.data.split import VALIDATION_FRACTION
from runforge_engine.pipeline.plan import Plan

if TYPE_CHECKING:
    from runforge_engine.pipeline.training_outcome import TrainingOutcome

_INTERPRETABILITY = {
    "feature_importance": layout.FEATURE_IMPORTANCE,
    "linear_coefficients": layout.LINEAR_COEFFICIENTS,
    "interpretability_index": layout.INTERPRETABILITY_INDEX,
}


def run_document(
    plan: Plan,
    outcome: TrainingOutcome,
    run_id: str,
    created_at: str,
    digests: Mapping[str, FileDigest],
) -> RunV040:
    """Return ``run.json``.

    Parameters
    ----------
    created_at
        When the training was completed.
    digests
        Digests of the artifacts that were written, by path in the run folder.
    """
    configuration = plan.configuration
    metrics = outcome.evaluation.metrics
    return RunV040(
        schema_version="run.v0.4.0",
        run_id=run_id,
        runforge_version=__version__,
        created_at=created_at,
        dataset=RunDataset(
            path=plan.request.raw["dataset"]["path"],
            fingerprint_sha256=plan.source.sha256,
            **_recipe(plan, outcome),
        ),
        label_column=outcome.label_column,
        num_samples=outcome.snapshot.num_samples,
        num_features=outcome.snapshot.num_features,
        dropped_rows_missing_values=outcome.rows_dropped,
        status="succeeded",
        preset=configuration.preset,  # type: ignore[arg-type]
        model_family=configuration.family,  # type: ignore[arg-type]
        hyperparameters=[
            RecordedHyperparameter(name=item.name, value=item.value, source=item.source)
            for item in configuration.hyperparameters
        ],
        seed=configuration.seed,
        device=plan.device,
        classes=list(outcome.classes),
        feature_names=list(outcome.feature_names),
        split=Split(
            method="stratified",
            validation_fraction=VALIDATION_FRACTION,
            train_rows=outcome.train_rows,
            validation_rows=outcome.validation_rows,
        ),
        metrics=MetricsSnapshot(
            accuracy=outcome.snapshot.accuracy,
            num_samples=outcome.snapshot.num_samples,
            num_features=outcome.snapshot.num_features,
        ),
        metrics_v1=MetricsReference(
            schema_version="metrics.v1",
            metrics_profile=metrics.metrics_profile,
            artifact_path=layout.METRICS_V1,
        ),
        artifact_digests=dict(digests),
        model_content_sha256=outcome.model_content_sha256,
        provenance=outcome.provenance,
        artifacts=_artifacts(digests),
        **_profile(plan),
        **_pointers(digests),
    )


def result_summary(metrics: MetricsV1) -> ResultSummary:
    """Return the metrics by their names in ``result.json``, without those not computed."""
    named = {
        "accuracy": metrics.accuracy,
        "f1_score": metrics.f1_macro,
        "precision": metrics.precision_macro,
        "recall": metrics.recall_macro,
        "roc_auc": metrics.roc_auc,
        "log_loss": metrics.log_loss,
    }
    return ResultSummary(
        primary_metric=PrimaryMetric(name="accuracy", value=metrics.accuracy),
        metrics={name: value for name, value in named.items() if value is not msgspec.UNSET},
    )


def _recipe(plan: Plan, outcome: TrainingOutcome) -> dict[str, Any]:
    """Return the fields of the recipe: all of them, or none without a recipe."""
    if plan.choice.recipe is None:
        return {}
    return {
        "recipe": plan.request.raw["dataset"]["recipe"],
        "recipe_sha256": plan.choice.recipe.sha256,
        "prepared_sha256": outcome.prepared_sha256,
    }


def _profile(plan: Plan) -> dict[str, Any]:
    """Return the fields of the profile: all of them, or none without a profile."""
    profile = plan.configuration.profile
    if profile is None:
        return {}
    return {
        "profile_name": profile.name,
        "profile_version": profile.version,
        "expanded_parameters_hash": profile.expanded_parameters_hash,
    }


def _artifacts(digests: Mapping[str, FileDigest]) -> RunArtifacts:
    written = {f"{name}_json": file for name, file in _INTERPRETABILITY.items() if file in digests}
    return RunArtifacts(model_pkl=layout.MODEL, metrics_v1_json=layout.METRICS_V1, **written)


def _pointers(digests: Mapping[str, FileDigest]) -> dict[str, Any]:
    """Return the version and the path of each interpretability document that was written."""
    pointers: dict[str, Any] = {}
    for name, file in _INTERPRETABILITY.items():
        if file in digests:
            pointers[f"{name}_schema_version"] = PurePosixPath(file).stem
            pointers[f"{name}_artifact"] = file
    return pointers
