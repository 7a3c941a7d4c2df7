# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  index.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1
from typing import Annotated, Literal


class IndexSummary(Struct, kw_only=True, frozen=True, gc=False):
    """
    A run at a glance.
    """

    duration_ms: common_v1.Count | UnsetType = UNSET
    final_metrics: dict[str, float] | UnsetType = UNSET
    device: str | UnsetType = UNSET


class IndexEntry(Struct, kw_only=True, frozen=True, gc=False):
    """
    One run; appended once and never changed.
    """

    run_id: common_v1.AnyRunId
    created_at: common_v1.Timestamp
    run_dir: Annotated[
        common_v1.WorkspacePath,
        Meta(description="The run folder, relative to the workspace."),
    ]
    name: (
        Annotated[
            str, Meta(description="Display name; the run id if the request has none.")
        ]
        | UnsetType
    ) = UNSET
    preset_id: (
        Annotated[str, Meta(description="Preset of the request.")] | UnsetType
    ) = UNSET
    status: common_v1.Status | UnsetType = UNSET
    summary: IndexSummary | UnsetType = UNSET
    dataset_fingerprint_sha256: common_v1.Sha256 | UnsetType = UNSET
    label_column: str | UnsetType = UNSET
    model_pkl: (
        Annotated[
            common_v1.RelativePath,
            Meta(description="The model, relative to the run folder."),
        ]
        | UnsetType
    ) = UNSET
    model_family: common_v1.ModelFamily | UnsetType = UNSET
    model_sha256: (
        Annotated[common_v1.Sha256, Meta(description="SHA-256 of the model file.")]
        | UnsetType
    ) = UNSET
    seed: (
        Annotated[
            int,
            Meta(
                description="Seed of the split and of the estimator.",
                ge=0,
                le=4294967295,
            ),
        ]
        | UnsetType
    ) = UNSET
    hyperparameters: (
        Annotated[
            dict[str, bool | float | str | None],
            Meta(
                description="Values of the hyperparameters by name: those that the run used; those of the request if the run recorded none."
            ),
        ]
        | UnsetType
    ) = UNSET
    group_id: (
        Annotated[
            common_v1.GroupId,
            Meta(
                description="Group of runs that the run belongs to. Source: specification, section 20.6."
            ),
        ]
        | UnsetType
    ) = UNSET
    rerun_from: (
        Annotated[common_v1.AnyRunId, Meta(description="Run that this one repeats.")]
        | UnsetType
    ) = UNSET
    tags: (
        Annotated[
            list[str],
            Meta(
                description="Tags of the request; empty if it has none. Entries of older versions lack it."
            ),
        ]
        | UnsetType
    ) = UNSET
    origin: (
        Annotated[
            common_v1.Sha256,
            Meta(
                description="Of a run that came from another store: the digest of the chain after the first entry of that store's index. Source: specification, section 14.3."
            ),
        ]
        | UnsetType
    ) = UNSET


class IndexV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    Append-only provenance index of a store, oldest run first; it can be rebuilt from the run folders. Source: specification, section 5.5.
    """

    schema_version: Literal["index.v1"]
    runs: list[IndexEntry]
