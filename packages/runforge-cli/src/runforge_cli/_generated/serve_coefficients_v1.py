# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.coefficients.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Literal
from runforge_contracts import types
from . import serve_common_v1


class CoefficientsParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `coefficients`.
    """

    run: (
        Annotated[serve_common_v1.RunReference, Meta(description="The run [`latest`].")]
        | UnsetType
    ) = UNSET


class CoefficientsMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Returns the coefficients of a linear model for standardized features.
    """

    method: Literal["coefficients"]
    params: CoefficientsParams
    result: types.LinearCoefficientsV1
