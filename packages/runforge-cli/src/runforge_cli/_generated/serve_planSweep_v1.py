# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.planSweep.v1.json

from __future__ import annotations
from typing import Annotated, Any, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from runforge_contracts import types
from . import serve_common_v1


class PlannedSweep(Struct, kw_only=True, frozen=True, gc=False):
    """
    The runs of a plan, as `runforge sweep --dry-run --json` prints them.
    """

    dry_run: bool
    total: Annotated[int, Meta(description="Number of runs.", ge=0)]
    runs: Annotated[
        list[dict[str, Any]],
        Meta(
            description="The number of each run in the plan, and the settings that it changes."
        ),
    ]
    duplicates: Annotated[
        list[dict[str, Any]],
        Meta(
            description="Runs that are equal to another one, which are executed once."
        ),
    ]


class PlanSweepParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `planSweep`.
    """

    plan: (
        Annotated[types.SweepPlanV1, Meta(description="The plan.")] | UnsetType
    ) = UNSET
    path: (
        Annotated[
            serve_common_v1.FilePath, Meta(description="File that contains the plan.")
        ]
        | UnsetType
    ) = UNSET


class PlanSweepMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Checks a plan and returns the runs that it makes; writes nothing.
    """

    method: Literal["planSweep"]
    params: PlanSweepParams
    result: PlannedSweep
