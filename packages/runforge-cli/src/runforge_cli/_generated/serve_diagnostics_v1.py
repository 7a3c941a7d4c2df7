# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.diagnostics.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Literal
from runforge_contracts import types
from . import serve_common_v1


class DiagnosticsParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `diagnostics`.
    """

    run: (
        Annotated[serve_common_v1.RunReference, Meta(description="The run [`latest`].")]
        | UnsetType
    ) = UNSET


class DiagnosticsMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Returns the warnings, notes and errors of a run.
    """

    method: Literal["diagnostics"]
    params: DiagnosticsParams
    result: types.DiagnosticsV1
