# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.watch.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Literal
from . import serve_common_v1


class WatchParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `watch`.
    """

    interval: (
        Annotated[
            float, Meta(description="Seconds between two looks [1].", ge=0.1, le=3600.0)
        ]
        | UnsetType
    ) = UNSET


class WatchResult(Struct, kw_only=True, frozen=True, gc=False):
    """
    What is in progress.
    """

    running: Annotated[
        list[serve_common_v1.RunEntry], Meta(description="Runs in progress.")
    ]


class WatchMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Sends `runBegan`, `runEnded` and `runsChanged` from now on, whichever client made the runs.
    """

    method: Literal["watch"]
    params: WatchParams
    result: WatchResult
