# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.trace.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct
from runforge_contracts import types


class TraceParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `trace`.
    """

    what: Annotated[
        str,
        Meta(
            description="Path of a model, another artifact or a dataset; a SHA-256 of which at least 8 digits are given; or a run.",
            max_length=4096,
            min_length=1,
        ),
    ]


class TraceMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Finds the runs that a file or a digest comes from, or the runs that a run descends from and its descendants.
    """

    method: Literal["trace"]
    params: TraceParams
    result: types.TraceV1
