# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  interpretability.index.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType, field
from . import common_v1
from typing import Annotated, Literal


class MetricsSummary(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Profile and accuracy.
    """

    metrics_profile: common_v1.MetricsProfile
    accuracy: common_v1.Fraction


class FeatureImportanceSummary(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Family and strongest names.
    """

    model_family: Literal["random_forest"]
    top_k: Annotated[list[str], Meta(max_length=5)]


class TopFeatures(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Names of a class's strongest features.
    """

    class_: common_v1.ClassLabel = field(name="class")
    top_features: list[str]


class MetricsEntry(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Detailed metrics.
    """

    schema_version: Literal["metrics.v1"]
    path: common_v1.RelativePath
    summary: MetricsSummary


class FeatureImportanceEntry(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Feature importances.
    """

    schema_version: Literal["feature_importance.v1"]
    path: common_v1.RelativePath
    summary: FeatureImportanceSummary


class LinearCoefficientsSummary(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Family, classes and strongest names.
    """

    model_family: Literal["logistic_regression", "linear_svc"]
    num_classes: Annotated[int, Meta(ge=2, le=9007199254740991)]
    top_k_by_class: list[TopFeatures]


class LinearCoefficientsEntry(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Linear coefficients.
    """

    schema_version: Literal["linear_coefficients.v1"]
    path: common_v1.RelativePath
    summary: LinearCoefficientsSummary


class AvailableArtifacts(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Artifacts that exist; others are absent.
    """

    metrics_v1: MetricsEntry | UnsetType = UNSET
    feature_importance_v1: FeatureImportanceEntry | UnsetType = UNSET
    linear_coefficients_v1: LinearCoefficientsEntry | UnsetType = UNSET


class InterpretabilityIndexV1(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    The interpretability artifacts of a run, with their versions and paths. Source: specification, section 9.7.
    """

    schema_version: Literal["interpretability.index.v1"]
    run_id: common_v1.AnyRunId
    runforge_version: Annotated[
        str, Meta(description="Version of RunForge that wrote the index.", min_length=1)
    ]
    created_at: common_v1.Timestamp
    available_artifacts: AvailableArtifacts
