"""Plans of sweeps: reading one, and the runs that it makes.

A plan is checked whole: every problem of every member is found before anything is written.

Source: specification, sections 20.1 to 20.5.
"""

from __future__ import annotations

import copy
import itertools
import math
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

from runforge_contracts.codec.pointers import format_pointer, parse_pointer
from runforge_contracts.codec.strict_json import MAX_BYTES
from runforge_contracts.display import quote
from runforge_contracts.documents import Document
from runforge_contracts.errors import (
    DocumentError,
    ErrorCode,
    Location,
    Problem,
    RunForgeError,
)
from runforge_contracts.fs.files import read_file
from runforge_contracts.sweeps.request_paths import (
    OF_SWEEP,
    REQUEST,
    Place,
    parse_path,
    set_place,
)
from runforge_contracts.types import SweepPlanV1
from runforge_contracts.validation import MAX_PROBLEMS, validate, violations

#: How many members a plan may make.
MAX_MEMBERS = 10_000
#: The name of a client that made a request, if nothing in the plan says who it was.
_SOMEONE = "runforge-contracts@0"


class PlanMember(Struct, frozen=True):
    """One run that a plan makes."""

    #: Position in the plan, from 1.
    number: int
    #: What the member sets in the request, with the paths as the plan has them; None removes.
    overrides: dict[str, Any]
    #: The raw ``request.v1``, without the group and the member.
    request: dict[str, Any]


def member_request(member: PlanMember, group_id: str) -> dict[str, Any]:
    """Return the raw request of a member as its run folder has it: with group and member."""
    return {**member.request, "sweep_group_id": group_id, "sweep_member": member.number}


def read_plan(path: str | os.PathLike[str]) -> Document[SweepPlanV1]:
    """Read the plan at ``path`` and check its form.

    Raises
    ------
    RunForgeError
        ``PLAN_INVALID`` if the file is no valid ``sweep_plan.v1``; ``FILE_NOT_FOUND`` or another
        code of :func:`~runforge_contracts.fs.files.read_file`.
    """
    path = Path(path)
    data = read_file(path, max_bytes=MAX_BYTES, too_large=ErrorCode.JSON_TOO_LARGE)
    return parse_plan(data, path)


def parse_plan(data: bytes, path: Path) -> Document[SweepPlanV1]:
    """Return the plan with the bytes of a file; raise ``PLAN_INVALID`` if it is not valid."""
    try:
        return Document[SweepPlanV1].parse(data, SweepPlanV1, path=path)
    except DocumentError as error:
        raise _invalid_form(error) from error


def plan_from(raw: dict[str, Any], path: Path | None = None) -> Document[SweepPlanV1]:
    """Return the plan with a raw object; raise ``PLAN_INVALID`` if it is not valid."""
    try:
        validate(raw, "sweep_plan.v1", path=None if path is None else str(path))
    except DocumentError as error:
        raise _invalid_form(error) from error
    return Document(raw, "sweep_plan.v1", path=path)


def plan_members(
    plan: Document[SweepPlanV1],
    *,
    created_at: str | None = None,
    created_by: str | None = None,
    check: Callable[[PlanMember], object] | None = None,
) -> list[PlanMember]:
    """Return the runs that a plan makes, in their order.

    Parameters
    ----------
    plan
        The plan.
    created_at, created_by
        Time and author of the requests; by default those of the base request, else those of the
        plan, else the current time.
    check
        Called with each member whose request is valid; an error that it raises is a problem of the
        plan, too.

    Raises
    ------
    RunForgeError
        ``PLAN_INVALID`` with all problems, each with its place in the plan.

    Source: specification, sections 20.4 and 20.5.
    """
    content = plan.content
    problems = _Problems(None if plan.path is None else str(plan.path))
    base = _base_request(content, created_at, created_by)
    members: list[PlanMember] = []
    choices = _choices(content["strategy"], problems)
    # Members whose paths are wrong have no requests.
    for number, chosen in enumerate(() if problems else choices, start=1):
        members.append(_member(number, base, chosen, problems, check))
        if problems.are_enough:
            break
    if problems:
        raise problems.error()
    return members


class _Override(NamedTuple):
    """A value for one place in the request."""

    path: str
    place: Place
    value: Any
    #: Where the plan has the value.
    pointer: str


