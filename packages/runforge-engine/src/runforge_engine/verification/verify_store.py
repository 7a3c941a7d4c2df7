"""Every check of a store: all of its runs, its index, and what was signed."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.display import quote
from runforge_contracts.errors import RunForgeError
from runforge_contracts.invariants.document_form import key_order, written_form
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.invariants.store_invariants import (
    entry_findings,
    once_findings,
    order_notes,
)
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.lookup import no_store
from runforge_contracts.store.reading import MAX_INDEX_BYTES, locate_run
from runforge_contracts.validation import validate

from runforge_engine.provenance.signing import read_claim, read_signature, signatures_of
from runforge_engine.runtime.folder_lock import is_held, wait_until_free
from runforge_engine.store.index_chain import IndexHead
from runforge_engine.store.scan import children, look_at
from runforge_engine.verification.check_result import Check, count, findings_of
from runforge_engine.verification.context import Surroundings
from runforge_engine.verification.dataset_check import Datasets
from runforge_engine.verification.index_heads import head_findings
from runforge_engine.verification.verify_run import RunVerification, verify_run

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey


@dataclass(frozen=True, slots=True)
class StoreVerification:
    """Every check of a store."""

    #: The store's folder and its index, relative to the workspace.
    store: str
    index: str
    #: What was found of the store as a whole.
    checks: tuple[Check, ...]
    runs: tuple[RunVerification, ...]
    #: Runs that were ended before they had a result; there is nothing to hold them to.
    interrupted: tuple[str, ...]
    #: Runs at work.
    running: tuple[str, ...]
    #: Runs that have not begun, or of which nobody can tell whether they are at work.
    incomplete: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing stands against the store or one of its runs."""
        whole = all(check.outcome != "failed" for check in self.checks)
        return whole and all(run.holds for run in self.runs)

    def to_dict(self) -> dict[str, Any]:
        """Return the verification as its schema has it, without the runs."""
        return {
            "store": self.store,
            "index": self.index,
            "verdict": "verified" if self.holds else "not verified",
            "checks": [check.to_dict() for check in self.checks],
            "findings": findings_of(self.checks),
            "interrupted": list(self.interrupted),
            "running": list(self.running),
            "incomplete": list(self.incomplete),
        }


def verify_store(
    store: StoreLayout,
    *,
    public_key: Path | EllipticCurvePublicKey | None = None,
    datasets: Datasets | None = None,
    with_dataset: bool = True,
) -> StoreVerification:
    """Check every run of a store, its index, and that nothing is lost that was signed.

    Parameters
    ----------
    store
        Where to look.
    public_key
        A PEM file, from a source that is trusted, or the key that was read from one; a run without
        a signature then fails, and so does a store without a run.
    datasets
        The datasets of the workspace, where those of other runs are looked at as well.
    with_dataset
        Whether to look at the datasets.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_FOUND``; ``FILE_UNSAFE`` where the store is a symbolic link;
        ``FILE_UNREADABLE``; ``KEY_INVALID`` and ``FILE_NOT_FOUND`` for the key.
    """
    if not store.root.is_dir():
        raise no_store(store)
    folders, aside, links = _look(store)
    # After the folders: a run is listed before it is let go.
    around = Surroundings(store, store.workspace, public_key, datasets)
    signatures, detour = _signatures_of(store)
    for name in list(aside):
        # What was listed or signed had a result once, whoever holds its folder now.
        if name in around.places or name in signatures:
            folders.append(store.run_folder(name))
            del aside[name]
    elsewhere, lost = _listed(around, {*folders, *map(store.run_folder, aside)})

    def begun(folder: Path) -> tuple[str, float, str]:
        # Of two runs that began in the same second the one that is listed first.
        second, _, _ = folder.name.rpartition("-")
        return second, around.places.get(folder.name, [math.inf])[0], folder.name

    runs = tuple(
        verify_run(folder, around, with_dataset=with_dataset, alone=False)
        for folder in sorted(folders, key=begun) + elsewhere
    )
    signed = {run.run_id: run.signature.content.index_head for run in runs if run.signature}
    return StoreVerification(
        store=store.name,
        index=store.relative(store.index),
        checks=(
            _runs(runs, links, lost),
            _index(around, runs),
            _signatures(around, signatures, runs, signed)
            if detour is None
            else Check.failed("signatures", "unsafe", "they are not looked at", (detour,)),
        ),
        runs=runs,
        interrupted=tuple(name for name, state in aside.items() if state == "interrupted"),
        running=tuple(name for name, state in aside.items() if state == "running"),
        incomplete=tuple(name for name, state in aside.items() if state == "incomplete"),
    )


def _look(store: StoreLayout) -> tuple[list[Path], dict[str, str], list[Finding]]:
    """Return the folders of runs that ended, the state of the others, and links among them."""
    folders, aside, links, held = list[Path](), dict[str, str](), list[Finding](), list[Path]()
    for path, reason in children(store):
        if reason is not None:
            if path.is_symlink():
                message = f"{quote(path.name)} is a symbolic link, which could lead anywhere."
                links.append(Finding("run.no-links", message, store.relative(path)))
            continue
        state: str = "finished"
        if not os.path.lexists(path / layout.RESULT):
            state = look_at(path, store).state
        elif is_held(path):
            held.append(path)
        if state in ("finished", "unreadable"):
            folders.append(path)
        else:
            aside[path.name] = state
    wait_until_free(held)
    return folders, aside, links


