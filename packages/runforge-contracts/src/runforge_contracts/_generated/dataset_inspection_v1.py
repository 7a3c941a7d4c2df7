# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  dataset_inspection.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType, field
from . import common_v1


class InspectedColumn(Struct, kw_only=True, frozen=True, gc=False):
    """
    A column of the dataset.
    """

    name: str
    role: Literal["feature", "label", "excluded"]
    kind: Annotated[
        Literal["integer", "number", "text", "empty"],
        Meta(description="What its values are."),
    ]
    missing: Annotated[common_v1.Count, Meta(description="Cells without a value.")]
    unique: Annotated[common_v1.Count, Meta(description="Distinct values.")]


class ClassCount(Struct, kw_only=True, frozen=True, gc=False):
    """
    A class and its number of rows.
    """

    class_: common_v1.ClassLabel = field(name="class")
    rows: common_v1.Count


class InspectedLabel(Struct, kw_only=True, frozen=True, gc=False):
    """
    The label column.
    """

    column: str
    valid: bool
    type: Literal["integer", "text"] | UnsetType = UNSET
    classes: (
        Annotated[
            list[ClassCount],
            Meta(
                description="In sorted order; absent if training would fail before the classes are known."
            ),
        ]
        | UnsetType
    ) = UNSET


class DatasetInspectionV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    Contents of a dataset, and whether a model can be trained on it. Source: specification, section 11.8.
    """

    schema_version: Literal["dataset_inspection.v1"]
    path: Annotated[str, Meta(description="Path of the dataset, as it was given.")]
    fingerprint_sha256: Annotated[
        common_v1.Sha256, Meta(description="SHA-256 of the file's bytes.")
    ]
    num_rows: common_v1.Count
    num_columns: common_v1.Count
    num_features: common_v1.Count
    columns: Annotated[
        list[InspectedColumn], Meta(description="In the order of the file.")
    ]
    trainable: Annotated[
        bool,
        Meta(description="Whether the data passes the checks that training makes."),
    ]
    diagnostics: list[common_v1.Diagnostic]
    label: InspectedLabel | UnsetType = UNSET
