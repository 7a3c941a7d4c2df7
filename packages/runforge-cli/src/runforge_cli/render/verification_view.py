"""The verification of runs and stores as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from runforge_contracts.display import shorten

from runforge_cli.terminal.text_layout import pairs, paragraph, plural

if TYPE_CHECKING:
    from runforge_contracts.invariants.finding import Finding
    from runforge_engine.verification.check_result import Check, Verdict
    from runforge_engine.verification.verify_evaluation import EvaluationVerification
    from runforge_engine.verification.verify_run import RunVerification
    from runforge_engine.verification.verify_store import StoreVerification

#: Maximum number of findings and names of each kind; `--json` has all of them.
_SHOWN = 20
#: How a verdict is put into words, where not as it is.
_WORDS = {
    "not verified": "NOT VERIFIED",
    "unverifiable": "CANNOT BE VERIFIED, though nothing contradicts it",
}


def verification_lines(
    stores: Sequence[StoreVerification],
    runs: Iterable[RunVerification | EvaluationVerification],
    *,
    verbose: bool,
) -> Iterator[str]:
    """Yield the lines on stores, runs and evaluations.

    Parameters
    ----------
    stores
        Stores that were verified as a whole.
    runs
        Runs and evaluations; those of a store are shown only if they have findings.
    verbose
        Whether to show all of a store.
    """
    for number, store in enumerate(stores):
        yield from [""] if number else []
        yield from _store(store)
    shown = [run for run in runs if not stores or verbose or not run.holds]
    for number, run in enumerate(shown):
        yield from [""] if number or stores else []
        yield from paragraph(f"{_title(run)}: {_verdict(run.verdict)}")
        yield from _checks(run.checks)


def _verdict(verdict: Verdict) -> str:
    return _WORDS.get(verdict, verdict)


def _title(run: RunVerification | EvaluationVerification) -> str:
    from runforge_engine.verification.verify_run import RunVerification

    if not isinstance(run, RunVerification):
        return f"Evaluation {run.evaluation_id}" + (
            f" of the run {run.run_id}" if run.run_id else ""
        )
    if run.view is None:
        return f"Run {run.run_id}"
    return f"View {shorten(run.run_dir, 200)} of the run {run.run_id}"


def _store(store: StoreVerification) -> Iterator[str]:
    yield from paragraph(f"Store {store.store}: {_verdict(store.verdict)}")
    yield from _checks(store.checks, _without_result(store))


def _without_result(store: StoreVerification) -> Iterator[tuple[str, str]]:
    """Yield the unfinished runs of a store, by state."""
    for name in ("interrupted", "running", "incomplete"):
        runs: tuple[str, ...] = getattr(store, name)
        if runs:
            more = ", …" if len(runs) > _SHOWN else ""
            yield name, f"{len(runs):,}: {', '.join(runs[:_SHOWN])}{more}"


def _checks(checks: tuple[Check, ...], besides: Iterable[tuple[str, str]] = ()) -> Iterator[str]:
    results = [
        (check.name, ": ".join(filter(None, (check.verdict, check.message)))) for check in checks
    ]
    yield from pairs([*results, *besides])
    for check in checks:
        if not check.findings:
            continue
        yield ""
        yield from paragraph(f"{check.name}: {plural(len(check.findings), 'finding')}", indent=2)
        yield from finding_lines(check.findings)
        if check.hint:
            yield from paragraph(f"hint: {check.hint}", indent=4)


def finding_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield the lines on findings, with their locations."""
    for finding in findings[:_SHOWN]:
        yield from pairs([("-", f"{shorten(finding.message, 400)} [{finding.rule}]")], indent=4)
        for line in _particulars(finding):
            yield from pairs([("", line)], indent=5)
    if len(findings) > _SHOWN:
        yield from pairs([("…", f"and {len(findings) - _SHOWN:,} more")], indent=4)


def _particulars(finding: Finding) -> Iterator[str]:
    """Yield the location of a finding, and the expected and found values if they are short."""
    location = (finding.file or "") + (f"#{finding.pointer}" if finding.pointer else "")
    if location:
        yield f"in {shorten(location, 400)}"
    for word, side in (("expected", finding.expected), ("found", finding.found)):
        if isinstance(side, str | int | float):
            yield f"{word} {shorten(str(side), 80)}"
