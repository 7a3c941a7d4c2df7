"""Forget runs: their folders go, and a line of the record says what they were, when and why.

Source: specification, section 25.2.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from msgspec import UNSET
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Location, Problem, RunForgeError
from runforge_contracts.shared_work import WorkWatch, unwatched
from runforge_contracts.store.aliases import read_aliases
from runforge_contracts.store.experiment_list import describe_experiment
from runforge_contracts.store.experiment_runs import AnyRun, ExperimentRun
from runforge_contracts.store.layout import LEGACY_STORE, ExperimentLayout, StoreLayout
from runforge_contracts.store.reading import describe, group_of, run_folders
from runforge_contracts.store.removals import read_removals
from runforge_contracts.store.run import Run
from runforge_contracts.store.view_folders import may_have_views, record_of
from runforge_contracts.sweeps.groups import Group
from runforge_contracts.types import RemovalItem, RemovalReportV1

from runforge_engine.experiment.record import experiment_state
from runforge_engine.experiment.record.experiment_verification import verify_experiment_run
from runforge_engine.removing.dataset_users import ENDED, digests_of
from runforge_engine.removing.remains import Remain, remains_of
from runforge_engine.removing.removal_writer import (
    Objection,
    RecordedFolder,
    forget_folders,
    listed_entries,
    record_of_folder,
    recorded_before,
)
from runforge_engine.runtime.folder_lock import state_of
from runforge_engine.verification.context import Surroundings
from runforge_engine.verification.verify_run import verify_run


@dataclass(frozen=True, slots=True)
class _Objected:
    """A run, and what speaks against removing it."""

    folder: RecordedFolder
    #: Each objection as a sentence.
    objections: Mapping[Objection, str]
    #: Digests of its dataset and its recipe.
    digests: set[str]

    @property
    def sentences(self) -> list[str]:
        """What speaks against it."""
        return list(self.objections.values())

    def with_needs(self, needs: Mapping[Objection, str]) -> _Objected:
        """Return the run with what needs it now; that it did not verify stays."""
        said = dict(needs)
        if "unverified" in self.objections:
            said["unverified"] = self.objections["unverified"]
        return replace(self, folder=replace(self.folder, despite=tuple(said)), objections=said)


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What forgetting runs would do: every run is read and verified, and nothing is written."""

    store: StoreLayout
    because: str
    created_by: str
    force: bool
    watch: WorkWatch
    #: The runs, and what spoke against each when it was looked at.
    objected: tuple[_Objected, ...]
    runs: tuple[AnyRun, ...]
    #: Runs that were forgotten before, and whether their folders are there.
    before: tuple[tuple[RecordedFolder, bool], ...]
    remains: tuple[Remain, ...]
    #: What goes of that.
    taken: tuple[Remain, ...]

    def report(self, *, dry_run: bool = True) -> RemovalReportV1:
        """Return the report, which has what the runs leave in the store, too."""
        return RemovalReportV1(
            schema_version="removal_report.v1",
            dry_run=dry_run,
            store=self.store.name,
            items=[
                *(item_of(one.folder, self.store) for one in self.objected),
                *(
                    item_of(run, self.store, "unfinished")
                    for run, is_left in self.before
                    if is_left
                ),
                *(one.to_item(self.store, removed=one in self.taken) for one in self.remains),
            ],
        )

    def carry_out(self) -> RemovalReportV1:
        """Record that the runs are forgotten, remove their folders, and return the report.

        Every line is written before a folder is touched. A folder that was changed since it was
        verified stays.

        Raises
        ------
        RunForgeError
            ``USAGE_INVALID`` if something speaks against it, with a problem for each; otherwise as
            :func:`~runforge_engine.removing.removal_writer.forget_folders`.
        """
        # What speaks against it may have come since; what was verified is compared by its digests.
        objected = [
            one.with_needs(dict(needs_of(self.store, run)))
            for one, run in zip(self.objected, self.runs, strict=True)
        ]
        refused = [one for one in objected if one.sentences]
        if refused and not self.force:
            raise _refusal(refused)
        folders = with_remains(
            [*(one.folder for one in objected), *(run for run, _ in self.before)], self.taken
        )
        forget_folders(
            self.store,
            folders,
            because=self.because,
            created_by=self.created_by,
            watch=self.watch,
        )
        return replace(self, objected=tuple(objected)).report(dry_run=False)


