"""Verify a store: its runs, evaluations and index, and that nothing signed is missing."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import UNSET
from runforge_contracts.display import quote
from runforge_contracts.errors import RunForgeError
from runforge_contracts.invariants.document_form import key_order, written_form
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.invariants.store_invariants import (
    entry_findings,
    once_findings,
    order_notes,
    origin_findings,
    problem_findings,
)
from runforge_contracts.shared_work import WorkWatch, in_processes, unwatched
from runforge_contracts.store import layout
from runforge_contracts.store.evaluations import is_evaluation_id
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.lookup import no_store
from runforge_contracts.store.reading import StoreIndex, locate_run
from runforge_contracts.store.view_folders import record_of
from runforge_contracts.types import VerificationV1, VerifiedStore

from runforge_engine.provenance.signatures import read_claim, read_signature, signatures_of
from runforge_engine.runtime.clock import document_time
from runforge_engine.runtime.folder_lock import is_held, wait_until_free
from runforge_engine.store.scan import children, look_at
from runforge_engine.verification.alias_check import alias_check
from runforge_engine.verification.check_result import (
    Check,
    CheckVerdict,
    Verdict,
    count,
    finding_structs,
    worst,
)
from runforge_engine.verification.context import Surroundings
from runforge_engine.verification.dataset_check import Datasets
from runforge_engine.verification.index_heads import (
    Signed,
    head_findings,
    is_on_record,
    signed_elsewhere,
)
from runforge_engine.verification.merge_check import merge_check
from runforge_engine.verification.quick_verification import (
    FileStates,
    KeptRun,
    KeptVerifications,
    folder_state,
    noted,
    verify_untouched,
)
from runforge_engine.verification.removal_check import removal_check
from runforge_engine.verification.store_evaluations import evaluation_checks, verify_evaluations
from runforge_engine.verification.verify_evaluation import EvaluationVerification
from runforge_engine.verification.verify_run import RunVerification, verify_run
from runforge_engine.verification.verify_view import verify_view

if TYPE_CHECKING:
    from runforge_engine.provenance.keys import TrustedKeys

#: How many different checks and datasets are held for runs that have the same.
_MOST_IN_COMMON = 1_000


@dataclass(frozen=True, slots=True)
class StoreVerification:
    """The results of all checks of a store."""

    #: The store's folder and its index, relative to the workspace.
    store: str
    index: str
    #: Checks of the store as a whole.
    checks: tuple[Check, ...]
    runs: tuple[RunVerification, ...]
    #: Folders that repeat runs of another store.
    views: tuple[RunVerification, ...]
    evaluations: tuple[EvaluationVerification, ...]
    #: Runs that were interrupted before they had a result; they cannot be verified.
    interrupted: tuple[str, ...]
    #: Runs in progress.
    running: tuple[str, ...]
    #: Runs that have not started, or for which it is unknown whether they are running.
    incomplete: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether no check of the store or of its runs failed."""
        passed = all(check.outcome != "failed" for check in self.checks)
        runs = all(run.holds for run in (*self.runs, *self.views))
        return passed and runs and all(item.holds for item in self.evaluations)

    @property
    def verdict(self) -> Verdict:
        """The worst of the verdicts on the store as a whole and on its runs."""
        own: Verdict = "verified" if self.holds else "not verified"
        return worst([own, *(run.verdict for run in (*self.runs, *self.views))])

    def to_struct(self) -> VerifiedStore:
        """Return the verification as it is in ``verification.v1``, without the runs."""
        return VerifiedStore(
            store=self.store,
            index=self.index,
            verdict=self.verdict,
            checks=[check.to_struct() for check in self.checks],
            findings=finding_structs(self.checks),
            interrupted=list(self.interrupted),
            running=list(self.running),
            incomplete=list(self.incomplete),
        )


def worst_verdict(
    runs: Iterable[RunVerification],
    stores: Iterable[StoreVerification] | None = None,
    evaluations: Iterable[EvaluationVerification] = (),
) -> Verdict:
    """Return the verdict of :func:`verification_document`, of which this has the parameters."""
    return worst(
        [
            *(run.verdict for run in runs),
            *(store.verdict for store in stores or ()),
            *(item.verdict for item in evaluations),
        ]
    )


