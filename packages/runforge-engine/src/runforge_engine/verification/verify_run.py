"""Verify one run: files, documents, statement, index, dataset and signature, in this order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from msgspec import UNSET
from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.display import quote
from runforge_contracts.errors import RunForgeError
from runforge_contracts.invariants.checked_folder import CheckedRun
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.invariants.run_invariants import check_folder, open_folder
from runforge_contracts.store import layout
from runforge_contracts.store.foreign_index import write_entry
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import summary_of
from runforge_contracts.types import VerifiedRun, VerifiedView

from runforge_engine.preparation.run_recipe import recipe_of_run
from runforge_engine.provenance.folder_digest import FolderDigests
from runforge_engine.provenance.privacy import is_left_out
from runforge_engine.runtime.clock import document_time
from runforge_engine.runtime.folder_lock import is_held
from runforge_engine.verification.alias_check import alias_check
from runforge_engine.verification.check_result import (
    Check,
    CheckVerdict,
    Verdict,
    count,
    finding_structs,
)
from runforge_engine.verification.context import Surroundings
from runforge_engine.verification.dataset_check import Datasets
from runforge_engine.verification.foreign_run import id_findings, meaningful, other_client
from runforge_engine.verification.index_entry import index_findings
from runforge_engine.verification.index_heads import (
    Signed,
    head_findings,
    is_on_record,
    signed_elsewhere,
)
from runforge_engine.verification.removal_check import removal_check
from runforge_engine.verification.signature_check import Signature, check_signature
from runforge_engine.verification.statement_check import check_statement

#: Rules about the files themselves; the others are about the contents of documents.
_FILE_RULES = frozenset(
    {
        *("run.no-links", "run.readable", "run.files", "run.pointers", "run.artifact-digests"),
        *("manifest.schema", "manifest.complete", "manifest.digests", "result.artifacts"),
    }
)


@dataclass(frozen=True, slots=True)
class ViewNotes:
    """What a view is a view of, and what its client changed without harm."""

    #: The folder of the run, relative to the workspace.
    record: str
    #: Files that the view has besides those of the run.
    added: tuple[str, ...]
    #: Files of the run that the view lacks.
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunVerification:
    """The results of all checks of a run, or of a view of one."""

    run_id: str
    #: The folder, relative to the workspace if it is in it.
    run_dir: str
    checks: tuple[Check, ...]
    #: The contents of the run's signature, if it matches the folder.
    signature: Signature | None = None
    #: Digests of the bytes that were read; None if the folder is not regular.
    digests: FolderDigests | None = None
    #: For a view.
    view: ViewNotes | None = None
    #: Path and fingerprint of the dataset, as the run recorded them.
    dataset: tuple[str | None, str | None] = (None, None)
    #: When the files were read and verified, if this time only their sizes and times were compared.
    trusted_since: datetime | None = None

    @property
    def holds(self) -> bool:
        """Whether no check failed."""
        return all(check.outcome != "failed" for check in self.checks)

    @property
    def verdict(self) -> Verdict:
        """The verdict on the run as a whole."""
        if not self.holds:
            return "not verified"
        # A signature has the digests of all files, and a view those of its run.
        vouching = ("files", "signature", "view")
        known = any(check.name in vouching and check.outcome == "passed" for check in self.checks)
        return "verified" if known or self.trusted_since is not None else "unverifiable"

    def to_struct(self) -> VerifiedRun:
        """Return the verification as it is in ``verification.v1``."""
        return VerifiedRun(
            run_id=self.run_id,
            run_dir=self.run_dir,
            verdict=self.verdict,
            checks=[check.to_struct() for check in self.checks],
            findings=finding_structs(self.checks),
            view=UNSET
            if self.view is None
            else VerifiedView(
                record=self.view.record,
                added=list(self.view.added),
                missing=list(self.view.missing),
            ),
            trusted_since=UNSET
            if self.trusted_since is None
            else document_time(self.trusted_since),
        )


def verify_run(
    path: Path,
    around: Surroundings,
    *,
    with_dataset: bool = True,
    with_signature: bool = True,
    alone: bool = True,
) -> RunVerification:
    """Verify the run in the folder ``path``.

    Parameters
    ----------
    path
        The run folder, absolute.
    around
        The store, the datasets and the key that the run is compared with.
    with_dataset
        Whether to check the dataset, which may have changed without damage to the run.
    with_signature
        Whether to check the signature.
    alone
        False if the whole store is verified: problems of the index as a whole are then not repeated
        for every run.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_FOUND`` where there is no folder.
    """
    run = open_folder(path, in_store=around.names_by_id(path))
    findings = check_folder(run)
    client = other_client(run, is_listed=bool(around.positions_of(run.expected_id, run.path)))
    # The folder of another client need not have the name of the run.
    run_id = run.expected_id if client is None else run.id
    if client is not None:
        findings = [*id_findings(run), *meaningful(run, findings)]
    elif not run.is_current:
        findings = [*meaningful(run, findings), *(item for item in findings if _is_of_id(item))]
    statement, confirms_files = check_statement(run)
    checks = [
        _files(run, [item for item in findings if _is_of_files(item)], confirms_files, client),
        _documents(run, [item for item in findings if not _is_of_files(item)], client),
        statement,
    ]
    signature_check, signature = (
        check_signature(path, around, _digests(run)) if with_signature else (None, None)
    )
    # The signature has the state of the index at the time of signing.
    signed = None if signature is None else Signed(run_id, run_id, signature.content)
    checks.append(_index(run, run_id, around, signed, client, alone=alone))
    if alone and signed is not None and signed.content.alias_head is not None:
        aliases = alias_check([signed], around)
        checks += [] if aliases is None else [aliases]
    if alone and signed is not None and signed.content.removal_head is not None:
        removals = removal_check([signed], around)
        checks += [] if removals is None else [removals]
    dataset = recorded_dataset(run)
    if with_dataset:
        received = around.is_received(run_id, path)
        checks.append(dataset_check(*dataset, around.datasets, received=received))
        if layout.RECIPE in run.files:
            checks.append(_recipe(run, around.datasets, checks[-1]))
    if signature_check is not None:
        checks.append(signature_check)
    return RunVerification(
        run_id, around.relative(path), tuple(checks), signature, _digests(run), dataset=dataset
    )


def _is_of_id(finding: Finding) -> bool:
    return finding.rule == "run.id"


def _is_of_files(finding: Finding) -> bool:
    return finding.rule in _FILE_RULES or finding.file == layout.MANIFEST


def _files(
    run: CheckedRun, findings: list[Finding], confirmed_by_statement: bool, client: str | None
) -> Check:
    """Compare the files with the manifest and the digests in other documents.

    Parameters
    ----------
    findings
        The violations of rules about files.
    confirmed_by_statement
        Whether the statement has the digests of the files as they are. A difference between a file
        and the manifest is then reported as one of the manifest: two of the three agree.
    client
        The other client that wrote the run; None for RunForge.
    """
    if not {layout.RUN, layout.RESULT, layout.MANIFEST} & run.files.keys():
        running = is_held(run.path)
        message = "it is still running" if running else "it was interrupted, or has not started"
        finding = Finding("run.files", f"The run has no result: {message}.", layout.RESULT)
        verdict = CheckVerdict.RUNNING if running else CheckVerdict.NO_RESULT
        return Check.failed("files", verdict, message, (finding,))
    if confirmed_by_statement:
        findings = [_of_manifest(item) for item in findings]
    if findings:
        message = f"{count(len(findings), 'difference')} from the recorded digests and files"
        return Check.failed("files", CheckVerdict.CHANGED, message, findings)
    if layout.MANIFEST not in run.documents:
        message = (
            "an older client wrote the run, which has no manifest"
            if client is None
            else f"{client} records no digests, so nothing vouches for the model or any other file"
        )
        return Check.not_checked("files", CheckVerdict.NOT_CHECKED, message)
    message = f"{count(len(run.files), 'file')}, byte for byte as the manifest has them"
    return Check.passed("files", CheckVerdict.UNCHANGED, message)


def _of_manifest(finding: Finding) -> Finding:
    """Return a difference between a file and the manifest as a finding about the manifest."""
    if finding.rule != "manifest.digests" or finding.file in (None, layout.MANIFEST):
        return finding
    return replace(
        finding,
        file=layout.MANIFEST,
        pointer=format_pointer(("files", str(finding.file))),
        expected=finding.found,
        found=finding.expected,
    )


def _documents(run: CheckedRun, findings: list[Finding], client: str | None) -> Check:
    if findings:
        message = f"{count(len(findings), 'mistake')} in form or content"
        return Check.failed("documents", CheckVerdict.INVALID, message, findings)
    told = count(len(run.documents), "document") + (f" of {client}" if client else "")
    message = told + (", which are consistent" if len(run.documents) != 1 else "")
    return Check.passed("documents", CheckVerdict.VALID, message)


def _index(
    run: CheckedRun,
    run_id: str,
    around: Surroundings,
    signed: Signed | None,
    client: str | None,
    *,
    alone: bool,
) -> Check:
    store = around.store
    if store is None:
        return Check.not_checked("index", CheckVerdict.NOT_CHECKED, "the folder is in no store")
    file = store.relative(store.index)
    if around.problem is not None and not alone:
        return Check.not_checked("index", CheckVerdict.NOT_CHECKED, "it cannot be read")
    if around.problem is not None:
        found = Finding(
            "index.schema", around.problem.message, file, around.problem.location.pointer
        )
        return Check.failed("index", CheckVerdict.UNREADABLE, "it cannot be read", (found,))
    positions = around.positions_of(run_id, run.path)
    if not positions and around.index is not None and around.index.is_foreign:
        # Clients that keep such an index list only runs that succeeded.
        entry = run.index_entry(store)
        if entry is not None and write_entry(entry, around.index.form, store) is None:
            message = "it is in the form of another client, which has no entry for such a run"
            return Check.not_checked("index", CheckVerdict.NONE, message)
    if not positions and (client is not None or not run.is_current):
        message = f"{client or 'an older client'} wrote the run and did not list it"
        return Check.not_checked("index", CheckVerdict.NONE, message)
    listing = tuple(index_findings(run, run_id, store, around.index, positions))
    if client is not None:
        listing = tuple(meaningful(run, listing))
    heads = tuple(head_findings([signed], around)) if alone and signed is not None else ()
    if not positions:
        return Check.failed(
            "index", CheckVerdict.NOT_LISTED, "it does not list the run", listing + heads
        )
    if listing:
        message = "its entry differs from the run's documents"
        return Check.failed("index", CheckVerdict.INVALID, message, listing + heads)
    if heads:
        message = "its entries changed after the run was signed"
        return Check.failed("index", CheckVerdict.INVALID, message, heads)
    message = "its entry matches the run's documents"
    elsewhere = None if signed is None else signed_elsewhere(signed, around)
    if elsewhere is not None and signed is not None:
        known = "holds" if is_on_record(signed, around) else "is not checked"
        message += f"; its head {known}: signed in another store ({elsewhere[:16]}…)"
    elif around.index is not None and "origin" in (entry := around.index.entries[positions[0]]):
        message += f"; the run came from another store ({entry['origin'][:16]}…)"
    return Check.passed("index", CheckVerdict.VALID, message)


def _recipe(run: CheckedRun, datasets: Datasets, dataset: Check) -> Check:
    """Apply the recipe of a run to its dataset again, and compare the prepared table."""
    used = (run.record or {}).get("dataset") or {}
    if "prepared_sha256" not in used:
        message = "the run has no digest of its prepared table"
        return Check.not_checked("recipe", CheckVerdict.NOT_CHECKED, message)
    path = datasets.file(used["path"], used["fingerprint_sha256"])
    if dataset.outcome != "passed" or path is None:
        message = "the dataset that was trained on is not there"
        return Check.not_checked("recipe", CheckVerdict.NOT_CHECKED, message)
    rule, excluded = "recipe.run", summary_of(run).data.exclude_columns or ()
    try:
        recipe = recipe_of_run(run)
        assert recipe is not None  # noqa: S101 - its digest is required with that of the table
        found = datasets.prepared(path, recipe, excluded)
    except RunForgeError as error:
        message = "the recipe cannot be applied to the dataset"
        finding = Finding(rule, error.message, layout.RECIPE, error.location.pointer)
        return Check.failed("recipe", CheckVerdict.CHANGED, message, (finding,))
    if found != used["prepared_sha256"]:
        message = "the recipe makes another table of the dataset"
        sentence = "The recipe makes another table of the dataset than the one that is recorded."
        finding = Finding(
            *(rule, sentence, layout.RUN, "/dataset/prepared_sha256"),
            expected=used["prepared_sha256"],
            found=found,
        )
        return Check.failed("recipe", CheckVerdict.CHANGED, message, (finding,))
    message = "it makes the table of the dataset that was trained on"
    return Check.passed("recipe", CheckVerdict.SAME, message)


def recorded_dataset(run: Run) -> tuple[str | None, str | None]:
    """Return the path and the fingerprint that a run recorded of its dataset."""
    config = (run.result or {}).get("effective_config") or {}
    used = {**(config.get("dataset") or {}), **((run.record or {}).get("dataset") or {})}
    return used.get("path"), used.get("fingerprint_sha256")


def dataset_check(
    recorded: str | None,
    fingerprint: str | None,
    datasets: Datasets,
    used: str = "trained on",
    *,
    received: bool = False,
) -> Check:
    """Compare a dataset with the digest that a run recorded.

    Parameters
    ----------
    recorded
        Its recorded path.
    fingerprint
        Its recorded SHA-256.
    datasets
        The datasets of the workspace.
    used
        What was done with the dataset.
    received
        Whether the run came from another store: it then need not have its dataset here.
    """
    if recorded is None or fingerprint is None:
        message = "the run has no digest of its dataset"
        return Check.not_checked("dataset", CheckVerdict.NOT_CHECKED, message)
    state, shown = datasets.state(recorded, fingerprint), quote(recorded, 200)
    rule, elsewhere = "dataset.same", quote(state.path, 200)
    if is_left_out(recorded) and state.verdict in (CheckVerdict.MISSING, CheckVerdict.MOVED):
        if state.path is None:
            message = "the folder of its path was left out of the record on request"
            return Check.not_checked("dataset", CheckVerdict.NOT_CHECKED, message)
        message = f"{elsewhere} has the bytes that were {used}"
        return Check.passed("dataset", CheckVerdict.SAME, message)
    if state.verdict == CheckVerdict.SAME:
        message = f"{shown if state.path is None else elsewhere} has the bytes that were {used}"
        particulars = {} if state.path is None else {"path": state.path}
        return Check.passed("dataset", CheckVerdict.SAME, message, **particulars)
    if received and state.verdict in (CheckVerdict.MISSING, CheckVerdict.CHANGED):
        is_other = state.verdict == CheckVerdict.CHANGED
        here = "is another file here" if is_other else "is not here"
        message = f"the run came from another store, and {shown} {here}"
        return Check.not_checked("dataset", CheckVerdict.NOT_CHECKED, message)
    if state.sha256 is not None:
        message, particulars = f"{shown} has changed", {"sha256": state.sha256}
        sentence = f"The dataset {shown} has changed."
        if state.same_lines:
            message = f"only the line endings of {shown} have changed"
            sentence = (
                f"Only the line endings of the dataset {shown} have changed. Git converts them"
                " where `core.autocrlf` is set, unless `.gitattributes` has `*.csv -text`."
            )
        finding = Finding(rule, sentence, recorded, None, fingerprint, state.sha256)
        return Check.failed("dataset", state.verdict, message, (finding,), **particulars)
    particulars = {}
    if state.path is not None:
        message, particulars = f"{shown} is now at {elsewhere}", {"path": state.path}
        sentence = f"The dataset {shown} has moved: {elsewhere} has its bytes."
    elif state.reason is not None:
        message, sentence = f"{shown} cannot be read", state.reason
    else:
        message, sentence = f"{shown} is missing", f"The dataset {shown} is missing."
    finding = Finding(rule, sentence, recorded)
    return Check.failed("dataset", state.verdict, message, (finding,), **particulars)


def _digests(run: CheckedRun) -> FolderDigests | None:
    """Return the digests of the bytes that were read; None if the folder is not regular.

    The signature check then reads the folder itself, to report links and names that are invalid.
    """
    if not run.is_regular:
        return None
    files = {name: fact.sha256 for name, fact in sorted(run.files.items())}
    return FolderDigests(files, irregular={})
