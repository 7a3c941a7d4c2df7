"""Read feature importances and coefficients from a fitted model, and build the index of them.

Only values of the model itself are given; nothing is approximated.

Source: specification, sections 9.4 to 9.7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET
from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic
from runforge_contracts.store import layout
from runforge_contracts.types import (
    AvailableArtifacts,
    ClassCoefficients,
    FeatureImportanceEntry,
    FeatureImportanceSummary,
    FeatureImportanceV1,
    IndexedImportance,
    Intercept,
    InterpretabilityIndexV1,
    LinearCoefficientsEntry,
    LinearCoefficientsSummary,
    LinearCoefficientsV1,
    MetricsEntry,
    MetricsSummary,
    MetricsV1,
    RankedCoefficient,
    RankedImportance,
    TopFeatures,
)

#: How many names the artifacts list first, and how many of them the index repeats.
TOP_K = 10
INDEX_TOP_K = 5


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The artifacts that the model supports, and why others are missing."""

    feature_importance: FeatureImportanceV1 | None
    linear_coefficients: LinearCoefficientsV1 | None
    diagnostics: tuple[Diagnostic, ...]


def interpret(pipeline: Any, family: str, feature_names: Sequence[str]) -> Interpretation:
    """Read importances or coefficients from a fitted pipeline.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted.
    family : str
        Its model family.
    feature_names : sequence of str of length n_features
        Names of the columns.
    """
    classifier = pipeline.named_steps["clf"]
    if family == "random_forest":
        importance = feature_importance(classifier, feature_names)
        return Interpretation(importance, None, (_unsupported("linear coefficients", family),))
    coefficients = linear_coefficients(classifier, family, feature_names)
    return Interpretation(None, coefficients, (_unsupported("feature importances", family),))


def feature_importance(forest: Any, feature_names: Sequence[str]) -> FeatureImportanceV1:
    """Return the Gini importances of a forest: the mean decrease in impurity, normalised."""
    values = forest.feature_importances_.tolist()
    order = sorted(range(len(values)), key=lambda index: -values[index])
    ranked = [
        RankedImportance(name=feature_names[index], importance=values[index], rank=rank)
        for rank, index in enumerate(order, start=1)
    ]
    return FeatureImportanceV1(
        schema_version="feature_importance.v1",
        model_family="random_forest",
        importance_type="gini_importance",
        num_features=len(values),
        features_by_importance=ranked,
        features_by_original_order=[
            IndexedImportance(name=name, importance=value, index=index)
            for index, (name, value) in enumerate(zip(feature_names, values, strict=True))
        ],
        top_k=[item.name for item in ranked[:TOP_K]],
    )


def linear_coefficients(
    classifier: Any, family: str, feature_names: Sequence[str]
) -> LinearCoefficientsV1:
    """Return the coefficients of a linear model, per standard deviation of each feature.

    Two classes have one set, for the greater label; more classes have one each.
    """
    classes = classifier.classes_.tolist()
    rows = classifier.coef_.tolist()
    labels = classes[1:] if len(rows) == 1 else classes
    by_class = [
        ClassCoefficients(class_=label, features=_rank(row, feature_names))
        for label, row in zip(labels, rows, strict=True)
    ]
    return LinearCoefficientsV1(
        schema_version="linear_coefficients.v1",
        model_family=family,  # type: ignore[arg-type]
        coefficient_space="standardized",
        num_features=len(feature_names),
        num_classes=len(classes),
        classes=classes,
        intercepts=[
            Intercept(class_=label, intercept=value)
            for label, value in zip(labels, classifier.intercept_.tolist(), strict=True)
        ],
        coefficients_by_class=by_class,
        top_k_by_class=[
            TopFeatures(
                class_=item.class_, top_features=[entry.name for entry in item.features[:TOP_K]]
            )
            for item in by_class
        ],
    )


def build_index(
    interpretation: Interpretation,
    metrics: MetricsV1,
    *,
    run_id: str,
    version: str,
    created_at: str,
) -> InterpretabilityIndexV1:
    """Return the index over the artifacts that were written; what is absent is left out."""
    importance, coefficients = (
        interpretation.feature_importance,
        interpretation.linear_coefficients,
    )
    return InterpretabilityIndexV1(
        schema_version="interpretability.index.v1",
        run_id=run_id,
        runforge_version=version,
        created_at=created_at,
        available_artifacts=AvailableArtifacts(
            metrics_v1=MetricsEntry(
                schema_version="metrics.v1",
                path=layout.METRICS_V1,
                summary=MetricsSummary(
                    metrics_profile=metrics.metrics_profile, accuracy=metrics.accuracy
                ),
            ),
            feature_importance_v1=UNSET if importance is None else _importance_entry(importance),
            linear_coefficients_v1=(
                UNSET if coefficients is None else _coefficients_entry(coefficients)
            ),
        ),
    )


def _importance_entry(
    importance: FeatureImportanceV1,
) -> FeatureImportanceEntry:
    return FeatureImportanceEntry(
        schema_version="feature_importance.v1",
        path=layout.FEATURE_IMPORTANCE,
        summary=FeatureImportanceSummary(
            model_family="random_forest", top_k=importance.top_k[:INDEX_TOP_K]
        ),
    )


def _coefficients_entry(
    coefficients: LinearCoefficientsV1,
) -> LinearCoefficientsEntry:
    return LinearCoefficientsEntry(
        schema_version="linear_coefficients.v1",
        path=layout.LINEAR_COEFFICIENTS,
        summary=LinearCoefficientsSummary(
            model_family=coefficients.model_family,
            num_classes=coefficients.num_classes,
            top_k_by_class=[
                TopFeatures(class_=item.class_, top_features=item.top_features[:INDEX_TOP_K])
                for item in coefficients.top_k_by_class
            ],
        ),
    )


def _rank(values: Sequence[float], feature_names: Sequence[str]) -> list[RankedCoefficient]:
    # A stable sort: features of equal weight stay in column order.
    order = sorted(range(len(values)), key=lambda index: -abs(values[index]))
    return [
        RankedCoefficient(
            name=feature_names[index],
            coefficient=values[index],
            abs_coefficient=abs(values[index]),
            rank=rank,
        )
        for rank, index in enumerate(order, start=1)
    ]


def _unsupported(what: str, family: str) -> Diagnostic:
    code = (
        DiagnosticCode.LINEAR_COEFFICIENTS_UNSUPPORTED_MODEL
        if what == "linear coefficients"
        else DiagnosticCode.FEATURE_IMPORTANCE_UNSUPPORTED_MODEL
    )
    return diagnostic(code, f"The model family `{family}` has no {what}.", model_family=family)
