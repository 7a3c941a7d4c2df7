"""The commands as functions: make and execute a request, predict, verify and reproduce a run.

The names here are those of the package: ``from runforge_engine import predict``. A run is given as
a ``Run``, or by a reference as in :meth:`~runforge_engine.api.library.Store.run`: an id, the start
of one, ``latest``, or the path of its folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from runforge_contracts.documents import Document
from runforge_contracts.store.layout import (
    DEFAULT_STORE,
    StoreLayout,
)
from runforge_contracts.store.run import Run as RecordedRun
from runforge_contracts.typed_documents import Request
from runforge_contracts.types import RequestV1

from runforge_engine.api.library import CLIENT, Store, recorded_run, workspace_at
from runforge_engine.api.python_errors import for_python
from runforge_engine.api.trained_run import Run
from runforge_engine.pipeline.observer import Observer
from runforge_engine.runtime.cancellation import Cancellation

if TYPE_CHECKING:
    from runforge_engine.api.prediction_rows import Rows
    from runforge_engine.modeling.predict import Prediction
    from runforge_engine.reproduction.reproduction_report import Reproduction
    from runforge_engine.verification.verify_run import RunVerification

AnyPath = str | os.PathLike[str]


@for_python
def new_request(
    data: AnyPath,
    *,
    label: str,
    model: str | None = None,
    preset: str = "balanced",
    profile: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    exclude: Iterable[str] = (),
    recipe: AnyPath | Mapping[str, Any] | None = None,
    seed: int | None = None,
    device: str = "cpu",
    name: str | None = None,
    tags: Iterable[str] = (),
    notes: str | None = None,
    workspace: AnyPath | None = None,
) -> Request:
    """Return a valid request to train on a dataset; save it, or pass it to :func:`execute`.

    The parameters are those of :func:`~runforge_engine.api.library.train`.

    Raises
    ------
    UsageError
        Where a model, preset, profile or hyperparameter is unknown or invalid.
    DocumentError
        Where another value is invalid.
    """
    from runforge_engine.pipeline import request as pipeline_request
    from runforge_engine.preparation.given_recipe import recipe_file

    store = StoreLayout(workspace_at(workspace), DEFAULT_STORE)
    document = pipeline_request.new_request(
        dataset=os.fspath(data),
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
    ).document
    return Request(document.raw, document.name)


@for_python
def execute(
    request: Document[RequestV1] | AnyPath,
    *,
    workspace: AnyPath | None = None,
    private: bool | None = None,
    observer: Observer | None = None,
    cancellation: Cancellation | None = None,
) -> Run:
    """Train as a request asks, record the run, and return it.

    Parameters
    ----------
    request
        The request, or the path of a ``request.json``.
    workspace, private, observer, cancellation
        As in :func:`~runforge_engine.api.library.train`.

    Raises
    ------
    RunForgeError
        Also where the run failed or was cancelled; a note then gives the path of its record.
    """
    from runforge_engine.runtime.numeric_environment import pin_environment

    pin_environment()
    from runforge_engine.pipeline import execute as pipeline
    from runforge_engine.pipeline.request import prepare

    if not isinstance(request, Document):
        request = Request.load(request)
    store = StoreLayout(workspace_at(workspace), DEFAULT_STORE)
    outcome = pipeline.execute(
        prepare(request), store, private=private, observer=observer, cancellation=cancellation
    )
    return recorded_run(outcome, store)


@for_python
def predict(
    run: RecordedRun | AnyPath,
    data: Rows,
    *,
    probabilities: bool = False,
    unverified: bool = False,
) -> Prediction:
    """Apply the model of a run to the rows of a dataset, in a separate process.

    Parameters
    ----------
    run
        The run that trained the model.
    data
        Path of a CSV or Parquet file with the features of the model as columns, in any order and
        among others; or a data frame, or a list of dictionaries with them as keys. What is not a
        path is written to a temporary file. A value that is missing in a row leaves that row
        without a prediction.
    probabilities
        Whether to return the probability of each class instead of a label.
    unverified
        Whether to use a model whose digest no run recorded, as other clients leave them, after
        inspection alone.

    Raises
    ------
    NotFoundError
        Where the run, its model or the dataset is missing.
    StoreError
        Where the model is not the recorded one, or no digest of it is recorded.
    DatasetError
        Where a feature is missing or has another type.
    """
    from runforge_engine.api.run_operations import predict_rows

    return predict_rows(_find(run), data, probabilities=probabilities, unverified=unverified)


@for_python
def verify(
    run: RecordedRun | AnyPath,
    *,
    public_key: AnyPath | None = None,
    with_dataset: bool = True,
) -> RunVerification:
    """Check that nothing of a run was changed since it was recorded.

    ``holds`` tells whether no check failed; ``verdict`` is ``unverifiable`` where none did, but
    nothing vouches for the files, because another client wrote the run.

    Parameters
    ----------
    run
        The run.
    public_key
        PEM file from a trusted source; a run without a valid signature then fails.
    with_dataset
        Whether to check the dataset, which may have changed without harm to the run.

    Raises
    ------
    NotFoundError
        Where the run or the key is missing.
    SignatureError
        Where the key is invalid.
    """
    from runforge_engine.api.run_operations import verify_recorded

    return verify_recorded(_find(run), public_key=public_key, with_dataset=with_dataset)


@for_python
def reproduce(
    run: RecordedRun | AnyPath,
    *,
    dataset: AnyPath | None = None,
    numerics: Literal["recorded", "here"] = "recorded",
    keep: AnyPath | None = None,
    observer: Observer | None = None,
    cancellation: Cancellation | None = None,
) -> Reproduction:
    """Train a run again in a new process, outside the store, and return how close the result is.

    Parameters
    ----------
    run
        The run.
    dataset
        Where the dataset is now, if not where the run records it.
    numerics
        ``here``: use the numeric environment of this process instead of the recorded one.
    keep
        A folder that does not exist yet, where the new training is kept.
    observer
        Called with the events of the new training.
    cancellation
        Cancels it.

    Raises
    ------
    NotFoundError
        Where there is no such run. What is wrong with the run itself is in the report.
    UsageError
        Where ``keep`` exists or is in the store.
    CancelledError
        Where it was cancelled.
    """
    from runforge_engine.api.run_operations import reproduce_recorded

    return reproduce_recorded(
        _find(run),
        dataset=dataset,
        numerics=numerics,
        keep=keep,
        observer=observer,
        cancellation=cancellation,
    )


def _find(run: RecordedRun | AnyPath) -> RecordedRun:
    return run if isinstance(run, RecordedRun) else Store().run(os.fspath(run))
