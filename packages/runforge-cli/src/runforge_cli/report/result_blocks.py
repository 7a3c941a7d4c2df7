"""What came of a run: metrics, confusion matrix, importances or coefficients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from runforge_contracts.store import layout

from runforge_cli.render.differences import signed
from runforge_cli.render.text_layout import number
from runforge_cli.report.report_blocks import Bars, Block, Matrix, Name, Paragraph, Table
from runforge_cli.report.report_input import Material

#: Features shown of each class, and where several runs share a page.
TOP, TOP_OF_SEVERAL = 20, 10
#: Classes whose coefficients are drawn, and of which a matrix is drawn.
MAX_CLASSES, MAX_MATRIX = 12, 30
_METRICS = {
    "accuracy": "Share of rows predicted right.",
    "precision_macro": "Of the rows predicted as a class, the share that are; mean of classes.",
    "recall_macro": "Of the rows of a class, the share predicted as it; mean of classes.",
    "f1_macro": "Harmonic mean of precision and recall; mean of classes.",
    "roc_auc": "Chance that of two rows the one of the second class is ranked above the other.",
    "log_loss": "Cross-entropy of the probabilities; lower is better.",
}
_GUIDE = (
    "Features were standardized before the fit, so a coefficient is the change of the class's"
    " score when the feature grows by one standard deviation. Compare coefficients with each"
    " other, not with raw values."
)
_SCORES = {
    "logistic_regression": " The score is the log-odds of the class.",
    "linear_svc": " The score is the value of the decision function, not a probability.",
}


def metric_blocks(material: Material) -> Iterator[Block]:
    """Give the metrics on the validation rows, by class too, and the confusion matrix."""
    folder = material.folder
    metrics = folder.raw(layout.METRICS_V1)
    if metrics is None:
        recorded = ratios(folder.record or {})
        if recorded:
            yield Table(
                "Metrics on the validation rows",
                ("Metric", "Value"),
                [[[Name(name)], number(value)] for name, value in recorded.items()],
                frozenset({1}),
            )
        return
    yield Table(
        "Metrics on the validation rows",
        ("Metric", "Value", "Meaning"),
        [
            [[Name(name)], number(metrics[name]), meaning]
            for name, meaning in _METRICS.items()
            if name in metrics
        ],
        frozenset({1}),
    )
    by_class = metrics.get("metrics_by_class")
    if by_class:
        yield Table(
            "Metrics by class",
            ("Class", "Precision", "Recall", "F1", "Rows"),
            [
                [
                    [Name(str(item["class"]))],
                    *(number(item[key]) for key in ("precision", "recall", "f1", "support")),
                ]
                for item in by_class
            ],
            frozenset({1, 2, 3, 4}),
        )
    yield from _matrix(metrics, (folder.record or {}).get("classes"))


def _matrix(metrics: dict[str, Any], classes: Sequence[Any] | None) -> Iterator[Block]:
    matrix = metrics["confusion_matrix"]
    labels = metrics.get("class_labels") or classes or []
    if len(labels) != len(matrix):
        labels = range(len(matrix))
    texts = [str(label) for label in labels]
    if len(matrix) <= MAX_MATRIX:
        yield Matrix(texts, matrix)
        return
    confused = sorted(
        (
            (-count, texts[true], texts[predicted])
            for true, counts in enumerate(matrix)
            for predicted, count in enumerate(counts)
            if count and true != predicted
        ),
        key=lambda item: item[0],
    )
    if confused:
        yield Table(
            f"Most confused of {len(matrix)} classes",
            ("True class", "Predicted as", "Rows"),
            [[[Name(a)], [Name(b)], f"{-count:,}"] for count, a, b in confused[:TOP]],
            frozenset({2}),
        )


def weight_blocks(material: Material) -> Iterator[Block]:
    """Give importances or coefficients, with how to read them."""
    folder, top = material.folder, TOP_OF_SEVERAL if material.letter else TOP
    importance = folder.raw(layout.FEATURE_IMPORTANCE)
    if importance is not None:
        yield Paragraph(
            "Gini importance: how much the splits on a feature lower the impurity, over all trees;"
            " all together are one. Features that take many values, and one of several that say"
            " the same, may look more or less important than they are.",
            "guide",
        )
        features = importance["features_by_importance"]
        yield Bars(
            _caption("Feature importances", len(features), top),
            ("Feature", "Importance"),
            [(item["name"], item["importance"]) for item in features[:top]],
        )
    coefficients = folder.raw(layout.LINEAR_COEFFICIENTS)
    if coefficients is None:
        return
    guide: list[str] = [_GUIDE + _SCORES[coefficients["model_family"]]]
    if coefficients["num_classes"] == 2:
        lesser, greater = (Name(str(label)) for label in coefficients["classes"])
        guide += [" A positive coefficient speaks for ", greater, ", a negative one for ", lesser]
        guide.append(".")
    yield Paragraph(guide, "guide")
    groups = coefficients["coefficients_by_class"]
    for group in groups[:MAX_CLASSES]:
        of = f" of the class {group['class']}" if len(groups) > 1 else ""
        yield Bars(
            _caption(f"Coefficients{of}, strongest first", len(group["features"]), top),
            ("Feature", "Coefficient"),
            [(item["name"], item["coefficient"]) for item in group["features"][:top]],
        )
    if len(groups) > MAX_CLASSES:
        yield Paragraph(f"There are {len(groups) - MAX_CLASSES} more classes.")
    yield Table(
        "Intercepts",
        ("Class", "Intercept"),
        [
            [[Name(str(item["class"]))], signed(item["intercept"])]
            for item in coefficients["intercepts"][:MAX_CLASSES]
        ],
        frozenset({1}),
    )


def _caption(text: str, count: int, top: int) -> str:
    return text + (f" (first {top} of {count:,})" if count > top else "")


def ratios(run: dict[str, Any]) -> dict[str, float]:
    """Return the metrics of a run record; counts are none."""
    return {k: v for k, v in run.get("metrics", {}).items() if not k.startswith("num_")}
