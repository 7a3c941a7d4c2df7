# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.diff.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct
from runforge_contracts import types
from . import serve_common_v1


class DiffParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `diff`.
    """

    runs: Annotated[
        list[serve_common_v1.RunReference],
        Meta(description="Two or more runs.", max_length=100, min_length=2),
    ]


class DiffMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Compares runs and explains why their results differ; the first one is the baseline.
    """

    method: Literal["diff"]
    params: DiffParams
    result: types.ComparisonV1
