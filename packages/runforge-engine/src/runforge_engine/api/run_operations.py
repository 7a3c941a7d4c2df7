"""Predict with a recorded run, evaluate, verify and repeat it: for ``Run`` and for the functions.

The parameters are those of ``Run`` and of :mod:`runforge_engine.api.operations`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from runforge_contracts.display import quote
from runforge_contracts.errors import NotFoundError, RunForgeError
from runforge_contracts.store.experiment_runs import AnyRun, ExperimentRun
from runforge_contracts.store.layout import (
    DEFAULT_STORE,
    ExperimentLayout,
    Place,
    StoreLayout,
    find_workspace,
    stores_in,
)
from runforge_contracts.store.run import Run

from runforge_engine.pipeline.observer import Observer
from runforge_engine.runtime.cancellation import Cancellation
from runforge_engine.runtime.plain_values import listed, plain

if TYPE_CHECKING:
    import pandas as pd

    from runforge_engine.api.prediction_rows import Rows
    from runforge_engine.api.run_evaluation import RunEvaluation
    from runforge_engine.modeling.predict import Prediction
    from runforge_engine.pipeline.execute import ExecutionResult
    from runforge_engine.reproduction.reproduction_report import Reproduction
    from runforge_engine.verification.verify_run import RunVerification

AnyPath = str | os.PathLike[str]


def predict_rows(run: Run, data: Rows, *, probabilities: bool, unverified: bool) -> Prediction:
    """Apply the model of a run to rows, in a separate process."""
    from runforge_contracts.store.reading import runs_of

    from runforge_engine.api.prediction_rows import rows_file
    from runforge_engine.modeling.model_process import predict as predict_in_process
    from runforge_engine.modeling.predict import model_of_run
    from runforge_engine.preparation.frame_dates import with_dates_of

    listed = runs_of(stores_in(find_workspace(run.path)))
    model = model_of_run(run, listed, unverified=unverified)
    with rows_file(data, lambda frame: with_dates_of(frame, run)) as path:
        return predict_in_process(model, path, probabilities=probabilities)


def evaluate_recorded(
    run: Run,
    data: AnyPath | pd.DataFrame,
    *,
    label: str | None,
    private: bool | None,
    unverified: bool,
) -> RunEvaluation:
    """Evaluate the model of a run on labelled rows, and record the evaluation."""
    from runforge_contracts.store.reading import runs_of

    from runforge_engine import __version__
    from runforge_engine.api.run_evaluation import RunEvaluation
    from runforge_engine.data.dataframe import dataset_file
    from runforge_engine.data.dataset_source import PYTHON
    from runforge_engine.evaluations.evaluate_run import evaluate_run, store_of
    from runforge_engine.preparation.frame_dates import with_dates_of

    workspace = find_workspace(run.path)
    store = store_of(run, StoreLayout(workspace, DEFAULT_STORE))
    made = evaluate_run(
        run,
        dataset_file(with_dates_of(data, run), store),
        store,
        runs_of(stores_in(workspace)),
        created_by=f"{PYTHON}{__version__}",
        label_column=label,
        private=private,
        unverified=unverified,
    )
    return RunEvaluation(made.recorded.path, run)


def parent_in(run: Run) -> Path | None:
    """Return the folder of the run that a run repeats; None if it repeats none or is not there."""
    from runforge_contracts.store.lookup import find_run
    from runforge_contracts.store.reading import parent_of

    parent = parent_of(run.request)
    if parent is None:
        return None
    try:
        found = find_run(parent, stores_in(find_workspace(run.path)))
    except NotFoundError:
        return None
    return found.path if found.id == parent else None


def runs_given(run: Run, others: Iterable[AnyRun | str]) -> list[AnyRun]:
    """Return runs that are given, or that references name in the workspace of a run."""
    from runforge_contracts.sweeps.scoped_runs import find_scoped_run

    workspace = find_workspace(run.path)
    places: list[Place] = [*stores_in(workspace)]
    experiments = ExperimentLayout(workspace)
    if experiments.has_runs():
        places.append(experiments)
    return [find_scoped_run(other, places) if isinstance(other, str) else other for other in others]


def children_in(run: Run) -> list[Path]:
    """Return the folders of the runs that repeat a run, oldest first."""
    from runforge_contracts.lineage.run_family import repetitions
    from runforge_contracts.store.reading import locate_run

    found = list[Path]()
    for entry, store in repetitions(run.id, stores_in(find_workspace(run.path))):
        assert isinstance(store, StoreLayout)  # noqa: S101 - only stores were searched
        with suppress(RunForgeError):
            found.append(locate_run(entry, store))
    return [path for path in found if path.is_dir()]


def verify_recorded(run: Run, *, public_key: AnyPath | None, with_dataset: bool) -> RunVerification:
    """Check that nothing of a run was changed since it was recorded."""
    from runforge_engine.api.python_check import PythonCheck
    from runforge_engine.verification.context import surroundings_of
    from runforge_engine.verification.verify_run import verify_run

    path = run.path.absolute()
    key = None if public_key is None else Path(public_key)
    around = surroundings_of(path, stores_in(find_workspace(path)), key)
    found = verify_run(path, around, with_dataset=with_dataset)
    return replace(found, checks=tuple(map(PythonCheck.of, found.checks)))


def bundle_recorded(
    run: Run | ExperimentRun,
    path: AnyPath | None,
    *,
    public_key: AnyPath | None,
    with_dataset: bool,
) -> Path:
    """Write a run with its signature into one file, and return its path."""
    from runforge_engine import __version__
    from runforge_engine.bundles.bundle_contents import SUFFIX
    from runforge_engine.bundles.bundle_writer import write_bundle
    from runforge_engine.data.dataset_source import PYTHON

    target = Path(f"{run.path.name}{SUFFIX}" if path is None else path)
    write_bundle(
        run,
        target,
        created_by=f"{PYTHON}{__version__}",
        public_key=None if public_key is None else Path(public_key),
        with_dataset=with_dataset,
    )
    return target


def recorded_folder(outcome: ExecutionResult, store: StoreLayout) -> Path:
    """Return the folder of an executed run, or raise its error with a note on where it is."""
    if outcome.error is not None:
        where = store.relative(outcome.run_dir)
        outcome.error.add_note(f"The run is recorded as {outcome.status} in {quote(where, 200)}.")
        raise outcome.error
    return outcome.run_dir


def rerun_recorded(
    run: Run,
    data: AnyPath | pd.DataFrame | None,
    options: Mapping[str, Any],
    *,
    hyperparameters: Mapping[str, Any],
    exclude: Iterable[str],
    include: Iterable[str],
    recipe: AnyPath | Mapping[str, Any] | None,
    without_recipe: bool,
    tags: Iterable[str],
    private: bool | None,
    observer: Observer | None,
    cancellation: Cancellation | None,
) -> Path:
    """Execute the request of a run with changes, and return the folder of the new run."""
    from runforge_engine.runtime.numeric_environment import pin_environment

    pin_environment()
    from runforge_engine import __version__
    from runforge_engine.data.dataframe import dataset_file
    from runforge_engine.data.dataset_source import PYTHON
    from runforge_engine.pipeline.execute import execute
    from runforge_engine.pipeline.repeated_run import repetition
    from runforge_engine.preparation.frame_dates import with_dates_of
    from runforge_engine.preparation.given_recipe import recipe_file

    store = StoreLayout(find_workspace(run.path), DEFAULT_STORE)
    if not without_recipe:
        data = with_dates_of(data, run, recipe)
    again = repetition(
        run,
        store,
        plain(options),
        created_by=f"{PYTHON}{__version__}",
        parameters=plain(hyperparameters),
        exclude=plain(listed(exclude)),
        include=plain(listed(include)),
        tags=plain(listed(tags)),
        dataset=None if data is None else dataset_file(data, store),
        recipe=None if recipe is None else recipe_file(recipe, store),
        without_recipe=without_recipe,
    )
    outcome = execute(
        again.request,
        store,
        private=again.private or private,
        observer=observer,
        cancellation=cancellation,
    )
    return recorded_folder(outcome, store)


def reproduce_recorded(
    run: Run,
    *,
    dataset: AnyPath | None,
    numerics: Literal["recorded", "here"],
    keep: AnyPath | None,
    observer: Observer | None = None,
    cancellation: Cancellation | None = None,
) -> Reproduction:
    """Train a run again in a new process, outside the store, and compare the results."""
    from runforge_engine.reproduction import reproduce as reproduction

    return reproduction.reproduce(
        run,
        find_workspace(run.path),
        dataset=None if dataset is None else Path(dataset),
        numerics=numerics,
        keep=None if keep is None else Path(keep),
        observer=observer,
        cancellation=cancellation,
    )
