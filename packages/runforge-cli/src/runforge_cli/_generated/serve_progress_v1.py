# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.progress.v1.json

from __future__ import annotations
from typing import Annotated, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from runforge_contracts import types
from . import serve_common_v1


Stage: TypeAlias = Annotated[
    Literal[
        "waiting",
        "reading",
        "preparing",
        "training",
        "evaluating",
        "writing",
        "finishing",
        "cancelling",
    ],
    Meta(
        description="What is being done. `waiting`: other trainings come first.",
        title="Stage",
    ),
]


class ProgressParams(Struct, kw_only=True, frozen=True, gc=False):
    """
    Parameters of `progress`.
    """

    id: Annotated[
        serve_common_v1.RequestId, Meta(description="The request that is in progress.")
    ]
    stage: Stage
    message: Annotated[str, Meta(description="The stage for display.")]
    run_id: (
        Annotated[str, Meta(description="Id of the run, once it has one.")] | UnsetType
    ) = UNSET
    group_id: (
        Annotated[str, Meta(description="Id of the sweep, if it is one.")] | UnsetType
    ) = UNSET
    fraction: (
        Annotated[
            types.Fraction,
            Meta(
                description="How much of the stage is done; absent where it is not known."
            ),
        ]
        | UnsetType
    ) = UNSET
    seconds_left: (
        Annotated[
            float, Meta(description="Estimated remaining time of the stage.", ge=0.0)
        ]
        | UnsetType
    ) = UNSET
    event: (
        Annotated[
            types.EventV1,
            Meta(description="The event of the run that caused the message."),
        ]
        | UnsetType
    ) = UNSET


class ProgressNotification(Struct, kw_only=True, frozen=True, gc=False):
    """
    A step of a training, a sweep or a reproduction.
    """

    method: Literal["progress"]
    params: ProgressParams