def verification_document(
    runs: Iterable[RunVerification],
    stores: Iterable[StoreVerification] | None = None,
    evaluations: Iterable[EvaluationVerification] = (),
) -> VerificationV1:
    """Return the document ``verification.v1``.

    Parameters
    ----------
    runs
        All verified runs and views, those of the stores too.
    stores
        The stores that were verified as a whole; None where runs were named.
    evaluations
        All verified evaluations, those of the stores too.
    """
    runs, stores = list(runs), None if stores is None else list(stores)
    evaluations = list(evaluations)
    return VerificationV1(
        schema_version="verification.v1",
        verdict=worst_verdict(runs, stores, evaluations),
        runs=[run.to_struct() for run in runs],
        stores=UNSET if stores is None else [store.to_struct() for store in stores],
        evaluations=[item.to_struct() for item in evaluations] or UNSET,
    )


def verify_store(
    store: StoreLayout,
    *,
    public_key: TrustedKeys | None = None,
    datasets: Datasets | None = None,
    with_dataset: bool = True,
    kept: KeptVerifications | None = None,
    jobs: int = 1,
    watch: WorkWatch = unwatched,
) -> StoreVerification:
    """Verify every run and evaluation of a store, its index, and that nothing signed is missing.

    Parameters
    ----------
    store
        The store.
    public_key
        As for :class:`~runforge_engine.verification.context.Surroundings`; a run without a
        signature then fails, and so does a store without runs.
    datasets
        The datasets of the workspace, if several verifications share them.
    with_dataset
        Whether to check the datasets.
    kept
        What was verified before: runs that were not touched since are not read again, and those
        that are verified now are noted there. By default everything is read and nothing noted.
    jobs
        How many processes verify the runs, see
        :func:`~runforge_contracts.shared_work.in_processes`.
    watch
        Shows how far it is.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_FOUND``; ``FILE_UNSAFE`` where the store is a symbolic link;
        ``FILE_UNREADABLE``; ``KEY_INVALID`` and ``FILE_NOT_FOUND`` for the key.
    """
    if not store.root.is_dir():
        raise no_store(store)
    beside = list(children(store))
    states = None
    if kept is not None:
        # Meanwhile the index is read here.
        states = FileStates([path for path, reason in beside if reason is None], jobs)
    folders, views, unfinished, links = _scan(store, beside)
    # Read after the folders: a run is listed before its lock is released.
    around = Surroundings(store, store.workspace, public_key, datasets, many=True)
    signatures, detour = _signatures_of(store)
    # What is left of a removal that was not finished is counted by its check.
    removed = around.removals.current
    folders = [folder for folder in folders if folder.name not in removed]
    views = {view: record for view, record in views.items() if view.name not in removed}
    unfinished = {name: state for name, state in unfinished.items() if name not in removed}
    for name in list(unfinished):
        # A run that was listed or signed had a result, even if its folder is locked now.
        if name in around.positions or name in signatures:
            folders.append(store.run_folder(name))
            del unfinished[name]
    known = {*folders, *views, *map(store.run_folder, unfinished)}
    elsewhere, lost = _listed(around, known)

    def start(folder: Path) -> tuple[str, float, str]:
        # Runs that started in the same second are in the order of the index.
        second, _, _ = folder.name.rpartition("-")
        return second, around.positions.get(folder.name, [math.inf])[0], folder.name

    def may_be_signed(folder: Path) -> bool:
        is_elsewhere = folder.parent != store.runs or detour is not None
        return is_elsewhere or folder.name in signatures

    order = sorted(folders, key=start) + elsewhere
    around.prepare()
    verifications, notes = dict[Path, RunVerification](), dict[str, KeptRun]()
    in_common = _InCommon()

    def untouched(folder: Path, state: str | None) -> RunVerification | None:
        note = None if kept is None else kept.runs.get(folder.name)
        if note is None or note.state != state:
            return None
        is_signed = may_be_signed(folder)
        found = verify_untouched(
            folder, around, note, is_signed=is_signed, with_dataset=with_dataset
        )
        if found is not None:
            notes[folder.name] = note
        return found

    def verified(item: tuple[Path, str | None]) -> tuple[RunVerification, KeptRun | None]:
        folder, state = item
        found = verify_run(folder, around, with_dataset=with_dataset, alone=False)
        # Nobody asks for the digests of so many files.
        return replace(found, digests=None), noted(found, folder, state)

    def results() -> Iterator[RunVerification]:
        unread = list[tuple[Path, str | None]]()
        for folder in order:
            state = None if states is None else folder_state(folder, states.of(folder), around)
            run = untouched(folder, state)
            if run is None:
                unread.append((folder, state))
            else:
                verifications[folder] = in_common.of(run)
                yield run
        read = in_processes(verified, unread, jobs)
        for (folder, _), (run, note) in zip(unread, read, strict=True):
            verifications[folder] = in_common.of(run)
            if note is not None:
                notes[folder.name] = note
            yield run

    for _ in watch("Verifying runs", results(), len(order)):
        pass
    runs = tuple(verifications[folder] for folder in order)
    if kept is not None:
        kept.keep(notes)
    verified_views = tuple(verify_view(*pair, around) for pair in views.items())
    evaluations = verify_evaluations(around, with_dataset=with_dataset)
    signed = [
        *(Signed(run.run_id, run.run_id, run.signature.content) for run in runs if run.signature),
        *(
            Signed(item.evaluation_id, item.run_id or "", item.signature.content)
            for item in evaluations
            if item.signature
        ),
    ]
    signature_check = (
        _signatures(around, signatures, _present(runs, evaluations), signed)
        if detour is None
        else Check.failed("signatures", CheckVerdict.UNSAFE, "they were not checked", (detour,))
    )
    aliases = alias_check(signed, around)
    merges = merge_check(around)
    removals = removal_check(signed, around)
    return StoreVerification(
        store=store.name,
        index=store.relative(store.index),
        checks=(
            _runs(runs, verified_views, links, lost),
            *evaluation_checks(evaluations, around),
            _index(around, runs),
            signature_check,
            *(() if aliases is None else (aliases,)),
            *(() if merges is None else (merges,)),
            *(() if removals is None else (removals,)),
        ),
        runs=runs,
        views=verified_views,
        evaluations=evaluations,
        interrupted=tuple(name for name, state in unfinished.items() if state == "interrupted"),
        running=tuple(name for name, state in unfinished.items() if state == "running"),
        incomplete=tuple(name for name, state in unfinished.items() if state == "incomplete"),
    )


