# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  field.desktop_coefficients.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import field_common_v1


class DesktopCoefficientsV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    `linear_coefficients.v1.json` as Desktop reads it. Source: specification, section 19.10.
    """

    schema_version: Literal["linear_coefficients.v1"]
    coefficients: Annotated[
        dict[str, dict[str, float]],
        Meta(description="Class to feature to coefficient."),
    ]
    model_family: str | UnsetType = UNSET
    intercepts: (
        Annotated[dict[str, float], Meta(description="Class to intercept.")] | UnsetType
    ) = UNSET
    standardized: bool | UnsetType = UNSET
    computed_at: field_common_v1.FieldTime | UnsetType = UNSET
