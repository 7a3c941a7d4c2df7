# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  field.editor_index.v0.2.2.1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1, field_common_v1


class EditorIndexEntry0221(Struct, kw_only=True, frozen=True, gc=False):
    """
    One run.
    """

    run_id: common_v1.AnyRunId
    created_at: field_common_v1.FieldTime
    run_dir: Annotated[
        common_v1.WorkspacePath,
        Meta(description="The file `run.json`, relative to the store."),
    ]
    dataset_fingerprint_sha256: common_v1.Sha256 | UnsetType = UNSET
    label_column: str | UnsetType = UNSET
    model_pkl: (
        Annotated[
            common_v1.WorkspacePath,
            Meta(description="The model, relative to the store."),
        ]
        | UnsetType
    ) = UNSET


class EditorIndexV0221(Struct, kw_only=True, frozen=True, gc=False):
    """
    Index of the engine of the editor extension 0.4.3. Source: specification, section 19.6.
    """

    schema_version: Literal["0.2.2.1"]
    runs: list[EditorIndexEntry0221]
