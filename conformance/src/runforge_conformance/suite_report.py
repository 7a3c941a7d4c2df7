"""The report of a run of the suite: its verdict and its counts."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from runforge_conformance import __version__
from runforge_conformance._generated.cases_v1 import Case
from runforge_conformance._generated.protocol_v1 import Started
from runforge_conformance._generated.report_v1 import (
    Filters,
    LevelCount,
    Levels,
    ReportV1,
    Result,
)
from runforge_conformance.runner import LEVELS, PROTOCOL, CaseOutcome
from runforge_conformance.vectors import CONTRACT, ROLE_OF, all_cases, requirements, suffix_of
from runforge_conformance.xfail import ExpectedFailures

#: Outcomes that are not failures.
FINE = ("passed", "skipped", "not-asked")
#: Outcomes of cases that were not for this client.
UNASKED = ("skipped", "not-asked")
#: Roles that are asked about documents, in the order in which they are named.
DOCUMENT_ROLES = ("reader", "editor", "writer")
#: Failures whose standard error is kept; a client may crash in every case.
_STDERR_KEPT = 5


def make_report(
    outcome: CaseOutcome,
    xfails: ExpectedFailures,
    *,
    filters: Filters | None = None,
    command: Sequence[str] = (),
) -> ReportV1:
    """Return the report of a run, with its verdict.

    A run is partial if ``filters`` are given, or if it left out cases of the suite.
    """
    results = _with_expectations(outcome.results, xfails)
    started = outcome.started
    report = ReportV1(
        schema_version="conformance_report.v1",
        suite=__version__,
        protocol=PROTOCOL,
        contract=CONTRACT,
        seed=outcome.seed,
        command=list(command) or msgspec.UNSET,
        client=started.client if started else msgspec.UNSET,
        roles=started.roles if started else msgspec.UNSET,
        documents=started.documents if started else msgspec.UNSET,
        capabilities=list(started.capabilities or ()) if started else msgspec.UNSET,
        filters=filters or msgspec.UNSET,
        verdict="conformant",
        seconds=outcome.seconds,
        counts=dict(sorted(Counter(result.outcome for result in results).items())),
        levels=_levels(results),
        without_cases=_without_cases(started),
        unmatched_xfails=xfails.unmatched(
            (result.case for result in results), (case.id for case in all_cases())
        ),
        problem=outcome.problem or _nothing_asked(started, results, filters) or msgspec.UNSET,
        stderr=outcome.stderr or msgspec.UNSET,
        results=results,
    )
    return msgspec.structs.replace(report, verdict=_verdict(report, broke=bool(outcome.problem)))


def _with_expectations(results: Iterable[Result], xfails: ExpectedFailures) -> list[Result]:
    """Return the results with the reasons of the expected-failure list."""
    found, kept = [], 0
    for result in results:
        changes: dict[str, Any] = {}
        if result.outcome not in FINE:
            xfails.failed(result)
        reason = xfails.reason(result)
        # The list may name cases of other roles of the client, which are skipped here.
        if reason is not None and result.outcome not in UNASKED:
            changes["expected_failure"] = reason
        if result.stderr:
            kept += 1
            changes["stderr"] = result.stderr if kept <= _STDERR_KEPT else msgspec.UNSET
        found.append(msgspec.structs.replace(result, **changes) if changes else result)
    return found


def _levels(results: Iterable[Result]) -> Levels:
    """Return how many cases were asked and passed at each level."""
    by_id = {case.id: case for case in all_cases()}
    counts = {level: Counter[str]() for level in LEVELS}
    for result in results:
        if result.outcome in UNASKED:
            continue
        worst = min((LEVELS.index(level) for level in _levels_broken(result)), default=len(LEVELS))
        asked = _levels_asked(result, by_id.get(result.case)) | set(LEVELS[worst : worst + 1])
        for level in asked:
            counts[level]["asked"] += 1
            # A document that was wrongly accepted says nothing about the code of its refusal.
            if LEVELS.index(level) < worst:
                counts[level]["passed"] += 1
            elif result.expected_failure:
                counts[level]["expected_failures"] += 1
    names = ("asked", "passed", "expected_failures")
    return Levels(
        **{level: LevelCount(**{name: counts[level][name] for name in names}) for level in LEVELS}
    )


def _levels_asked(result: Result, case: Case | None) -> set[str]:
    """Return the levels that a case asks about: its own, and those of the details it names."""
    asked = {result.requirement}
    if case is not None and case.op != "execute":
        is_yaml = suffix_of(case.document or None) == ".yaml"
        details = {
            "errors.code": case.expect.codes,
            "errors.place": case.expect.places,
            "yaml.portable" if is_yaml else "json.form": case.expect.format,
            "json.key-order": case.expect.key_order,
        }
        asked |= {requirement for requirement, wanted in details.items() if wanted}
    return set(_levels_of(asked)) or {result.level}


def _levels_broken(result: Result) -> set[str]:
    """Return the levels at which a case failed."""
    if result.outcome in FINE:
        return set()
    return set(_levels_of(problem.requirement for problem in result.problems)) | {result.level}


def _levels_of(names: Iterable[str]) -> Iterable[str]:
    known = requirements()
    return (known[name].level for name in names if name in known)


def _without_cases(started: Started | None) -> list[str]:
    """Return the declared documents that no case of the declared roles is about."""
    if not started or not set(started.roles) & set(DOCUMENT_ROLES):
        return []
    covered = {case.document for case in all_cases() if ROLE_OF[case.op] in started.roles}
    return sorted(set(started.documents or ()) - covered)


def _nothing_asked(
    started: Started | None, results: Sequence[Result], filters: Filters | None
) -> str | None:
    """Return why no case was asked, or None if one was."""
    if started is None or any(result.outcome not in UNASKED for result in results):
        return None
    if started.documents == [] and set(started.roles) & set(DOCUMENT_ROLES):
        return (
            f"The client declares no documents (`documents: []`), so a {_words(started.roles)}"
            " cannot be asked anything. Name its documents, or leave `documents` out for all."
        )
    who = declared(started.roles, started.documents, without=_without_cases(started))
    if filters is not None:
        return f"No case that {filter_options(filters)} selects is for a {who}."
    return f"No case is for a {who}."


def _verdict(report: ReportV1, *, broke: bool) -> Any:
    failing = [result for result in report.results if result.outcome not in FINE]
    unexpected = [result for result in failing if not result.expected_failure]
    if broke or any(result.outcome == "protocol-error" for result in unexpected):
        return "protocol broken"
    # A failure that the client's own list expects is still one.
    if any(result.level == "core" for result in failing):
        return "not conformant"
    if is_partial(report):
        return "partial"
    passed = any(result.outcome == "passed" for result in report.results)
    return "conformant" if passed else "not conformant"


def is_partial(report: ReportV1) -> bool:
    """Return whether a run left out cases of the suite."""
    run = {result.case for result in report.results}
    return bool(report.filters) or not run.issuperset(case.id for case in all_cases())


def failures(report: ReportV1) -> Iterable[Result]:
    """Yield the results that are unexpected failures."""
    for result in report.results:
        if result.outcome not in FINE and not result.expected_failure:
            yield result


def expected_failures(report: ReportV1) -> list[Result]:
    """Return the results that failed as the list of expected failures says."""
    return [item for item in report.results if item.expected_failure and item.outcome != "passed"]


def unexpected_passes(report: ReportV1) -> list[Result]:
    """Return the results that passed, though the list says that they fail."""
    return [item for item in report.results if item.expected_failure and item.outcome == "passed"]


def has_failed(report: ReportV1) -> bool:
    """Return whether the run fails continuous integration.

    It does with a core failure that is not expected, with a list of expected failures that is out
    of date, and where nothing passed.
    """
    stale = bool(report.unmatched_xfails or unexpected_passes(report))
    broken = any(result.level == "core" for result in failures(report))
    passed = any(result.outcome == "passed" for result in report.results)
    return stale or broken or not passed or report.verdict == "protocol broken"


def not_asked(report: ReportV1) -> dict[str, int]:
    """Return how many cases could not be asked, by the reason."""
    reasons: Counter[str] = Counter()
    for result in report.results:
        if result.outcome == "not-asked":
            reasons[result.problems[0].message if result.problems else "No reason is given."] += 1
    return dict(reasons)


def broken_requirements(report: ReportV1) -> dict[str, list[str]]:
    """Return the cases that broke each requirement."""
    broken: dict[str, list[str]] = {}
    for result in failures(report):
        for requirement in dict.fromkeys(problem.requirement for problem in result.problems):
            broken.setdefault(requirement, []).append(result.case)
    return broken


def headline(report: ReportV1, separator: str = " of ") -> str:
    """Return the roles, documents and counts of a run in one line.

    For example: ``reader of 3 documents, core 410 of 412, 2 expected failures``.
    """
    parts = []
    if report.roles:
        asked = _roles_asked(report)
        roles = [role for role in report.roles if role in asked] or report.roles
        parts.append(declared(roles, report.documents, without=report.without_cases))
    for level in LEVELS:
        count: LevelCount = getattr(report.levels, level)
        if count.asked:
            parts.append(f"{level} {count.passed}{separator}{count.asked}")
    expected, unasked = len(expected_failures(report)), report.counts.get("not-asked", 0)
    if expected:
        parts.append(f"{expected} expected failure{'s' if expected > 1 else ''}")
    if unasked:
        parts.append(f"{unasked} not asked")
    return ", ".join(parts) or "no case was asked"


def _roles_asked(report: ReportV1) -> Sequence[str]:
    return (report.filters and report.filters.roles) or report.roles or ()


def declared(
    roles: Sequence[str],
    documents: Sequence[str] | msgspec.UnsetType,
    *,
    without: Sequence[str] = (),
) -> str:
    """Return what a client declares, such as ``reader and editor of 3 documents, store``.

    Documents ``without`` a case are not counted: nothing is known about them.
    """
    about = [role for role in DOCUMENT_ROLES if role in roles]
    others = [role for role in dict.fromkeys(roles) if role not in DOCUMENT_ROLES]
    parts = []
    if about:
        parts.append(f"{_words(about)} of {_documents(documents, about, without)}")
    if others:
        parts.append(_words(others))
    return ", ".join(parts)


def _documents(
    documents: Sequence[str] | msgspec.UnsetType, roles: Sequence[str], without: Sequence[str]
) -> str:
    if documents is msgspec.UNSET:
        known = {case.document for case in all_cases() if ROLE_OF[case.op] in roles}
        return f"all {len(known)} documents"
    names = sorted(set(documents) - set(without))
    return names[0] if len(names) == 1 else f"{len(names) or 'no'} documents"


def _words(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def filter_options(filters: Filters) -> str:
    """Return filters as the options of the command that they come from."""
    words = [word for role in filters.roles or () for word in ("--role", role)]
    words += ["--level", filters.level] if filters.level else []
    words += [word for pattern in filters.only or () for word in ("--only", pattern)]
    return shlex.join(words)


def no_badge(report: ReportV1) -> str | None:
    """Return why a report has no badge, or None if it has one.

    A badge is for a whole run in which no failure of a core requirement is expected.
    """
    if report.verdict == "protocol broken":
        return "the client could not be tested"
    if is_partial(report):
        return "the run was partial"
    if any(result.level == "core" for result in expected_failures(report)):
        return "a core requirement is among the expected failures"
    return None
