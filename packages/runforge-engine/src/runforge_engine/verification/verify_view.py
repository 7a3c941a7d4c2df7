"""Verify a view: its files against those of the run that it repeats, and its entry in the index.

Source: specification, section 5.10.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.invariants.store_invariants import describe_view, entry_findings
from runforge_contracts.invariants.view_invariants import ViewComparison, compare_view

from runforge_engine.verification.check_result import Check, CheckVerdict, count
from runforge_engine.verification.context import Surroundings
from runforge_engine.verification.verify_run import RunVerification, ViewNotes

#: Most file names that a message has; `--json` has all of them.
_SHOWN = 5


def verify_view(view: Path, record: Path, around: Surroundings) -> RunVerification:
    """Compare a view with the run in the folder ``record``; the run itself is not verified.

    Parameters
    ----------
    view
        The folder of the view, absolute.
    record
        The folder of the run that it repeats.
    around
        The store of the view.
    """
    comparison = compare_view(view, record)
    return RunVerification(
        record.name,
        around.relative(view),
        (_files(comparison), _index(view, record, around)),
        view=ViewNotes(around.relative(record), comparison.added, comparison.missing),
    )


def _files(comparison: ViewComparison) -> Check:
    besides = [
        f"{words} {_names(files)}"
        for words, files in (("it also has", comparison.added), ("it lacks", comparison.missing))
        if files
    ]
    if comparison.findings:
        message = f"{count(len(comparison.findings), 'file')} not as the run has them"
        return Check.failed(
            "view", CheckVerdict.CHANGED, "; ".join([message, *besides]), comparison.findings
        )
    message = f"{count(len(comparison.same), 'file')}, byte for byte as the run has them"
    return Check.passed("view", CheckVerdict.SAME, "; ".join([message, *besides]))


def _names(files: Sequence[str]) -> str:
    more = f" and {len(files) - _SHOWN:,} more" if len(files) > _SHOWN else ""
    return ", ".join(quote(file) for file in files[:_SHOWN]) + more


def _index(view: Path, record: Path, around: Surroundings) -> Check:
    store = around.store
    if store is None or around.index is None:
        return Check.not_checked("index", CheckVerdict.NOT_CHECKED, "there is none to be read")
    file, described = store.relative(store.index), describe_view(view, record, store)
    findings, listed = list[Finding](), False
    for number in around.positions.get(record.name, ()):
        entry = around.index.entries[number]
        if entry["run_dir"] == store.relative(view):
            listed = True
            pointer = around.index.pointer(number)
            findings += entry_findings(entry, store, file, pointer, {view: described}, whole=False)
    if not listed:
        return Check.not_checked("index", CheckVerdict.NONE, f"{file} does not list the folder")
    if findings:
        message = "its entry differs from the run's documents"
        return Check.failed("index", CheckVerdict.INVALID, message, findings)
    return Check.passed("index", CheckVerdict.VALID, "its entry matches the run's documents")
