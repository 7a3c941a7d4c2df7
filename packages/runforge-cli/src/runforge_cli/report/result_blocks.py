"""The results of a run: metrics, confusion matrix, importances or coefficients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from runforge_contracts.metrics import class_metrics
from runforge_contracts.store import layout
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import class_labels

from runforge_cli.render.differences import signed
from runforge_cli.render.tables import raw_coefficients, raw_importances
from runforge_cli.report.report_blocks import Bars, Block, Matrix, Name, Paragraph, TableBlock
from runforge_cli.report.report_input import Material
from runforge_cli.terminal.text_layout import number, plural

#: Maximum number of features for each class, for one run and for several.
TOP, TOP_OF_SEVERAL = 20, 10
#: Maximum numbers of classes for the coefficients and for the confusion matrix.
MAX_CLASSES, MAX_MATRIX = 12, 30
_METRICS = {
    "accuracy": "Share of rows that were predicted correctly.",
    "precision_macro": "Share of correct rows among those predicted as a class; mean of classes.",
    "recall_macro": "Share of the rows of a class that were found; mean of classes.",
    "f1_macro": "Harmonic mean of precision and recall; mean of classes.",
    "roc_auc": "Probability that a row of the second class is ranked above one of the first.",
    "log_loss": "Cross-entropy of the probabilities; lower is better.",
}
_GUIDE = (
    "Features were standardized before training: a coefficient is the change of the score of the"
    " class when the feature increases by one standard deviation. Compare coefficients with each"
    " other, not with raw values."
)
_SCORES = {
    "logistic_regression": " The score is the log-odds of the class.",
    "linear_svc": " The score is the value of the decision function, not a probability.",
}


def metric_blocks(material: Material) -> Iterator[Block]:
    """Yield the metrics on the validation rows, also by class, and the confusion matrix."""
    folder = material.folder
    metrics = folder.content(layout.METRICS_V1)
    if metrics is None:
        recorded = ratios(folder.record or {"metrics": folder.metrics})
        if recorded:
            yield TableBlock(
                "Metrics on the validation rows",
                ("Metric", "Value"),
                [[[Name(name)], number(value)] for name, value in recorded.items()],
                frozenset({1}),
            )
        return
    yield TableBlock(
        "Metrics on the validation rows",
        ("Metric", "Value", "Meaning"),
        [
            [[Name(name)], number(metrics[name]), meaning]
            for name, meaning in _METRICS.items()
            if name in metrics
        ],
        frozenset({1}),
    )
    by_class = class_metrics(metrics)
    if by_class:
        yield TableBlock(
            "Metrics by class",
            ("Class", "Precision", "Recall", "F1", "Rows"),
            [[[Name(str(label))], *map(number, values)] for label, *values in by_class],
            frozenset({1, 2, 3, 4}),
        )
    yield from _matrix(metrics["confusion_matrix"], class_texts(folder, metrics))


def class_texts(folder: Run, metrics: dict[str, Any]) -> list[str]:
    """Return the labels of the rows of the confusion matrix in a raw ``metrics.v1``."""
    size = len(metrics["confusion_matrix"])
    labels = metrics.get("class_labels") or class_labels(folder) or []
    if len(labels) != size:
        return [f"class {index}" for index in range(1, size + 1)]
    return [str(label) for label in labels]


def _matrix(matrix: Sequence[Sequence[int]], texts: Sequence[str]) -> Iterator[Block]:
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
        yield TableBlock(
            f"Most confused of {len(matrix)} classes",
            ("True class", "Predicted as", "Rows"),
            [[[Name(a)], [Name(b)], f"{-count:,}"] for count, a, b in confused[:TOP]],
            frozenset({2}),
        )


def weight_blocks(material: Material) -> Iterator[Block]:
    """Yield importances or coefficients, with a guide to reading them."""
    folder, top = material.folder, TOP_OF_SEVERAL if material.letter else TOP
    prepared = "recipe" in ((folder.record or {}).get("dataset") or {})
    importance = folder.content(layout.FEATURE_IMPORTANCE)
    if importance is not None:
        yield Paragraph(
            "Gini importance: how much the splits on a feature reduce the impurity, over all trees;"
            " the importances sum to one. Features with many distinct values may be overrated, and"
            " correlated features may share their importance.",
            "guide",
        )
        features = importance["features_by_importance"]
        yield Bars(
            _caption("Feature importances", len(features), top),
            ("Feature", "Importance"),
            [(item["name"], item["importance"]) for item in features[:top]],
        )
        if prepared:
            raw = raw_importances(importance)
            yield Bars(
                _caption("Importances of the raw columns", len(raw), top),
                ("Raw column", "Importance"),
                raw[:top],
            )
    coefficients = folder.content(layout.LINEAR_COEFFICIENTS)
    if coefficients is None:
        return
    guide: list[str] = [_GUIDE + _SCORES[coefficients["model_family"]]]
    if coefficients["num_classes"] == 2:
        lesser, greater = (Name(str(label)) for label in coefficients["classes"])
        guide += [" Positive coefficients favour ", greater, ", negative ones ", lesser, "."]
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
        left = plural(len(groups) - MAX_CLASSES, "more class is", "more classes are")
        yield Paragraph(f"{left} not shown.")
    if prepared:
        raw = raw_coefficients(coefficients)
        yield Bars(
            _caption("Raw columns, by the largest coefficient of their features", len(raw), top),
            ("Raw column", "Largest coefficient"),
            raw[:top],
        )
    yield TableBlock(
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
    """Return the metrics of a run record, without the counts."""
    return {k: v for k, v in run.get("metrics", {}).items() if not k.startswith("num_")}
