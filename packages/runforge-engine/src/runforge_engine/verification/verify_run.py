"""Every check of one run."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.display import quote
from runforge_contracts.errors import RunForgeError
from runforge_contracts.invariants.checked_folder import CheckedRun
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.invariants.run_invariants import check_folder, open_folder
from runforge_contracts.store import layout

from runforge_engine.provenance.folder_digest import FolderDigests
from runforge_engine.provenance.privacy import is_left_out
from runforge_engine.provenance.signing import (
    ClaimedSignature,
    VerifiedSignature,
    compare_claim,
    refuse_detour,
    signature_path,
    verify_signature,
)
from runforge_engine.runtime.folder_lock import is_held
from runforge_engine.store.index_chain import IndexHead
from runforge_engine.verification.check_result import Check, count, findings_of
from runforge_engine.verification.context import Surroundings
from runforge_engine.verification.dataset_check import Datasets
from runforge_engine.verification.index_entry import listing_findings
from runforge_engine.verification.index_heads import head_findings
from runforge_engine.verification.statement_check import bears_out_files, statement_findings

Signature = VerifiedSignature | ClaimedSignature
#: Rules about the files themselves; the others are about what documents say.
_FILE_RULES = frozenset(
    {
        *("run.no-links", "run.readable", "run.files", "run.pointers", "run.artifact-digests"),
        *("manifest.schema", "manifest.complete", "manifest.digests", "result.artifacts"),
    }
)


@dataclass(frozen=True, slots=True)
class RunVerification:
    """Every check of a run."""

    run_id: str
    #: The folder, relative to the workspace where it lies in it.
    run_dir: str
    checks: tuple[Check, ...]
    #: What the run's signature says, if it fits the folder.
    signature: Signature | None = None
    #: Digests of the bytes that were looked at, if there are only files, under names that are text.
    digests: FolderDigests | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing stands against the run."""
        return all(check.outcome != "failed" for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return the verification as its schema has it."""
        return {
            "run_id": self.run_id,
            "run_dir": self.run_dir,
            "verdict": "verified" if self.holds else "not verified",
            "checks": [check.to_dict() for check in self.checks],
            "findings": findings_of(self.checks),
        }


def verify_run(
    path: Path,
    around: Surroundings,
    *,
    with_dataset: bool = True,
    with_signature: bool = True,
    alone: bool = True,
) -> RunVerification:
    """Check everything that is known of the run in the folder ``path``.

    Parameters
    ----------
    path
        The run folder, absolute.
    around
        What belongs to it.
    with_dataset
        Whether to look at the dataset, which may have changed without harm to the run.
    with_signature
        Whether to look at the signature.
    alone
        False where the whole store is checked: what is wrong with the index as a whole is then not
        said of every run.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_FOUND`` where there is no folder.
    """
    folder = open_folder(path, in_store=around.names_by_id(path))
    run_id = folder.expected_id
    found = check_folder(folder)
    statement, sides_with_files = _statement(folder)
    if sides_with_files:
        found = [_of_manifest(item) for item in found]
    checks = [
        _files(folder, [item for item in found if _is_of_files(item)]),
        _documents(folder, [item for item in found if not _is_of_files(item)]),
        statement,
    ]
    signed, signature = _signature(folder, around) if with_signature else (None, None)
    head = None if signature is None else signature.content.index_head
    checks.append(_index(folder, run_id, around, head, alone=alone))
    if with_dataset:
        checks.append(_dataset(folder, around.datasets))
    if signed is not None:
        checks.append(signed)
    return RunVerification(
        run_id, around.relative(path), tuple(checks), signature, _digests(folder)
    )


def _of_manifest(finding: Finding) -> Finding:
    """Return a finding about a file as one about the manifest, where the file is as it was stated.

    Two of the three agree: the statement, which follows from the documents and the digests of all
    files, and the file.
    """
    if finding.rule != "manifest.digests" or finding.file in (None, layout.MANIFEST):
        return finding
    message = f"The manifest has a digest or size of {finding.file} that is not the file's."
    pointer = format_pointer(("files", str(finding.file)))
    return replace(
        finding,
        message=message,
        file=layout.MANIFEST,
        pointer=pointer,
        expected=finding.found,
        found=finding.expected,
    )


def _is_of_files(finding: Finding) -> bool:
    return finding.rule in _FILE_RULES or finding.file == layout.MANIFEST


def _files(folder: CheckedRun, found: list[Finding]) -> Check:
    number = len(folder.files)
    if not {layout.RUN, layout.RESULT, layout.MANIFEST} & folder.files.keys():
        at_work = is_held(folder.path)
        message = "it is still at work" if at_work else "it was interrupted, or has not begun"
        finding = Finding("run.files", f"The run has no result: {message}.", layout.RESULT)
        return Check.failed("files", "at work" if at_work else "no result", message, (finding,))
    if found:
        message = f"{count(len(found), 'difference')} from what is recorded of the files"
        return Check.failed("files", "changed", message, tuple(found))
    if layout.MANIFEST not in folder.documents:
        message = "an older client wrote the run, which has no manifest"
        return Check.not_checked("files", "not checked", message)
    message = f"{count(number, 'file')}, byte for byte as the manifest has them"
    return Check.passed("files", "unchanged", message)


def _documents(folder: CheckedRun, found: list[Finding]) -> Check:
    if found:
        message = f"{count(len(found), 'mistake')} in form or content"
        return Check.failed("documents", "invalid", message, tuple(found))
    message = f"{count(len(folder.documents), 'document')}, which tell one story"
    return Check.passed("documents", "valid", message)


def _statement(folder: CheckedRun) -> tuple[Check, bool]:
    """Return what there is to say of the statement, and whether it is right and has the files."""
    if layout.STATEMENT not in folder.files:
        return Check.not_checked("statement", "none", "the run was written without one"), False
    for name in (layout.MANIFEST, layout.REQUEST, layout.RUN, layout.RESULT):
        needed = name in (layout.MANIFEST, layout.RESULT) or name in folder.files
        if needed and name not in folder.documents:
            message = f"there is no valid {name} to hold it against"
            return Check.not_checked("statement", "not checked", message), False
    has_files = bears_out_files(folder)
    found = tuple(statement_findings(folder, bears_out_files=has_files))
    if found:
        message = "it does not say what the documents say"
        return Check.failed("statement", "invalid", message, found), False
    return Check.passed("statement", "valid", "it follows from the documents"), has_files


def _index(
    folder: CheckedRun, run_id: str, around: Surroundings, head: IndexHead | None, *, alone: bool
) -> Check:
    store = around.store
    if store is None:
        return Check.not_checked("index", "not checked", "the folder lies in no store")
    file = store.relative(store.index)
    if around.problem is not None and not alone:
        return Check.not_checked("index", "not checked", "it cannot be read")
    if around.problem is not None:
        found = Finding(
            "index.schema", around.problem.message, file, around.problem.location.pointer
        )
        return Check.failed("index", "unreadable", "it cannot be read", (found,))
    places = around.places.get(run_id, [])
    if not places and not folder.is_current:
        return Check.not_checked("index", "none", "an older client wrote the run unlisted")
    listing = tuple(listing_findings(folder, run_id, store, around.entries, places))
    heads = tuple(head_findings([(run_id, head)], around)) if alone else ()
    if not places:
        return Check.failed("index", "not listed", "it does not have the run", listing + heads)
    if listing:
        message = "its entry is not what the run says"
        return Check.failed("index", "invalid", message, listing + heads)
    if heads:
        message = "it is not what it was when the run was signed"
        return Check.failed("index", "invalid", message, heads)
    return Check.passed("index", "valid", "its entry repeats what the run says")


def _dataset(folder: CheckedRun, datasets: Datasets) -> Check:
    config = (folder.result or {}).get("effective_config") or {}
    used = {**(config.get("dataset") or {}), **((folder.record or {}).get("dataset") or {})}
    return dataset_check(used.get("path"), used.get("fingerprint_sha256"), datasets)


def dataset_check(recorded: str | None, fingerprint: str | None, datasets: Datasets) -> Check:
    """Return whether a dataset still has the bytes that a run has on record.

    Parameters
    ----------
    recorded
        Its path, as the run has it.
    fingerprint
        SHA-256 of its bytes then.
    datasets
        Where to look.
    """
    if recorded is None or fingerprint is None:
        message = "the run does not record its bytes"
        return Check.not_checked("dataset", "not checked", message)
    state, shown = datasets.state(recorded, fingerprint), quote(recorded, 200)
    rule, elsewhere = "dataset.same", quote(state.path, 200)
    if is_left_out(recorded) and state.verdict in ("gone", "moved"):
        if state.path is None:
            message = "its folder was left out of the record on request"
            return Check.not_checked("dataset", "not checked", message)
        message = f"{elsewhere} has the bytes that were trained on"
        return Check.passed("dataset", "same", message)
    if state.verdict == "same":
        return Check.passed("dataset", "same", f"{shown} has the bytes that were trained on")
    if state.sha256 is not None:
        told, particulars = f"{shown} has other bytes now", {"sha256": state.sha256}
        sentence = f"The dataset {shown} has changed."
        if state.same_lines:
            told = f"{shown} has other line ends now, and nothing else has changed"
            sentence = (
                f"The dataset {shown} has other line ends than it had. Git writes them anew where"
                " `core.autocrlf` is set, unless `.gitattributes` says `*.csv -text`."
            )
        finding = Finding(rule, sentence, recorded, None, fingerprint, state.sha256)
        return Check.failed("dataset", state.verdict, told, (finding,), **particulars)
    particulars = {}
    if state.path is not None:
        told, particulars = f"{shown} lies at {elsewhere} now", {"path": state.path}
        sentence = f"The dataset {shown} has moved: {elsewhere} has its bytes."
    elif state.reason is not None:
        told, sentence = f"{shown} cannot be read", state.reason
    else:
        told, sentence = f"{shown} is not there", f"The dataset {shown} is gone."
    finding = Finding(rule, sentence, recorded)
    return Check.failed("dataset", state.verdict, told, (finding,), **particulars)


def _signature(folder: CheckedRun, around: Surroundings) -> tuple[Check, Signature | None]:
    path, public_key = folder.path, around.public_key
    file = signature_path(path)
    if around.store is not None and file.parent == around.store.signatures:
        try:
            refuse_detour(file.parent)
        except RunForgeError as error:
            detour = Finding("signature.no-links", error.message, around.relative(file.parent))
            return Check.failed("signature", "unsafe", "it is not looked at", (detour,)), None
    if not os.path.lexists(file):
        if public_key is None:
            return Check.not_checked("signature", "none", ""), None
        finding = Finding("signature.exists", "The run has no signature.", around.relative(file))
        return Check.failed("signature", "none", "", (finding,)), None
    signature: Signature
    try:
        if public_key is None:
            signature = compare_claim(path, _digests(folder))
            message = "it fits the run; give --public-key to learn whether it holds"
            named = {"claimed_key": signature.key} if signature.key else {}
            return Check.not_checked("signature", "not checked", message, **named), signature
        signature = verify_signature(path, public_key, found=_digests(folder))
    except RunForgeError as error:
        findings = tuple(_refusal(error, around.relative(file)))
        return Check.failed("signature", "invalid", "it does not hold", findings), None
    message = f"made with the key {signature.key[:16]}…"
    return Check.passed("signature", "valid", message, key=signature.key), signature


def _digests(folder: CheckedRun) -> FolderDigests | None:
    """Return the digests of the bytes that were read; None where a signature needs a closer look.

    Such as for links, and for names that are no text.
    """
    if not folder.is_regular:
        return None
    files = {name: fact.sha256 for name, fact in sorted(folder.files.items())}
    return FolderDigests(files, irregular={})


def _refusal(error: RunForgeError, file: str) -> list[Finding]:
    if not error.problems:
        return [Finding("signature.holds", error.message, file)]
    return [
        Finding("signature.files", problem.message, problem.location.path)
        for problem in error.problems
    ]
