# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  sweep_plan.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType, field
from typing import Annotated, Any, Literal, TypeAlias
from . import field_common_v1


class PlanGroup(Struct, kw_only=True, frozen=True, gc=False):
    """
    What the group of runs is called.
    """

    name: (
        Annotated[str, Meta(description="Display name of the group.", max_length=1000)]
        | None
        | UnsetType
    ) = UNSET
    notes: Annotated[str, Meta(description="Free text.")] | None | UnsetType = UNSET


RequestPath: TypeAlias = Annotated[
    str,
    Meta(
        description="A place in the request: a JSON Pointer, which begins with `/`, or names separated by dots. Source: specification, section 20.2.",
        max_length=1024,
        min_length=1,
        title="RequestPath",
    ),
]


RequestOverrides: TypeAlias = Annotated[
    dict[RequestPath, Any],
    Meta(
        description="Values by their place in the request. `null` REMOVES the member. Source: specification, sections 20.2 and 20.3.",
        title="RequestOverrides",
    ),
]


class PlanExecution(Struct, kw_only=True, frozen=True, gc=False):
    """
    How to execute the plan.
    """

    max_parallel: (
        Annotated[
            int,
            Meta(
                description="How many runs are executed at the same time; the executing client decides if absent.",
                ge=1,
                le=1024,
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    fail_fast: (
        Annotated[
            bool,
            Meta(
                description="Whether the first failed run ends the sweep; false if absent."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    stop_on_cancel: (
        Annotated[
            bool,
            Meta(
                description="Whether the cancellation of one run ends the sweep; true if absent."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET


class GridParameter(Struct, kw_only=True, frozen=True, gc=False):
    """
    One place in the request and the values to try there.
    """

    path: RequestPath
    values: Annotated[
        list[Any],
        Meta(
            description="The values. `null` REMOVES the member from the request, so that what the profile, the preset or the model's default says applies. Source: specification, section 20.3.",
            max_length=10000,
            min_length=1,
        ),
    ]


class SweepStrategy(Struct, kw_only=True, frozen=True, gc=False):
    """
    Which runs to make of the request. Source: specification, section 20.4.
    """

    type: Annotated[
        Literal["grid", "list"],
        Meta(
            description="`grid`: every combination of the values of `parameters`, of which the last varies fastest; `list`: the `runs` one by one."
        ),
    ]
    parameters: (
        Annotated[list[GridParameter], Meta(max_length=64, min_length=1)] | UnsetType
    ) = UNSET
    runs: (
        Annotated[list[RequestOverrides], Meta(max_length=10000, min_length=1)]
        | UnsetType
    ) = UNSET


class SweepPlanV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    Plan of a sweep: a request and the values to try in it, which make one run each. Unknown fields are ignored when reading and kept when saving, at every depth. Source: specification, section 20.1.
    """

    version: Annotated[
        Literal[1], Meta(description="Major version of the plan schema.")
    ]
    kind: Annotated[
        Literal["sweep_plan"], Meta(description="Tells a plan from other documents.")
    ]
    base_request: Annotated[
        dict[str, Any],
        Meta(
            description="The request that every run starts from: a `request.v1`, in which `created_at`, `created_by` and everything that the strategy sets may be absent."
        ),
    ]
    strategy: SweepStrategy
    field_schema: (
        Annotated[str, Meta(description="URL of this schema.")] | None | UnsetType
    ) = field(name="$schema", default=UNSET)
    created_at: (
        Annotated[
            field_common_v1.FieldTime,
            Meta(
                description="When the plan was written; RunForge writes UTC with `Z`. Informative."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    created_by: (
        Annotated[
            str,
            Meta(
                description="Client that wrote the plan, as `<client>@<version>`. Informative.",
                max_length=200,
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    workspace: (
        Annotated[
            str,
            Meta(
                description="Workspace that the plan was written for. Informative: paths are relative to the workspace in which the plan is executed.",
                max_length=4096,
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    group: PlanGroup | None | UnsetType = UNSET
    execution: PlanExecution | None | UnsetType = UNSET
