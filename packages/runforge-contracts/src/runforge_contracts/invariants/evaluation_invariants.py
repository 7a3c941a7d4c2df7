"""Checks of evaluations: the document agrees with its folder, itself and the record of its run.

Source: specification, sections 21.1 to 21.4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from runforge_contracts.codec.strict_json import MAX_BYTES
from runforge_contracts.display import quote
from runforge_contracts.documents import Document
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError
from runforge_contracts.fs.files import read_and_digest
from runforge_contracts.fs.folders import list_folder
from runforge_contracts.invariants.checked_folder import refusals
from runforge_contracts.invariants.document_form import key_order
from runforge_contracts.invariants.finding import Finding, unequal
from runforge_contracts.invariants.metrics_invariants import matrix_findings, profile_of
from runforge_contracts.store import layout
from runforge_contracts.store.evaluations import (
    RecordedEvaluation,
    content_digest,
    list_evaluations,
)
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import model_file
from runforge_contracts.types import EvaluationV1

#: The schema of the document.
SCHEMA = "evaluation.v1"


def evaluation_findings(store: StoreLayout) -> Iterator[Finding]:
    """Yield the violations in the evaluations of a store."""
    yield from link_findings(store)
    for evaluation in list_evaluations(store):
        place = store.relative(evaluation.path)
        findings = list(folder_findings(evaluation))
        document, _, refused = read_document(evaluation)
        findings += refused
        if document is not None:
            findings += content_findings(document, evaluation.id)
            run = run_beside(document, store)
            if run is not None:
                findings += run_findings(document, run)
        yield from (replace(item, file=f"{place}/{item.file}") for item in findings)


def link_findings(store: StoreLayout) -> Iterator[Finding]:
    """Yield the links in the place of the folder of evaluations, or among them."""
    if store.evaluations.is_symlink():
        message = "The folder of the evaluations is a symbolic link, which could lead anywhere."
        yield Finding("run.no-links", message, store.relative(store.evaluations))
        return
    for child in list_folder(store.evaluations):
        if child.is_symlink():
            message = f"{quote(child.name)} is a symbolic link, which could lead anywhere."
            yield Finding("run.no-links", message, store.relative(Path(child.path)))


def folder_findings(evaluation: RecordedEvaluation) -> Iterator[Finding]:
    """Yield what the folder of an evaluation has besides its document, and if it has none."""
    names = set()
    for child in list_folder(evaluation.path):
        names.add(child.name)
        if child.is_symlink():
            message = f"{quote(child.name)} is a symbolic link, which could lead anywhere."
            yield Finding("evaluation.files", message, child.name)
        elif child.name != layout.EVALUATION:
            message = f"{quote(child.name)} does not belong to the evaluation."
            yield Finding("evaluation.files", message, child.name)
    if layout.EVALUATION not in names:
        message = f"The folder has no {layout.EVALUATION}."
        yield Finding("evaluation.files", message, layout.EVALUATION)


class ReadEvaluation(NamedTuple):
    """The document of an evaluation as it was read, once."""

    #: The raw document; None if it is missing or was refused.
    raw: dict[str, Any] | None
    #: SHA-256 of the bytes; None if they could not be read.
    sha256: str | None
    #: Why it was refused.
    findings: list[Finding]


def read_document(evaluation: RecordedEvaluation) -> ReadEvaluation:
    """Read the document of an evaluation, and hash the bytes that are read."""
    path, sha256 = evaluation.path / layout.EVALUATION, None
    try:
        digest, data = read_and_digest(path, keep=MAX_BYTES)
        sha256 = digest.sha256
        if data is None:
            raise RunForgeError(
                ErrorCode.JSON_TOO_LARGE,
                f"{layout.EVALUATION} has {digest.bytes:,} bytes; {MAX_BYTES:,} are read.",
            )
        document = Document[EvaluationV1].parse(data, EvaluationV1)
    except NotFoundError:
        return ReadEvaluation(None, None, [])
    except RunForgeError as error:
        return ReadEvaluation(None, sha256, list(refusals(error, layout.EVALUATION, SCHEMA)))
    return ReadEvaluation(document.raw, sha256, [])


def digest_findings(document: dict[str, Any]) -> Iterator[Finding]:
    """Yield a finding if the content of a document is not that of its digest."""
    yield from unequal(
        "evaluation.digest",
        "content_sha256 is not the digest of the other members.",
        layout.EVALUATION,
        "/content_sha256",
        content_digest(document),
        document["content_sha256"],
    )


def content_findings(document: dict[str, Any], folder: str) -> Iterator[Finding]:
    """Yield the violations in a valid document in the folder named ``folder``."""
    file = layout.EVALUATION
    yield from digest_findings(document)
    yield from unequal(
        "evaluation.id",
        "/evaluation_id is {found}; the folder is named {expected}.",
        file,
        "/evaluation_id",
        folder,
        document["evaluation_id"],
    )
    yield from _rows(document)
    for finding in matrix_findings(document["metrics"]):
        yield replace(
            finding,
            rule="evaluation.metrics",
            file=file,
            pointer=f"/metrics{finding.pointer or ''}",
        )
    yield from key_order(document, SCHEMA, file)


def _rows(document: dict[str, Any]) -> Iterator[Finding]:
    """Yield where the numbers of rows contradict each other."""
    rule, file, total = "evaluation.rows", layout.EVALUATION, document["dataset"]["rows"]
    counted = document["rows_evaluated"] + sum(item["rows"] for item in document["left_out"])
    if counted != total:
        message = (
            f"{document['rows_evaluated']} rows are evaluated and"
            f" {counted - document['rows_evaluated']} left out; the dataset has {total}."
        )
        yield Finding(rule, message, file, "/dataset/rows", counted, total)
    matrix = sum(map(sum, document["metrics"]["confusion_matrix"]))
    yield from unequal(
        rule,
        "The confusion matrix counts {found} rows; {expected} are evaluated.",
        file,
        "/metrics/confusion_matrix",
        document["rows_evaluated"],
        matrix,
    )
    reasons = Counter(item["reason"] for item in document["left_out"])
    for position, item in enumerate(document["left_out"]):
        place = f"/left_out/{position}"
        if reasons[item["reason"]] > 1:
            message = f"The reason {quote(item['reason'])} occurs {reasons[item['reason']]} times."
            yield Finding(rule, message, file, f"{place}/reason", found=item["reason"])
        if len(item["examples"]) > item["rows"]:
            message = f"There are {len(item['examples'])} examples of {item['rows']} rows."
            yield Finding(rule, message, file, f"{place}/examples")
        for number, example in enumerate(item["examples"]):
            if example["row"] > total:
                message = f"Row {example['row']} is an example; the dataset has {total} rows."
                yield Finding(
                    rule, message, file, f"{place}/examples/{number}/row", found=example["row"]
                )


def run_beside(document: dict[str, Any], store: StoreLayout) -> Run | None:
    """Return the run of an evaluation in the same store, or None if there is no such folder."""
    path = store.run_folder(document["run_id"])
    return None if path.is_symlink() or not path.is_dir() else Run(path)


def run_findings(document: dict[str, Any], run: Run) -> Iterator[Finding]:
    """Yield where an evaluation differs from the record of its run, if that can be read."""
    try:
        record, result = run.record, run.result
    except RunForgeError:
        return  # The findings of the run report the error.
    if record is None:
        return
    metrics, classes = document["metrics"], record.get("classes")
    model = record.get("artifact_digests", {}).get(model_file(record, result) or "", {})
    family = record.get("model_family")
    compared = {
        "/model/sha256": (model.get("sha256"), document["model"]["sha256"]),
        "/dataset/columns": (record.get("feature_names"), document["dataset"]["columns"]),
        "/metrics/num_classes": (classes and len(classes), metrics["num_classes"]),
        "/metrics/class_labels": (classes, metrics.get("class_labels")),
        "/metrics/metrics_profile": (
            None if family is None else profile_of(metrics["num_classes"], family),
            metrics["metrics_profile"],
        ),
    }
    for pointer, (expected, found) in compared.items():
        if expected is not None and found is not None:
            yield from unequal(
                "evaluation.run",
                "The evaluation has {found} at {pointer}; the record of the run has {expected}.",
                layout.EVALUATION,
                pointer,
                expected,
                found,
            )
