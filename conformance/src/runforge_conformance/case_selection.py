"""Selection of the cases to run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import msgspec
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_conformance._generated.cases_v1 import Case
from runforge_conformance._generated.protocol_v1 import Started
from runforge_conformance.vectors import ROLE_OF, all_cases, requirements

_SHARED = ("request.v1", "result.v1")


def select(
    cases: Iterable[Case],
    roles: Sequence[str] | None = None,
    level: str | None = None,
    patterns: Sequence[str] | None = None,
) -> list[Case]:
    """Return the cases of these roles and this level whose ids match one of the patterns.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if no case matches: a run without cases proves nothing.
    """
    known = requirements()
    found = [
        case
        for case in cases
        if (not roles or ROLE_OF[case.op] in roles)
        and (level is None or known[case.requirement].level == level)
        and (not patterns or any(fnmatchcase(case.id, pattern) for pattern in patterns))
    ]
    if not found:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "No case fits.",
            hint="`runforge-conformance list` shows all of them.",
        )
    return found


def is_declared(document: str, started: Started) -> bool:
    """Return whether a client declares a document; without a list it declares all."""
    return started.documents is msgspec.UNSET or document in started.documents


def smoke_cases(started: Started) -> list[Case]:
    """Return a few cases for a client: for each operation, one to accept and one to reject.

    Select only from what the client declares; shared documents come first.
    """
    chosen: dict[tuple[str, str], Case] = {}
    for case in sorted(all_cases(), key=lambda case: case.document not in _SHARED):
        known = not case.document or is_declared(case.document, started)
        if ROLE_OF[case.op] in started.roles and known:
            chosen.setdefault((case.op, case.expect.outcome), case)
    return [case for (_, outcome), case in chosen.items() if outcome != "either"]
