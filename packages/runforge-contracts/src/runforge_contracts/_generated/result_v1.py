# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  result.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Any, Literal
from . import common_v1, provenance_v1


class EffectiveModel(Struct, kw_only=True, frozen=True, gc=False):
    """
    The model as trained.
    """

    family: Annotated[str, Meta(description="Model family.")] | None | UnsetType = UNSET
    hyperparameters: (
        Annotated[
            dict[str, Any],
            Meta(description="Every hyperparameter with the value used."),
        ]
        | None
        | UnsetType
    ) = UNSET


class EffectiveDevice(Struct, kw_only=True, frozen=True, gc=False):
    """
    The device used.
    """

    type: Annotated[str, Meta(description="`cpu` or `gpu`.")] | None | UnsetType = UNSET
    gpu_id: int | str | None | UnsetType = UNSET
    gpu_reason: (
        Annotated[str, Meta(description="Why the run did not use the requested GPU.")]
        | None
        | UnsetType
    ) = UNSET


class EffectiveDataset(Struct, kw_only=True, frozen=True, gc=False):
    """
    The dataset used.
    """

    path: str | None | UnsetType = UNSET
    label_column: str | None | UnsetType = UNSET
    exclude_columns: list[str] | None | UnsetType = UNSET
    fingerprint_sha256: (
        Annotated[
            common_v1.Sha256,
            Meta(description="SHA-256 of the file's bytes, where it could be read."),
        ]
        | None
        | UnsetType
    ) = UNSET
    recipe: (
        Annotated[
            str, Meta(description="Path of the recipe that was applied to the dataset.")
        ]
        | None
        | UnsetType
    ) = UNSET
    recipe_sha256: (
        Annotated[common_v1.Sha256, Meta(description="SHA-256 of the recipe's bytes.")]
        | None
        | UnsetType
    ) = UNSET


class PrimaryMetric(Struct, kw_only=True, frozen=True, gc=False):
    """
    The primary metric of the run.
    """

    name: Annotated[str, Meta(min_length=1)]
    value: float


class ResultSummary(Struct, kw_only=True, frozen=True, gc=False):
    """
    Summary of the run's metrics.
    """

    primary_metric: PrimaryMetric | None | UnsetType = UNSET
    metrics: (
        Annotated[dict[str, float], Meta(description="Metric name to value.")]
        | None
        | UnsetType
    ) = UNSET


class ResultArtifact(Struct, kw_only=True, frozen=True, gc=False):
    """
    A file that the run produced.
    """

    path: common_v1.RelativePath
    type: Literal[
        "model",
        "metrics",
        "feature_importance",
        "linear_coefficients",
        "encoder",
        "log",
        "checkpoint",
        "other",
    ]
    bytes: common_v1.Count


class ResultError(Struct, kw_only=True, frozen=True, gc=False):
    """
    Why the run failed or was cancelled.
    """

    message: Annotated[str, Meta(description="One sentence for display.")]
    type: Annotated[str, Meta(description="Name of the exception.")]
    code: (
        Annotated[
            str,
            Meta(
                description="Stable error code, where RunForge knows the cause.",
                pattern="^[A-Z][A-Z0-9_]*\\Z",
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    hint: (
        Annotated[str, Meta(description="What to do about it.")] | None | UnsetType
    ) = UNSET
    traceback: (
        Annotated[str, Meta(description="Full stack trace.")] | None | UnsetType
    ) = UNSET


class EffectiveConfig(Struct, kw_only=True, frozen=True, gc=False):
    """
    The configuration actually used: preset, profile and overrides merged, device resolved.
    """

    preset: (
        Annotated[str, Meta(description="Name of the preset.")] | None | UnsetType
    ) = UNSET
    profile: (
        Annotated[str, Meta(description="Name of the profile.")] | None | UnsetType
    ) = UNSET
    model: EffectiveModel | None | UnsetType = UNSET
    device: EffectiveDevice | None | UnsetType = UNSET
    dataset: EffectiveDataset | None | UnsetType = UNSET
    seed: Annotated[int, Meta(description="Seed used.", ge=0)] | None | UnsetType = (
        UNSET
    )


class ResultV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    Result of a run; written for every run that has a folder. Source: specification, section 7.1.
    """

    version: Annotated[Literal[1], Meta(description="Schema version.")]
    status: common_v1.Status
    duration_ms: Annotated[
        common_v1.Count, Meta(description="Total execution time in milliseconds.")
    ]
    run_id: common_v1.AnyRunId | None | UnsetType = UNSET
    started_at: common_v1.Timestamp | None | UnsetType = UNSET
    finished_at: common_v1.Timestamp | None | UnsetType = UNSET
    summary: ResultSummary | None | UnsetType = UNSET
    effective_config: EffectiveConfig | None | UnsetType = UNSET
    artifacts: (
        Annotated[
            list[ResultArtifact], Meta(description="Files that the run produced.")
        ]
        | None
        | UnsetType
    ) = UNSET
    provenance: (
        Annotated[
            provenance_v1.Provenance,
            Meta(
                description="Provenance of the run, if it finished before `run.json` was written."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    error: (
        Annotated[
            ResultError,
            Meta(description="Present for failed runs, `null` for succeeded ones."),
        ]
        | None
        | UnsetType
    ) = UNSET
