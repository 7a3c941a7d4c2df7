# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  evaluation_report.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Literal
from . import common_v1, evaluation_v1, metrics_v1


class JudgedGate(Struct, kw_only=True, frozen=True, gc=False):
    """
    A bound for a metric, and whether it is met.
    """

    metric: str
    met: bool
    at_least: (
        Annotated[float, Meta(description="The lowest value that is accepted.")]
        | UnsetType
    ) = UNSET
    at_most: (
        Annotated[float, Meta(description="The greatest value that is accepted.")]
        | UnsetType
    ) = UNSET
    baseline: (
        Annotated[
            common_v1.AnyRunId,
            Meta(description="The run that the bound was taken from."),
        ]
        | UnsetType
    ) = UNSET
    value: (
        Annotated[
            float,
            Meta(description="The value on the new rows; absent if there is none."),
        ]
        | UnsetType
    ) = UNSET


class EvaluationReportV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    An evaluation beside the validation of its run, as `runforge evaluate --json` prints it. Source: specification, section 16.2.
    """

    schema_version: Literal["evaluation_report.v1"]
    evaluation_id: common_v1.EvaluationId
    evaluation_dir: Annotated[
        str,
        Meta(
            description="The folder of the evaluation; relative to the workspace if it is inside it."
        ),
    ]
    evaluation: evaluation_v1.EvaluationV1
    differences: Annotated[
        dict[str, float],
        Meta(
            description="For each metric that both have, the value on the new rows minus that on the validation rows."
        ),
    ]
    validation: (
        Annotated[
            metrics_v1.MetricsV1,
            Meta(
                description="The metrics of the run on its validation rows; absent if the run has none."
            ),
        ]
        | UnsetType
    ) = UNSET
    warnings: (
        Annotated[
            list[str],
            Meta(
                description="Warnings about the model and the dataset; absent if the evaluation was read from the store."
            ),
        ]
        | UnsetType
    ) = UNSET
    gates: (
        Annotated[
            list[JudgedGate],
            Meta(
                description="The gates that were given; absent if there are none. Source: specification, section 16.7."
            ),
        ]
        | UnsetType
    ) = UNSET
