# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  field.cancelled_marker.v1.0.0.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import field_common_v1


class CancelledMarkerV100(Struct, kw_only=True, frozen=True, gc=False):
    """
    `.cancelled`: the engine of the editor extension was cancelled. Source: specification, section 19.7.
    """

    schema_version: Literal["cancelled.v1.0.0"]
    run_id: Annotated[str, Meta(pattern="^[A-Za-z0-9._-]+\\Z")]
    run_dir: str | UnsetType = UNSET
    cancelled_at: field_common_v1.FieldTime | UnsetType = UNSET
    step: (
        Annotated[
            str,
            Meta(
                description="`dataset_loading`, `training`, `metrics_computation`, `artifact_writing` or `shutdown`."
            ),
        ]
        | UnsetType
    ) = UNSET
    reason: str | UnsetType = UNSET
    partial_artifacts: list[str] | UnsetType = UNSET