class _Problems:
    """What is wrong with a plan."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._found: dict[tuple[str, str], Problem] = {}

    def add(self, pointer: str, message: str, hint: str | None = None, before: str = "") -> None:
        """Add a problem, unless it is known: most members share most of their request.

        Parameters
        ----------
        pointer, message, hint
            Those of the problem.
        before
            Start of the message, which may differ between reports of the same problem.
        """
        problem = Problem(before + message, Location(path=self._path, pointer=pointer), hint)
        self._found.setdefault((pointer, message), problem)

    @property
    def are_enough(self) -> bool:
        """Whether no more problems are reported."""
        return len(self._found) >= MAX_PROBLEMS

    def __bool__(self) -> bool:
        return bool(self._found)

    def error(self) -> RunForgeError:
        """Return the error with all problems."""
        return _invalid(list(self._found.values()), self._path)


def _invalid(problems: Sequence[Problem], path: str | None) -> RunForgeError:
    first = problems[0]
    more = f" ({len(problems)} mistakes)" if len(problems) > 1 else ""
    return RunForgeError(
        ErrorCode.PLAN_INVALID,
        f"The plan cannot be executed{more}: {first.message}",
        hint=first.hint,
        path=path,
        pointer=first.location.pointer,
        problems=problems if len(problems) > 1 else (),
    )


def _invalid_form(error: DocumentError) -> RunForgeError:
    return RunForgeError(
        ErrorCode.PLAN_INVALID,
        f"The plan cannot be executed: {error.message}",
        hint=error.hint,
        path=error.location.path,
        pointer=error.location.pointer,
        problems=error.problems,
    )


def _base_request(
    content: dict[str, Any], created_at: str | None, created_by: str | None
) -> dict[str, Any]:
    """Return the base request with its time and author, and without what no member inherits."""
    base = {
        name: value
        for name, value in content["base_request"].items()
        if name != "rerun_from" and not name.startswith(OF_SWEEP)
    }
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    for name, given, default in (
        ("created_at", created_at, now),
        ("created_by", created_by, _SOMEONE),
    ):
        base[name] = given or base.get(name) or _valid_member(name, content.get(name)) or default
    return base


def _valid_member(name: str, value: Any) -> Any:
    """Return a member of a plan if a request may have it; other clients write local times."""
    sample = {
        "version": 1,
        "preset": "custom",
        "dataset": {"path": "-", "label_column": "-"},
        "model": {"family": "logistic_regression"},
        "device": {"type": "cpu"},
        "created_at": "2026-01-01T00:00:00Z",
        "created_by": _SOMEONE,
    }
    return None if violations({**sample, name: value}, REQUEST) else value


def _choices(strategy: dict[str, Any], problems: _Problems) -> Iterator[tuple[_Override, ...]]:
    """Return the overrides of each member in order, and add what is wrong with their paths."""
    if strategy["type"] == "list":
        return iter(_listed(strategy["runs"], problems))
    parameters = strategy["parameters"]
    columns = []
    for index, parameter in enumerate(parameters):
        where = f"/strategy/parameters/{index}"
        place = _place(parameter["path"], f"{where}/path", problems)
        columns.append(
            [
                _Override(parameter["path"], place, value, f"{where}/values/{position}")
                for position, value in enumerate(parameter["values"])
            ]
        )
    _refuse_overlaps(
        [column[0] for column in columns],
        [f"/strategy/parameters/{index}/path" for index in range(len(columns))],
        problems,
    )
    total = math.prod(map(len, columns))
    if total > MAX_MEMBERS:
        problems.add(
            "/strategy/parameters",
            f"The plan makes {total:,} runs; at most {MAX_MEMBERS:,} are possible.",
            "Make several plans of it.",
        )
    return itertools.product(*columns)


def _listed(runs: list[dict[str, Any]], problems: _Problems) -> list[tuple[_Override, ...]]:
    found = []
    for index, overrides in enumerate(runs):
        pointers = [format_pointer(("strategy", "runs", index, path)) for path in overrides]
        chosen = [
            _Override(path, _place(path, pointer, problems), value, pointer)
            for (path, value), pointer in zip(overrides.items(), pointers, strict=True)
        ]
        _refuse_overlaps(chosen, pointers, problems)
        found.append(tuple(chosen))
    return found


def _place(path: str, pointer: str, problems: _Problems) -> Place:
    try:
        return parse_path(path)
    except RunForgeError as error:
        problems.add(pointer, error.message, error.hint)
        return ()


def _refuse_overlaps(
    overrides: Sequence[_Override], pointers: Sequence[str], problems: _Problems
) -> None:
    """Add a problem for each path that leads to the same member as an earlier one, or inside it."""
    seen: dict[Place, str] = {}
    above: dict[Place, str] = {}
    for override, pointer in zip(overrides, pointers, strict=True):
        place = override.place
        if not place:
            continue
        parts = [place[:depth] for depth in range(1, len(place) + 1)]
        other = next((seen[part] for part in parts if part in seen), above.get(place))
        if other is not None:
            problems.add(
                pointer,
                f"The paths {quote(other)} and {quote(override.path)} set the same member.",
                "Keep one of them.",
            )
        seen.setdefault(place, override.path)
        for part in parts:
            above.setdefault(part, override.path)


def _member(
    number: int,
    base: dict[str, Any],
    chosen: Sequence[_Override],
    problems: _Problems,
    check: Callable[[PlanMember], object] | None,
) -> PlanMember:
    request = copy.deepcopy(base)
    member = PlanMember(number, {item.path: item.value for item in chosen}, request)
    try:
        for override in chosen:
            set_place(request, override.place, copy.deepcopy(override.value))
    except RunForgeError as error:
        # The places of a member do not overlap: it is the base request that is in the way.
        problems.add(f"/base_request{error.location.pointer}", error.message)
    else:
        found = list(violations(request, REQUEST))
        if check is not None and not found:
            try:
                check(member)
            except RunForgeError as error:
                found = [*error.problems] or [Problem(error.message, error.location, error.hint)]
        for problem in found:
            _add_of_request(problem, number, chosen, problems)
    return member


def _add_of_request(
    problem: Problem, number: int, chosen: Sequence[_Override], problems: _Problems
) -> None:
    """Add a problem of a member's request, at the place in the plan where it comes from."""
    found = tuple(parse_pointer(problem.location.pointer or ""))
    for override in chosen:
        shared = min(len(override.place), len(found))
        if override.place[:shared] == found[:shared] and shared:
            inside = found[len(override.place) :] if override.value is not None else ()
            problems.add(
                override.pointer + format_pointer(inside),
                problem.message,
                problem.hint,
                f"The request of run {number} is not valid: ",
            )
            return
    problems.add(
        "/base_request" + format_pointer(found),
        problem.message,
        problem.hint,
        "The base request is not valid: ",
    )
