"""Checks of feature importances, linear coefficients and the index of both.

Source: specification, sections 9.4 to 9.7.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.invariants.checked_folder import CheckedRun
from runforge_contracts.invariants.finding import (
    Finding,
    close,
    disagreement,
    same,
    show_value,
    unequal,
)
from runforge_contracts.store import layout

#: Model families that have each artifact.
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


def interpretability_findings(folder: CheckedRun) -> Iterator[Finding]:
    """Yield the violations in the interpretability artifacts of a run."""
    importance = folder.content(layout.FEATURE_IMPORTANCE)
    coefficients = folder.content(layout.LINEAR_COEFFICIENTS)
    yield from _presence(folder)
    names = (folder.record or {}).get("feature_names")
    if importance is not None:
        yield from _importance(importance, names)
    if coefficients is not None:
        yield from _coefficients(coefficients, names)
    index = folder.content(layout.INTERPRETABILITY_INDEX)
    if index is not None:
        yield from _index(index, folder)


def _presence(folder: CheckedRun) -> Iterator[Finding]:
    rule, run = "interpretability.presence", folder.record
    if run is None or "model_family" not in run:
        return
    for file, families in _FAMILIES.items():
        native, there = run["model_family"] in families, file in folder.files
        if there and not native:
            message = f"{file} is present although the model is a {run['model_family']}."
            yield Finding(rule, message, file)
        # Older records wrote the artifact only from some version on; the present one always.
        elif native and not there and folder.is_current:
            message = f"{file} is missing although the model is a {run['model_family']}."
            yield Finding(rule, message, file)
        document = folder.content(file)
        if document is not None:
            yield from disagreement(
                rule,
                file,
                "/model_family",
                layout.RUN,
                run["model_family"],
                document["model_family"],
            )
            if "num_features" in run:
                yield from disagreement(
                    rule,
                    file,
                    "/num_features",
                    layout.RUN,
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
        message = f"The indices at {pointer} are not 0 to {document['num_features'] - 1}."
        yield Finding(rule, message, file, pointer)
    left = {item["name"]: item["importance"] for item in ranked}
    right = {item["name"]: item["importance"] for item in original}
    message = "The two orders disagree on the importances: {expected} and {found}."
    yield from unequal(rule, message, file, pointer, left, right)
    if names is not None:
        found = [item["name"] for item in original]
        message = "The original order has {found} where {run} has {expected}."
        yield from unequal(rule, message, file, pointer, names, found, run=layout.RUN)
    order = {item["name"]: item["index"] for item in original}
    yield from _ties(ranked, values, order, file, "/features_by_importance")
    if any(values) and not close(sum(values), 1.0):
        message = f"The importances sum to {sum(values)} instead of 1."
        yield Finding(rule, message, file, "/features_by_importance", 1.0, sum(values))
    top = document["top_k"]
    message = "top_k has {found} where the ranking has {expected}."
    yield from unequal(
        rule, message, file, "/top_k", [item["name"] for item in ranked[: len(top)]], top
    )


def _coefficients(document: dict[str, Any], names: list[str] | None) -> Iterator[Finding]:
    rule, file = "interpretability.ranks", layout.LINEAR_COEFFICIENTS
    classes, size = document["classes"], document["num_classes"]
    message = "/classes has {found} names for {expected} classes."
    yield from unequal(rule, message, file, "/classes", size, len(classes))
    # With two classes there is one set of coefficients, that of the second.
    shown = classes[1:] if size == 2 else classes
    for part in ("intercepts", "coefficients_by_class", "top_k_by_class"):
        found = [item["class"] for item in document[part]]
        message = "/{part} has entries for {found}; expected {expected}."
        yield from unequal(rule, message, file, f"/{part}", shown, found, part=part)
    pairs = zip(document["coefficients_by_class"], document["top_k_by_class"], strict=False)
    for number, (entry, top) in enumerate(pairs):
        features, pointer = entry["features"], f"/coefficients_by_class/{number}/features"
        values = [item["abs_coefficient"] for item in features]
        yield from _ranks(features, values, file, pointer, document["num_features"])
        for place, item in enumerate(features):
            yield from unequal(
                rule,
                "abs_coefficient is {found}; the coefficient has the size {expected}.",
                file,
                f"{pointer}/{place}/abs_coefficient",
                abs(item["coefficient"]),
                item["abs_coefficient"],
            )
        if names is not None:
            message = "The features with coefficients have {found} where {run} has {expected}."
            found = sorted(item["name"] for item in features)
            yield from unequal(rule, message, file, pointer, sorted(names), found, run=layout.RUN)
            order = {name: index for index, name in enumerate(names)}
            yield from _ties(features, values, order, file, pointer)
        best = [item["name"] for item in features[: len(top["top_features"])]]
        message = "top_features has {found} where the ranking has {expected}."
        top_pointer = f"/top_k_by_class/{number}/top_features"
        yield from unequal(rule, message, file, top_pointer, best, top["top_features"])


def _ranks(
    items: list[dict[str, Any]], values: list[float], file: str, pointer: str, size: int
) -> Iterator[Finding]:
    rule = "interpretability.ranks"
    if not _counts([item["rank"] for item in items], 1, size):
        yield Finding(rule, f"The ranks at {pointer} are not 1 to {size}.", file, pointer)
    if values != sorted(values, reverse=True):
        yield Finding(rule, f"The values at {pointer} are not in descending order.", file, pointer)


def _ties(
    items: list[dict[str, Any]],
    values: list[float],
    order: dict[str, int],
    file: str,
    pointer: str,
) -> Iterator[Finding]:
    """Yield features of equal value that are not in the order of the columns."""
    for (above, below), (greater, smaller) in zip(pairwise(items), pairwise(values), strict=True):
        first, second = order.get(above["name"]), order.get(below["name"])
        if greater == smaller and first is not None and second is not None and first > second:
            message = (
                f"{quote(above['name'])} is ranked before {quote(below['name'])}, an earlier column"
                f" with the same value {show_value(smaller)}."
            )
            yield Finding("interpretability.ties", message, file, pointer)
            return


def _counts(numbers: list[int], first: int, size: int) -> bool:
    """Return whether ``numbers`` are ``first``, ``first + 1``, ... with ``size`` in all."""
    return len(numbers) == size and numbers == list(range(first, first + len(numbers)))


def _index(index: dict[str, Any], folder: CheckedRun) -> Iterator[Finding]:
    rule, file = "interpretability-index.available", layout.INTERPRETABILITY_INDEX
    available = index["available_artifacts"]
    run = folder.record or {}
    for name in ("runforge_version", "created_at") if folder.is_current and run else ():
        yield from disagreement(
            "interpretability-index.origin", file, f"/{name}", layout.RUN, run[name], index[name]
        )
    for entry, artifact in _ENTRIES.items():
        pointer = f"/available_artifacts/{entry}"
        if entry in available and available[entry]["path"] not in folder.files:
            found = available[entry]["path"]
            message = f"The index lists {quote(found)}, which is missing."
            yield Finding(rule, message, file, f"{pointer}/path", artifact, found)
        elif entry in available and available[entry]["path"] != artifact:
            found = available[entry]["path"]
            message = f"The index lists {quote(found)} as {entry}; expected {artifact}."
            yield Finding(rule, message, file, f"{pointer}/path", artifact, found)
        elif entry not in available and artifact in folder.files:
            message = f"The index does not list {artifact}."
            yield Finding(rule, message, file, pointer)
        document = folder.content(artifact)
        if entry in available and document is not None:
            for key, expected, found in _summary(artifact, document, available[entry]["summary"]):
                yield Finding(
                    "interpretability-index.summary",
                    f"{file} and {artifact} disagree on {key}: {show_value(found)} and"
                    f" {show_value(expected)}.",
                    file,
                    f"{pointer}/summary/{key}",
                    expected,
                    found,
                )


def _summary(
    artifact: str, document: dict[str, Any], summary: dict[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    """Yield each member of a summary that differs from the artifact: key, expected, found."""
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
    """Return whether ``part`` is the start of ``whole``, and empty only if ``whole`` is."""
    return bool(part or not whole) and whole[: len(part)] == part
