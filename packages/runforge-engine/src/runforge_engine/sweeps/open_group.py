"""Open a group to execute it: make a new one of a plan, or take up one that was interrupted.

Source: specification, sections 20.6 and 20.9.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.documents import Document
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import writing
from runforge_contracts.metrics import primary_metric
from runforge_contracts.shared_work import usable_cores
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.sweeps.groups import Group, group_id
from runforge_contracts.types import SweepPlanV1

from runforge_engine.pipeline.request import prepare
from runforge_engine.provenance.privacy import is_outside, is_wanted
from runforge_engine.runtime.clock import document_time, read_clock
from runforge_engine.runtime.folder_lock import holding_alone
from runforge_engine.store.index_lock import refuse_linked_folders
from runforge_engine.store.run_folders import release_unstarted, write_new
from runforge_engine.sweeps.group_record import GroupRecord, MemberState
from runforge_engine.sweeps.member_runs import (
    OF_THE_STORE,
    MemberRun,
    list_unlisted,
    runs_of_group,
)
from runforge_engine.sweeps.resolved_plan import (
    ResolvedPlan,
    SweepMember,
    fingerprint,
    resolve_plan,
)

#: How long the processes of an interrupted sweep have to end, in seconds.
_ORPHANS = 10.0
_PAUSE = 0.05
#: Name of the folder for data that workers share.
_SHARED = ".data"


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """How a sweep is executed; what is None is as the plan says, else as usual."""

    jobs: int | None = None
    fail_fast: bool | None = None
    stop_on_cancel: bool | None = None
    #: Address of the scheduler that distributes the runs.
    scheduler: str | None = None
    #: How many runs its workers take at a time now; more workers may join.
    slots: int | None = None
    #: Whether the runs omit what identifies a person or a machine; None reads the environment.
    private: bool | None = None


@dataclass(slots=True)
class OpenGroup:
    """A group that this process executes."""

    store: StoreLayout
    folder: Path
    plan: ResolvedPlan
    record: GroupRecord
    #: The members that are to be run.
    waiting: list[SweepMember]
    #: SHA-256 of each dataset, as it was when the group was made.
    datasets: dict[str, str]
    #: Number of processes.
    jobs: int
    fail_fast: bool
    stop_on_cancel: bool
    #: Descriptor of the lock on the folder; None where there are no locks.
    lock: int | None
    #: Finished runs that were listed in the index only now.
    newly_listed: int = 0

    @property
    def id(self) -> str:
        """The id of the group."""
        return self.folder.name

    @property
    def locks(self) -> tuple[int, ...]:
        """Descriptors that workers keep open, so that the group is locked until they have ended."""
        return () if self.lock is None else (self.lock,)

    @property
    def shared_data(self) -> Path:
        """The folder for data that the workers share; it lasts as long as they do."""
        return self.folder / _SHARED


@contextlib.contextmanager
def new_group(
    plan: ResolvedPlan,
    text: bytes,
    store: StoreLayout,
    *,
    created_by: str,
    name: str | None = None,
    options: SweepOptions = SweepOptions(),
) -> Iterator[OpenGroup]:
    """Make the folder of a new group with its plan and record, and lock it.

    Parameters
    ----------
    plan
        The plan, checked.
    text
        The bytes of the plan, which are kept.
    store
        The store that the runs belong to.
    created_by
        The client, as ``<client>@<version>``.
    name
        Display name, in place of that in the plan.
    options
        How to execute the plan.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_WRITABLE``; ``FILE_UNSAFE`` for a linked folder; the errors of a dataset that
        cannot be read; ``USAGE_INVALID`` for private runs on a dataset outside the workspace, whose
        path is in the plan.
    """
    created_at = read_clock().now()
    name = name or plan.name
    if is_wanted(options.private):
        _refuse_personal(plan)
    datasets = {dataset: fingerprint(dataset, store) for dataset in plan.datasets}
    folder = _claim(store, created_at, name)
    with holding_alone(folder, f"The sweep {quote(folder.name)}") as lock:
        header = {
            "version": 1,
            "kind": "run_group",
            "group_id": folder.name,
            "created_at": created_at,
            "created_by": created_by,
            **({} if name is None else {"name": name}),
            **({} if plan.notes is None else {"notes": plan.notes}),
            "plan_ref": layout.PLAN,
        }
        states = [MemberState(member.number, member.overrides) for member in plan.members]
        try:
            write_new(folder / layout.PLAN, text)
            opened = _opened(
                store, folder, plan, header, states, datasets, options, lock, created_at
            )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)  # Nothing was run.
            raise
        yield opened


@contextlib.contextmanager
def resumed_group(
    group: Group,
    store: StoreLayout,
    *,
    created_by: str,
    retry_failed: bool = False,
    options: SweepOptions = SweepOptions(),
) -> Iterator[OpenGroup]:
    """Take up a group that was interrupted, cancelled or stopped, and lock it.

    What its members became is found from the run folders: finished runs count, whatever the record
    of the group says, and are listed in the index if they were not.

    Parameters
    ----------
    group
        The group.
    store
        Its store.
    created_by
        The client, as ``<client>@<version>``, if the group does not name the one that made it.
    retry_failed
        Whether members that failed are run again.
    options
        How to execute the plan; by default as before.

    Raises
    ------
    RunForgeError
        ``GROUP_BUSY`` where the group or one of its runs is being executed; ``DATASET_CHANGED``;
        the errors of :func:`~runforge_engine.sweeps.resolved_plan.resolve_plan` and of an append to
        the index.
    """
    what = f"The sweep {quote(group.id)}"
    _refuse_links(store)
    with holding_alone(group.path, what, _ORPHANS) as lock:
        shutil.rmtree(group.path / _SHARED, ignore_errors=True)
        before = group.record or {}
        created_at = str(before.get("created_at") or _time_in(group.id))
        created_by = str(before.get("created_by") or created_by)
        plan = resolve_plan(_plan_of(group), store, created_at=created_at, created_by=created_by)
        known = {run["run_id"]: run["member"] for run in before.get("runs", ()) if "run_id" in run}
        known |= {
            run_id: run["member"]
            for run in before.get("runs", ())
            for run_id in run.get("earlier_run_ids") or ()
        }
        runs = [
            run
            for run in _ended_runs(store, group, created_at, known)
            # What is claimed here for a worker elsewhere has nothing but its request.
            if run.state != "incomplete" or not release_unstarted(run.run.path)
        ]
        datasets = {item["path"]: item["sha256"] for item in before.get("datasets", ())}
        _complete(datasets, plan, runs)
        for dataset in plan.datasets:
            refuse_changed(dataset, datasets, fingerprint(dataset, store), group.id)
        listed = list_unlisted(store, runs)
        of_member: dict[int, list[MemberRun]] = {}
        for run in runs:
            of_member.setdefault(run.member, []).append(run)
        states = [
            _state_of(member, of_member.get(member.number, ()), datasets, store)
            for member in plan.members
        ]
        for state in states:
            if state.status == "canceled" or (state.status == "failed" and retry_failed):
                state.withdraw()
        header: dict[str, Any] = {
            "version": 1,
            "kind": "run_group",
            "group_id": group.id,
            "created_at": created_at,
            "created_by": created_by,
            **{name: before[name] for name in ("name", "notes") if name in before},
            "plan_ref": layout.PLAN,
        }
        earlier = before.get("execution") or {}
        # This machine has not as many cores as the workers of a cluster have threads.
        as_before = earlier.get("scheduler") is None and options.scheduler is None
        options = SweepOptions(
            jobs=options.jobs or (earlier.get("max_parallel") if as_before else None),
            fail_fast=_first(options.fail_fast, earlier.get("fail_fast")),
            stop_on_cancel=_first(options.stop_on_cancel, earlier.get("stop_on_cancel")),
            scheduler=options.scheduler,
            slots=options.slots,
        )
        started_at = str(earlier.get("started_at") or created_at)
        opened = _opened(
            store, group.path, plan, header, states, datasets, options, lock, started_at
        )
        opened.newly_listed = listed
        yield opened


def refuse_changed(dataset: str, datasets: dict[str, str], sha256: str, group_id: str) -> None:
    """Raise ``DATASET_CHANGED`` if a dataset is not what it was when the group was made."""
    if datasets.setdefault(dataset, sha256) != sha256:
        raise RunForgeError(
            ErrorCode.DATASET_CHANGED,
            f"The dataset {quote(dataset, 200)} has changed since the sweep {quote(group_id)} was"
            " started; runs on different data cannot be compared.",
            hint="Restore the file and resume the sweep, or start a new one.",
            path=dataset,
        )


def _opened(
    store: StoreLayout,
    folder: Path,
    plan: ResolvedPlan,
    header: dict[str, Any],
    states: Sequence[MemberState],
    datasets: dict[str, str],
    options: SweepOptions,
    lock: int | None,
    started_at: str,
) -> OpenGroup:
    """Return the group, after writing its record."""
    pending = {state.number for state in states if state.status == "pending"}
    waiting = [member for member in plan.members if member.number in pending]
    asked = options.jobs or plan.execution.get("max_parallel")
    if not asked:
        asked = options.slots or usable_cores()
    fail_fast = _first(options.fail_fast, plan.execution.get("fail_fast"), False)
    stop_on_cancel = _first(options.stop_on_cancel, plan.execution.get("stop_on_cancel"), True)
    execution = {
        "max_parallel": int(asked),
        "fail_fast": fail_fast,
        "stop_on_cancel": stop_on_cancel,
        "started_at": started_at,
        "cancelled": False,
        **({} if options.scheduler is None else {"scheduler": options.scheduler}),
    }
    header = {
        **header,
        "status": "running",
        "execution": execution,
        "datasets": [{"path": path, "sha256": sha256} for path, sha256 in datasets.items()],
    }
    record = GroupRecord(folder, header, states, plan.duplicates)
    record.write()
    return OpenGroup(
        store,
        folder,
        plan,
        record,
        waiting,
        datasets,
        max(min(int(asked), len(waiting)), 1),
        bool(fail_fast),
        bool(stop_on_cancel),
        lock,
    )


def _refuse_personal(plan: ResolvedPlan) -> None:
    """Refuse a dataset whose path leads out of the workspace: it may name a person."""
    outside = next(filter(is_outside, plan.datasets), None)
    if outside is not None:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"The path of the dataset {quote(PurePath(outside).name, 200)} leads out of the"
            " workspace, and the plan of a private sweep would record it.",
            hint="Put the dataset into the workspace, or name the folder that contains it with"
            " --workspace.",
        )


def _first(*values: Any) -> Any:
    """Return the first value that is not None."""
    return next((value for value in values if value is not None), None)


def _refuse_links(store: StoreLayout) -> None:
    refuse_linked_folders(store)
    if store.groups.is_symlink():
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(store.groups, 200)} is a symbolic link; a store is never written through one.",
            path=str(store.groups),
        )


def _claim(store: StoreLayout, created_at: str, name: str | None) -> Path:
    """Create the folder of a new group, and return it; creating it is the claim."""
    _refuse_links(store)
    first = group_id(name, datetime.fromisoformat(created_at))
    with writing(store.groups):
        store.groups.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            folder = store.group_folder(first + (f"_{number}" if number > 1 else ""))
            try:
                folder.mkdir()
            except FileExistsError:
                number += 1
            else:
                return folder


def _time_in(group_id: str) -> str:
    """Return the time in the id of a group, else the earliest that there is."""
    try:
        made = datetime.strptime(group_id[:19], "grp_%Y%m%d_%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        made = datetime.fromtimestamp(0, UTC)
    return document_time(made)


def _plan_of(group: Group) -> Document[SweepPlanV1]:
    if group.client_form is not None:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"The sweep {quote(group.id)} was made by {group.client_form}, which alone can"
            " resume it.",
            hint="`runforge sweep` executes its plan as a new sweep.",
            path=str(group.path),
        )
    if group.plan is None:
        raise RunForgeError(
            ErrorCode.FILE_NOT_FOUND,
            f"The sweep {quote(group.id)} has no {layout.PLAN}.",
            hint="Without its plan, it cannot be resumed.",
            path=str(group.path / layout.PLAN),
        )
    return group.plan


def _ended_runs(
    store: StoreLayout, group: Group, created_at: str, known: dict[str, int]
) -> list[MemberRun]:
    """Return the runs of a group, once none of them is running."""
    deadline = time.monotonic() + _ORPHANS
    while True:
        runs = runs_of_group(store, group.id, created_at, known)
        running = [item.run.id for item in runs if item.state == "running"]
        if not running:
            return runs
        if time.monotonic() > deadline:
            raise RunForgeError(
                ErrorCode.GROUP_BUSY,
                f"The run {quote(running[0])} of the sweep {quote(group.id)} is still running.",
                hint="Wait for it to end, or cancel it with `runforge cancel`.",
                path=str(store.run_folder(running[0])),
            )
        time.sleep(_PAUSE)


def _complete(datasets: dict[str, str], plan: ResolvedPlan, runs: Sequence[MemberRun]) -> None:
    """Add the fingerprints that only the runs of the group know."""
    paths = {member.number: member.dataset for member in plan.members}
    for item in runs:
        if item.dataset_sha256 is not None and item.member in paths:
            datasets.setdefault(paths[item.member], item.dataset_sha256)


def _state_of(
    member: SweepMember, runs: Sequence[MemberRun], datasets: dict[str, str], store: StoreLayout
) -> MemberState:
    """Return the state of a member as its runs show it."""
    state = MemberState(member.number, member.overrides)
    valid = [run for run in runs if run.has_ended and _is_of(run, member, datasets)]
    for status in ("succeeded", "failed", "cancelled"):
        chosen = [run for run in valid if run.state == status]
        if chosen:
            # The first that succeeded counts; of others, the last.
            run = chosen[0] if status == "succeeded" else chosen[-1]
            if run.error_code not in OF_THE_STORE:
                settle(state, run, store)
                break
    state.earlier = [run.run.id for run in runs if run.run.id != state.run_id]
    return state


def settle(state: MemberState, run: MemberRun, store: StoreLayout) -> None:
    """Note how a run of a member ended."""
    state.run_id = run.run.id
    state.status = "canceled" if run.state == "cancelled" else run.state  # type: ignore[assignment]
    state.result_ref = store.relative(run.run.path / layout.RESULT)
    state.metric = primary_metric((run.run.result or {}).get("summary"))


def _is_of(run: MemberRun, member: SweepMember, datasets: dict[str, str]) -> bool:
    """Return whether a run did what the member asks for, on the data of the group."""
    if run.dataset_sha256 not in (None, datasets.get(member.dataset)):
        return False
    request = run.run.document(layout.REQUEST)
    if request is None or request.name != "request.v1":
        return False
    try:
        made = prepare(Document(request.raw, request.name)).configuration
    except RunForgeError:
        return False
    wanted = member.configuration
    return (made.family, made.hyperparameters, made.seed) == (
        wanted.family,
        wanted.hyperparameters,
        wanted.seed,
    )
