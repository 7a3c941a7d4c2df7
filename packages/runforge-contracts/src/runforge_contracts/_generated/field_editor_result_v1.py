# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  field.editor_result.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


class EditorResultV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    `result.json` of the editor extension. Source: specification, section 19.4.
    """

    status: Annotated[
        Literal["succeeded", "failed"],
        Meta(
            description="A cancelled run is `failed`; its error says that it was cancelled."
        ),
    ]
    exit_code: (
        Annotated[
            int,
            Meta(
                description="Exit status of the engine; null if a signal ended it.",
                ge=-9007199254740991,
                le=9007199254740991,
            ),
        ]
        | None
    )
    duration_ms: common_v1.Count
    run_id: (
        Annotated[
            common_v1.AnyRunId,
            Meta(
                description="Name of the run folder, which is not the id in `run.json`."
            ),
        ]
        | UnsetType
    ) = UNSET
    error: (
        Annotated[str, Meta(description="The reason as one string.")] | None | UnsetType
    ) = UNSET
