"""Verify an evaluation: files, documents, model, dataset, predictions and signature, in this order.

Source: specification, section 21.5.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from msgspec import UNSET
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError
from runforge_contracts.fs.files import digest_file
from runforge_contracts.invariants.evaluation_invariants import (
    content_findings,
    folder_findings,
    read_document,
    run_findings,
)
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.store import layout
from runforge_contracts.store.evaluations import RecordedEvaluation, metric_numbers
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_contracts.types import VerifiedEvaluation

from runforge_engine.data.dataset_source import dataset_path
from runforge_engine.modeling.model_evaluation import ModelEvaluation
from runforge_engine.modeling.model_process import ModelProcess, evaluate
from runforge_engine.modeling.predict import model_of_run
from runforge_engine.modeling.revalidate import TOLERANCE
from runforge_engine.provenance.folder_digest import FolderDigests
from runforge_engine.provenance.privacy import is_left_out
from runforge_engine.verification.check_result import (
    Check,
    CheckVerdict,
    Verdict,
    count,
    finding_structs,
)
from runforge_engine.verification.context import Surroundings
from runforge_engine.verification.index_heads import (
    Signed,
    head_findings,
    is_on_record,
    signed_elsewhere,
)
from runforge_engine.verification.signature_check import Signature, check_signature
from runforge_engine.verification.verify_run import dataset_check

#: Every run with its store, as ``list_runs`` describes it.
Listing = Iterable[tuple[dict[str, Any], StoreLayout]]
#: Rules about the folder and its bytes; the others are about the content of the document.
_FILE_RULES = ("evaluation.files", "evaluation.digest")


@dataclass(frozen=True, slots=True)
class EvaluationVerification:
    """The results of all checks of an evaluation."""

    evaluation_id: str
    #: The folder, relative to the workspace if it is in it.
    evaluation_dir: str
    #: The run that trained the model; None if the evaluation cannot be read.
    run_id: str | None
    checks: tuple[Check, ...]
    #: The contents of the signature, if it matches the folder.
    signature: Signature | None = None
    #: Digests of the bytes that were read; None if the folder is not as it was written.
    digests: FolderDigests | None = None

    @property
    def holds(self) -> bool:
        """Whether no check failed."""
        return all(check.outcome != "failed" for check in self.checks)

    @property
    def verdict(self) -> Verdict:
        """The verdict on the evaluation as a whole."""
        return "verified" if self.holds else "not verified"

    def to_struct(self) -> VerifiedEvaluation:
        """Return the verification as it is in ``verification.v1``."""
        return VerifiedEvaluation(
            evaluation_id=self.evaluation_id,
            evaluation_dir=self.evaluation_dir,
            run_id=UNSET if self.run_id is None else self.run_id,
            verdict=self.verdict,
            checks=[check.to_struct() for check in self.checks],
            findings=finding_structs(self.checks),
        )


def verify_evaluation(
    evaluation: RecordedEvaluation,
    around: Surroundings,
    run: Run | None,
    listed: Listing,
    *,
    with_dataset: bool = True,
    with_signature: bool = True,
    alone: bool = True,
    process: ModelProcess | None = None,
) -> EvaluationVerification:
    """Verify an evaluation.

    Parameters
    ----------
    evaluation
        The evaluation.
    around
        The store, the datasets and the key that it is compared with.
    run
        Its run; None if that is gone.
    listed
        Every run as :func:`~runforge_contracts.store.reading.list_runs` describes it, with its
        store; for the digest of the model.
    with_dataset
        Whether to check the dataset, and to compute the predictions on it again.
    with_signature
        Whether to check the signature.
    alone
        False if the whole store is verified, which compares all heads of the index by itself.
    process
        What uses the models of several evaluations; None for a process of its own.
    """
    document, sha256, refused = read_document(evaluation)
    content = list(refused) if document is None else list(content_findings(document, evaluation.id))
    own = [finding for finding in content if finding.rule in _FILE_RULES]
    others = [finding for finding in content if finding.rule not in _FILE_RULES]
    if document is not None and run is not None:
        others += run_findings(document, run)
    checks = [_files([*folder_findings(evaluation), *own]), _documents(document, run, others)]
    # Digests of the bytes that were checked; a folder with anything else is read again.
    regular = sha256 is not None and checks[0].outcome == "passed"
    digests = FolderDigests({layout.EVALUATION: str(sha256)}, {}) if regular else None
    if document is not None:
        checks.append(_model(document, around))
        if with_dataset:
            data = document["dataset"]
            received = run is not None and around.is_received(document["run_id"], run.path)
            checks.append(
                dataset_check(
                    data["path"], data["sha256"], around.datasets, "evaluated", received=received
                )
            )
            checks.append(_predictions(document, run, around, listed, checks, process))
    signature = None
    if with_signature:
        check, signature = check_signature(
            evaluation.path.absolute(), around, digests, "evaluation"
        )
        if signature is not None:
            run_id = "" if document is None else document["run_id"]
            signed = Signed(evaluation.id, run_id, signature.content)
            check = _with_head(check, signed, around, alone=alone)
        elif not alone and document is not None:
            check = _of_forgotten(check, document["run_id"], around)
        checks.append(check)
    return EvaluationVerification(
        evaluation.id,
        around.relative(evaluation.path),
        None if document is None else document["run_id"],
        tuple(checks),
        signature,
        digests,
    )


def _files(findings: list[Finding]) -> Check:
    if findings:
        message = "the folder or its document is not as it was written"
        return Check.failed("files", CheckVerdict.CHANGED, message, findings)
    return Check.passed(
        "files", CheckVerdict.UNCHANGED, f"{layout.EVALUATION} has the digest of its content"
    )


def _documents(document: dict[str, Any] | None, run: Run | None, findings: list[Finding]) -> Check:
    if findings:
        message = f"{count(len(findings), 'mistake')} in form or content"
        return Check.failed("documents", CheckVerdict.INVALID, message, findings)
    if document is None:
        return Check.not_checked("documents", CheckVerdict.NOT_CHECKED, "there is none")
    message = (
        f"the metrics follow from the confusion matrix; the run {quote(document['run_id'])} is gone"
        if run is None
        else "the metrics follow from the confusion matrix, and the record of the run agrees"
    )
    return Check.passed("documents", CheckVerdict.VALID, message)


def _model(document: dict[str, Any], around: Surroundings) -> Check:
    """Compare the model file with its digest, without looking into it."""
    model = document["model"]
    recorded = model["path"]
    shown, rule = quote(recorded, 200), "evaluation.model"
    if is_left_out(recorded):
        message = "the folder of its path was left out of the record on request"
        return Check.not_checked("model", CheckVerdict.NOT_CHECKED, message)
    try:
        found = digest_file(dataset_path(recorded, around.workspace)).sha256
    except NotFoundError:
        line = around.removals.current.get(document["run_id"], {"files": {}})
        if any(item["sha256"] == model["sha256"] for item in line["files"].values()):
            message = f"its run was {line['action']}; the record of that has its digest"
            return Check.not_checked("model", CheckVerdict.MISSING, message)
        finding = Finding(rule, f"The model {shown} is missing.", recorded)
        return Check.failed("model", CheckVerdict.MISSING, f"{shown} is missing", (finding,))
    except RunForgeError as error:
        finding = Finding(rule, error.message, recorded)
        return Check.failed("model", CheckVerdict.UNREADABLE, f"{shown} cannot be read", (finding,))
    if found != model["sha256"]:
        finding = Finding(
            rule, f"The model {shown} has changed.", recorded, None, model["sha256"], found
        )
        return Check.failed(
            "model", CheckVerdict.CHANGED, f"{shown} has changed", (finding,), sha256=found
        )
    return Check.passed("model", CheckVerdict.SAME, f"{shown} has the bytes that were evaluated")


def _predictions(
    document: dict[str, Any],
    run: Run | None,
    around: Surroundings,
    listed: Listing,
    checks: list[Check],
    process: ModelProcess | None,
) -> Check:
    """Compute the metrics again, if everything that they follow from is as it was."""
    if any(check.outcome == "failed" for check in checks):
        return _skipped("another check failed")
    if run is None:
        return _skipped("the run is gone, and only the model of a run is loaded")
    data = document["dataset"]
    if any(check.outcome != "passed" for check in checks) or is_left_out(data["path"]):
        return _skipped("the model or the dataset is not at hand")
    try:
        # Only the records of the run say which file is its model; the evaluation does not.
        model = model_of_run(run, listed)
    except RunForgeError as error:
        return _skipped(f"the model is not loaded: {error.message}")
    try:
        path = around.datasets.file(data["path"], data["sha256"])
        assert path is not None  # noqa: S101 - the check of the dataset passed
        found = evaluate(model, path, data["label_column"], process=process)
    except RunForgeError as error:
        if error.code is ErrorCode.MEMORY_INSUFFICIENT:
            return _skipped(error.message)
        finding = Finding("evaluation.predictions", error.message, layout.EVALUATION)
        message = "the model cannot be evaluated again"
        return Check.failed("predictions", CheckVerdict.CHANGED, message, (finding,))
    findings = list(_differences(document, found))
    if findings:
        message = "; ".join(["the model gives other results on the dataset", *found.warnings])
        return Check.failed("predictions", CheckVerdict.CHANGED, message, findings)
    message = f"computed again on {count(found.rows_evaluated, 'row')}, they give the metrics"
    return Check.passed("predictions", CheckVerdict.SAME, message)


def _skipped(why: str) -> Check:
    return Check.not_checked("predictions", CheckVerdict.NOT_CHECKED, why)


def _differences(document: dict[str, Any], found: ModelEvaluation) -> Iterator[Finding]:
    """Yield where an evaluation is not what the model gives now."""
    metrics = document["metrics"]

    def differ(pointer: str, expected: Any, recorded: Any) -> Iterator[Finding]:
        if expected != recorded:
            name = pointer.rpartition("/")[2]
            message = f"{name} is not what the model and the dataset give."
            rule, file = "evaluation.predictions", layout.EVALUATION
            yield Finding(rule, message, file, pointer, expected, recorded)

    yield from differ("/model/sha256", found.model_sha256, document["model"]["sha256"])
    yield from differ("/dataset/sha256", found.dataset_sha256, document["dataset"]["sha256"])
    yield from differ("/dataset/columns", list(found.features), document["dataset"]["columns"])
    yield from differ("/rows_evaluated", found.rows_evaluated, document["rows_evaluated"])
    # The examples may lack the content of cells, and another client may choose other ones.
    left_out = [_reason(item) for item in msgspec.to_builtins(found.left_out)]
    yield from differ("/left_out", left_out, [_reason(item) for item in document["left_out"]])
    matrix = "confusion_matrix"
    yield from differ(f"/metrics/{matrix}", found.metrics[matrix], metrics[matrix])
    known = metric_numbers(metrics)
    for name, value in metric_numbers(found.metrics).items():
        recorded = known.get(name)
        if recorded is None or not math.isclose(
            value, recorded, rel_tol=TOLERANCE, abs_tol=TOLERANCE
        ):
            yield from differ(f"/metrics/{name}", value, recorded)


def _reason(item: dict[str, Any]) -> dict[str, Any]:
    return {"reason": item["reason"], "rows": item["rows"]}


def _of_forgotten(check: Check, run_id: str, around: Surroundings) -> Check:
    """Return the check of a signature, not failed if there is none and the run was forgotten."""
    line = around.removals.current.get(run_id)
    is_forgotten = line is not None and line["action"] == "forgotten"
    if check.verdict is not CheckVerdict.NONE or not is_forgotten:
        return check
    message = "nobody signed it before its run was forgotten"
    return Check.not_checked("signature", CheckVerdict.NONE, message)


def _with_head(check: Check, signed: Signed, around: Surroundings, *, alone: bool) -> Check:
    """Return the check of a signature, failed if the index does not start as it did then."""
    elsewhere = signed_elsewhere(signed, around)
    if elsewhere is not None:
        known = "as signed" if is_on_record(signed, around) else "not checked"
        note = f"the index is {known}: signed in another store ({elsewhere[:16]}…)"
        return replace(check, message=f"{check.message}; {note}")
    findings = tuple(head_findings([signed], around)) if alone else ()
    if not findings:
        return check
    message = "the entries of the index changed after the evaluation was signed"
    return Check.failed("signature", CheckVerdict.INVALID, message, findings)
