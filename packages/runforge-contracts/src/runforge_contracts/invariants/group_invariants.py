"""Checks of groups of runs: the group agrees with its plan, its runs and itself.

Source: specification, sections 20.6 to 20.8.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.documents import Document
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.folders import list_folder
from runforge_contracts.invariants.checked_folder import refusals
from runforge_contracts.invariants.finding import Finding, close, same, show_value, unequal
from runforge_contracts.schemas import without_nulls
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_contracts.sweeps.groups import GROUP_FORMS, Group, GroupRow, best_member, list_groups
from runforge_contracts.sweeps.plan_members import PlanMember, plan_members

#: Statuses of a member that has ended, each with that of its run.
_ENDED = {"succeeded": "succeeded", "failed": "failed", "canceled": "cancelled"}
#: Members of a request that the client which executes a plan writes.
_OF_CLIENT = ("created_at", "created_by", "sweep_group_id", "sweep_member")


def group_findings(store: StoreLayout) -> Iterator[Finding]:
    """Yield the violations in the groups of a store; those of other clients are only read."""
    if store.groups.is_symlink():
        place = store.groups.relative_to(store.workspace).as_posix()
        message = "The folder of the groups is a symbolic link, which could lead anywhere."
        yield Finding("run.no-links", message, place)
        return
    for child in list_folder(store.groups):
        if child.is_symlink():
            place = store.relative(Path(child.path))
            message = f"{quote(child.name)} is a symbolic link, which could lead anywhere."
            yield Finding("run.no-links", message, place)
    for group in list_groups(store):
        yield from _group(group, store)


def _group(group: Group, store: StoreLayout) -> Iterator[Finding]:
    """Yield the violations in one group."""
    place = store.relative(group.path)
    document, refused = _document(group, layout.GROUP, GROUP_FORMS[0], place)
    yield from refused
    if document is not None and document.name != GROUP_FORMS[0]:
        return
    plan, refused = _document(group, layout.PLAN, "sweep_plan.v1", place)
    yield from refused
    members: dict[int, PlanMember] | None = None
    if plan is not None:
        try:
            members = {member.number: member for member in plan_members(plan)}
        except RunForgeError as error:
            yield Finding(
                "group.plan", error.message, f"{place}/{layout.PLAN}", error.location.pointer
            )
    elif not refused:
        message = f"The group has no {layout.PLAN}."
        yield Finding("group.plan", message, f"{place}/{layout.PLAN}")
    if document is None:
        return
    file = f"{place}/{layout.GROUP}"
    template = "/group_id is {found}; the folder is named {expected}."
    yield from unequal(
        "group.plan", template, file, "/group_id", group.id, document.raw["group_id"]
    )
    rows = group.members()
    if members is not None:
        yield from _of_plan(group, rows, members, file)
    for position, row in enumerate(rows):
        member = None if members is None else members.get(row.member)
        yield from _of_run(group, row, member, store, file, f"/runs/{position}")
    yield from _summary(document.content, rows, file)


def _document(
    group: Group, file: str, schema: str, place: str
) -> tuple[Document[Any] | None, list[Finding]]:
    """Return a document of a group, and the findings if it cannot be read."""
    try:
        return group.document(file), []
    except RunForgeError as error:
        return None, list(refusals(error, f"{place}/{file}", schema))


def _of_plan(
    group: Group, rows: list[GroupRow], members: dict[int, PlanMember], file: str
) -> Iterator[Finding]:
    """Yield where the members of a group are not those of its plan."""
    duplicates = group.duplicates()
    numbers = [row.member for row in rows]
    found = sorted([*numbers, *duplicates])
    if found != sorted(members):
        missing = [number for number in members if number not in found]
        extra = [number for number in found if number not in members]
        repeated = [number for number in dict.fromkeys(found) if found.count(number) > 1]
        parts = [
            f"{words}: {', '.join(map(str, some[:5]))}{', …' if len(some) > 5 else ''}"
            for words, some in (
                ("missing", missing),
                ("not in the plan", extra),
                ("listed twice", repeated),
            )
            if some
        ]
        message = f"The members of the group are not those of the plan ({'; '.join(parts)})."
        yield Finding("group.plan", message, file, "/runs")
    if numbers != sorted(numbers):
        yield Finding("group.plan", "The members are not in the order of the plan.", file, "/runs")
    for position, row in enumerate(rows):
        if row.member in members:
            yield from unequal(
                "group.plan",
                "The group has {found} at {pointer}; the plan has {expected}.",
                file,
                f"/runs/{position}/request_overrides",
                members[row.member].overrides,
                dict(row.overrides),
            )
    for position, (number, same_as) in enumerate(duplicates.items()):
        if same_as not in numbers or same_as >= number:
            message = (
                f"Member {number} is listed as a duplicate of {same_as}, which is not an earlier"
                " member that is executed."
            )
            yield Finding("group.plan", message, file, f"/duplicates/{position}/same_as")


def _of_run(
    group: Group,
    row: GroupRow,
    member: PlanMember | None,
    store: StoreLayout,
    file: str,
    pointer: str,
) -> Iterator[Finding]:
    """Yield where a member is not what its run says; a run whose folder is gone is not compared."""
    if row.run_id is None:
        if row.status in ("succeeded", "failed"):
            message = f"Member {row.member} has {quote(row.status)} and no run."
            yield Finding("group.runs", message, file, f"{pointer}/status")
        return
    path = store.run_folder(row.run_id)
    if path.is_symlink() or not path.is_dir():
        return
    run = Run(path)
    try:
        request = run.document(layout.REQUEST)
        status, metric = run.status, run.primary_metric
    except RunForgeError:
        return  # The findings of the folder report the error.
    if request is not None and request.name == "request.v1":
        yield from _of_request(group, row, member, request, store.relative(path))
    expected = _ENDED.get(row.status)
    if expected is not None and status != expected:
        message = f"Member {row.member} has {quote(row.status)}; its run has {quote(status)}."
        yield Finding("group.runs", message, file, f"{pointer}/status", found=row.status)
    if expected is None or status != expected:
        return
    place = f"{store.relative(path)}/{layout.RESULT}"
    if row.result_ref is not None and row.result_ref != place:
        message = f"{pointer}/result_ref is {quote(row.result_ref, 200)}; the result is {place}."
        yield Finding("group.runs", message, file, f"{pointer}/result_ref", place, row.result_ref)
    agree = (
        metric == row.primary_metric
        if metric is None or row.primary_metric is None
        else metric.name == row.primary_metric.name
        and close(metric.value, row.primary_metric.value)
    )
    # Only a run that succeeded must have one.
    if not agree and (row.status == "succeeded" or row.primary_metric is not None):
        message = (
            f"Member {row.member} has the primary metric {quote(row.primary_metric)}; its run has"
            f" {quote(metric)}."
        )
        yield Finding("group.runs", message, file, f"{pointer}/primary_metric")


def _of_request(
    group: Group,
    row: GroupRow,
    member: PlanMember | None,
    request: Document[Any],
    place: str,
) -> Iterator[Finding]:
    """Yield where the request of a run is not that of the member."""
    file = f"{place}/{layout.REQUEST}"
    for name, expected in (("sweep_group_id", group.id), ("sweep_member", row.member)):
        found = request.content.get(name)
        if not same(expected, found):
            message = (
                f"/{name} is {show_value(found)}; the group has the run as {show_value(expected)}."
            )
            yield Finding("group.runs", message, file, f"/{name}", expected, found)
    if member is None:
        return
    wanted, found = (
        _compared(without_nulls(member.request, request.name)),
        _compared(request.content),
    )
    if _is_outside(wanted["dataset"].get("path")):
        # A record without personal paths has only the name of the file.
        for made in (wanted, found):
            made["dataset"] = {
                name: value for name, value in made["dataset"].items() if name != "path"
            }
    template = "The request has {found} at {pointer}; the plan makes {expected}."
    for name in dict.fromkeys([*wanted, *found]):
        yield from unequal(
            "group.runs", template, file, f"/{name}", wanted.get(name), found.get(name)
        )


def _compared(request: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if name not in _OF_CLIENT}


def _is_outside(path: Any) -> bool:
    return not isinstance(path, str) or (
        PurePosixPath(path).is_absolute()
        or bool(PureWindowsPath(path).drive)
        or ".." in PurePosixPath(path).parts
    )


def _summary(content: dict[str, Any], rows: list[GroupRow], file: str) -> Iterator[Finding]:
    """Yield where the summary of a group is not what follows from its members."""
    best = best_member(rows)
    metric = None if best is None else best.primary_metric
    expected: dict[str, Any] = {
        "total": len(rows),
        **{
            status: sum(row.status == status for row in rows)
            for status in ("succeeded", "failed", "canceled")
        },
        "best_run_id": None if best is None else best.run_id,
        "best_primary_metric": None if metric is None else dict(metric._asdict()),
    }
    template = "{pointer} is {found}; the members of the group give {expected}."
    for name, value in expected.items():
        found = content["summary"].get(name)
        yield from unequal("group.summary", template, file, f"/summary/{name}", value, found)
    if content["status"] == "succeeded" and expected["succeeded"] != len(rows):
        message = f"/status is `succeeded`; {expected['succeeded']} of {len(rows)} members are."
        yield Finding("group.summary", message, file, "/status")
