"""Make the table of a sweep from what its plan asks and what its run folders record.

The record of a group is a summary that may be out of date; a run's own documents count more. A run
is opened only by an id, never by a path that a document contains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import msgspec
from runforge_contracts.codec.pointers import get_at
from runforge_contracts.errors import RunForgeError
from runforge_contracts.metrics import Metric
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run

from runforge_engine.runtime.folder_lock import state_of
from runforge_engine.store.sweep_table import (
    SEED,
    SweepCell,
    SweepColumn,
    SweepRow,
    SweepTable,
    primary_of,
    short_names,
)

#: Where the parts of a configuration are in a request.
_HYPERPARAMETERS = "/model/hyperparameters/"
_FAMILY, _PRESET = "/model/family", "/preset"
#: The words of group documents for the statuses of runs.
_WORDS = {"canceled": "cancelled", "queued": "pending", "paused": "pending"}
_STATUSES = ("pending", "running", "succeeded", "failed", "cancelled")

#: The value none of a hyperparameter; None as an override removes the member.
NONE = object()

Find = Callable[[str], tuple[Run, StoreLayout] | None]


class ListedMember(msgspec.Struct, frozen=True):
    """What the plan and the group document say of one member."""

    number: int
    #: JSON Pointer to value; None removes the member of the request, :data:`NONE` is JSON's null.
    overrides: Mapping[str, Any]
    status: str = "pending"
    run_id: str | None = None
    primary: Metric | None = None
    earlier_run_ids: tuple[str, ...] = ()


class _Used(msgspec.Struct, frozen=True):
    """What a run used, by JSON Pointer, as far as it is recorded."""

    values: Mapping[str, Any]

    @classmethod
    def of(cls, run: Run | None) -> _Used:
        if run is None:
            return cls({})
        record, config = run.record or {}, (run.result or {}).get("effective_config") or {}
        model = config.get("model") or {}
        used = {
            _FAMILY: record.get("model_family", model.get("family")),
            _PRESET: config.get("preset"),
            SEED: record.get("seed", config.get("seed")),
            "/device/type": (config.get("device") or {}).get("type"),
        }
        found = {path: value for path, value in used.items() if value is not None}
        recorded = record.get("hyperparameters")
        values = (
            {item["name"]: item["value"] for item in recorded}
            if isinstance(recorded, list)
            else model.get("hyperparameters") or {}
        )
        return cls({**found, **{_HYPERPARAMETERS + name: v for name, v in values.items()}})


def sweep_table(
    facts: Mapping[str, Any],
    base_request: Mapping[str, Any],
    members: Sequence[ListedMember],
    find: Find,
    duplicates: Mapping[int, int] = {},
) -> SweepTable:
    """Return the table of a sweep.

    Parameters
    ----------
    facts
        The group document without its runs.
    base_request
        The request that the members override.
    members
        The members of the plan, by number.
    find
        Returns the run with an id and its store, or None if there is none.
    duplicates
        Numbers of members that are not run, and of those that they repeat.
    """
    listed = [member for member in members if member.number not in duplicates]
    opened = {member.number: find(member.run_id) for member in listed if member.run_id is not None}
    # Most values are those of the plan, so that most run records are not read.
    used = {member.number: cache(partial(_used, opened.get(member.number))) for member in listed}
    paths = list(dict.fromkeys(path for member in members for path in member.overrides))
    cells = {
        path: {
            member.number: _cell(path, member, base_request, used[member.number])
            for member in listed
        }
        for path in paths
    }
    for column in cells.values():
        _share_default(column)
    names = short_names(paths)
    columns = [
        SweepColumn(path, names[path], tuple({c.key: c for c in cells[path].values()}.values()))
        for path in paths
    ]
    varied = [column for column in columns if len(column.cells) > 1]
    is_over = facts.get("status") not in ("running", "pending")
    rows = [
        _row(
            member,
            tuple(cells[column.path][member.number] for column in varied),
            opened.get(member.number),
            is_over=is_over,
        )
        for member in listed
    ]
    constants = [column for column in columns if len(column.cells) == 1]
    return SweepTable(facts, varied, rows, duplicates, constants)


def _used(opened: tuple[Run, StoreLayout] | None) -> Mapping[str, Any]:
    try:
        return _Used.of(None if opened is None else opened[0]).values
    except RunForgeError:
        return {}


def _cell(
    path: str,
    member: ListedMember,
    base: Mapping[str, Any],
    used: Callable[[], Mapping[str, Any]],
) -> SweepCell:
    """Return the value of a parameter: from the overrides, else the request, else the run."""
    named = path in member.overrides
    value = member.overrides.get(path)
    if not named:
        try:
            value = get_at(base, path)
        except RunForgeError:
            value = None
    if value is not None:
        return SweepCell(None if value is NONE else value, is_named=named)
    found = used()
    if path in found:
        return SweepCell(found[path], is_default=True, is_named=named)
    # A run records every hyperparameter that its family has.
    others = any(other.startswith(_HYPERPARAMETERS) for other in found)
    applies = not (others and path.startswith(_HYPERPARAMETERS))
    return SweepCell(known=False, is_default=True, is_named=named, applies=applies)


def _share_default(column: dict[int, SweepCell]) -> None:
    """Give members that have not finished the default of the others, if all had the same."""
    defaults = {cell.key: cell for cell in column.values() if cell.is_default and cell.known}
    if len(defaults) == 1:
        (default,) = defaults.values()
        for number, cell in column.items():
            if not cell.known and cell.applies:
                column[number] = msgspec.structs.replace(default, is_named=cell.is_named)


def _row(
    member: ListedMember,
    cells: tuple[SweepCell, ...],
    opened: tuple[Run, StoreLayout] | None,
    *,
    is_over: bool,
) -> SweepRow:
    status = _WORDS.get(member.status, member.status)
    status = status if status in _STATUSES else "pending"
    row = SweepRow(
        number=member.number,
        cells=cells,
        status="interrupted" if status == "running" and is_over else status,
        run_id=member.run_id,
        metrics={} if member.primary is None else {member.primary.name: member.primary.value},
        primary=member.primary,
        earlier_run_ids=member.earlier_run_ids,
    )
    if opened is None:
        return row
    run, store = opened
    row = msgspec.structs.replace(row, run_dir=store.relative(run.path))
    try:
        return _of_run(row, run)
    except RunForgeError as error:
        return msgspec.structs.replace(row, problem=error.message)


def _of_run(row: SweepRow, run: Run) -> SweepRow:
    """Return the row with what the documents of its run record."""
    result, status = run.result or {}, run.status
    if status == "incomplete":
        state = state_of(run.path)
        # A run that has just got its folder is not interrupted.
        known = state if state != "incomplete" else row.status
        return msgspec.structs.replace(row, status=known, metrics={}, primary=None)
    failure = result.get("error") or {}
    return msgspec.structs.replace(
        row,
        status=status,
        metrics=run.metrics if status == "succeeded" else {},
        primary=primary_of({**(result.get("summary") or {}), "metrics": run.metrics})
        if status == "succeeded"
        else None,
        duration_ms=result.get("duration_ms"),
        error=(
            str(failure.get("code") or failure.get("type") or "unknown"),
            str(failure.get("message", "")),
        )
        if failure
        else None,
    )
