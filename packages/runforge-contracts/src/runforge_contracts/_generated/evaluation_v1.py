# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  evaluation.v1.json

from __future__ import annotations
from typing import Annotated, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1, metrics_v1


class EvaluatedModel(Struct, kw_only=True, frozen=True, gc=False):
    """
    The model file.
    """

    path: Annotated[
        common_v1.WorkspacePath, Meta(description="Path of the model file.")
    ]
    sha256: Annotated[
        common_v1.Sha256, Meta(description="SHA-256 of the file's bytes.")
    ]


class EvaluationDataset(Struct, kw_only=True, frozen=True, gc=False):
    """
    The dataset, and how it was read.
    """

    path: Annotated[common_v1.WorkspacePath, Meta(description="Path of the dataset.")]
    sha256: Annotated[
        common_v1.Sha256, Meta(description="SHA-256 of the file's bytes.")
    ]
    rows: Annotated[
        int, Meta(description="Rows of the dataset.", ge=1, le=9007199254740991)
    ]
    label_column: Annotated[
        str, Meta(description="The column with the true labels.", min_length=1)
    ]
    columns: Annotated[
        list[str],
        Meta(description="The features of the model, in its order.", min_length=1),
    ]


LeftOutReason: TypeAlias = Annotated[
    Literal["missing_value", "not_a_number", "out_of_range", "unknown_label"],
    Meta(
        description="Why rows are not evaluated; of several reasons, the first of this list. Source: specification, section 21.3.",
        title="LeftOutReason",
    ),
]


class LeftOutExample(Struct, kw_only=True, frozen=True, gc=False):
    """
    A row that is left out, and a cell that is the reason.
    """

    row: Annotated[
        int,
        Meta(
            description="Its number in the dataset; 1 is the first row after the header.",
            ge=1,
            le=9007199254740991,
        ),
    ]
    column: Annotated[str, Meta(description="The column of the cell.")]
    value: (
        Annotated[
            str,
            Meta(
                description="The beginning of the cell; absent if the cell is empty, or was left out on request.",
                max_length=60,
            ),
        ]
        | UnsetType
    ) = UNSET


class LeftOutRows(Struct, kw_only=True, frozen=True, gc=False):
    """
    The rows that are left out for one reason.
    """

    reason: LeftOutReason
    rows: Annotated[
        int,
        Meta(
            description="How many rows are left out for it.", ge=1, le=9007199254740991
        ),
    ]
    examples: Annotated[
        list[LeftOutExample], Meta(description="The first of these rows.", max_length=5)
    ]


class EvaluationV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    The metrics of a recorded model on labelled rows that it was not trained on, with the digests of model and dataset. Source: specification, section 21.2.
    """

    version: Annotated[
        Literal[1], Meta(description="Major version of the evaluation schema.")
    ]
    kind: Annotated[
        Literal["evaluation"],
        Meta(description="Tells an evaluation from other documents."),
    ]
    evaluation_id: common_v1.EvaluationId
    run_id: Annotated[
        common_v1.AnyRunId, Meta(description="The run that trained the model.")
    ]
    created_at: Annotated[
        common_v1.Timestamp, Meta(description="When the evaluation was made.")
    ]
    created_by: Annotated[
        str,
        Meta(
            description="Client that made the evaluation, as `<client>@<version>`.",
            max_length=200,
            min_length=1,
        ),
    ]
    model: EvaluatedModel
    dataset: EvaluationDataset
    rows_evaluated: Annotated[
        int,
        Meta(
            description="Rows that the metrics are computed on.",
            ge=1,
            le=9007199254740991,
        ),
    ]
    left_out: Annotated[
        list[LeftOutRows],
        Meta(description="The other rows, by reason; empty if there are none."),
    ]
    metrics: Annotated[
        metrics_v1.MetricsV1,
        Meta(description="The metrics, with the profile of the run."),
    ]
    content_sha256: Annotated[
        common_v1.Sha256,
        Meta(
            description="SHA-256 of the canonical JSON of all other members. Source: specification, section 21.2."
        ),
    ]
    diagnostics: (
        Annotated[
            list[common_v1.Diagnostic],
            Meta(
                description="Statements about the rows and the metrics; absent if there are none."
            ),
        ]
        | UnsetType
    ) = UNSET
