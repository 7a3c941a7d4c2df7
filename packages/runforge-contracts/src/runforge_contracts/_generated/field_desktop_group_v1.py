# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  field.desktop_group.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Any, Literal
from . import common_v1, field_common_v1


class DesktopGroupExecution(Struct, kw_only=True, frozen=True, gc=False):
    """
    How the plan is executed, and when.
    """

    max_parallel: Annotated[int, Meta(ge=0, le=9007199254740991)] | None | UnsetType = (
        UNSET
    )
    started_at: field_common_v1.FieldTime | None | UnsetType = UNSET
    finished_at: field_common_v1.FieldTime | None | UnsetType = UNSET
    cancelled: bool | None | UnsetType = UNSET


class DesktopGroupMetric(Struct, kw_only=True, frozen=True, gc=False):
    """
    A metric by name.
    """

    name: str | UnsetType = UNSET
    value: float | None | UnsetType = UNSET


class DesktopGroupSummary(Struct, kw_only=True, frozen=True, gc=False):
    """
    The group at a glance.
    """

    total: common_v1.Count | UnsetType = UNSET
    succeeded: common_v1.Count | UnsetType = UNSET
    failed: common_v1.Count | UnsetType = UNSET
    canceled: common_v1.Count | UnsetType = UNSET
    best_run_id: str | None | UnsetType = UNSET
    best_primary_metric: DesktopGroupMetric | None | UnsetType = UNSET


class DesktopGroupRun(Struct, kw_only=True, frozen=True, gc=False):
    """
    One run of the group.
    """

    run_id: common_v1.AnyRunId
    status: Annotated[
        str,
        Meta(
            description="`pending`, `queued`, `running`, `succeeded`, `failed` or `canceled`.",
            max_length=64,
            min_length=1,
        ),
    ]
    request_overrides: dict[str, Any] | None | UnsetType = UNSET
    result_ref: Annotated[str, Meta(max_length=4096)] | None | UnsetType = UNSET
    primary_metric: DesktopGroupMetric | None | UnsetType = UNSET


class DesktopGroupV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    `group.json` that the command line of Desktop writes for a sweep: times without an offset, more statuses, and no datasets and duplicates. Source: specification, section 20.10.
    """

    version: Annotated[
        Literal[1], Meta(description="Major version of the group schema.")
    ]
    kind: Literal["run_group"]
    group_id: common_v1.GroupId
    created_at: Annotated[
        field_common_v1.FieldTime, Meta(description="Local time without an offset.")
    ]
    status: Annotated[
        str,
        Meta(
            description="`pending`, `queued`, `running`, `paused`, `succeeded`, `failed` or `canceled`.",
            max_length=64,
            min_length=1,
        ),
    ]
    runs: list[DesktopGroupRun]
    created_by: str | UnsetType = UNSET
    name: str | None | UnsetType = UNSET
    notes: str | None | UnsetType = UNSET
    plan_ref: str | None | UnsetType = UNSET
    execution: DesktopGroupExecution | None | UnsetType = UNSET
    summary: DesktopGroupSummary | None | UnsetType = UNSET
