# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  events.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


class EventV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    One line of a run's event stream (JSON Lines). Source: specification, section 15.1.
    """

    event: Literal[
        "run_start",
        "dataset_loaded",
        "train_started",
        "train_progress",
        "train_finished",
        "metrics_computed",
        "artifacts_written",
        "cancelling",
        "run_cancelled",
        "run_failed",
    ]
    timestamp: common_v1.Timestamp
    run_id: common_v1.RunId
    preset_id: str | UnsetType = UNSET
    model_family: common_v1.ModelFamily | UnsetType = UNSET
    num_samples: common_v1.Count | UnsetType = UNSET
    num_features: common_v1.Count | UnsetType = UNSET
    rows_dropped: common_v1.Count | UnsetType = UNSET
    epoch: common_v1.Count | UnsetType = UNSET
    total_epochs: common_v1.Count | UnsetType = UNSET
    duration_seconds: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET
    metrics_profile: common_v1.MetricsProfile | UnsetType = UNSET
    accuracy: common_v1.Fraction | UnsetType = UNSET
    artifact_count: common_v1.Count | UnsetType = UNSET
    seconds_remaining: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET
    step: (
        Annotated[str, Meta(description="The step that was cancelled.")] | UnsetType
    ) = UNSET
    code: (
        Annotated[str, Meta(description="Error code of a failed run.")] | UnsetType
    ) = UNSET
    message: Annotated[str, Meta(description="Why the run failed.")] | UnsetType = UNSET
