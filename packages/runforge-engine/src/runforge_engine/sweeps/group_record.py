"""The record of a sweep while it runs: the state of every member, and ``group.json`` on disk.

The file is a summary, which can be made again from the plan and the run folders; it is replaced as
a whole, and not more often than readers need.

Source: specification, sections 20.7 to 20.9.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.fs.files import write_file
from runforge_contracts.metrics import Metric
from runforge_contracts.schemas import in_schema_order
from runforge_contracts.store import layout
from runforge_contracts.sweeps.groups import GroupRow, best_members
from runforge_contracts.validation import validate

from runforge_engine.sweeps.resolved_plan import Duplicate

MemberStatus = Literal["pending", "running", "succeeded", "failed", "canceled"]
GroupStatus = Literal["running", "succeeded", "failed", "canceled"]

_SCHEMA = "group.v1"
#: Shortest time between two writes while the sweep runs, in seconds.
_INTERVAL = 0.5
#: Largest share of the time that is spent on writing a large group.
_SHARE = 0.02


@dataclass(slots=True)
class MemberState:
    """What became of a member so far."""

    number: int
    #: What the member sets in the base request.
    overrides: dict[str, Any]
    status: MemberStatus = "pending"
    run_id: str | None = None
    #: Path of ``result.json``, relative to the workspace.
    result_ref: str | None = None
    metric: Metric | None = None
    #: Runs that did not end or were cancelled, the oldest first.
    earlier: list[str] = field(default_factory=list)

    def begin(self, run_id: str) -> None:
        """Note that a run of the member has begun."""
        self.withdraw()
        self.status, self.run_id = "running", run_id

    def withdraw(self) -> None:
        """Go back to before the last run, which is kept among the earlier ones."""
        if self.run_id is not None and self.run_id not in self.earlier:
            self.earlier.append(self.run_id)
        self.status, self.run_id, self.result_ref, self.metric = "pending", None, None, None

    def to_row(self) -> GroupRow:
        """Return the member as readers of a group have it."""
        return GroupRow(
            *(self.number, self.status, self.run_id, self.overrides, self.metric, self.result_ref),
            earlier_run_ids=self.earlier,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the member as ``group.json`` has it."""
        members = {
            "member": self.number,
            "run_id": self.run_id,
            "status": self.status,
            "request_overrides": self.overrides,
            "result_ref": self.result_ref,
            "primary_metric": _metric(self.metric),
            "earlier_run_ids": self.earlier or None,
        }
        return {name: value for name, value in members.items() if value is not None}


class GroupRecord:
    """The states of all members of a group, and their file.

    Parameters
    ----------
    folder
        The folder of the group.
    header
        The members of ``group.json`` that do not depend on the runs.
    states
        The members that are executed, in the order of their numbers.
    duplicates
        The members that are not.
    """

    def __init__(
        self,
        folder: Path,
        header: dict[str, Any],
        states: Sequence[MemberState],
        duplicates: Iterable[Duplicate],
    ) -> None:
        self._path = folder / layout.GROUP
        self.header = header
        self.states = {state.number: state for state in states}
        self._duplicates = [{"member": item.number, "same_as": item.same_as} for item in duplicates]
        self._next_write = 0.0
        self._changed = True

    @property
    def status(self) -> GroupStatus:
        """The state of the group."""
        status: GroupStatus = self.header["status"]
        return status

    def changed(self) -> None:
        """Note that a state has changed."""
        self._changed = True

    def count(self, status: MemberStatus) -> int:
        """Return how many members have this status."""
        return sum(state.status == status for state in self.states.values())

    def best(self) -> list[MemberState]:
        """Return the members with the best primary metric, by their numbers; several if equal."""
        rows = [state.to_row() for state in self.states.values()]
        return [self.states[row.member] for row in best_members(rows)]

    def to_dict(self) -> dict[str, Any]:
        """Return the raw ``group.json``."""
        best = next(iter(self.best()), None)
        summary: dict[str, Any] = {
            "total": len(self.states),
            **{name: self.count(name) for name in ("succeeded", "failed", "canceled")},
        }
        if best is not None:
            summary["best_run_id"] = best.run_id
            summary["best_primary_metric"] = _metric(best.metric)
        return {
            **self.header,
            "runs": [state.to_dict() for state in self.states.values()],
            "duplicates": self._duplicates,
            "summary": summary,
        }

    def write(self) -> dict[str, Any]:
        """Write the file, and return what it holds; raise ``STORE_NOT_WRITABLE``."""
        began = time.monotonic()
        raw: dict[str, Any] = in_schema_order(self.to_dict(), _SCHEMA)
        validate(raw, _SCHEMA)
        write_file(self._path, encode_json(raw))
        self._changed = False
        ended = time.monotonic()
        self._next_write = ended + max(_INTERVAL, (ended - began) / _SHARE)
        return raw

    def write_if_due(self) -> None:
        """Write the file if a state has changed and the last time is long enough ago."""
        if self._changed and time.monotonic() >= self._next_write:
            self.write()


def _metric(metric: Metric | None) -> dict[str, Any] | None:
    return None if metric is None else {"name": metric.name, "value": metric.value}