class _InCommon:
    """The checks and datasets of many runs, of which equal ones are held once: most are equal."""

    def __init__(self) -> None:
        self._known = dict[Hashable, Any]()

    def of(self, run: RunVerification) -> RunVerification:
        """Return the verification of a run with the same objects as others have."""
        if not run.holds:
            return run
        same = tuple(
            (check.name, check.outcome, check.verdict, check.message, *check.particulars.items())
            for check in run.checks
        )
        checks, dataset = self._one(same, run.checks), self._one(run.dataset, run.dataset)
        return replace(run, checks=checks, dataset=dataset)

    def _one(self, same: Hashable, value: Any) -> Any:
        if len(self._known) < _MOST_IN_COMMON:
            return self._known.setdefault(same, value)
        return self._known.get(same, value)


def _scan(
    store: StoreLayout, beside: list[tuple[Path, str | None]]
) -> tuple[list[Path], dict[Path, Path], dict[str, str], list[Finding]]:
    """Return the folders of finished runs, views, the state of the others, and links among them.

    Views are returned with the folders of their records.
    """
    folders, unfinished, links, held = list[Path](), dict[str, str](), list[Finding](), list[Path]()
    views = dict[Path, Path]()
    for path, reason in beside:
        if reason is not None:
            if path.is_symlink():
                message = f"{quote(path.name)} is a symbolic link, which could lead anywhere."
                links.append(Finding("run.no-links", message, store.relative(path)))
            continue
        record = record_of(path, store)
        if record is not None:
            views[path] = record
            continue
        state: str = "finished"
        if not os.path.lexists(path / layout.RESULT):
            state = look_at(path, store).state
        elif is_held(path):
            held.append(path)
        if state in ("finished", "unreadable"):
            folders.append(path)
        else:
            unfinished[path.name] = state
    wait_until_free(held)
    return folders, views, unfinished, links


