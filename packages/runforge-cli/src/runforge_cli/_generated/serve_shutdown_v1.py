# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.shutdown.v1.json

from __future__ import annotations
from msgspec import Meta, Struct
from typing import Annotated, Literal


class ShutdownParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `shutdown`.
    """


class ShutdownMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Ends the session: what was started is cancelled, and only `exit` may follow.
    """

    method: Literal["shutdown"]
    params: ShutdownParams
    result: Annotated[None, Meta(description="Nothing.")] | None
