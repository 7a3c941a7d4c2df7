# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.cancel.v1.json

from __future__ import annotations
from typing import Annotated, Any, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import serve_common_v1


class CancelResult(Struct, kw_only=True, frozen=True, gc=False):
    """
    How the run ended.
    """

    run_id: str
    run_dir: str
    status: str | None
    result: (
        Annotated[
            dict[str, Any], Meta(description="The `result.json` of a trained run.")
        ]
        | None
        | UnsetType
    ) = UNSET
    config: (
        Annotated[
            dict[str, Any], Meta(description="The configuration of an experiment run.")
        ]
        | None
        | UnsetType
    ) = UNSET


class CancelParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `cancel`.
    """

    run: (
        Annotated[
            serve_common_v1.RunReference,
            Meta(description="The run [the newest one in progress]."),
        ]
        | UnsetType
    ) = UNSET


class CancelMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Cancels a run that is in progress in any process, and waits until it has ended.
    """

    method: Literal["cancel"]
    params: CancelParams
    result: CancelResult
