# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.groups.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Any, Literal


class GroupsParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `groups`.
    """

    limit: (
        Annotated[
            int, Meta(description="Maximum number of sweeps [100].", ge=1, le=100000)
        ]
        | UnsetType
    ) = UNSET
    offset: (
        Annotated[
            int,
            Meta(
                description="How many sweeps to skip; with `limit`, a page of the list.",
                ge=0,
                le=9007199254740991,
            ),
        ]
        | UnsetType
    ) = UNSET


class GroupEntry(Struct, kw_only=True, frozen=True, gc=False):
    """
    A sweep of the list.
    """

    group_id: str
    state: Annotated[
        str,
        Meta(
            description="How it ended; `running`, `interrupted`, or `unreadable` if its documents cannot be read."
        ),
    ]
    members: Annotated[int, Meta(description="Number of runs.", ge=0)]
    name: Annotated[str, Meta(description="Display name.")] | UnsetType = UNSET
    created_at: str | UnsetType = UNSET
    counts: (
        Annotated[
            dict[str, Any], Meta(description="How many runs there are of each status.")
        ]
        | UnsetType
    ) = UNSET
    metric: Annotated[str, Meta(description="The primary metric.")] | UnsetType = UNSET
    best: (
        Annotated[float, Meta(description="Best value of the metric.")] | UnsetType
    ) = UNSET
    best_run_id: (
        Annotated[str, Meta(description="The run with the best value.")] | UnsetType
    ) = UNSET
    best_members: (
        Annotated[
            list[int], Meta(description="Numbers of the runs with the best value.")
        ]
        | UnsetType
    ) = UNSET


class GroupsResult(Struct, kw_only=True, frozen=True, gc=False):
    """
    A page of the sweeps, as `runforge sweep list --json` prints them.
    """

    groups: Annotated[list[GroupEntry], Meta(description="The sweeps.")]
    total: Annotated[
        int, Meta(description="How many sweeps there are, on all pages.", ge=0)
    ]


class GroupsMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Lists the sweeps of the workspace, newest first.
    """

    method: Literal["groups"]
    params: GroupsParams
    result: GroupsResult
