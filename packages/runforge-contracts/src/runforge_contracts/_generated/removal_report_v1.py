# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  removal_report.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


class RemovalItem(Struct, kw_only=True, frozen=True, gc=False):
    """
    A run, what was left of something, or what a forgotten run leaves in the store.
    """

    what: Annotated[
        Literal[
            "run",
            "experiment",
            "interrupted",
            "unfinished",
            "temporary",
            "dataset",
            "recipe",
            "evaluation",
        ],
        Meta(
            description="A run; the run of an experiment; a run that was interrupted before it had a result; a folder that is left of a removed run; a temporary file or folder of a process that has ended; the copy of a dataset or a recipe that the store keeps; an evaluation of a forgotten run."
        ),
    ]
    path: Annotated[str, Meta(description="Its path, relative to the workspace.")]
    outcome: Annotated[
        Literal["removed", "gone", "kept"],
        Meta(
            description="`gone`: it was removed before; `kept`: it stays, for the reason in `message`."
        ),
    ]
    id: (
        Annotated[
            common_v1.AnyRunId,
            Meta(
                description="The run; of the copy of a dataset or a recipe, the first of the forgotten runs that used it."
            ),
        ]
        | UnsetType
    ) = UNSET
    evaluation_id: (
        Annotated[common_v1.EvaluationId, Meta(description="The evaluation.")]
        | UnsetType
    ) = UNSET
    files: (
        Annotated[common_v1.Count, Meta(description="How many files there are.")]
        | UnsetType
    ) = UNSET
    bytes: (
        Annotated[common_v1.Count, Meta(description="How large they are together.")]
        | UnsetType
    ) = UNSET
    objections: (
        Annotated[
            list[Literal["alias", "sweep", "view", "unverified"]],
            Meta(description="What speaks against it, as in `despite` of the record."),
        ]
        | UnsetType
    ) = UNSET
    used_by: (
        Annotated[
            list[str],
            Meta(
                description="Of a copy that stays: the runs, evaluations and sweeps that use it, and what cannot be read and may use it.",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    message: Annotated[str, Meta(description="Why it stays.")] | UnsetType = UNSET


class RemovalReportV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    What was removed from a store, as `runforge store forget --json` and `runforge store tidy --json` print it. Source: specification, section 25.6.
    """

    schema_version: Literal["removal_report.v1"]
    dry_run: Annotated[
        bool,
        Meta(
            description="Whether nothing was written, because only the plan was asked for."
        ),
    ]
    store: Annotated[str, Meta(description="The store, relative to the workspace.")]
    items: Annotated[
        list[RemovalItem],
        Meta(
            description="Everything that was, or would be, removed, and what forgotten runs leave in the store."
        ),
    ]
