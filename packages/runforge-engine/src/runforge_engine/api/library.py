"""Use RunForge in a program or a notebook: train, and read the runs of a store.

The names here are those of the package: ``from runforge_engine import Store, train``. Every failure
is a :class:`~runforge_contracts.errors.RunForgeError`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.run_ids import started
from runforge_contracts.store.layout import (
    DEFAULT_STORE,
    ExperimentLayout,
    Place,
    StoreLayout,
    find_workspace,
    stores_in,
)
from runforge_contracts.store.reading import locate_run, runs_of
from runforge_contracts.store.run import BaseRun

from runforge_engine import __version__
from runforge_engine.api.python_errors import for_python
from runforge_engine.api.trained_run import Run
from runforge_engine.data.dataset_source import PYTHON
from runforge_engine.pipeline.observer import Observer
from runforge_engine.runtime.cancellation import Cancellation
from runforge_engine.runtime.clock import read_clock
from runforge_engine.runtime.plain_values import plain

if TYPE_CHECKING:
    import pandas as pd
    from runforge_contracts.selection.older_entries import Listed
    from runforge_contracts.selection.run_bounds import RunBounds
    from runforge_contracts.store.lookup import AnyRun

    from runforge_engine.api.compared_records import RunComparison
    from runforge_engine.api.experiment_run import ExperimentRun
    from runforge_engine.api.trained_sweep import Sweep
    from runforge_engine.pipeline.execute import ExecutionResult
    from runforge_engine.sweeps.sweep_observer import SweepObserver

#: The client recorded in the requests of :func:`train`.
CLIENT = f"{PYTHON}{__version__}"
#: Number of runs in the notebook display of a store.
_SHOWN = 20


@for_python
def train(
    data: str | os.PathLike[str] | pd.DataFrame,
    *,
    label: str,
    model: str | None = None,
    preset: str = "balanced",
    profile: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    exclude: Iterable[str] = (),
    recipe: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    seed: int | None = None,
    device: str = "cpu",
    name: str | None = None,
    tags: Iterable[str] = (),
    notes: str | None = None,
    workspace: str | os.PathLike[str] | None = None,
    private: bool | None = None,
    observer: Observer | None = None,
    cancellation: Cancellation | None = None,
) -> Run:
    """Train a classifier, record the run, and return it.

    The numeric environment is pinned first, which must happen before numpy is imported; if numpy
    was imported first, the run records that its bits may differ on another machine. To avoid this,
    import this package first and call
    :func:`~runforge_engine.runtime.numeric_environment.pin_environment`.

    Parameters
    ----------
    data
        Path of a CSV (also .csv.gz) or Parquet file, or a data frame; a frame is written into the
        store as a CSV file, which the run then names as its dataset.
    label
        Name of the label column.
    model
        ``logistic_regression``, ``random_forest`` or ``linear_svc``; by default the one that the
        profile is made for, else the first.
    preset, profile
        As on the command line.
    hyperparameters
        By name; they go before those of profile and preset.
    exclude
        Columns that are neither label nor feature.
    recipe
        The recipe that makes numbers of the columns of ``data``: the path of a file, as
        ``runforge prepare`` writes it, or a dictionary with its content, which is written into the
        store.
    seed
        Of the split and the estimator; 42 by default.
    device
        ``cpu``, or ``gpu`` where there is one to use.
    name, tags, notes
        For display.
    workspace
        Folder that holds the store; by default the nearest at or above the current folder that has
        one, else the current folder.
    private
        Whether to omit values that identify a person or a machine from the record; by default if
        ``RUNFORGE_PRIVATE`` requests it.
    observer
        Called with every event and diagnostic.
    cancellation
        Ends the run early; ``runforge cancel`` and an interrupt also work without it.

    Raises
    ------
    RunForgeError
        Also where the run failed or was cancelled; a note then gives the path of its record.
    """
    from runforge_engine.runtime.numeric_environment import pin_environment

    pin_environment()
    from runforge_engine.data.dataframe import dataset_file
    from runforge_engine.pipeline.execute import execute
    from runforge_engine.pipeline.request import new_request
    from runforge_engine.preparation.frame_dates import with_dates
    from runforge_engine.preparation.given_recipe import recipe_file

    store = StoreLayout(workspace_at(workspace), DEFAULT_STORE)
    request = new_request(
        dataset=dataset_file(with_dates(data, recipe), store),
        label_column=label,
        store=store,
        created_by=CLIENT,
        model_family=model,
        preset=preset,
        profile=profile,
        hyperparameters=hyperparameters,
        seed=seed,
        device=device,
        exclude_columns=exclude,
        recipe=None if recipe is None else recipe_file(recipe, store),
        name=name,
        tags=tags,
        notes=notes,
    )
    outcome = execute(request, store, private=private, observer=observer, cancellation=cancellation)
    return recorded_run(outcome, store)


def recorded_run(outcome: ExecutionResult, store: StoreLayout) -> Run:
    """Return the run of an execution, or raise its error with a note on where it is recorded."""
    from runforge_engine.api.run_operations import recorded_folder

    return Run(recorded_folder(outcome, store))


@for_python
def sweep(
    data: str | os.PathLike[str] | pd.DataFrame | Mapping[str, Any],
    *,
    grid: Mapping[str, Iterable[Any]] | None = None,
    seeds: Iterable[int] = (),
    label: str | None = None,
    model: str | None = None,
    preset: str = "balanced",
    profile: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    exclude: Iterable[str] = (),
    recipe: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    seed: int | None = None,
    device: str = "cpu",
    name: str | None = None,
    tags: Iterable[str] = (),
    notes: str | None = None,
    jobs: int | None = None,
    fail_fast: bool | None = None,
    scheduler: str | None = None,
    allow_mixed: bool = False,
    workspace: str | os.PathLike[str] | None = None,
    private: bool | None = None,
    observer: SweepObserver | None = None,
    cancellation: Cancellation | None = None,
) -> Sweep:
    """Train with every combination of a grid, or as a plan says, and return the sweep.

    The runs are executed in processes of their own, with the numeric environment pinned; a script
    needs no main guard. Every run is a complete record. An interrupt ends all of them within two
    seconds, and the sweep can then be resumed.

    Parameters
    ----------
    data
        Path of a dataset, or a data frame, as for :func:`train`. Or a plan: the path of a file
        whose name ends with ``.json``, or its raw object.
    grid
        Values by the name of a hyperparameter, ``seed``, ``preset``, ``profile``, ``model``, or the
        path of another member of the request. None as the value of a hyperparameter is that value.
    seeds
        Seeds to repeat every combination with, such as ``range(1, 6)``.
    label, model, preset, profile, hyperparameters, exclude, recipe, seed, device, tags
        Of every run, as for :func:`train`; a recipe names the label, too.
    name, notes
        Of the sweep.
    jobs
        How many runs are executed at the same time; by default all cores.
    fail_fast
        Whether the first failed run ends the sweep.
    scheduler
        Address of the scheduler of a Dask cluster that executes the runs, ``tcp://HOST:PORT``.
    allow_mixed
        Whether workers of the cluster may have other versions; each of their runs records them.
    workspace, private, cancellation
        As for :func:`train`.
    observer
        Receives what happens, run by run.

    Raises
    ------
    RunForgeError
        ``PLAN_INVALID`` with every mistake, before anything is run. Also where the sweep ended
        before all members were run; a note then says how to resume it. A failed run raises nothing:
        :meth:`~runforge_engine.api.trained_sweep.Sweep.runs` has it.
    """
    from runforge_contracts.sweeps.groups import Group
    from runforge_contracts.sweeps.plan_members import plan_from, read_plan

    from runforge_engine.api.trained_sweep import Sweep, execute_group
    from runforge_engine.data.dataframe import dataset_file
    from runforge_engine.pipeline.request import new_request
    from runforge_engine.preparation.frame_dates import with_dates
    from runforge_engine.preparation.given_recipe import recipe_file
    from runforge_engine.preparation.recipe_rules import read_recipe
    from runforge_engine.sweeps.open_group import SweepOptions, new_group
    from runforge_engine.sweeps.plan_builder import new_plan, values_of
    from runforge_engine.sweeps.resolved_plan import resolve_plan
    from runforge_engine.sweeps.sweep_pool import SweepPools

    store = StoreLayout(workspace_at(workspace), DEFAULT_STORE)
    is_path = isinstance(data, (str, os.PathLike)) and os.fsdecode(data).endswith(".json")
    seeds = list(seeds)
    if isinstance(data, Mapping) or is_path:
        if grid or seeds or label is not None or model is not None or hyperparameters:
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                "A plan has all settings of its runs; none is given beside it.",
                hint="Change the plan, or name a dataset instead of it.",
            )
        plan = (
            plan_from(plain(data))
            if isinstance(data, Mapping)
            else read_plan(cast("str | os.PathLike[str]", data))
        )
    else:
        path = None if recipe is None else recipe_file(recipe, store)
        if label is None and path is not None:
            label = read_recipe(path)["label"]
        if label is None:
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                "The label column is missing.",
                hint="Name it with label=...; it is never guessed.",
            )
        models = values_of("model", (grid or {}).get("model", ()))
        request = new_request(
            dataset=dataset_file(with_dates(data, recipe), store),
            label_column=label,
            store=store,
            created_by=CLIENT,
            model_family=model if model is not None or not models else models[0],
            preset=preset,
            profile=profile,
            hyperparameters=hyperparameters,
            seed=seed,
            device=device,
            exclude_columns=exclude,
            recipe=path,
            tags=tags,
        )
        plan = new_plan(
            request.document.raw,
            grid or {},
            created_by=CLIENT,
            seeds=seeds,
            name=name,
            notes=notes,
            max_parallel=jobs,
            fail_fast=bool(fail_fast),
        )
    resolved = resolve_plan(plan, store, created_by=CLIENT)
    pools = SweepPools(store, scheduler, jobs=jobs, private=private, allow_mixed=allow_mixed)
    with pools.connected():
        options = SweepOptions(
            jobs, fail_fast, scheduler=scheduler, slots=pools.slots, private=private
        )
        with new_group(
            resolved, plan.encode(), store, created_by=CLIENT, name=name, options=options
        ) as group:
            execute_group(group, pools, observer, cancellation)
    return Sweep(Group(group.folder), [store])


class Store:
    """The runs of a workspace: those that were trained, and those of experiments.

    Parameters
    ----------
    workspace
        Folder that holds the store; by default the nearest at or above the current folder that has
        one, else the current folder.
    name
        Name of the store's folder; by default those of all clients are read.
    """

    def __init__(
        self, workspace: str | os.PathLike[str] | None = None, name: str | None = None
    ) -> None:
        #: Folder that holds the store.
        self.workspace = workspace_at(workspace)
        self._name = name

    @for_python
    def runs(
        self,
        *,
        status: str | None = None,
        model: str | None = None,
        tag: str | None = None,
        name: str | None = None,
        since: str | date | None = None,
        before: str | date | None = None,
        min: Mapping[str, float] | None = None,  # noqa: A002 - as `runforge runs --min`
        max: Mapping[str, float] | None = None,  # noqa: A002 - as `runforge runs --max`
        where: str | Iterable[str] = (),
        group: str | None = None,
        sort: str | None = None,
    ) -> list[Run]:
        """Return the runs, the newest first.

        Parameters
        ----------
        status
            Only those with this status.
        model
            Only those of this model family.
        tag, name
            Only those with this tag, and with this name.
        since, before
            Only those that began since then, and before then: ``7d`` (also ``m``, ``h``, ``w``),
            ``2026-11-01``, ``2026-11-01T09:00``, a day or a time; in UTC unless it has a time zone.
        min, max
            Least and greatest values by name, such as ``{"accuracy": 0.8}``.
        where
            Only those that fulfil every condition, such as ``C<0.1``; as ``runforge runs --where``.
        group
            Only those of this sweep: its id, the start of one, its name or ``latest``.
        sort
            The name of a metric, whose best values come first, or of another value, whose least
            come first; ``-`` before it reverses the order. Of runs with the same value of a metric
            the other metrics decide.

        Raises
        ------
        UsageError
            Where a condition or a time is invalid, or no run has a value of a name.
        NotFoundError
            Where there is no such sweep.
        """
        from runforge_contracts.selection.run_bounds import RunBounds

        least, greatest = plain(min or {}), plain(max or {})
        bounds = RunBounds(name, tag, _time(since), _time(before), least, greatest)
        rows = [
            (entry, store)
            for entry, store in self._entries()
            if model in (None, entry.get("model_family"))
        ]
        rows = self._chosen(rows, where, group, sort, bounds)
        runs = [Run(_located(entry, store)) for entry, store in rows]
        return [run for run in runs if status in (None, run.status)]

    @for_python
    def run(self, reference: str = "latest") -> Run:
        """Return the run that ``reference`` names: an id, the start of one, ``latest``, or a path.

        Also an alias, a name, ``best``, ``best:METRIC``, ``best@SCOPE``, ``latest:STATUS``,
        ``alias:NAME``, ``name:TEXT`` and ``tag:TEXT``. A name of several runs means the only one
        that succeeded; :meth:`forget` and :meth:`archive` refuse it. SCOPE is a sweep or the path
        of a dataset, as for :meth:`best`. ``latest`` is the last one recorded; a path may begin at
        the workspace.

        Raises
        ------
        RunForgeError
            ``RUN_NOT_FOUND`` or ``RUN_AMBIGUOUS``.
        """
        from runforge_contracts.sweeps.scoped_runs import find_scoped_run

        found = find_scoped_run(reference, self._stores())
        run = Run(found.path)
        run.tied, run.equal, run.namesakes = found.tied, found.equal, found.namesakes
        return run

    @for_python
    def unbundle(
        self,
        path: str | os.PathLike[str],
        *,
        public_key: str | os.PathLike[str] | None = None,
    ) -> Run | ExperimentRun:
        """Bring the run of a bundle into the store, and return it.

        Everything is verified before anything is written. A run that is there with the same files
        stays; its signature, entry and dataset are added where they are missing.

        Parameters
        ----------
        path
            The bundle, which ``Run.bundle`` or ``runforge bundle`` wrote.
        public_key
            A PEM file from a trusted source; the run must have a signature of the matching private
            key. Without one it is unknown who signed the run.

        Raises
        ------
        DocumentError
            Where the file is not a bundle.
        VerificationError, SignatureError
            Where the bundle or its run was changed.
        StoreError
            Where the file is unsafe, or the store cannot be written.
        UsageError
            Where the store has another run with the same id.
        """
        from runforge_engine.api.experiment_run import ExperimentRun
        from runforge_engine.bundles.bundle_reader import opened_bundle
        from runforge_engine.bundles.unbundle import unbundle

        store = self._own()
        key = None if public_key is None else Path(public_key)
        with opened_bundle(Path(path), self.workspace, key) as bundle:
            report = unbundle(bundle, store)
        folder = self.workspace / report.run_dir
        return Run(folder) if report.run_kind == "run" else ExperimentRun(folder)

    @for_python
    def forget(
        self,
        reference: str,
        *,
        because: str,
        force: bool = False,
        with_dataset: bool = False,
        with_evaluations: bool = False,
    ) -> str:
        """Remove the files of a run, record what they were, and return its id.

        Its entry in the index and its signature stay; :meth:`runs` and :meth:`run` no longer have
        it.

        Parameters
        ----------
        reference
            The run, as for :meth:`run`.
        because
            Why, for the record.
        force
            Whether to remove also a run that an alias points at, whose sweep has not ended, that an
            editor has a view of, or that does not verify. The record says so.
        with_dataset
            Whether to remove the copy of its data frame, too, if nothing else uses it.
        with_evaluations
            Whether to remove its evaluations, too.

        Raises
        ------
        UsageError
            Where something speaks against it, with a problem for each.
        NotFoundError
            Where there is no such run.
        StoreError
            Where the run is in progress, the record is not valid, or the store cannot be written.
        """
        from runforge_contracts.store.run_queries import refuse_namesakes

        from runforge_engine import __version__
        from runforge_engine.removing.forget_runs import plan_forgetting

        run = self.run(reference)
        refuse_namesakes(run)
        root = run.path.parents[1]
        plan_forgetting(
            StoreLayout(root.parent, root.name),
            [run],
            because=because,
            created_by=f"runforge-engine@{__version__}",
            force=force,
            with_dataset=with_dataset,
            with_evaluations=with_evaluations,
        ).carry_out()
        return run.path.name

    @for_python
    def archive(
        self,
        runs: AnyRun | str | Iterable[AnyRun | str],
        to: str | os.PathLike[str],
        *,
        because: str | None = None,
        with_dataset: bool = False,
        force: bool = False,
    ) -> list[str]:
        """Move runs into an archive, and return their ids.

        The runs are verified, copied and verified there; then their folders are removed here.
        :meth:`restore` brings them back, and :class:`Store` reads the folder of an archive.

        Parameters
        ----------
        runs
            A run or several, of either kind, or references as for :meth:`run`.
        to
            The archive: a folder, or a new file whose name ends with ``.tar.zst``.
        because
            Why, for the record.
        with_dataset
            Whether the copies of their data frames and recipes in the store go along; a copy that
            something else uses stays here as well.
        force
            Whether to archive also a run that an alias points at, whose sweep has not ended, or
            that an editor has a view of. The record says so.

        Raises
        ------
        UsageError
            Where something needs a run, and where ``to`` cannot be an archive.
        VerificationError
            Where a run does not verify; nothing is archived then.
        NotFoundError
            Where there is no such run.
        StoreError
            Where a run is in progress, or the store or the archive cannot be written.
        """
        from runforge_engine.api.store_changes import archive_recorded

        return archive_recorded(
            self._own(),
            runs,
            to,
            self._beyond_doubt,
            because=because,
            with_dataset=with_dataset,
            force=force,
        )

    @for_python
    def restore(
        self,
        archives: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        runs: str | Iterable[str] = (),
    ) -> list[Run | ExperimentRun]:
        """Bring runs back from archives, and return them.

        Every file must be as it was when the run was archived. Nothing that is here is replaced,
        and the archives stay as they are.

        Parameters
        ----------
        archives
            An archive or several: folders, or files.
        runs
            Ids of runs in them, the starts of ids, or names; by default all that were archived
            from this store.

        Raises
        ------
        NotFoundError
            Where there is no such archive, or no such run in it.
        VerificationError
            Where a file differs from the record; nothing is restored then.
        UsageError
            Where a run was not archived from this store, or something else has its place.
        DocumentError, StoreError
            Where an archive is damaged or unsafe, or the store cannot be written.
        """
        from runforge_engine.api.store_changes import restore_recorded

        return self._opened(restore_recorded(self._own(), archives, runs))

    @for_python
    def merge(
        self,
        other: str | os.PathLike[str],
        *,
        public_key: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None = None,
    ) -> list[Run | ExperimentRun]:
        """Bring everything of another store into this one, and return the runs that came.

        The other store is verified first. Nothing that is here is changed: what is the same stays.

        Parameters
        ----------
        other
            The other store, or the folder that has it.
        public_key
            A PEM file from a trusted source, or several: every run there must have a signature of
            a matching private key.

        Raises
        ------
        VerificationError
            Where the other store does not verify, or a run is not signed by one of the keys.
        SignatureError
            Where a key is invalid.
        UsageError
            Where this store has another run with an id of the other one, or is that store itself.
        NotFoundError
            Where there is no such store, or no such key.
        StoreError
            Where one of the two is unsafe or not valid, or this one cannot be written.
        """
        from runforge_engine.api.store_changes import merge_recorded

        return self._opened(merge_recorded(self._own(), other, public_key))

    @for_python
    def move(self, folder: str | os.PathLike[str]) -> Path:
        """Move the store into a folder, such as on a larger disk; return the path that it has then.

        A link takes its place in the workspace, so that everything finds it as before. The
        workspace itself as the folder brings the store back. Nothing may train meanwhile.

        Parameters
        ----------
        folder
            The folder that will have the store. It is created if it does not exist.

        Raises
        ------
        UsageError
            Where the folder cannot have the store, and under Windows.
        NotFoundError
            Where there is no store.
        VerificationError
            Where a copy differs; nothing is moved then.
        StoreError
            Where a run is in progress, something was written meanwhile, or cannot be written.
        """
        from runforge_engine.api.store_changes import move_recorded

        return move_recorded(self._own(), folder)

    def _own(self) -> StoreLayout:
        """Return the store that this client writes."""
        return StoreLayout(self.workspace, self._name or DEFAULT_STORE)

    def _opened(self, folders: Iterable[Path]) -> list[Run | ExperimentRun]:
        from runforge_engine.api.experiment_run import ExperimentRun

        runs = self._own().runs
        return [Run(path) if path.parent == runs else ExperimentRun(path) for path in folders]

    @for_python
    def diff(self, *runs: AnyRun | str) -> RunComparison:
        """Compare two or more runs by their records; the first is the baseline.

        Parameters
        ----------
        runs
            The runs, of either kind, or references as for :meth:`run`.

        Raises
        ------
        UsageError
            Where there are fewer than two, or one is given twice.
        NotFoundError
            Where there is no such run.
        """
        from runforge_engine.api.compared_records import compare

        return compare([self._any(run) for run in runs])

    @for_python
    def report(
        self,
        runs: Iterable[AnyRun | str],
        path: str | os.PathLike[str],
        *,
        curves: bool = True,
        replace: bool = False,
    ) -> Path:
        """Write one report on several runs, the first of which is the baseline; return its path.

        Parameters
        ----------
        runs
            The runs, of either kind, or references as for :meth:`run`.
        path, curves, replace
            As for :meth:`~runforge_engine.api.trained_run.Run.report`.

        Raises
        ------
        RunForgeError
            As there, and ``RUN_NOT_FOUND``.
        """
        from runforge_engine.api.run_report import write_report

        given = [runs] if isinstance(runs, (str, BaseRun)) else runs
        found = [self._any(run) for run in given]
        return write_report(found, Path(path), curves=curves, replace=replace)

    def _any(self, run: AnyRun | str) -> AnyRun:
        """Return a run of either kind that is given, or that a reference names."""
        from runforge_contracts.sweeps.scoped_runs import find_scoped_run

        if isinstance(run, BaseRun):
            return run
        places: list[Place] = [*self._stores()]
        experiments = self._experiments()
        return find_scoped_run(run, places if experiments is None else [*places, experiments])

    def _beyond_doubt(self, run: AnyRun | str) -> AnyRun:
        """Return a run as :meth:`_any` does, but none by a name that other runs have, too."""
        from runforge_contracts.store.run_queries import refuse_namesakes

        found = self._any(run)
        if isinstance(run, str):
            refuse_namesakes(found)
        return found

    def aliases(self) -> dict[str, str]:
        """Return the id of the run of each alias, by the name of the alias.

        :meth:`run` takes an alias, too.

        Raises
        ------
        RunForgeError
            ``DOCUMENT_INVALID`` if the history of the aliases was changed.
        """
        from runforge_contracts.store.aliases import read_aliases

        return {
            name: entry["run_id"]
            for store in self._stores()
            for name, entry in read_aliases(store).current.items()
        }

    def best(
        self, metric: str | None = None, *, within: str | os.PathLike[str] | None = None
    ) -> Run:
        """Return the run that succeeded with the best value of a metric, or of the primary one.

        Runs with the same value are decided by the other metrics, then by which began first;
        ``tied`` of the run is how many others have the value, ``equal`` how many are equal in all.

        Parameters
        ----------
        metric
            The metric; the primary one of the runs by default.
        within
            The path of a dataset, or a sweep by its id, its name or ``latest``: only its runs.

        Raises
        ------
        RunForgeError
            ``RUN_NOT_FOUND`` if no run has the metric, ``RUN_AMBIGUOUS`` if none is named and the
            runs have different primary metrics, ``GROUP_NOT_FOUND`` if ``within`` is neither.
        """
        reference = "best" if metric is None else f"best:{metric}"
        return self.run(reference if within is None else f"{reference}@{os.fspath(within)}")

    def sweep(
        self, data: str | os.PathLike[str] | pd.DataFrame | Mapping[str, Any], **options: Any
    ) -> Sweep:
        """Train many runs in this workspace; see :func:`sweep`."""
        return sweep(data, workspace=self.workspace, **options)

    @for_python
    def sweeps(self) -> list[Sweep]:
        """Return the sweeps, the newest first."""
        from runforge_contracts.sweeps.groups import list_groups

        from runforge_engine.api.trained_sweep import Sweep

        stores = self._stores()
        groups = [group for store in stores for group in list_groups(store)]
        groups.sort(key=lambda group: group.id, reverse=True)
        return [Sweep(group, stores) for group in groups]

    @for_python
    def open_sweep(self, reference: str | os.PathLike[str] = "latest") -> Sweep:
        """Return a sweep by its id, the start of one, its name, ``latest``, or its folder.

        Raises
        ------
        RunForgeError
            ``GROUP_NOT_FOUND`` or ``GROUP_AMBIGUOUS``.
        """
        from runforge_contracts.sweeps.groups import find_group

        from runforge_engine.api.trained_sweep import Sweep

        stores = self._stores()
        return Sweep(find_group(reference, stores), stores)

    @for_python
    def experiments(self, *, status: str | None = None) -> list[ExperimentRun]:
        """Return the runs of experiments, the newest first.

        Parameters
        ----------
        status
            Only those with this status.
        """
        from runforge_engine.api.experiment_run import ExperimentRun

        place = self._experiments()
        if place is None:
            return []
        runs = [ExperimentRun(place.run_folder(str(run_id))) for run_id in place.ids()[::-1]]
        return [run for run in runs if status in (None, run.status)]

    @for_python
    def experiment(self, reference: str | os.PathLike[str] = "latest") -> ExperimentRun:
        """Return the run of an experiment: its id, the start of one, ``latest``, or a path.

        Raises
        ------
        RunForgeError
            ``RUN_NOT_FOUND`` or ``RUN_AMBIGUOUS``.
        """
        from runforge_contracts.store.experiment_runs import ExperimentRun as RecordedRun
        from runforge_contracts.store.lookup import find_any_run

        from runforge_engine.api.experiment_run import ExperimentRun

        reference = os.fspath(reference)
        found = find_any_run(reference, [self._experiments() or ExperimentLayout(self.workspace)])
        if not isinstance(found, RecordedRun):
            raise RunForgeError(
                ErrorCode.RUN_NOT_FOUND,
                f"{quote(reference, 200)} is not the run of an experiment.",
                hint="`Store.run` is for trained runs.",
            )
        return ExperimentRun(found.path)

    @for_python
    def frame(self, *, where: str | Iterable[str] = (), group: str | None = None) -> pd.DataFrame:
        """Return a data frame of the runs, the newest first.

        It has a column for each hyperparameter and each metric. Its index is the run id; values
        that a run does not have are missing. Where there are runs of experiments, ``kind``
        distinguishes them from trained runs, and ``name`` is the name of the experiment. A
        hyperparameter or a metric whose name means something else has the prefix ``param.`` or
        ``metric.``. Runs from before indexes had hyperparameters are read from their folders, which
        takes longer.

        Parameters
        ----------
        where, group
            As in :meth:`runs`.
        """
        from runforge_contracts.selection.older_entries import SettingsReader

        from runforge_engine.api.run_frame import frame_of

        rows = self._chosen(self._all_entries(), where, group)
        return frame_of([entry for entry, _ in SettingsReader().completed(rows)])

    def _stores(self) -> list[StoreLayout]:
        return stores_in(self.workspace, self._name)

    def _entries(self) -> list[Listed]:
        found: list[Listed] = [*runs_of(self._stores())]
        return sorted(found, key=lambda pair: started(pair[0]))[::-1]

    def _chosen(
        self,
        rows: list[Listed],
        where: str | Iterable[str],
        group: str | None,
        sort: str | None = None,
        bounds: RunBounds | None = None,
    ) -> list[Listed]:
        """Return those of some runs, the newest first, that fulfil conditions."""
        conditions = [where] if isinstance(where, str) else list(where)
        bounded = [] if bounds is None else bounds.conditions(read_clock().instant)
        if not conditions and not bounded and group is None and sort is None:
            return rows
        from runforge_contracts.selection.older_entries import SettingsReader
        from runforge_contracts.selection.run_condition import RunCondition, parse_conditions
        from runforge_contracts.selection.run_query import (
            RunFacts,
            RunOrder,
            RunQuery,
            query_runs,
            with_digests,
            with_ids,
        )

        named = with_ids(parse_conditions(conditions), self._stores())
        parsed = with_digests(named, [Path.cwd(), self.workspace])
        parsed = (*bounded, *parsed)
        if group is not None:
            from runforge_contracts.sweeps.groups import find_group

            found = find_group(group, self._stores())
            parsed = (RunCondition("group", "=", found.id, is_quoted=True), *parsed)
        order = RunOrder() if sort is None else RunOrder.parse(sort)
        facts = RunFacts(self._add_states, _tags, SettingsReader())
        return query_runs(rows[::-1], RunQuery(parsed, order), facts)

    def _add_states(self, entries: Iterable[dict[str, Any]]) -> None:
        """Add the current state to entries without a status, and of runs without a folder."""
        from runforge_contracts.selection.run_values import MISSING

        for entry in entries:
            if "kind" not in entry and not (self.workspace / entry["run_dir"]).is_dir():
                entry["state"] = MISSING
            elif "status" not in entry:
                entry["state"] = self._status(entry)

    def _experiments(self) -> ExperimentLayout | None:
        """Return the folders of experiment runs; none if a store was selected by name."""
        place = ExperimentLayout(self.workspace)
        return place if self._name is None and place.has_runs() else None

    def _all_entries(self) -> list[Listed]:
        """Return entries of the runs of both kinds, the newest first."""
        found = self._entries()[::-1]
        place = self._experiments()
        if place is not None:
            from runforge_contracts.store.experiment_list import newest_experiments

            found += [(entry, place) for entry in newest_experiments(place).entries]
            found.sort(key=lambda pair: started(pair[0]))
        return found[::-1]

    def _status(self, entry: dict[str, Any]) -> str:
        """Return the status in an index entry; for a run in progress, the status of its folder."""
        recorded = entry.get("status") or entry.get("state")
        if recorded:
            return str(recorded)
        path = self.workspace / entry["run_dir"]
        if "kind" not in entry:
            return Run(path).status
        from runforge_engine.api.experiment_run import ExperimentRun

        return ExperimentRun(path).status

    def __repr__(self) -> str:
        return f"<Store in {quote(self.workspace, 200)}>"

    def _repr_html_(self) -> str:
        from runforge_contracts.selection.older_entries import SettingsReader

        from runforge_engine.api.run_frame import overview

        rows = self._all_entries()
        shown = [entry for entry, _ in SettingsReader().completed(rows[:_SHOWN])]
        title = f"{len(rows):,} runs in {self.workspace}"
        return overview(shown, map(self._status, shown), title)


def _time(time: str | date | None) -> str | None:
    """Return a day or a time as text, in UTC unless it has a time zone."""
    return time.isoformat() if isinstance(time, date) else time


def _located(entry: dict[str, Any], store: Place) -> Path:
    """Return the folder of a trained run."""
    assert isinstance(store, StoreLayout)  # noqa: S101 - the other place has no trained runs
    return locate_run(entry, store)


def _tags(entry: dict[str, Any], place: Place) -> list[str]:
    """Return the tags of a run; none if they cannot be read."""
    from runforge_contracts.store.experiment_runs import ExperimentRun as RecordedExperiment

    try:
        if isinstance(place, ExperimentLayout):
            asked = RecordedExperiment(place.workspace / entry["run_dir"]).config
        else:
            asked = Run(locate_run(entry, place)).request
    except RunForgeError:
        return []
    tags = (asked or {}).get("tags")
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def workspace_at(folder: str | os.PathLike[str] | None) -> Path:
    """Return ``folder``, or the workspace of the current folder where it is None."""
    if folder is None:
        return find_workspace(Path.cwd())
    path = Path(folder).absolute()
    if not path.is_dir():
        raise RunForgeError(
            ErrorCode.FILE_NOT_FOUND,
            f"The workspace {quote(path, 200)} is not a folder.",
            hint="Make it first, or leave it out to use the current folder.",
            path=str(path),
        )
    return path
