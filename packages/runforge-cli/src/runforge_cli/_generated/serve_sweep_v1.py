# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.sweep.v1.json

from __future__ import annotations
from typing import Annotated, Any, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from runforge_contracts import types
from . import serve_common_v1


class SweepOutcome(Struct, kw_only=True, frozen=True, gc=False):
    """
    The `group.json` of the sweep, with its folder.
    """

    group_id: Annotated[str, Meta(description="Id of the sweep.")]
    group_dir: Annotated[
        str, Meta(description="Its folder, relative to the workspace.")
    ]
    status: Annotated[str, Meta(description="`succeeded`, `failed` or `canceled`.")]
    runs: Annotated[
        list[dict[str, Any]],
        Meta(description="The members of the sweep, as `group.v1` has them."),
    ]
    summary: (
        Annotated[
            dict[str, Any],
            Meta(description="How many members ended in which way, and the best one."),
        ]
        | UnsetType
    ) = UNSET
    error: (
        Annotated[
            types.ErrorBody,
            Meta(description="Why the sweep ended before all members were run."),
        ]
        | UnsetType
    ) = UNSET


class SweepParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `sweep`.
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
    resume: (
        Annotated[
            str,
            Meta(
                description="The earlier sweep: its id, a unique prefix, its name, or `latest`.",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    retry_failed: (
        Annotated[
            bool, Meta(description="With `resume`, whether to run again what failed.")
        ]
        | UnsetType
    ) = UNSET
    name: (
        Annotated[str, Meta(description="Display name, in place of that of the plan.")]
        | UnsetType
    ) = UNSET
    jobs: (
        Annotated[
            int,
            Meta(
                description="How many runs are executed at the same time [as the plan says, else all cores].",
                ge=1,
                le=1024,
            ),
        ]
        | UnsetType
    ) = UNSET
    fail_fast: (
        Annotated[bool, Meta(description="Whether to stop at the first failed run.")]
        | UnsetType
    ) = UNSET
    private: (
        Annotated[
            bool,
            Meta(
                description="Whether to omit from the record what identifies you or the machine."
            ),
        ]
        | UnsetType
    ) = UNSET


class SweepMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Executes every run of a plan, or what is missing of an earlier sweep. Sends `progress`; a sweep that failed or was cancelled has a result, too.
    """

    method: Literal["sweep"]
    params: SweepParams
    result: SweepOutcome
