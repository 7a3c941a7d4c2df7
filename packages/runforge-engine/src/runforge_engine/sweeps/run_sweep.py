"""Run the members of a group that are waiting, and record how each ends.

The workers seal and list the runs; this is only about which member is given to a worker, and when
to stop. A finished run is therefore never lost, whatever ends this process.

Source: specification, section 20.9.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from runforge_contracts.errors import CancelledError, ErrorCode, RunForgeError
from runforge_contracts.metrics import primary_metric
from runforge_contracts.store import layout
from runforge_contracts.store.run import Run

from runforge_engine.pipeline.cancel import stoppable
from runforge_engine.runtime.cancellation import Cancellation
from runforge_engine.runtime.clock import read_clock
from runforge_engine.sweeps.group_record import GroupStatus, MemberState
from runforge_engine.sweeps.member_runs import (
    OF_THE_STORE,
    MemberRun,
    list_unlisted,
    runs_of_group,
    state_of_run,
)
from runforge_engine.sweeps.open_group import OpenGroup, refuse_changed, settle
from runforge_engine.sweeps.resolved_plan import SweepMember
from runforge_engine.sweeps.sweep_observer import SweepObserver
from runforge_engine.workers.worker_messages import (
    PoolNotice,
    RunDiagnostic,
    RunEnded,
    RunEvent,
    RunRefused,
    RunStarted,
    RunTask,
    WorkerLost,
    WorkerMessage,
)

#: How many times a member is given to another worker after one has died with it.
MOST_RETRIES = 2
#: How long to wait for messages before looking whether to stop, in seconds.
_POLL = 0.1
#: How long the runs have to end when the sweep stops, in seconds.
_ENDING = 1.5
#: How long tasks have whose runs have no folder.
_WITHOUT_RUNS = 0.5
#: How long the processes then have.
_CLOSING = 0.3
#: How often running runs are asked again to end, in seconds.
_ASK_AGAIN = 0.25


class Pool(Protocol):
    """Executes tasks; see :class:`~runforge_engine.workers.worker_pool.WorkerPool`."""

    @property
    def running(self) -> Sequence[int]:
        """The numbers of the tasks that a worker has."""

    def start(self) -> None:
        """Start the workers."""

    def submit(self, task: RunTask) -> None:
        """Execute a task once a worker is free."""

    def poll(self, timeout: float) -> Sequence[WorkerMessage]:
        """Return the messages that have arrived."""

    def cancel(self, number: int | None = None, reason: str = ...) -> None:
        """Cancel one task or all, and drop those that wait."""

    def close(self, patience: float = ...) -> None:
        """End the workers."""


@dataclass(frozen=True, slots=True)
class SweepResult:
    """How a sweep ended."""

    group_id: str
    folder: Path
    status: GroupStatus
    #: The raw ``group.json``.
    group: dict[str, Any]
    #: Members with the best primary metric, by number; several if they are equal.
    best: tuple[int, ...]
    #: Why the sweep ended before all members were run, or what went wrong with its record.
    error: RunForgeError | None = None

    @property
    def pending(self) -> int:
        """Number of members that were not run."""
        return sum(run["status"] == "pending" for run in self.group["runs"])


def run_sweep(
    group: OpenGroup,
    pool: Pool,
    observer: SweepObserver | None = None,
    cancellation: Cancellation | None = None,
) -> SweepResult:
    """Run the waiting members of a group, close the pool, and return how the sweep ended.

    Parameters
    ----------
    group
        The group, which this process has locked.
    pool
        Executes the runs; it has not been started.
    observer
        Receives what happens.
    cancellation
        Ends the sweep early; ``runforge cancel`` works without it.

    Raises
    ------
    KeyboardInterrupt
        Once the sweep is recorded as cancelled.
    """
    return _Execution(
        group, pool, observer or SweepObserver(), cancellation or Cancellation()
    ).run()


class _Execution:
    """One execution of a group."""

    def __init__(
        self, group: OpenGroup, pool: Pool, observer: SweepObserver, cancellation: Cancellation
    ) -> None:
        self._group, self._pool = group, pool
        self._observer, self._cancellation = observer, cancellation
        self._record, self._store = group.record, group.store
        self._members = {member.number: member for member in group.waiting}
        #: Members whose end is not known yet.
        self._open = set(self._members)
        #: Members that the pool does not know yet.
        self._queue = deque[SweepMember]()
        #: How many workers have died with each member.
        self._lost = Counter[int]()
        #: Why the sweep ends before all members were run.
        self._error: RunForgeError | None = None
        self._deadline: float | None = None
        self._asked = self._stopped = 0.0
        #: Whether a run has ended that may be missing in the index.
        self._unlisted = False
        #: Whether a member could not be run, so that no record of it says why.
        self._given_up = False

    def run(self) -> SweepResult:
        interrupt: KeyboardInterrupt | None = None
        self._observer.on_sweep(
            self._group.id,
            self._group.folder,
            total=len(self._record.states),
            waiting=len(self._open),
            jobs=self._group.jobs,
        )
        with stoppable(self._group.folder, self._cancellation, layout.PLAN):
            try:
                if self._open:
                    self._pool.start()
                    self._queue.extend(self._members.values())
                    self._submit_next(self._group.jobs if self._group.fail_fast else None)
                    self._attend()
            except KeyboardInterrupt as raised:
                interrupt = raised
                self._stop(_cancelled("The sweep was interrupted."))
                with contextlib.suppress(KeyboardInterrupt):  # a second one ends it at once
                    self._attend()
            except RunForgeError as raised:
                self._stop(raised)
            finally:
                self._close()
        result = self._conclude()
        if interrupt is not None:
            raise interrupt
        return result

    def _submit_next(self, count: int | None = 1) -> None:
        """Submit the next members that wait, or all.

        The pool starts a run as soon as another one has ended. If the first failure ends the sweep,
        the pool gets another run only once it is known that the last one did not fail.
        """
        while self._queue and count != 0 and self._deadline is None:
            self._submit(self._queue.popleft())
            count = None if count is None else count - 1

    def _submit(self, member: SweepMember) -> None:
        request = {
            **member.request,
            "sweep_group_id": self._group.id,
            "sweep_member": member.number,
        }
        self._pool.submit(RunTask(member.number, request))

    def _attend(self) -> None:
        """Handle messages until every member has ended, or the time to end is over."""
        while self._open:
            if self._deadline is None:
                reason = self._cancellation.look()
                if reason is not None:
                    self._stop(_cancelled(reason.replace("The run was", "The sweep was", 1)))
            elif time.monotonic() > self._deadline or not self._may_go_on():
                return
            elif time.monotonic() > self._asked + _ASK_AGAIN:
                self._ask_to_end()
            for message in self._pool.poll(_POLL):
                before = len(self._open)
                self._handle(message)
                self._submit_next(before - len(self._open))
            try:
                self._record.write_if_due()
            except RunForgeError as problem:
                self._stop(problem)

    def _may_go_on(self) -> bool:
        """Return whether a run may still be ending, once those that wait were dropped."""
        if any(self._state(number).status == "running" for number in self._open):
            return True
        # A worker that still loads its libraries has no run that could be recorded.
        return bool(self._pool.running) and time.monotonic() < self._stopped + _WITHOUT_RUNS

    def _state(self, number: int) -> MemberState:
        return self._record.states[number]

    def _stop(self, error: RunForgeError) -> None:
        """End the sweep: running members are cancelled, those that wait stay as they are."""
        if self._deadline is not None:
            return
        self._error, self._stopped = error, time.monotonic()
        self._deadline = self._stopped + _ENDING
        self._observer.on_stopping(error.message)
        self._ask_to_end()

    def _ask_to_end(self) -> None:
        self._asked = time.monotonic()
        assert self._error is not None  # noqa: S101 - set by _stop
        self._pool.cancel(None, self._error.message)

    def _close(self) -> None:
        """End the workers, and find out about members whose end was not reported."""
        self._pool.close(_CLOSING if self._deadline is not None else 2.0)
        for message in self._pool.poll(0):
            with contextlib.suppress(RunForgeError):
                self._handle(message)
        for number in sorted(self._open):
            if self._state(number).status == "running" and not self._settle(number):
                self._state(number).withdraw()

    def _handle(self, message: WorkerMessage) -> None:
        if isinstance(message, PoolNotice):
            self._observer.on_notice(message.text)
            return
        if message.number not in self._open:
            return
        match message:
            case RunStarted():
                self._state(message.number).begin(message.run_id)
                self._record.changed()
                self._observer.on_run_started(message.number, message.run_id)
            case RunEvent():
                self._observer.on_event(message.number, message.event)
            case RunDiagnostic():
                self._observer.on_diagnostic(message.number, message.diagnostic)
            case RunEnded():
                self._ended(message)
            case RunRefused():
                self._refused(message)
            case WorkerLost():
                self._worker_lost(message)

    def _ended(self, message: RunEnded) -> None:
        state = self._state(message.number)
        if state.run_id != message.run_id:
            state.begin(message.run_id)
        state.status = "canceled" if message.status == "cancelled" else message.status
        state.result_ref = self._store.relative(message.run_dir / layout.RESULT)
        state.metric = primary_metric(message.result.get("summary"))
        self._finished(message.number, message.result, message.error)

    def _finished(
        self, number: int, result: dict[str, Any] | None, error: RunForgeError | None
    ) -> None:
        """Note that a member has ended, and stop the sweep if it must not go on."""
        self._open.discard(number)
        state = self._state(number)
        of_the_store = error is not None and error.code in OF_THE_STORE
        if of_the_store and state.status == "failed":
            state.withdraw()  # It is run again when the sweep is resumed.
        self._record.changed()
        self._observer.on_run_ended(state, result, error)
        dataset = ((result or {}).get("effective_config") or {}).get("dataset") or {}
        if "fingerprint_sha256" in dataset:
            try:
                refuse_changed(
                    *(self._members[number].dataset, self._group.datasets),
                    *(dataset["fingerprint_sha256"], self._group.id),
                )
            except RunForgeError as changed:
                state.withdraw()
                self._stop(changed)
        if of_the_store and error is not None:
            self._stop(error)
        elif state.status == "failed" and self._group.fail_fast:
            self._stop(_cancelled(f"Member {number} failed: the sweep stops at the first failure."))
        elif state.status == "canceled" and self._group.stop_on_cancel:
            self._stop(
                _cancelled(f"The run of member {number} was cancelled: the sweep ends, too.")
            )

    def _refused(self, message: RunRefused) -> None:
        number, error = message.number, message.error
        state = self._state(number)
        if state.status == "running" and self._settle(number):
            # The run is complete, but it could not be listed.
            self._stop(error)
            return
        state.withdraw()
        self._record.changed()
        if isinstance(error, CancelledError):
            self._open.discard(number)  # before it had a folder
        elif error.code in OF_THE_STORE:
            self._open.discard(number)
            self._stop(error)
        else:
            self._give_up(number, error)

    def _worker_lost(self, message: WorkerLost) -> None:
        """Give the member to another worker, unless its run had ended or it kills every one."""
        number, state = message.number, self._state(message.number)
        run_id = message.run_id or self._run_begun_by(number)
        if run_id is not None and state.run_id != run_id:
            state.begin(run_id)
        if run_id is not None and self._settle(number):
            return
        self._lost[number] += 1
        self._record.changed()
        if self._deadline is None and self._lost[number] <= MOST_RETRIES:
            self._observer.on_notice(
                f"The process of member {number} died: {message.reason}. It is started again."
            )
            state.withdraw()
            self._submit(self._members[number])
            return
        if self._deadline is not None:
            state.withdraw()
            self._open.discard(number)
            return
        state.withdraw()
        lost = RunForgeError(
            ErrorCode.WORKER_LOST,
            f"The process of member {number} died {self._lost[number]} times: {message.reason}.",
            hint="There may not be enough memory for so many runs at a time; use fewer --jobs.",
        )
        self._give_up(number, lost)

    def _give_up(self, number: int, error: RunForgeError) -> None:
        """Leave a member without a recorded run; it is pending, as its run folders show."""
        self._given_up = True
        self._open.discard(number)
        self._record.changed()
        self._observer.on_run_ended(self._state(number), None, error)
        if self._group.fail_fast:
            self._stop(_cancelled(f"Member {number} failed: the sweep stops at the first failure."))

    def _run_begun_by(self, number: int) -> str | None:
        """Return the last run of a member that no message reported."""
        state = self._state(number)
        since = str(self._record.header["created_at"])
        with contextlib.suppress(RunForgeError):
            for item in reversed(runs_of_group(self._store, self._group.id, since)):
                if item.member == number and item.run.id not in state.earlier:
                    return item.run.id
        return None

    def _settle(self, number: int) -> bool:
        """Note how the run of a member ended if its folder has a result; return whether it has."""
        state = self._state(number)
        if state.run_id is None:
            return False
        run = Run(self._store.run_folder(state.run_id))
        try:
            item = MemberRun(number, run, state_of_run(run))
            if not item.has_ended:
                return False
            settle(state, item, self._store)
        except RunForgeError:
            return False
        self._unlisted = True
        self._finished(number, run.result, None)
        return True

    def _conclude(self) -> SweepResult:
        """Write the record for the last time, and return the result."""
        error, record = self._error, self._record
        if self._unlisted:
            try:
                since = str(record.header["created_at"])
                list_unlisted(self._store, runs_of_group(self._store, self._group.id, since))
            except RunForgeError as problem:
                error = error or problem
        cancelled = isinstance(error, CancelledError)
        failed = self._given_up or record.count("failed") > 0
        by_user = cancelled and not (failed and self._group.fail_fast)
        status: GroupStatus = "succeeded"
        if by_user:
            status = "canceled"
        elif error is not None or failed:
            status = "failed"
        elif record.count("canceled") or record.count("pending"):
            status = "canceled"
        record.header["status"] = status
        record.header["execution"] |= {"finished_at": read_clock().now(), "cancelled": by_user}
        try:
            raw = record.write()
        except RunForgeError as problem:
            error, raw = error or problem, record.to_dict()
        best = tuple(state.number for state in record.best())
        return SweepResult(self._group.id, self._group.folder, status, raw, best, error)


def _cancelled(reason: str) -> RunForgeError:
    return RunForgeError(ErrorCode.CANCELLED, reason)
