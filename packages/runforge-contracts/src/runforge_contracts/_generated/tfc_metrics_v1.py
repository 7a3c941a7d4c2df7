# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  tfc.metrics.v1.json

from __future__ import annotations
from typing import Annotated
from msgspec import Meta, Struct, UNSET, UnsetType


class MetricPoint(Struct, kw_only=True, frozen=True, gc=False):
    """
    One value of a time series.
    """

    step: Annotated[
        float,
        Meta(
            description="Step at which the value was logged: an epoch, a batch or any other count."
        ),
    ]
    value: Annotated[float, Meta(description="The value.")]


class ExperimentMetricsV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    Final values and time series of the metrics of a run. Source: specification, section 17.7.
    """

    summary: Annotated[
        dict[str, float],
        Meta(
            description="Final values by name: those that were logged as final, otherwise the value at the highest step; of several at that step the one with the highest revision, then the largest."
        ),
    ]
    history: (
        Annotated[
            dict[str, list[MetricPoint]],
            Meta(
                description="Values by name; RunForge writes them in the order of their steps."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
