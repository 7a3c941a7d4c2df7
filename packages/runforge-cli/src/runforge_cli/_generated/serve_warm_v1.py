# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.warm.v1.json

from __future__ import annotations
from msgspec import Meta, Struct
from typing import Annotated, Literal


class WarmParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `warm`.
    """


class WarmMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Loads the numeric libraries in the process that trains, so that the next training does not wait for them.
    """

    method: Literal["warm"]
    params: WarmParams
    result: Annotated[None, Meta(description="Nothing.")] | None
