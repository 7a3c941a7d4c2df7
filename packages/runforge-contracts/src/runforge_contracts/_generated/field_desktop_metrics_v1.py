# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  field.desktop_metrics.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import field_common_v1


class DesktopMetricsV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    `metrics.v1.json` as Desktop reads it. Source: specification, section 19.10.
    """

    schema_version: Literal["metrics.v1"]
    metrics: Annotated[
        dict[str, dict[str, float]], Meta(description="Category to name to value.")
    ]
    profile_id: str | UnsetType = UNSET
    model_family: str | UnsetType = UNSET
    computed_at: field_common_v1.FieldTime | UnsetType = UNSET
