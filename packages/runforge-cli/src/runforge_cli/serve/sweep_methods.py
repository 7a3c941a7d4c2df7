"""The methods on sweeps: many runs of a plan, and what came of them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_engine.sweeps.sweep_observer import SweepObserver

from runforge_cli.serve.call import Call
from runforge_cli.serve.serve_session import Session

if TYPE_CHECKING:
    from runforge_contracts.documents import Document
    from runforge_contracts.types import SweepPlanV1
    from runforge_engine.sweeps.group_record import MemberState
    from runforge_engine.sweeps.open_group import OpenGroup
    from runforge_engine.sweeps.resolved_plan import ResolvedPlan

#: Parameters that a sweep that is resumed has from its plan.
_OF_A_PLAN = ("plan", "path", "name")


def run_sweep_of(session: Session, call: Call) -> dict[str, Any]:
    """Execute the runs of a plan, and return the record of the group with its folder."""
    from runforge_engine.sweeps.run_sweep import run_sweep
    from runforge_engine.workers.worker_pool import WorkerPool

    call.on_cancel = lambda: True  # The runs are ended first, and then the answer is sent.
    with _opened(session, call.params) as group:
        pool = WorkerPool(
            group.jobs,
            group.store,
            private=call.params.get("private"),
            shared=group.shared_data,
            # Even if this process is killed, the group is locked until the workers have ended.
            inherited=group.locks,
        )
        result = run_sweep(group, pool, _Progress(call), call.cancellation)
    document = {**result.group, "group_dir": group.store.relative(result.folder)}
    if result.error is not None:
        document["error"] = result.error.to_dict()
    return document


def plan_sweep(session: Session, call: Call) -> dict[str, Any]:
    """Return the runs that a plan makes."""
    from runforge_cli.answers.sweep_answers import planned_document

    resolved, _ = _resolved(session, call.params)
    return planned_document(resolved)


def list_sweeps(session: Session, call: Call) -> dict[str, Any]:
    """Return the sweeps of the workspace from ``offset`` on, newest first, and how many there are.

    The entries are those that ``sweep list`` prints.
    """
    from runforge_cli.answers.sweep_answers import newest_groups

    groups, stores = newest_groups(session.settings), session.settings.stores()
    offset = call.params.get("offset", 0)
    page = groups[offset : offset + call.params.get("limit", 100)]
    entries = [session.sweeps.entry(group, stores) for group in page]
    return {"groups": entries, "total": len(groups)}


def show_sweep(session: Session, call: Call) -> dict[str, Any]:
    """Return a sweep with the metrics of its members."""
    from runforge_cli.render.sweep_documents import sweep_document
    from runforge_cli.shell.sweep_selection import find_sweep

    found, sweep = find_sweep(session.settings, call.params.get("group", "latest"))
    sort = call.params.get("sort")
    rows = sweep.ranked() if sort is None else sweep.sorted_by(sort)
    return sweep_document(sweep, found.record or {}, rows)


@contextlib.contextmanager
def _opened(session: Session, params: dict[str, Any]) -> Iterator[OpenGroup]:
    """Yield the group to execute: a new one, or the one to be resumed."""
    from runforge_engine.sweeps.open_group import SweepOptions, new_group, resumed_group

    options = SweepOptions(
        jobs=params.get("jobs"),
        fail_fast=params.get("fail_fast"),
        private=params.get("private"),
    )
    if "resume" in params:
        from runforge_contracts.sweeps.groups import find_group

        given = [name for name in _OF_A_PLAN if name in params]
        if given:
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"A sweep is resumed as it was planned: `resume` takes no `{given[0]}`.",
                pointer=f"/{given[0]}",
            )
        earlier = find_group(params["resume"], session.settings.stores())
        retry = params.get("retry_failed", False)
        with resumed_group(
            earlier,
            earlier.store,
            created_by=session.created_by,
            retry_failed=retry,
            options=options,
        ) as group:
            yield group
        return
    resolved, text = _resolved(session, params)
    with new_group(
        resolved,
        text,
        session.settings.target(),
        created_by=session.created_by,
        name=params.get("name"),
        options=options,
    ) as group:
        yield group


def _resolved(session: Session, params: dict[str, Any]) -> tuple[ResolvedPlan, bytes]:
    """Return the checked plan of the parameters, and the bytes that are kept of it."""
    from runforge_contracts.codec.strict_json import MAX_BYTES
    from runforge_contracts.fs.files import read_file
    from runforge_contracts.sweeps.plan_members import parse_plan, plan_from
    from runforge_engine.sweeps.resolved_plan import resolve_plan

    if ("plan" in params) == ("path" in params):
        raise RunForgeError(ErrorCode.USAGE_INVALID, "Give either `plan` or `path`.")
    plan: Document[SweepPlanV1]
    if "plan" in params:
        plan = plan_from(params["plan"])
        text = plan.encode()
    else:
        path = Path(params["path"])
        text = read_file(path, max_bytes=MAX_BYTES, too_large=ErrorCode.JSON_TOO_LARGE)
        plan = parse_plan(text, path)
    return resolve_plan(plan, session.settings.target(), created_by=session.created_by), text


class _Progress(SweepObserver):
    """Tells the client how many runs have ended."""

    def __init__(self, call: Call) -> None:
        self._call, self._group_id = call, ""
        self._began, self._done, self._before, self._total = time.monotonic(), 0, 0, 0

    def on_sweep(self, group_id: str, folder: Path, *, total: int, waiting: int, jobs: int) -> None:
        """Send the id of the group."""
        self._group_id, self._total = group_id, total
        self._done = self._before = total - waiting
        self._send()

    def on_run_ended(
        self, state: MemberState, result: dict[str, Any] | None, error: RunForgeError | None
    ) -> None:
        """Send how much is done, with an estimate of the remaining time."""
        self._done += 1
        self._send({} if state.run_id is None else {"run_id": state.run_id})

    def on_notice(self, text: str) -> None:
        """Send a warning."""
        self._call.warn(text)

    def on_stopping(self, reason: str) -> None:
        """Send that the sweep ends."""
        self._send({"stage": "cancelling", "message": reason})

    def _send(self, more: dict[str, Any] | None = None) -> None:
        params: dict[str, Any] = {
            "group_id": self._group_id,
            "stage": "training",
            "message": f"{self._done:,} of {self._total:,} runs",
            "fraction": self._done / max(self._total, 1),
        }
        ended = self._done - self._before
        if ended:
            elapsed = time.monotonic() - self._began
            params["seconds_left"] = elapsed / ended * max(self._total - self._done, 0)
        self._call.progress({**params, **(more or {})})
