# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  field.editor_request.v1.json

from __future__ import annotations
from typing import Annotated
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1, field_common_v1


class EditorRequestV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    `request.json` of the editor extension. Source: specification, section 19.3.
    """

    run_id: Annotated[
        common_v1.AnyRunId,
        Meta(description="Name of the run folder, which is not the id in `run.json`."),
    ]
    preset_id: Annotated[str, Meta(description="`std-train` or `hq-train`.")]
    name: Annotated[str, Meta(description="Display name.")] | UnsetType = UNSET
    seed: (
        Annotated[int, Meta(ge=-9007199254740991, le=9007199254740991)]
        | None
        | UnsetType
    ) = UNSET
    created_at: field_common_v1.FieldTime | UnsetType = UNSET
    requested_device: (
        Annotated[str, Meta(description="`cpu`, `cuda` or `auto`.")] | UnsetType
    ) = UNSET
    actual_device: (
        Annotated[str, Meta(description="`cpu` or `cuda`, as the extension chose.")]
        | UnsetType
    ) = UNSET
    gpu_reason: (
        Annotated[
            str,
            Meta(
                description="`sufficient_vram`, `insufficient_vram`, `gpu_unknown` or `no_cuda`."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
