# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  metrics.v1.json

from __future__ import annotations
from typing import Annotated, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


ConfusionMatrixItem: TypeAlias = Annotated[list[common_v1.Count], Meta(min_length=2)]


class MetricsV1(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Detailed metrics on the validation rows, by profile. A metric that cannot be computed is absent. Source: specification, sections 9.2 and 9.3.
    """

    schema_version: Literal["metrics.v1"]
    metrics_profile: common_v1.MetricsProfile
    num_classes: Annotated[int, Meta(ge=2, le=9007199254740991)]
    accuracy: common_v1.Fraction
    precision_macro: Annotated[
        common_v1.Fraction,
        Meta(description="Unweighted mean of the classes' precision."),
    ]
    recall_macro: Annotated[
        common_v1.Fraction, Meta(description="Unweighted mean of the classes' recall.")
    ]
    f1_macro: Annotated[
        common_v1.Fraction,
        Meta(description="Unweighted mean of the classes' F1 score."),
    ]
    confusion_matrix: Annotated[
        list[ConfusionMatrixItem],
        Meta(
            description="Rows are true classes, columns predicted ones, both in sorted order.",
            min_length=2,
        ),
    ]
    class_labels: (
        Annotated[
            list[common_v1.ClassLabel],
            Meta(
                description="Labels of the matrix's rows and columns, sorted.",
                min_length=2,
            ),
        ]
        | UnsetType
    ) = UNSET
    roc_auc: (
        Annotated[
            common_v1.Fraction,
            Meta(
                description="Area under the ROC curve for the second class in sorted order."
            ),
        ]
        | UnsetType
    ) = UNSET
    log_loss: (
        Annotated[
            float, Meta(description="Cross-entropy in nats; lower is better.", ge=0.0)
        ]
        | UnsetType
    ) = UNSET
    per_class_precision: (
        Annotated[
            list[common_v1.Fraction],
            Meta(
                description="Precision of each class against the rest, in the order of `class_labels`.",
                min_length=3,
            ),
        ]
        | UnsetType
    ) = UNSET
    per_class_recall: (
        Annotated[
            list[common_v1.Fraction],
            Meta(
                description="Recall of each class against the rest, in the order of `class_labels`.",
                min_length=3,
            ),
        ]
        | UnsetType
    ) = UNSET
    per_class_f1: (
        Annotated[
            list[common_v1.Fraction],
            Meta(
                description="F1 score of each class against the rest, in the order of `class_labels`.",
                min_length=3,
            ),
        ]
        | UnsetType
    ) = UNSET
