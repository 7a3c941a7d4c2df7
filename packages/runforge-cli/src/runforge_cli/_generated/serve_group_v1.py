# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.group.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Any, Literal


class GroupParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `group`.
    """

    group: (
        Annotated[
            str,
            Meta(
                description="The sweep: its id, a unique prefix, its name, or `latest`.",
                max_length=4096,
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    sort: (
        Annotated[
            str,
            Meta(
                description="A metric, a parameter, `member`, `duration` or `status` [the primary metric].",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET


class GroupResult(Struct, kw_only=True, frozen=True, gc=False):
    """
    The `group.json` of the sweep and what its runs say, as `runforge sweep show --json` prints it.
    """

    group_id: str
    state: Annotated[
        str, Meta(description="How it ended; `running`, or `interrupted`.")
    ]
    parameters: Annotated[
        list[dict[str, Any]],
        Meta(description="What varies, with the value of each member."),
    ]
    best_members: Annotated[
        list[int], Meta(description="Numbers of the members with the best value.")
    ]
    settings: Annotated[
        list[dict[str, Any]],
        Meta(
            description="Members that differ in their seeds only, with mean and interval."
        ),
    ]
    runs: Annotated[list[dict[str, Any]], Meta(description="The members.")]
    name: Annotated[str, Meta(description="Display name.")] | None | UnsetType = UNSET
    metric: (
        Annotated[str, Meta(description="The primary metric.")] | None | UnsetType
    ) = UNSET


class GroupMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Returns a sweep with the settings and metrics of its members, the best first.
    """

    method: Literal["group"]
    params: GroupParams
    result: GroupResult
