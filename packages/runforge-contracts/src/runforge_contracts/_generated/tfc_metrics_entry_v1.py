# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  tfc.metrics_entry.v1.json

from __future__ import annotations
from typing import Annotated, Any
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


class ExperimentMetricsEntryV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    One line of the journal that user code appends to (JSON Lines): a value of a metric, a final value, or a parameter. Source: specification, section 17.7.
    """

    value: Annotated[Any, Meta(description="The value; that of a metric is a number.")]
    metric: (
        Annotated[
            str,
            Meta(
                description="Name of the metric that has the value at a step.",
                min_length=1,
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    summary: (
        Annotated[
            str,
            Meta(
                description="Name of the metric that has this final value.",
                min_length=1,
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    parameter: (
        Annotated[
            str,
            Meta(description="Name of the parameter that has the value.", min_length=1),
        ]
        | None
        | UnsetType
    ) = UNSET
    step: (
        Annotated[
            float,
            Meta(
                description="Step at which the value was logged. If absent, it is one more than the highest earlier step of the metric, starting at 1. Processes that log concurrently must give steps."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    revision: (
        Annotated[
            common_v1.Count,
            Meta(
                description="How often the writer had logged the value before (for a metric: at the same step). The highest revision is used, and of equal ones the larger value. If absent, it is 0 for a point, and a final value or a parameter replaces the earlier one."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
