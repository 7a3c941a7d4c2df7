# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  run.v0.4.0.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1, provenance_v1


class RunDataset(Struct, kw_only=True, frozen=True, gc=False):
    """
    The dataset of a run, by path and by content, and the recipe that was applied to it. All three members of the recipe are present or none.
    """

    path: common_v1.WorkspacePath
    fingerprint_sha256: Annotated[
        common_v1.Sha256, Meta(description="SHA-256 of the file's bytes.")
    ]
    recipe: (
        Annotated[
            common_v1.WorkspacePath,
            Meta(
                description="Path of the recipe that was applied to the dataset; absent if there was none. The run has a copy. Source: specification, section 24.6."
            ),
        ]
        | UnsetType
    ) = UNSET
    recipe_sha256: (
        Annotated[common_v1.Sha256, Meta(description="SHA-256 of the recipe's bytes.")]
        | UnsetType
    ) = UNSET
    prepared_sha256: (
        Annotated[
            common_v1.Sha256,
            Meta(
                description="SHA-256 of the prepared table that the model was trained on."
            ),
        ]
        | UnsetType
    ) = UNSET


class UsedDevice(Struct, kw_only=True, frozen=True, gc=False):
    """
    The device that the run used.
    """

    type: common_v1.DeviceType
    gpu_reason: (
        Annotated[str, Meta(description="Why the run did not use the requested GPU.")]
        | UnsetType
    ) = UNSET


class Split(Struct, kw_only=True, frozen=True, gc=False):
    """
    How the rows were divided.
    """

    method: Literal["stratified"]
    validation_fraction: common_v1.Fraction
    train_rows: common_v1.Count
    validation_rows: common_v1.Count


class RunV040(Struct, kw_only=True, frozen=True, gc=False):
    """
    Record of a completed training, with everything needed to verify and reproduce it. Extends `run.v0.3.6` without changing it. Source: specification, sections 8.1 and 8.2.
    """

    schema_version: Literal["run.v0.4.0"]
    run_id: common_v1.RunId
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
    dataset: RunDataset
    label_column: Annotated[
        str, Meta(description="Name of the label column.", min_length=1)
    ]
    num_samples: Annotated[
        common_v1.Count,
        Meta(description="Rows used, after those with missing values were dropped."),
    ]
    num_features: Annotated[common_v1.Count, Meta(description="Feature columns used.")]
    dropped_rows_missing_values: Annotated[
        common_v1.Count,
        Meta(description="Rows dropped because a used column had no value."),
    ]
    status: Annotated[
        Literal["succeeded"],
        Meta(
            description="A run record is written when training has completed; `result.json` records every other outcome."
        ),
    ]
    preset: common_v1.Preset
    model_family: common_v1.ModelFamily
    hyperparameters: Annotated[
        list[common_v1.RecordedHyperparameter],
        Meta(description="Every hyperparameter used, with its source."),
    ]
    seed: Annotated[
        int,
        Meta(
            description="Seed of the split and of the estimator.", ge=0, le=4294967295
        ),
    ]
    device: UsedDevice
    classes: Annotated[
        list[common_v1.ClassLabel],
        Meta(description="Class labels in sorted order.", min_length=2),
    ]
    feature_names: Annotated[
        list[str],
        Meta(
            description="Feature columns in the order of the model's input.",
            min_length=1,
        ),
    ]
    split: Split
    metrics: common_v1.MetricsSnapshot
    metrics_v1: common_v1.MetricsReference
    artifacts: common_v1.RunArtifacts
    artifact_digests: Annotated[
        common_v1.FileDigests, Meta(description="Digest and size of every artifact.")
    ]
    provenance: provenance_v1.Provenance
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
    model_content_sha256: (
        Annotated[
            common_v1.Sha256,
            Meta(
                description="Digest of the model's content, independent of its encoding."
            ),
        ]
        | UnsetType
    ) = UNSET
