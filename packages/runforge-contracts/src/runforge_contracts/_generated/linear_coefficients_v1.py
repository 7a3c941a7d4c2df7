# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  linear_coefficients.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, field
from . import common_v1, interpretability_index_v1
from typing import Annotated, Literal


class Intercept(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Intercept of a class.
    """

    class_: common_v1.ClassLabel = field(name="class")
    intercept: float


class RankedCoefficient(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Change of the score per standard deviation of a feature.
    """

    name: str
    coefficient: float
    abs_coefficient: Annotated[float, Meta(ge=0.0)]
    rank: Annotated[int, Meta(ge=1, le=9007199254740991)]


class ClassCoefficients(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Coefficients of a class, strongest first.
    """

    class_: common_v1.ClassLabel = field(name="class")
    features: list[RankedCoefficient]


class LinearCoefficientsV1(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Coefficients of a linear model in standardized feature space. Source: specification, section 9.5.
    """

    schema_version: Literal["linear_coefficients.v1"]
    model_family: Literal["logistic_regression", "linear_svc"]
    coefficient_space: Literal["standardized"]
    num_features: common_v1.Count
    num_classes: Annotated[int, Meta(ge=2, le=9007199254740991)]
    classes: Annotated[
        list[common_v1.ClassLabel],
        Meta(description="Class labels in sorted order.", min_length=2),
    ]
    intercepts: Annotated[list[Intercept], Meta(min_length=1)]
    coefficients_by_class: Annotated[
        list[ClassCoefficients],
        Meta(
            description="With two classes, one entry for the second in sorted order; otherwise one entry per class in sorted order.",
            min_length=1,
        ),
    ]
    top_k_by_class: Annotated[
        list[interpretability_index_v1.TopFeatures], Meta(min_length=1)
    ]