def plan_forgetting(
    store: StoreLayout,
    runs: Sequence[AnyRun],
    *,
    because: str,
    created_by: str,
    force: bool = False,
    with_dataset: bool = False,
    with_evaluations: bool = False,
    forgotten: Collection[str] = (),
    only: Collection[str] = (),
    watch: WorkWatch = unwatched,
) -> Forgetting:
    """Verify runs that are to be forgotten, and return what that would do.

    Parameters
    ----------
    store
        The store of the runs; of those of experiments, the one of their workspace.
    runs
        The runs.
    because
        Why, for the record.
    created_by
        The client, such as ``runforge-cli@0.4.0``.
    force
        Whether to set aside what speaks against it; the record says what that was.
    with_dataset
        Whether to remove the copies of their datasets and recipes that nothing else uses.
    with_evaluations
        Whether to remove the evaluations of the runs.
    forgotten
        Runs that were forgotten before, perhaps by a process that was killed then.
    only
        The evaluations to remove, if not all.
    watch
        Shows how far it is.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for a run whose folder is elsewhere; otherwise as
        :func:`~runforge_engine.removing.removal_writer.record_of_folder`.
    """
    entries, around = listed_entries(store), Surroundings(store, store.workspace)
    looked = (_looked_at(store, run, entries, around) for run in runs)
    found = tuple(watch("Verifying runs", looked, len(runs)))
    lines = read_removals(store).current
    before = [recorded_before(lines[run_id], store) for run_id in forgotten]
    digests = {one.folder.run_id: one.digests for one in found}
    digests |= {run.run_id: digests_before(run, entries) for run in before}
    remains = remains_of(store, digests, with_evaluations=with_evaluations and not only)
    taken = (
        one
        for one in remains
        if one.is_free
        and (not only or one.path.name in only)
        and (with_evaluations if one.what == "evaluation" else with_dataset)
    )
    return Forgetting(
        store,
        because,
        created_by,
        force,
        watch,
        found,
        tuple(runs),
        tuple((run, os.path.lexists(run.folder)) for run in before),
        tuple(remains),
        tuple(taken),
    )


def with_remains(runs: Iterable[RecordedFolder], taken: Iterable[Remain]) -> list[RecordedFolder]:
    """Return what is recorded of runs, with the files that go with each of them."""
    return [
        replace(
            run,
            also={
                name: item
                for one in taken
                if run.run_id in one.run_ids
                for name, item in one.files.items()
            },
        )
        for run in runs
    ]