def _signatures_of(store: StoreLayout) -> tuple[dict[str, Path], Finding | None]:
    """Return the signatures of a store, or why they are not checked."""
    try:
        return signatures_of(store), None
    except RunForgeError as error:
        return {}, Finding("signature.no-links", error.message, store.relative(store.signatures))


def _listed(around: Surroundings, known: set[Path]) -> tuple[list[Path], list[Finding]]:
    """Return the folders that the index lists elsewhere, and findings for those missing."""
    store = around.store
    assert store is not None  # noqa: S101 - set by verify_store
    elsewhere, lost = list[Path](), list[Finding]()
    file = store.relative(store.index)
    if around.index is None:
        return elsewhere, lost
    found = {store.relative(path) for path in known}
    for number, run in enumerate(around.listed):
        if run.run_dir in found or run.run_id in around.removals.current:
            continue
        entry = around.index.entries[number]
        try:
            path = locate_run(entry, store)
        except RunForgeError:
            path = None
        if path is None or path.is_symlink() or not path.is_dir():
            lost += entry_findings(entry, store, file, around.index.pointer(number))
        elif path not in known:
            known.add(path)
            elsewhere.append(path)
    return elsewhere, lost


def _runs(
    runs: tuple[RunVerification, ...],
    views: tuple[RunVerification, ...],
    links: list[Finding],
    lost: list[Finding],
) -> Check:
    verdicts, findings = Counter(run.verdict for run in runs), tuple(links + lost)
    same = sum(view.holds for view in views)
    message = ""
    if runs or not views:
        message = f"{verdicts['verified']:,} of {count(len(runs), 'run')} verified"
    if trusted := [run.trusted_since for run in runs if run.trusted_since is not None]:
        message += (
            f"; {len(trusted):,} not read, unchanged since {document_time(min(trusted))} by sizes"
            " and times"
        )
    if unknown := verdicts["unverifiable"]:
        message += f", {unknown:,} cannot be"
    if views:
        message += ", " if message else ""
        message += f"{same:,} of {count(len(views), 'view')} as the runs that they repeat"
    if apart := sum(_lacks_dataset(run) for run in runs):
        message += f", {count(apart, 'dataset')} not checked"
    if lost:
        message += f", {count(len(lost), 'folder')} missing"
    if findings:
        return Check.failed("runs", CheckVerdict.INCOMPLETE, message, findings)
    if not runs and not views:
        return Check.not_checked("runs", CheckVerdict.NONE, "there is no finished run")
    if verdicts["not verified"] or same < len(views):
        return Check.failed("runs", CheckVerdict.NOT_VERIFIED, message)
    if unknown:
        return Check.not_checked("runs", CheckVerdict.UNVERIFIABLE, message)
    return Check.passed("runs", CheckVerdict.VERIFIED, message)


def _lacks_dataset(run: RunVerification) -> bool:
    return any(check.name == "dataset" and check.outcome == "not checked" for check in run.checks)


def _present(
    runs: tuple[RunVerification, ...], evaluations: tuple[EvaluationVerification, ...]
) -> set[str]:
    """Return the names of the folders that signatures may be of."""
    return {Path(run.run_dir).name for run in runs} | {item.evaluation_id for item in evaluations}


