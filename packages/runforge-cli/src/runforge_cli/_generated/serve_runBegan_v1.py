# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.runBegan.v1.json

from __future__ import annotations
from msgspec import Struct
from . import serve_common_v1
from typing import Literal


class RunBeganParams(Struct, kw_only=True, frozen=True, gc=False):
    """
    Parameters of `runBegan`.
    """

    run: serve_common_v1.RunEntry


class RunBeganNotification(Struct, kw_only=True, frozen=True, gc=False):
    """
    A run has begun, in this process or by another client.
    """

    method: Literal["runBegan"]
    params: RunBeganParams
