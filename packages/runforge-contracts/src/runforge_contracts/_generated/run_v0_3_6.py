# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  run.v0.3.6.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


class RunV036(Struct, kw_only=True, frozen=True, gc=False):
    """
    Record of a completed training, with pointers to the interpretability artifacts. Source: specification, section 8.1.
    """

    schema_version: Literal["run.v0.3.6"]
    run_id: common_v1.AnyRunId
    runforge_version: Annotated[
        str,
        Meta(
            description="Version of the client or engine that produced the run.",
            min_length=1,
        ),
    ]
    created_at: Annotated[
        common_v1.Timestamp, Meta(description="When training completed.")
    ]
    dataset: common_v1.DatasetReference
    label_column: Annotated[
        str, Meta(description="Name of the label column.", min_length=1)
    ]
    num_features: Annotated[common_v1.Count, Meta(description="Feature columns used.")]
    dropped_rows_missing_values: Annotated[
        common_v1.Count,
        Meta(description="Rows dropped because a used column had no value."),
    ]
    model_family: common_v1.ModelFamily
    metrics_v1: common_v1.MetricsReference
    metrics: common_v1.MetricsSnapshot
    artifacts: common_v1.RunArtifacts
    num_samples: (
        Annotated[
            common_v1.Count,
            Meta(
                description="Rows used, after those with missing values were dropped."
            ),
        ]
        | UnsetType
    ) = UNSET
    profile_name: (
        Annotated[
            str,
            Meta(
                description="Name of the training profile; absent when none was used.",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    profile_version: (
        Annotated[
            str, Meta(description="Version of the training profile.", min_length=1)
        ]
        | UnsetType
    ) = UNSET
    expanded_parameters_hash: (
        Annotated[
            str,
            Meta(
                description="Digest of the profile's expanded parameters.", min_length=1
            ),
        ]
        | UnsetType
    ) = UNSET
    hyperparameters: (
        Annotated[
            list[common_v1.RecordedHyperparameter],
            Meta(description="Hyperparameters used, with their source."),
        ]
        | UnsetType
    ) = UNSET
    feature_importance_schema_version: Literal["feature_importance.v1"] | UnsetType = (
        UNSET
    )
    feature_importance_artifact: (
        Annotated[
            common_v1.RelativePath,
            Meta(
                description="Path of the feature importance; absent when there is none."
            ),
        ]
        | UnsetType
    ) = UNSET
    linear_coefficients_schema_version: (
        Literal["linear_coefficients.v1"] | UnsetType
    ) = UNSET
    linear_coefficients_artifact: (
        Annotated[
            common_v1.RelativePath,
            Meta(
                description="Path of the linear coefficients; absent when there is none."
            ),
        ]
        | UnsetType
    ) = UNSET
    interpretability_index_schema_version: (
        Literal["interpretability.index.v1"] | UnsetType
    ) = UNSET
    interpretability_index_artifact: (
        Annotated[
            common_v1.RelativePath,
            Meta(
                description="Path of the interpretability index; absent when there is none."
            ),
        ]
        | UnsetType
    ) = UNSET
