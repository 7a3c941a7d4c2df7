# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.runsChanged.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct


class RunsChangedParams(Struct, kw_only=True, frozen=True, gc=False):
    """
    Parameters of `runsChanged`.
    """

    added: Annotated[
        list[str], Meta(description="Names of the new run folders, at most 100.")
    ]
    removed: Annotated[
        list[str],
        Meta(description="Names of the run folders that are gone, at most 100."),
    ]


class RunsChangedNotification(Struct, kw_only=True, frozen=True, gc=False):
    """
    The list of runs has changed: `list` returns the new one.
    """

    method: Literal["runsChanged"]
    params: RunsChangedParams
