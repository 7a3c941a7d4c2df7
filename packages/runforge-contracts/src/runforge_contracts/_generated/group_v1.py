# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  group.v1.json

from __future__ import annotations
from typing import Annotated, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1, sweep_plan_v1


MemberNumber: TypeAlias = Annotated[
    int,
    Meta(
        description="Number of a member in the plan, from 1. Source: specification, section 20.4.",
        ge=1,
        le=10000,
        title="MemberNumber",
    ),
]


GroupStatus: TypeAlias = Annotated[
    Literal["running", "succeeded", "failed", "canceled"],
    Meta(
        description="State of a group. A group that is `running` while no process executes it was interrupted. Source: specification, section 20.7.",
        title="GroupStatus",
    ),
]


MemberStatus: TypeAlias = Annotated[
    Literal["pending", "running", "succeeded", "failed", "canceled"],
    Meta(
        description="State of a member. Source: specification, section 20.7.",
        title="MemberStatus",
    ),
]


class GroupExecution(Struct, kw_only=True, frozen=True, gc=False):
    """
    How the plan is executed, and when.
    """

    max_parallel: Annotated[
        int,
        Meta(description="How many runs are executed at the same time.", ge=1, le=1024),
    ]
    started_at: Annotated[
        common_v1.Timestamp,
        Meta(description="When the execution began for the first time."),
    ]
    cancelled: Annotated[
        bool,
        Meta(description="Whether a person or a program cancelled the last execution."),
    ]
    fail_fast: (
        Annotated[
            bool, Meta(description="Whether the first failed run ends the sweep.")
        ]
        | UnsetType
    ) = UNSET
    stop_on_cancel: (
        Annotated[
            bool,
            Meta(description="Whether the cancellation of one run ends the sweep."),
        ]
        | UnsetType
    ) = UNSET
    finished_at: (
        Annotated[
            common_v1.Timestamp,
            Meta(
                description="When the last execution ended; absent while the group is running."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    scheduler: (
        Annotated[
            str,
            Meta(
                description="Address of the scheduler that distributed the runs to other machines; absent if there was none.",
                max_length=1024,
            ),
        ]
        | None
        | UnsetType
    ) = UNSET


class GroupDataset(Struct, kw_only=True, frozen=True, gc=False):
    """
    A dataset of the group.
    """

    path: Annotated[
        common_v1.WorkspacePath,
        Meta(description="Path of the dataset, as the requests name it."),
    ]
    sha256: Annotated[
        common_v1.Sha256, Meta(description="SHA-256 of the file's bytes.")
    ]


class GroupMetric(Struct, kw_only=True, frozen=True, gc=False):
    """
    A metric by name.
    """

    name: Annotated[str, Meta(min_length=1)]
    value: float


class GroupDuplicate(Struct, kw_only=True, frozen=True, gc=False):
    """
    A member with the configuration of an earlier one. Source: specification, section 20.4.
    """

    member: MemberNumber
    same_as: Annotated[
        MemberNumber, Meta(description="The earlier member, which is executed.")
    ]


class GroupSummary(Struct, kw_only=True, frozen=True, gc=False):
    """
    The group at a glance.
    """

    total: Annotated[
        common_v1.Count,
        Meta(description="How many members are executed: the length of `runs`."),
    ]
    succeeded: common_v1.Count
    failed: common_v1.Count
    canceled: common_v1.Count
    best_run_id: (
        Annotated[
            common_v1.AnyRunId,
            Meta(
                description="The run with the best primary metric; the lowest member number among equals. Source: specification, section 20.8."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    best_primary_metric: GroupMetric | None | UnsetType = UNSET


class GroupRun(Struct, kw_only=True, frozen=True, gc=False):
    """
    One member of the group.
    """

    member: MemberNumber
    status: MemberStatus
    request_overrides: Annotated[
        sweep_plan_v1.RequestOverrides,
        Meta(
            description="What the member sets in the request, with the paths of the plan."
        ),
    ]
    run_id: (
        Annotated[
            common_v1.AnyRunId, Meta(description="The run; absent if it was not begun.")
        ]
        | None
        | UnsetType
    ) = UNSET
    result_ref: (
        Annotated[
            common_v1.WorkspacePath,
            Meta(
                description="Path of `result.json` relative to the workspace; absent if the run did not end."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    primary_metric: (
        Annotated[
            GroupMetric,
            Meta(
                description="Primary metric of the run; absent without one. Source: specification, section 10.4."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    earlier_run_ids: (
        Annotated[
            list[common_v1.AnyRunId],
            Meta(
                description="Runs of this member that did not end, or were cancelled, and that `run_id` replaces; oldest first."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET


class GroupV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    A group of runs that were made of one plan: its state and that of every member; it can be made again from the plan and the run folders. Source: specification, section 20.7.
    """

    version: Annotated[
        Literal[1], Meta(description="Major version of the group schema.")
    ]
    kind: Annotated[
        Literal["run_group"], Meta(description="Tells a group from other documents.")
    ]
    group_id: common_v1.GroupId
    created_at: Annotated[
        common_v1.Timestamp, Meta(description="When the group was made.")
    ]
    created_by: Annotated[
        str,
        Meta(
            description="Client that made the group, as `<client>@<version>`.",
            max_length=200,
            min_length=1,
        ),
    ]
    plan_ref: Annotated[
        Literal["plan.json"],
        Meta(description="The plan as it was executed, in the folder of the group."),
    ]
    status: GroupStatus
    execution: GroupExecution
    datasets: Annotated[
        list[GroupDataset],
        Meta(
            description="The datasets that the plan names, as they were when the group was made."
        ),
    ]
    runs: Annotated[
        list[GroupRun],
        Meta(
            description="The members that are executed, in the order of their numbers."
        ),
    ]
    duplicates: Annotated[
        list[GroupDuplicate],
        Meta(
            description="The members that are not executed, because an earlier one has the same configuration."
        ),
    ]
    summary: GroupSummary
    name: (
        Annotated[str, Meta(description="Display name of the group, from the plan.")]
        | None
        | UnsetType
    ) = UNSET
    notes: (
        Annotated[str, Meta(description="Free text, from the plan.")] | None | UnsetType
    ) = UNSET
