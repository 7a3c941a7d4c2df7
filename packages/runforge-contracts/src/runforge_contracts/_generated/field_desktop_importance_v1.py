# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  field.desktop_importance.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import field_common_v1


class DesktopImportanceV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    `feature_importance.v1.json` as Desktop reads it. Source: specification, section 19.10.
    """

    schema_version: Literal["feature_importance.v1"]
    importances: Annotated[dict[str, float], Meta(description="Feature to importance.")]
    model_family: str | UnsetType = UNSET
    method: str | UnsetType = UNSET
    computed_at: field_common_v1.FieldTime | UnsetType = UNSET
