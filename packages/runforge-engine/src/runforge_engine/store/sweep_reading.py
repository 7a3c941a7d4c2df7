"""Read a sweep from the folder of its group, for every view of it.

A group whose record is missing is shown from its plan. A run counts as a member only if its own
request names the group, so that a record cannot claim the runs of others.

Source: specification, sections 20.6 to 20.10.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.documents import Document
from runforge_contracts.errors import RunForgeError
from runforge_contracts.run_ids import is_any_run_id
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import group_of, list_runs
from runforge_contracts.store.run import Run
from runforge_contracts.sweeps.groups import Group
from runforge_contracts.sweeps.plan_members import plan_members
from runforge_contracts.sweeps.request_paths import parse_path

from runforge_engine.runtime.folder_lock import is_held
from runforge_engine.store.sweep_members import NONE, ListedMember, sweep_table
from runforge_engine.store.sweep_table import SweepTable

#: The place of all hyperparameters in a request.
_HYPERPARAMETERS = "/model/hyperparameters"
#: States of a group that a process may still be executing.
_UNFINISHED = ("running", "incomplete")


def read_sweep(group: Group, stores: Sequence[StoreLayout]) -> SweepTable:
    """Return the table of a sweep.

    Parameters
    ----------
    group
        The group.
    stores
        The stores of the workspace, in which its runs may be.

    Raises
    ------
    RunForgeError
        If ``group.json`` cannot be read, or is missing and the plan cannot be read either.
    """
    record, plan = group.record, _plan_of(group)
    state = _state(group)
    facts: dict[str, Any] = {
        **{name: value for name, value in (record or {}).items() if name != "runs"},
        **{
            name: value
            for name, value in (("name", group.name), ("notes", group.notes))
            if value is not None
        },
        "group_id": group.id,
        "status": state,
    }
    if group.client_form is not None:
        facts["client"] = group.client_form
    members = [
        ListedMember(
            number=row.member,
            overrides=_by_pointer(row.overrides),
            status=row.status,
            run_id=row.run_id,
            primary=row.primary_metric,
            earlier_run_ids=tuple(row.earlier_run_ids),
        )
        for row in group.members()
    ]
    if record is None and plan is not None:
        members = [
            ListedMember(member.number, _by_pointer(member.overrides))
            for member in plan_members(plan)
        ]
    own = _distinct([group.store, *stores])
    if group.status in _UNFINISHED and group.client_form is None:
        members = _with_runs(members, group.id, own)
    base = {} if plan is None else plan.content["base_request"]
    return sweep_table(
        facts, base, members, lambda run_id: find_member(run_id, group.id, own), group.duplicates()
    )


def find_member(
    run_id: str, group_id: str, stores: Iterable[StoreLayout]
) -> tuple[Run, StoreLayout] | None:
    """Return the run of a member and its store, or None if there is none.

    A run whose request names no group, or another one, is none.
    """
    if not is_any_run_id(run_id):
        return None
    for store in stores:
        path = store.run_folder(run_id)
        if store.runs.is_symlink() or path.is_symlink() or not path.is_dir():
            continue
        run = Run(path)
        try:
            if group_of(run.request) == group_id:
                return run, store
        except RunForgeError:
            continue
    return None


def _plan_of(group: Group) -> Document[Any] | None:
    """Return the plan; None if it cannot be read while there is a record to show."""
    try:
        return group.plan
    except RunForgeError:
        if group.record is None:
            raise
        return None


def _state(group: Group) -> str:
    """Return the status of a group; ``interrupted`` if no process executes it any more."""
    if group.status not in _UNFINISHED or group.client_form is not None:
        return group.status
    held = is_held(group.path)
    if held is None:
        return group.status
    return "running" if held else "interrupted"


def _by_pointer(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return overrides by JSON Pointer; a path that leads to no member of a request is kept.

    A plan that sets all hyperparameters at once, as it must for the value none, sets each of them.
    """
    found: dict[str, Any] = {}
    for path, value in overrides.items():
        pointer = _pointer(path)
        if pointer == _HYPERPARAMETERS and isinstance(value, dict):
            for name, item in value.items():
                found[pointer + format_pointer([name])] = NONE if item is None else item
        else:
            found[pointer] = value
    return found


def _pointer(path: str) -> str:
    try:
        return format_pointer(parse_path(path))
    except RunForgeError:
        return path


def _with_runs(
    members: Sequence[ListedMember], group_id: str, stores: Sequence[StoreLayout]
) -> list[ListedMember]:
    """Return members with runs that the record, which is written now and then, does not have."""
    found: dict[int, str] = {}
    for store in stores:
        for entry in _listed(store):
            if entry.get("group_id") == group_id:
                number = _member_of(store.workspace / entry["run_dir"])
                if number is not None:
                    found[number] = entry["run_id"]  # The last run of a member counts.
    return [
        ListedMember(member.number, member.overrides, member.status, found[member.number])
        if member.run_id is None and member.number in found
        else member
        for member in members
    ]


def _listed(store: StoreLayout) -> list[dict[str, Any]]:
    try:
        return list_runs(store)
    except RunForgeError:
        return list_runs(store, trust_index=False)


def _member_of(path: os.PathLike[str]) -> int | None:
    try:
        number = (Run(path).request or {}).get("sweep_member")
    except RunForgeError:
        return None
    return number if type(number) is int else None


def _distinct(stores: Iterable[StoreLayout]) -> list[StoreLayout]:
    return list(dict.fromkeys(stores))
