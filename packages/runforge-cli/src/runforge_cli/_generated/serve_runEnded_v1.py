# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.runEnded.v1.json

from __future__ import annotations
from msgspec import Struct
from . import serve_common_v1
from typing import Literal


class RunEndedParams(Struct, kw_only=True, frozen=True, gc=False):
    """
    Parameters of `runEnded`.
    """

    run: serve_common_v1.RunEntry


class RunEndedNotification(Struct, kw_only=True, frozen=True, gc=False):
    """
    A run has ended.
    """

    method: Literal["runEnded"]
    params: RunEndedParams
