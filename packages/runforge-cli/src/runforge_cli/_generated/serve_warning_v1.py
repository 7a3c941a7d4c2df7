# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.warning.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import serve_common_v1


class WarningParams(Struct, kw_only=True, frozen=True, gc=False):
    """
    Parameters of `warning`.
    """

    severity: Literal["info", "warning"]
    message: Annotated[str, Meta(description="One sentence.")]
    id: (
        Annotated[
            serve_common_v1.RequestId, Meta(description="The request that it is about.")
        ]
        | UnsetType
    ) = UNSET
    code: (
        Annotated[str, Meta(description="Code of the diagnostic, if it is one.")]
        | UnsetType
    ) = UNSET


class WarningNotification(Struct, kw_only=True, frozen=True, gc=False):
    """
    Something that the user should know, and that ends nothing.
    """

    method: Literal["warning"]
    params: WarningParams