def _index(around: Surroundings, runs: tuple[RunVerification, ...]) -> Check:
    store = around.store
    assert store is not None  # noqa: S101 - set by verify_store
    file = store.relative(store.index)
    if around.problem is not None:
        finding = Finding(
            "index.schema", around.problem.message, file, around.problem.location.pointer
        )
        return Check.failed("index", CheckVerdict.UNREADABLE, "it cannot be read", (finding,))
    if around.index is None:
        # Runs that must be listed fail themselves.
        return Check.not_checked("index", CheckVerdict.NONE, "")
    reported = {
        (item.rule, item.pointer) for run in runs for check in run.checks for item in check.findings
    }
    index = around.index
    found = [
        *problem_findings(index, file),
        *once_findings(index, file),
        *origin_findings(index, file),
        *_form(index, file),
    ]
    findings = tuple(item for item in found if (item.rule, item.pointer) not in reported)
    message = count(len(index.raw_entries), "entry", "entries")
    if index.is_foreign:
        message += " of another client"
    if found:
        message += "" if findings else "; the findings are reported with their runs"
        return Check.failed("index", CheckVerdict.INVALID, message, findings)
    message += ", each run once"
    notes = list(order_notes(index, file))
    if notes:
        message += (
            f"; note: {count(len(notes), 'run')} started on an earlier day than the run listed"
            f" before, first at {notes[0].pointer}"
        )
    return Check.passed("index", CheckVerdict.VALID, message)


def _form(index: StoreIndex, file: str) -> Iterator[Finding]:
    """Yield where the index is not in the contract's form; another client's has its own."""
    # Clients before this form was defined wrote no status.
    if not index.is_foreign and index.entries and "status" in index.entries[-1]:
        # Entries are parsed later only where the index has that form.
        if not index.is_parsed_later:
            yield from written_form(index.text, file)
        for part in index.in_parts():
            found = [*key_order(part, "index.v1", file)]
            if found:
                yield from found
                return


def _signatures(
    around: Surroundings,
    signatures: dict[str, Path],
    present: set[str],
    signed: list[Signed],
) -> Check:
    """Return the check of the signatures; those whose folder is missing are added to ``signed``."""
    store = around.store
    assert store is not None  # noqa: S101 - set by verify_store
    findings = list[Finding]()
    for run_id, path in signatures.items():
        if run_id in present:
            continue
        file = around.relative(path)
        what = "evaluation" if is_evaluation_id(run_id) else "run"
        gone = around.removals.evaluations.get(run_id)
        if run_id not in around.removals.current and gone is None:
            message = f"The {what} {quote(run_id)} was signed, but its folder is missing."
            findings.append(Finding(f"signature.{what}", message, file))
        try:
            keys = around.public_keys
            content = read_signature(path, keys) if keys else read_claim(path).content
            signed.append(Signed(run_id, run_id if gone is None else gone[0], content))
            if gone is not None and content.files != {layout.EVALUATION: gone[1]["sha256"]}:
                message = f"{quote(run_id)} was removed with another document than was signed."
                findings.append(Finding("removal.signature", message, file))
        except RunForgeError as error:
            findings.append(Finding("signature.holds", error.message, file))
    findings += head_findings(signed, around)
    total = len(signatures)
    if around.public_keys and not present and not total and not findings:
        message = "The store has no runs, so nothing in it is signed with the key."
        missing = Finding("signature.exists", message, store.name)
        return Check.failed("signatures", CheckVerdict.NONE, "there are no signed runs", (missing,))
    if findings:
        message = "runs or entries that were signed are missing or changed"
        return Check.failed("signatures", CheckVerdict.CONTRADICTED, message, tuple(findings))
    if not total:
        return Check.not_checked("signatures", CheckVerdict.NONE, "")
    message = f"{count(total, 'signature')}, no signed run or entry is missing"
    if removed := sum(run_id in around.removals.current for run_id in signatures):
        message += f"; {removed:,} of removed runs, which had the files that were signed"
    if removed := sum(run_id in around.removals.evaluations for run_id in signatures):
        message += f"; {removed:,} of removed evaluations"
    elsewhere = [item for item in signed if signed_elsewhere(item, around) is not None]
    on_record = sum(is_on_record(item, around) for item in elsewhere)
    if on_record:
        message += f"; {on_record:,} of another store, whose index holds in this one"
    if unknown := len(elsewhere) - on_record:
        message += f"; {unknown:,} of another store, whose index is not checked"
    return Check.passed("signatures", CheckVerdict.COMPLETE, message)
