# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  field.editor_index.v1.0.0.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Literal
from . import common_v1, field_common_v1


class EditorIndexSummary(Struct, kw_only=True, frozen=True, gc=False):
    """
    A run at a glance.
    """

    duration_ms: common_v1.Count | UnsetType = UNSET
    final_metrics: dict[str, float] | UnsetType = UNSET
    device: Annotated[str, Meta(description="`cpu` or `cuda`.")] | UnsetType = UNSET


class EditorIndexEntry(Struct, kw_only=True, frozen=True, gc=False):
    """
    One run.
    """

    run_id: Annotated[
        common_v1.AnyRunId,
        Meta(
            description="The id in `run.json`, which is not the name of the run folder."
        ),
    ]
    created_at: field_common_v1.FieldTime
    run_dir: Annotated[
        common_v1.WorkspacePath,
        Meta(description="The run folder, relative to the workspace."),
    ]
    name: (
        Annotated[str, Meta(description="Display name; the run id if there is none.")]
        | UnsetType
    ) = UNSET
    preset_id: (
        Annotated[str, Meta(description="`std-train` or `hq-train`.")] | UnsetType
    ) = UNSET
    status: Literal["succeeded", "failed", "cancelled"] | UnsetType = UNSET
    summary: EditorIndexSummary | UnsetType = UNSET
    dataset_fingerprint_sha256: common_v1.Sha256 | UnsetType = UNSET
    label_column: str | UnsetType = UNSET
    model_pkl: (
        Annotated[
            common_v1.WorkspacePath,
            Meta(description="The model, relative to the workspace."),
        ]
        | UnsetType
    ) = UNSET


class EditorIndexV100(Struct, kw_only=True, frozen=True, gc=False):
    """
    Index of the editor extension, newest run last; it has no failed or cancelled runs. Source: specification, section 19.6.
    """

    schema_version: Literal["1.0.0"]
    runs: list[EditorIndexEntry]
