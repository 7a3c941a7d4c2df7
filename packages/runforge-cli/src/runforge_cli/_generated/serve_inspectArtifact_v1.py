# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.inspectArtifact.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct
from runforge_contracts import types
from . import serve_common_v1


class InspectArtifactParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `inspectArtifact`.
    """

    model: Annotated[
        serve_common_v1.RunReference,
        Meta(description="A run, or the path of a model file."),
    ]


class InspectArtifactMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Inspects a model file without running any of its code.
    """

    method: Literal["inspectArtifact"]
    params: InspectArtifactParams
    result: types.ArtifactInspectionV0222
