# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  field.desktop_interpretability.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1, field_common_v1


class DesktopInterpretabilityArtifact(Struct, kw_only=True, frozen=True, gc=False):
    """
    One artifact, available or not.
    """

    type: Annotated[
        str,
        Meta(
            description="`metrics.v1`, `feature_importance.v1` or `linear_coefficients.v1`."
        ),
    ]
    available: bool
    schema_version: str | UnsetType = UNSET
    path: common_v1.RelativePath | UnsetType = UNSET
    unavailable_reason: str | UnsetType = UNSET


class DesktopInterpretabilityV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    `interpretability.index.v1.json` as Desktop reads it. Source: specification, section 19.10.
    """

    schema_version: Literal["interpretability.index.v1"]
    artifacts: list[DesktopInterpretabilityArtifact]
    run_id: str | UnsetType = UNSET
    model_family: str | UnsetType = UNSET
    generated_at: field_common_v1.FieldTime | UnsetType = UNSET
