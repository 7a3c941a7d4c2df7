# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.interpretability.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Literal
from runforge_contracts import types
from . import serve_common_v1


class InterpretabilityParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `interpretability`.
    """

    run: (
        Annotated[serve_common_v1.RunReference, Meta(description="The run [`latest`].")]
        | UnsetType
    ) = UNSET


class InterpretabilityMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Lists the interpretability outputs of a run.
    """

    method: Literal["interpretability"]
    params: InterpretabilityParams
    result: types.InterpretabilityIndexV1
