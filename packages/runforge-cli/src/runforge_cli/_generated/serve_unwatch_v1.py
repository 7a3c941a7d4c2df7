# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.unwatch.v1.json

from __future__ import annotations
from msgspec import Meta, Struct
from typing import Annotated, Literal


class UnwatchParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `unwatch`.
    """


class UnwatchMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Ends `watch`.
    """

    method: Literal["unwatch"]
    params: UnwatchParams
    result: Annotated[None, Meta(description="Nothing.")] | None
