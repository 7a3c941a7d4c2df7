# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  prediction.v1.json

from __future__ import annotations
from typing import Annotated, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


Probability: TypeAlias = Annotated[float, Meta(ge=0.0)]


class PredictedRow(Struct, kw_only=True, frozen=True, gc=False):
    """
    A row; one without a prediction has only its number.
    """

    row: Annotated[
        int,
        Meta(
            description="Its number in the dataset; 1 is the first row after the header.",
            ge=1,
            le=9007199254740991,
        ),
    ]
    prediction: common_v1.ClassLabel | UnsetType = UNSET
    probabilities: (
        Annotated[
            list[Probability], Meta(description="The probability of each of `classes`.")
        ]
        | UnsetType
    ) = UNSET


class PredictionV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    Predictions of a run's model for the rows of a dataset, as `runforge predict --json` prints it. Source: specification, section 16.2.
    """

    schema_version: Literal["prediction.v1"]
    run_id: Annotated[
        common_v1.AnyRunId, Meta(description="The run that trained the model.")
    ]
    rows: Annotated[common_v1.Count, Meta(description="Rows of the dataset.")]
    predicted: Annotated[common_v1.Count, Meta(description="Rows with a prediction.")]
    missing: Annotated[
        common_v1.Count,
        Meta(description="Rows without a prediction because a value is missing."),
    ]
    missing_by_column: Annotated[
        dict[str, common_v1.Count],
        Meta(
            description="Missing values of each feature that has any; with a recipe, of each raw column."
        ),
    ]
    ignored_columns: Annotated[
        list[str],
        Meta(description="Columns of the dataset that are not features of the model."),
    ]
    warnings: Annotated[list[str], Meta(description="Warnings about the model.")]
    diagnostics: (
        Annotated[
            list[common_v1.Diagnostic],
            Meta(description="Warnings about the rows; absent if there are none."),
        ]
        | UnsetType
    ) = UNSET
    classes: (
        Annotated[
            list[common_v1.ClassLabel],
            Meta(
                description="Classes of the probabilities, in order; present if probabilities were requested."
            ),
        ]
        | UnsetType
    ) = UNSET
    predictions: (
        Annotated[
            list[PredictedRow],
            Meta(
                description="One entry for each row, in the order of the dataset; absent if they were written to a file."
            ),
        ]
        | UnsetType
    ) = UNSET
    output: (
        Annotated[
            str, Meta(description="The file that the predictions were written to.")
        ]
        | UnsetType
    ) = UNSET
