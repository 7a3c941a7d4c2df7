# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  archive_report.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1, run_removal_v1


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
    archive: (
        Annotated[
            str,
            Meta(
                description="Path of the archive that it was restored from, if there were several.",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET


class ArchivedCopy(Struct, kw_only=True, frozen=True, gc=False):
    """
    The copy of a dataset or a recipe that a store keeps for runs.
    """

    what: Annotated[
        Literal["dataset", "recipe"], Meta(description="What it is a copy of.")
    ]
    path: Annotated[
        str,
        Meta(
            description="Its path in this store, relative to the workspace.",
            min_length=1,
        ),
    ]
    outcome: Annotated[
        Literal["archived", "copied", "restored", "present", "missing"],
        Meta(
            description="`archived`: it went into the archive. `copied`: the archive has it, and it stays here, too, because something else uses it. `restored`: it is here again. `present`: it was here already. `missing`: the archive that should have it does not."
        ),
    ]
    bytes: Annotated[common_v1.Count, Meta(description="Its size.")]
    used_by: (
        Annotated[
            list[str],
            Meta(
                description="The runs, evaluations and sweeps that use it, and what cannot be read and may use it.",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET


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
            description="Path of the archive: relative to the workspace, or absolute if it was given so; of several, the first.",
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
    more_archives: (
        Annotated[
            list[run_removal_v1.RunArchive],
            Meta(
                description="The other archives, if runs of several were restored.",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    copies: (
        Annotated[
            list[ArchivedCopy],
            Meta(
                description="The copies of datasets and recipes that went with the runs; absent if none was asked for, or the archive has none."
            ),
        ]
        | UnsetType
    ) = UNSET
