# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  archive_report.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


class ArchivedRun(Struct, kw_only=True, frozen=True, gc=False):
    """
    A run that was archived or restored.
    """

    run_id: common_v1.AnyRunId
    kind: Annotated[
        Literal["trained", "experiment"],
        Meta(description="Whether RunForge trained the model or an experiment ran."),
    ]
    outcome: Annotated[
        Literal["archived", "restored", "present", "kept"],
        Meta(
            description="`archived` and `restored`: it was done, or would be without `--dry-run`. `present`: the run was here already. `kept`: it was chosen by its age or status, and stays because something needs it."
        ),
    ]
    files: (
        Annotated[
            common_v1.Count,
            Meta(description="The number of its files; absent if it is kept."),
        ]
        | UnsetType
    ) = UNSET
    bytes: (
        Annotated[
            common_v1.Count,
            Meta(description="The size of its files; absent if it is kept."),
        ]
        | UnsetType
    ) = UNSET
    reason: Annotated[str, Meta(description="Why it is kept.")] | UnsetType = UNSET


class ArchiveReportV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    Which runs were put into an archive or brought back, as `runforge store archive --json` and `runforge store restore --json` print it. Source: specification, section 26.5.
    """

    schema_version: Literal["archive_report.v1"]
    action: Annotated[
        Literal["archived", "restored"], Meta(description="What was asked for.")
    ]
    dry_run: Annotated[
        bool,
        Meta(
            description="Whether nothing was written, because only the plan was asked for."
        ),
    ]
    store: Annotated[str, Meta(description="The store, relative to the workspace.")]
    archive: Annotated[
        str,
        Meta(
            description="Path of the archive: relative to the workspace, or absolute if it was given so.",
            min_length=1,
        ),
    ]
    runs: Annotated[list[ArchivedRun], Meta(description="The runs that were chosen.")]
    sha256: (
        Annotated[
            common_v1.Sha256,
            Meta(description="Digest of the archive, if it is one file that exists."),
        ]
        | UnsetType
    ) = UNSET
