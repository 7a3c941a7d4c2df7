# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  tfc.metrics_entry.v1.json

from __future__ import annotations
from typing import Annotated, Any
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


class ExperimentMetricsEntryV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    One line of the journal that user code appends to (JSON Lines): a value of a metric, a final value, or a parameter. Source: TFC-0003, section 11.
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
        | UnsetType
    ) = UNSET
    summary: (
        Annotated[
            str,
            Meta(
                description="Name of the metric that has the value in the end.",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    parameter: (
        Annotated[
            str,
            Meta(description="Name of the parameter that has the value.", min_length=1),
        ]
        | UnsetType
    ) = UNSET
    step: (
        Annotated[
            float,
            Meta(
                description="When the value was taken; where it is absent, one more than the highest step of the metric before, the first being 1. Several processes that log at once give steps."
            ),
        ]
        | UnsetType
    ) = UNSET
    revision: (
        Annotated[
            common_v1.Count,
            Meta(
                description="How often its writer had given the value before, at the same step where it is that of a metric. The highest counts, of equal ones the larger value. Where it is absent, it is 0 for a point, and a final value or a parameter takes the place of the former."
            ),
        ]
        | UnsetType
    ) = UNSET
