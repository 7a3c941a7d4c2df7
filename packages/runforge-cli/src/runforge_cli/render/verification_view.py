"""What was found when a run, or a whole store, was verified, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from runforge_contracts.display import shorten

from runforge_cli.render.text_layout import pairs, paragraph, plural

if TYPE_CHECKING:
    from runforge_contracts.invariants.finding import Finding
    from runforge_engine.verification.check_result import Check
    from runforge_engine.verification.verify_run import RunVerification
    from runforge_engine.verification.verify_store import StoreVerification

#: Findings and names shown of one kind; `--json` has them all.
_SHOWN = 20


def verification_lines(
    stores: Sequence[StoreVerification], runs: Iterable[RunVerification], *, verbose: bool
) -> Iterator[str]:
    """Give the lines on stores and runs.

    Parameters
    ----------
    stores
        Stores that were verified as a whole.
    runs
        The runs; of a store only those are shown that something stands against.
    verbose
        Show all runs of a store.
    """
    for number, store in enumerate(stores):
        yield from [""] if number else []
        yield from _store(store)
    shown = [run for run in runs if not stores or verbose or not run.holds]
    for number, run in enumerate(shown):
        yield from [""] if number or stores else []
        yield from paragraph(f"Run {run.run_id}: {_verdict(run.holds)}{_limits(run)}")
        yield from _checks(run.checks)


def _verdict(holds: bool) -> str:
    return "verified" if holds else "NOT VERIFIED"


def _limits(run: RunVerification) -> str:
    unknown = any(check.name == "files" and check.outcome == "not checked" for check in run.checks)
    return ", as far as it can be" if run.holds and unknown else ""


def _store(store: StoreVerification) -> Iterator[str]:
    yield from paragraph(f"Store {store.store}: {_verdict(store.holds)}")
    yield from _checks(store.checks, _without_result(store))


def _without_result(store: StoreVerification) -> Iterator[tuple[str, str]]:
    """Give the runs that there is nothing to hold to."""
    for name in ("interrupted", "running", "incomplete"):
        runs: tuple[str, ...] = getattr(store, name)
        if runs:
            more = ", …" if len(runs) > _SHOWN else ""
            yield name, f"{len(runs):,}: {', '.join(runs[:_SHOWN])}{more}"


def _checks(checks: tuple[Check, ...], besides: Iterable[tuple[str, str]] = ()) -> Iterator[str]:
    told = [
        (check.name, ": ".join(filter(None, (check.verdict, check.message)))) for check in checks
    ]
    yield from pairs([*told, *besides])
    for check in checks:
        if not check.findings:
            continue
        yield ""
        yield from paragraph(
            f"{check.name}: {plural(len(check.findings), 'broken rule')}", indent=2
        )
        yield from finding_lines(check.findings)
        if check.hint:
            yield from paragraph(f"hint: {check.hint}", indent=4)


def finding_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Give the lines on broken rules, and where they are broken."""
    for finding in findings[:_SHOWN]:
        yield from pairs([("-", f"{shorten(finding.message, 400)} [{finding.rule}]")], indent=4)
        for line in _particulars(finding):
            yield from pairs([("", line)], indent=5)
    if len(findings) > _SHOWN:
        yield from pairs([("…", f"and {len(findings) - _SHOWN:,} more")], indent=4)


def _particulars(finding: Finding) -> Iterator[str]:
    """Give where a finding was made, and what stands there, as far as it is short."""
    place = (finding.file or "") + (f"#{finding.pointer}" if finding.pointer else "")
    if place:
        yield f"in {shorten(place, 400)}"
    for word, side in (("expected", finding.expected), ("found", finding.found)):
        if isinstance(side, str | int | float):
            yield f"{word} {shorten(str(side), 80)}"
