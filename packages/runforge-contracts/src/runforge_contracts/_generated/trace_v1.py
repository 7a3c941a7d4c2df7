# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  trace.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Literal
from . import common_v1, provenance_v1


class TracedDataset(Struct, kw_only=True, frozen=True, gc=False):
    """
    The dataset of a run, as far as it is recorded.
    """

    path: Annotated[str, Meta(description="As the run names it.")] | UnsetType = UNSET
    fingerprint_sha256: common_v1.Sha256 | UnsetType = UNSET


class TracedRun(Struct, kw_only=True, frozen=True, gc=False):
    """
    A run and its provenance, from its entry in the index and its documents.
    """

    run_id: common_v1.AnyRunId
    run_dir: Annotated[
        str,
        Meta(
            description="The run folder; relative to the workspace if it is inside it."
        ),
    ]
    status: Annotated[
        Literal["succeeded", "failed", "cancelled", "incomplete"],
        Meta(description="Status of the run; `incomplete` if it has no result."),
    ]
    created_at: common_v1.Timestamp
    dataset: TracedDataset
    matched: (
        Annotated[
            Literal[
                "model_sha256",
                "dataset_fingerprint_sha256",
                "model_content_sha256",
                "artifact",
            ],
            Meta(
                description="Which part of the run has the digest: its model, its dataset, the model's content independent of its encoding, or another file; absent if a run was named."
            ),
        ]
        | UnsetType
    ) = UNSET
    path: (
        Annotated[
            str,
            Meta(
                description="The file of the run, relative to its folder, or the dataset's path as recorded."
            ),
        ]
        | UnsetType
    ) = UNSET
    removed: (
        Annotated[
            Literal["forgotten", "archived"],
            Meta(
                description="How the run was removed from its store, where its folder is no longer; absent if it was not."
            ),
        ]
        | UnsetType
    ) = UNSET
    name: Annotated[str, Meta(description="Display name.")] | UnsetType = UNSET
    git: provenance_v1.GitState | UnsetType = UNSET
    runforge_version: (
        Annotated[
            str,
            Meta(description="Version of the client or engine that produced the run."),
        ]
        | UnsetType
    ) = UNSET
    created_by: (
        Annotated[str, Meta(description="The client that requested the run.")]
        | UnsetType
    ) = UNSET
    rerun_from: (
        Annotated[
            str,
            Meta(
                description="The run that this one repeats; it may be in another store."
            ),
        ]
        | UnsetType
    ) = UNSET
    repeated_by: (
        Annotated[
            list[common_v1.AnyRunId],
            Meta(
                description="The runs that repeat this one, oldest first; absent if there are none."
            ),
        ]
        | UnsetType
    ) = UNSET
    changes: (
        Annotated[
            str,
            Meta(
                description="What differs from the run that it repeats, in one line; absent if a digest was searched for, or one of the two cannot be read."
            ),
        ]
        | UnsetType
    ) = UNSET
    group_id: (
        Annotated[str, Meta(description="Group of runs that the run belongs to.")]
        | UnsetType
    ) = UNSET
    sweep_member: (
        Annotated[int, Meta(description="Number of the run in the plan of its group.")]
        | UnsetType
    ) = UNSET


class TraceV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    The runs that created or used a file or model with a given SHA-256, newest first, or a run with those that it descends from and those that descend from it, each after the one that it repeats; as `runforge trace --json` prints them. Source: specification, section 5.8.
    """

    schema_version: Literal["trace.v1"]
    runs: Annotated[list[TracedRun], Meta(min_length=1)]
    sha256: (
        Annotated[
            common_v1.Sha256,
            Meta(
                description="The full digest that was searched for; absent if a run was named."
            ),
        ]
        | UnsetType
    ) = UNSET
    run_id: (
        Annotated[
            common_v1.AnyRunId,
            Meta(
                description="The run that was named; absent if a digest was searched for."
            ),
        ]
        | UnsetType
    ) = UNSET
    left_out: (
        Annotated[
            common_v1.Count,
            Meta(
                description="How many descendants of the named run are left out because there are too many, or how many older runs because fewer were asked for; absent if none."
            ),
        ]
        | UnsetType
    ) = UNSET
