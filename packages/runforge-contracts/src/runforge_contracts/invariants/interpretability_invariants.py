"""Importances and coefficients are ranked, belong to the model's family, and are linked.

Source: RunForge guarantees, "Feature Importance", "Linear Coefficients" and "Interpretability
Index".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runforge_contracts.invariants.checked_folder import Folder
from runforge_contracts.invariants.finding import Finding, close, same, unequal
from runforge_contracts.store import layout

#: Which family explains itself by which artifact.
_FAMILIES = {
    layout.FEATURE_IMPORTANCE: frozenset({"random_forest"}),
    layout.LINEAR_COEFFICIENTS: frozenset({"logistic_regression", "linear_svc"}),
}
#: Entry of the interpretability index, and the artifact that it names.
_ENTRIES = {
    "metrics_v1": layout.METRICS_V1,
    "feature_importance_v1": layout.FEATURE_IMPORTANCE,
    "linear_coefficients_v1": layout.LINEAR_COEFFICIENTS,
}
#: Most names that a summary of the interpretability index repeats.
_TOP = 5


def interpretability_findings(folder: Folder) -> Iterator[Finding]:
    """Give what is wrong with the interpretability of a run."""
    importance = folder.documents.get(layout.FEATURE_IMPORTANCE)
    coefficients = folder.documents.get(layout.LINEAR_COEFFICIENTS)
    yield from _presence(folder)
    names = (folder.run or {}).get("feature_names")
    if importance is not None:
        yield from _importance(importance, names)
    if coefficients is not None:
        yield from _coefficients(coefficients, names)
    index = folder.documents.get(layout.INTERPRETABILITY_INDEX)
    if index is not None:
        yield from _index(index, folder)


def _presence(folder: Folder) -> Iterator[Finding]:
    rule, run = "interpretability.presence", folder.run
    if run is None or "model_family" not in run:
        return
    for file, families in _FAMILIES.items():
        native, there = run["model_family"] in families, file in folder.files
        if there and not native:
            message = f"A {run['model_family']} model has no native values of this kind."
            yield Finding(rule, message, file)
        # Older records wrote the artifact only from some version on; the present one always.
        elif native and not there and folder.is_current:
            yield Finding(rule, f"Every {run['model_family']} model has this artifact.", file)
        document = folder.documents.get(file)
        if document is not None:
            message = "The artifact is of the model that was trained."
            yield from unequal(
                rule, message, file, "/model_family", run["model_family"], document["model_family"]
            )
            if "num_features" in run:
                yield from unequal(
                    rule,
                    "The artifact covers every feature.",
                    file,
                    "/num_features",
                    run["num_features"],
                    document["num_features"],
                )


def _importance(document: dict[str, Any], names: list[str] | None) -> Iterator[Finding]:
    rule, file = "interpretability.ranks", layout.FEATURE_IMPORTANCE
    ranked, original = document["features_by_importance"], document["features_by_original_order"]
    values = [item["importance"] for item in ranked]
    yield from _ranks(ranked, values, file, "/features_by_importance", document["num_features"])
    pointer = "/features_by_original_order"
    if not _counts([item["index"] for item in original], 0, document["num_features"]):
        yield Finding(rule, "Features in their original order are numbered from 0.", file, pointer)
    left = {item["name"]: item["importance"] for item in ranked}
    right = {item["name"]: item["importance"] for item in original}
    yield from unequal(rule, "Both orders list the same importances.", file, pointer, left, right)
    if names is not None:
        found = [item["name"] for item in original]
        message = "The original order is that of the record's features."
        yield from unequal(rule, message, file, pointer, names, found)
    if any(values) and not close(sum(values), 1.0):
        message = "Importances sum to 1."
        yield Finding(rule, message, file, "/features_by_importance", 1.0, sum(values))
    top = document["top_k"]
    message = "`top_k` begins the ranking."
    yield from unequal(
        rule, message, file, "/top_k", [item["name"] for item in ranked[: len(top)]], top
    )


def _coefficients(document: dict[str, Any], names: list[str] | None) -> Iterator[Finding]:
    rule, file = "interpretability.ranks", layout.LINEAR_COEFFICIENTS
    classes, size = document["classes"], document["num_classes"]
    yield from unequal(
        rule, "There is a name for each class.", file, "/classes", size, len(classes)
    )
    # With two classes there is one set of coefficients, that of the second.
    shown = classes[1:] if size == 2 else classes
    for part in ("intercepts", "coefficients_by_class", "top_k_by_class"):
        found = [item["class"] for item in document[part]]
        message = "There is one entry for each class; with two, for the second alone."
        yield from unequal(rule, message, file, f"/{part}", shown, found)
    pairs = zip(document["coefficients_by_class"], document["top_k_by_class"], strict=False)
    for number, (entry, top) in enumerate(pairs):
        features, pointer = entry["features"], f"/coefficients_by_class/{number}/features"
        values = [item["abs_coefficient"] for item in features]
        yield from _ranks(features, values, file, pointer, document["num_features"])
        for place, item in enumerate(features):
            yield from unequal(
                rule,
                "`abs_coefficient` is the size of the coefficient.",
                file,
                f"{pointer}/{place}/abs_coefficient",
                abs(item["coefficient"]),
                item["abs_coefficient"],
            )
        if names is not None:
            message = "Every feature of the record has a coefficient."
            found = sorted(item["name"] for item in features)
            yield from unequal(rule, message, file, pointer, sorted(names), found)
        best = [item["name"] for item in features[: len(top["top_features"])]]
        message = "`top_features` begins the ranking."
        place_of_top = f"/top_k_by_class/{number}/top_features"
        yield from unequal(rule, message, file, place_of_top, best, top["top_features"])


def _ranks(
    items: list[dict[str, Any]], values: list[float], file: str, pointer: str, size: int
) -> Iterator[Finding]:
    rule = "interpretability.ranks"
    if not _counts([item["rank"] for item in items], 1, size):
        yield Finding(rule, "Ranks count from 1, one for each feature.", file, pointer)
    if values != sorted(values, reverse=True):
        yield Finding(rule, "The largest value comes first.", file, pointer)


def _counts(numbers: list[int], first: int, size: int) -> bool:
    """Tell whether ``numbers`` count ``size`` things; the size may be anything, and is not made."""
    return len(numbers) == size and numbers == list(range(first, first + len(numbers)))


def _index(index: dict[str, Any], folder: Folder) -> Iterator[Finding]:
    rule, file = "interpretability-index.available", layout.INTERPRETABILITY_INDEX
    available = index["available_artifacts"]
    for entry, artifact in _ENTRIES.items():
        pointer = f"/available_artifacts/{entry}"
        if entry in available and available[entry]["path"] not in folder.files:
            message = "The index claims an artifact only if the file exists."
            yield Finding(
                rule, message, file, f"{pointer}/path", artifact, available[entry]["path"]
            )
        elif entry not in available and artifact in folder.files:
            yield Finding(rule, "The index names every artifact that exists.", file, pointer)
        document = folder.documents.get(artifact)
        if entry in available and document is not None:
            for key, expected, found in _summary(artifact, document, available[entry]["summary"]):
                yield Finding(
                    "interpretability-index.summary",
                    "The summary repeats the artifact.",
                    file,
                    f"{pointer}/summary/{key}",
                    expected,
                    found,
                )


def _summary(
    artifact: str, document: dict[str, Any], summary: dict[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    """Give each member of a summary that is not the artifact's, with what it should be."""
    for key, found in summary.items():
        expected: Any = document.get(key)
        if key == "accuracy":
            agrees = close(expected, found)
        elif key == "top_k":
            agrees = len(found) <= _TOP and _begins(expected, found)
        elif key == "top_k_by_class":
            agrees = len(expected) == len(found) and all(
                whole["class"] == part["class"]
                and _begins(whole["top_features"], part["top_features"])
                for whole, part in zip(expected, found, strict=True)
            )
        else:
            agrees = expected is None or same(expected, found)
        if not agrees:
            yield key, expected, found


def _begins(whole: list[str], part: list[str]) -> bool:
    """Tell whether ``part`` is the beginning of ``whole``, and not nothing of something."""
    return bool(part or not whole) and whole[: len(part)] == part