def _signatures_of(store: StoreLayout) -> tuple[dict[str, Path], Finding | None]:
    """Return the signatures of a store, and why they are not looked at."""
    try:
        return signatures_of(store), None
    except RunForgeError as error:
        return {}, Finding("signature.no-links", error.message, store.relative(store.signatures))


def _listed(around: Surroundings, known: set[Path]) -> tuple[list[Path], list[Finding]]:
    """Return the folders that the index names elsewhere, and findings for those that are gone."""
    store = around.store
    assert store is not None  # noqa: S101 - this is about a store
    elsewhere, lost = list[Path](), list[Finding]()
    file = store.relative(store.index)
    for number, entry in enumerate(around.entries or ()):
        try:
            path = locate_run(entry, store)
        except RunForgeError:
            path = None
        if path is None or path.is_symlink() or not path.is_dir():
            lost += entry_findings(entry, store, file, f"/runs/{number}")
        elif path not in known:
            known.add(path)
            elsewhere.append(path)
    return elsewhere, lost


def _runs(runs: tuple[RunVerification, ...], links: list[Finding], lost: list[Finding]) -> Check:
    held, findings = sum(run.holds for run in runs), tuple(links + lost)
    message = f"{held:,} of {count(len(runs), 'run')} verified"
    if lost:
        message += f", {count(len(lost), 'folder')} gone"
    if findings:
        return Check.failed("runs", "incomplete", message, findings)
    if not runs:
        return Check.not_checked("runs", "none", "there is no run that has ended")
    if held < len(runs):
        return Check.failed("runs", "not verified", message)
    return Check.passed("runs", "verified", message)


def _index(around: Surroundings, runs: tuple[RunVerification, ...]) -> Check:
    store = around.store
    assert store is not None  # noqa: S101 - this is about a store
    file = store.relative(store.index)
    if around.problem is not None:
        finding = Finding(
            "index.schema", around.problem.message, file, around.problem.location.pointer
        )
        return Check.failed("index", "unreadable", "it cannot be read", (finding,))
    if around.entries is None:
        # Its own runs say so, where they must be listed.
        return Check.not_checked("index", "none", "")
    told = {
        (item.rule, item.pointer) for run in runs for check in run.checks for item in check.findings
    }
    found = [*once_findings(around.entries, file), *_form(around, file)]
    findings = tuple(item for item in found if (item.rule, item.pointer) not in told)
    message = count(len(around.entries), "entry", "entries")
    if found:
        message += "" if findings else "; what is wrong with them is said of their runs"
        return Check.failed("index", "invalid", message, findings)
    message += ", each run once"
    notes = list(order_notes(around.entries, file))
    if notes:
        message += (
            f"; note: {count(len(notes), 'run')} began on an earlier day than the run listed"
            f" before, first at {notes[0].pointer}"
        )
    return Check.passed("index", "valid", message)


def _form(around: Surroundings, file: str) -> Iterator[Finding]:
    """Give where the index is not written as the client wrote it that wrote it last."""
    text = around.index_text
    try:
        index = parse_json(text, max_bytes=MAX_INDEX_BYTES)
        validate(index, "index.v1")
    except RunForgeError as error:
        yield Finding("index.schema", error.message, file, error.location.pointer)
        return
    # Clients before there was a form wrote no status.
    if index["runs"] and "status" in index["runs"][-1]:
        yield from written_form(text, file)
        yield from key_order(index, "index.v1", file)


def _signatures(
    around: Surroundings,
    signatures: dict[str, Path],
    runs: tuple[RunVerification, ...],
    heads: dict[str, IndexHead | None],
) -> Check:
    store = around.store
    assert store is not None  # noqa: S101 - this is about a store
    present = {Path(run.run_dir).name for run in runs}
    findings = list[Finding]()
    for run_id, path in signatures.items():
        if run_id in present:
            continue
        file = around.relative(path)
        message = f"The run {quote(run_id)} was signed, and its folder is gone."
        findings.append(Finding("signature.run", message, file))
        try:
            key = around.public_key
            content = read_claim(path).content if key is None else read_signature(path, key)
            heads[run_id] = content.index_head
        except RunForgeError as error:
            findings.append(Finding("signature.holds", error.message, file))
    findings += head_findings(heads.items(), around)
    total = len(signatures)
    if around.public_key is not None and not runs and not findings:
        message = "The store has no run, so there is nothing in it that the key vouches for."
        missing = Finding("signature.exists", message, store.name)
        return Check.failed("signatures", "none", "there is nothing to vouch for", (missing,))
    if findings:
        message = "they tell of runs or entries that are gone or changed"
        return Check.failed("signatures", "contradicted", message, tuple(findings))
    if not total:
        return Check.not_checked("signatures", "none", "")
    message = f"{count(total, 'signature')}, and nothing is lost that they tell of"
    return Check.passed("signatures", "complete", message)
