# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  feature_importance.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct
from . import common_v1


class RankedImportance(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    A feature at its rank.
    """

    name: str
    importance: common_v1.Fraction
    rank: Annotated[int, Meta(ge=1, le=9007199254740991)]


class IndexedImportance(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    A feature at its column.
    """

    name: str
    importance: common_v1.Fraction
    index: common_v1.Count


class FeatureImportanceV1(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Native feature importances of a forest. Source: specification, section 9.4.
    """

    schema_version: Literal["feature_importance.v1"]
    model_family: Literal["random_forest"]
    importance_type: Literal["gini_importance"]
    num_features: common_v1.Count
    features_by_importance: Annotated[
        list[RankedImportance],
        Meta(description="Most important first; ties in column order."),
    ]
    features_by_original_order: Annotated[
        list[IndexedImportance], Meta(description="In column order.")
    ]
    top_k: Annotated[
        list[str], Meta(description="Names of the most important features.")
    ]