def digests_before(run: RecordedFolder, entries: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Return the digest of the dataset of a run that was removed, by its entry or its line."""
    return digests_of(entries.get(run.run_id) or run.listed or {})


def item_of(
    folder: RecordedFolder,
    store: StoreLayout,
    what: Literal["run", "experiment", "interrupted", "unfinished"] | None = None,
) -> RemovalItem:
    """Return what a report says of a run that is, or would be, removed."""
    kind: Literal["run", "experiment"] = "run" if folder.kind == "trained" else "experiment"
    return RemovalItem(
        what=what or kind,
        path=store.relative(folder.folder),
        outcome="removed",
        id=folder.run_id,
        files=len(folder.files),
        bytes=sum(item["bytes"] for item in folder.files.values()),
        objections=list(folder.despite) or UNSET,
    )


def _looked_at(
    store: StoreLayout, run: AnyRun, entries: Mapping[str, dict[str, Any]], around: Surroundings
) -> _Objected:
    """Return what would be recorded of a run, and what speaks against removing it."""
    listed = listed_of(store, run)
    # First: whatever is in progress or elsewhere is refused in any case.
    folder = record_of_folder(store, run.path.name, run.path, entries=entries, listed=listed)
    objections = dict(_objections(store, run, around))
    return _Objected(
        replace(folder, despite=tuple(objections)),
        objections,
        used_by_run(run, listed),
    )


def listed_of(store: StoreLayout, run: AnyRun) -> dict[str, Any]:
    """Return what lists show of a run of a store, or of an experiment beside it."""
    if isinstance(run, ExperimentRun):
        return describe_experiment(run, ExperimentLayout(store.workspace))
    return describe(run, store)


def used_by_run(run: AnyRun, listed: Mapping[str, Any]) -> set[str]:
    """Return the digests of the dataset and the recipe of a run that lists show so."""
    return digests_of(listed, _request_of(run))


def _request_of(run: AnyRun) -> dict[str, Any] | None:
    """Return the request of a run; None if it has none that can be read."""
    try:
        return run.request if isinstance(run, Run) else None
    except RunForgeError:
        return None


def _objections(
    store: StoreLayout, run: AnyRun, around: Surroundings
) -> Iterator[tuple[Objection, str]]:
    """Yield what speaks against forgetting a run, each with a sentence."""
    yield from needs_of(store, run)
    yield from _unverified(run, around)


def needs_of(store: StoreLayout, run: AnyRun) -> Iterator[tuple[Objection, str]]:
    """Yield what needs a run to stay where it is, each with a sentence."""
    run_id, shown = run.path.name, quote(run.path.name)
    names = [name for name, line in read_aliases(store).current.items() if line["run_id"] == run_id]
    if names:
        yield "alias", f"The alias {', '.join(map(quote, names))} points at {shown}."
    if isinstance(run, ExperimentRun):
        return
    group_id = group_of(run.request)
    if group_id is not None and store.group_folder(group_id).is_dir():
        status = Group(store.group_folder(group_id)).status
        if status not in ENDED:
            yield "sweep", f"The sweep {quote(group_id)} of {shown} has not ended ({status})."
    editors = StoreLayout(store.workspace, LEGACY_STORE)
    if may_have_views(editors):
        views = [path for path in run_folders(editors) if record_of(path, editors) == run.path]
        if views:
            places = ", ".join(quote(editors.relative(path), 200) for path in views)
            yield "view", f"An editor has a view of {shown} in {places}."


def _unverified(run: AnyRun, around: Surroundings) -> Iterator[tuple[Objection, str]]:
    shown = quote(run.path.name)
    if isinstance(run, ExperimentRun):
        if experiment_state.state_of(run) == "interrupted":
            return
        verified = verify_experiment_run(run.path, around.workspace, with_dataset=False)
    else:
        if not _has_result(run):
            if state_of(run.path) != "interrupted":
                yield "unverified", f"{shown} has no result, and may be in progress."
            return
        verified = verify_run(run.path, around, with_dataset=False, alone=False)
    if not verified.holds:
        failed = [check.name for check in verified.checks if check.outcome == "failed"]
        yield "unverified", f"{shown} does not verify ({', '.join(failed)})."


def _has_result(run: Run) -> bool:
    return any(os.path.lexists(run.path / name) for name in ("result.json", "run.json"))


def _refusal(objected: Sequence[_Objected]) -> RunForgeError:
    sentences = [(one, text) for one in objected for text in one.sentences]
    return RunForgeError(
        ErrorCode.USAGE_INVALID,
        f"Nothing was forgotten. {sentences[0][1]}",
        hint="`runforge store forget --force` removes it all the same; the record then says so.",
        problems=[Problem(text, Location(path=str(one.folder.folder))) for one, text in sentences],
    )
