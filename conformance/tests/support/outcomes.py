"""Outcomes of runs that were not run: every case passes but those that a test names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import msgspec
from runforge_conformance._generated.cases_v1 import Case
from runforge_conformance._generated.protocol_v1 import Client, Started
from runforge_conformance._generated.report_v1 import Finding, Result
from runforge_conformance.runner import CaseOutcome
from runforge_conformance.vectors import ROLE_OF, all_cases, requirements

CLIENT = Client(name="my-client", version="1.0", language="Go")


def outcome_of(
    roles: Sequence[str] = ("reader", "editor"),
    documents: Sequence[str] | None = ("request.v1",),
    failing: Mapping[str, Result] | None = None,
    cases: Iterable[Case] | None = None,
) -> CaseOutcome:
    """Return the outcome of a run of all cases, or of some, in which a few have another result."""
    named = documents is not None
    started = Started(
        protocol=1,
        client=CLIENT,
        roles=list(roles),  # type: ignore[arg-type]
        documents=list(documents or ()) if named else msgspec.UNSET,
    )
    changed = failing or {}
    results = []
    for case in all_cases() if cases is None else cases:
        mine = ROLE_OF[case.op] in roles
        mine = mine and (not case.document or not named or case.document in (documents or ()))
        results.append(changed.get(case.id) or result(case.id, "passed" if mine else "skipped"))
    return CaseOutcome(started=started, results=results, seconds=2.5, seed=7)


def result(case: str, outcome: str, *problems: Finding, **more: str) -> Result:
    """Return the result of a case, at the level that its problems have."""
    known, requirement = requirements(), requirement_of(case)
    levels = [known[problem.requirement].level for problem in problems]
    order = ["core", "recommended", "strict"]
    return Result(
        case=case,
        requirement=requirement,
        level=min(levels or [known[requirement].level], key=order.index),
        outcome=outcome,  # type: ignore[arg-type]
        seconds=0.001,
        problems=list(problems),
        **more,  # type: ignore[arg-type]
    )


def requirement_of(case: str) -> str:
    """Return the requirement that a case checks."""
    return _by_case()[case]


@cache
def _by_case() -> dict[str, str]:
    return {case.id: case.requirement for case in all_cases()}
