"""Apply a recorded model to new rows.

Only the model of a run is loaded: its digest must be the one that the run's documents and the
index agree on, the static reader must find nothing in it, and the loader allows only the names that
models need. A row with a missing value gets no prediction; nothing is imputed.

Source: specification, sections 11.2, 11.4 and 12.2.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from runforge_contracts.diagnostics import Diagnostic
from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError
from runforge_contracts.prepared_names import raw_name
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import model_file

from runforge_engine.data.column_choice import check_features, check_unique
from runforge_engine.data.column_table import missing_mask
from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.data.feature_matrix import feature_matrix
from runforge_engine.data.table_reader import read_names, read_table
from runforge_engine.model_file.limits import InspectionLimits
from runforge_engine.model_file.loading import load_model
from runforge_engine.modeling.fit import within_range
from runforge_engine.modeling.model_names import (
    ModelNames,
    column_order,
    names_beside,
    no_order,
)
from runforge_engine.preparation.run_recipe import prepare_rows, recipe_of_run
from runforge_engine.runtime.resource_limits import allow, is_lack_of_memory
from runforge_engine.store.lineage import Listed, trace, wanted

#: A model whose digest is recorded may be larger than a file of unknown origin.
_LIMITS = InspectionLimits(
    file_bytes=8 * 2**30,
    decompressed_bytes=8 * 2**30,
    operations=50_000_000,
    memo_entries=20_000_000,
    tree_nodes=100_000_000,
    seconds=600.0,
)


#: Seconds of processor time for anything, and for each step from node to node or multiplication;
#: a slow machine takes a tenth of it.
_SECONDS, _STEPS_PER_SECOND = 120.0, 1e6


@dataclass(frozen=True, slots=True)
class RecordedModel:
    """A model file, and the record of the run that made it."""

    path: Path
    run_id: str
    #: SHA-256 that the file must have; None if no record has it, and the caller accepts that.
    sha256: str | None
    #: ``run.json``; empty where the run's folder is missing.
    record: dict[str, Any]
    #: What the run's documents say of columns and classes, for a model without a digest.
    names: ModelNames = field(default_factory=ModelNames)
    #: The recipe that makes the model's features of raw columns, if the run had one.
    recipe: Mapping[str, Any] | None = None


#: How many rows a prediction shows of itself.
_SHOWN = 10


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Prediction:
    """Labels or probabilities for the rows of a dataset, with warnings and diagnostics."""

    run_id: str
    #: Labels of the columns of ``values``, where these are probabilities.
    classes: tuple[int | str, ...] | None
    #: One entry for each row of the file: a label, the probabilities of the classes, or None for a
    #: row with a missing value.
    values: tuple[Any, ...]
    #: Columns of the dataset that are not features of the model.
    ignored_columns: tuple[str, ...]
    #: Missing values of each column that a feature comes from, if it has any.
    missing_by_column: dict[str, int]
    #: Warnings about the model.
    warnings: tuple[str, ...]
    #: Diagnostics about the rows.
    diagnostics: tuple[Diagnostic, ...] = ()

    def __repr__(self) -> str:
        # Classes, warnings and diagnostics have their own attributes; nobody reads all rows.
        shown = [f"  {row}  {value!r}" for row, value in enumerate(self.values[:_SHOWN], 1)]
        left = len(self.values) - len(shown)
        head = f"<Prediction of {self.run_id}: {self.predicted:,} of {len(self.values):,} rows"
        classes = [] if self.classes is None else [f"  classes {self.classes!r}"]
        more = [f"  and {left:,} more in .values"] if left else []
        return "\n".join([head, *classes, *shown, *more]) + ">"

    @property
    def missing_rows(self) -> list[int]:
        """Rows without a prediction: 1 is the first row after the header."""
        return [row for row, value in enumerate(self.values, 1) if value is None]

    @property
    def predicted(self) -> int:
        """Number of rows with a prediction."""
        return len(self.values) - len(self.missing_rows)

    def to_csv(self, *, for_terminal: bool = False) -> bytes:
        """Return ``row,prediction``, or ``row`` and a probability for each class, as CSV.

        Rows have their numbers in the dataset, from 1; cells without a prediction are empty. Where
        a class is called ``row``, too, the first column is ``_row``. ``for_terminal`` makes
        harmless what could act on one in a label.
        """
        shown = printable if for_terminal else str
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        columns = (
            ["prediction"] if self.classes is None else [shown(str(name)) for name in self.classes]
        )
        first = "row"
        while first in columns:
            first = f"_{first}"
        writer.writerow([first, *columns])
        if self.classes is None:
            writer.writerows(
                [row, "" if label is None else shown(str(label))]
                for row, label in enumerate(self.values, 1)
            )
        else:
            empty = [""] * len(self.classes)
            writer.writerows(
                [row, *(empty if shares is None else map(repr, shares))]
                for row, shares in enumerate(self.values, 1)
            )
        return text.getvalue().encode()

    def to_list(self) -> list[dict[str, Any]]:
        """Return the rows as JSON has them; one without a prediction has only its number."""
        name = "prediction" if self.classes is None else "probabilities"
        return [
            {"row": row} if value is None else {"row": row, name: value}
            for row, value in enumerate(self.values, 1)
        ]


def model_of_run(
    folder: Run,
    listed: Iterable[tuple[dict[str, Any], StoreLayout]],
    *,
    unverified: bool = False,
) -> RecordedModel:
    """Return the model of a run.

    Parameters
    ----------
    folder
        The run.
    listed
        Every run as :func:`~runforge_contracts.store.reading.list_runs` describes it, with its
        store.
    unverified
        Whether to accept a model whose digest is recorded nowhere, as other clients leave them.

    Raises
    ------
    RunForgeError
        ``ARTIFACT_NOT_FOUND`` where the run has no model, ``FILE_UNSAFE`` where its digest is not
        recorded or the records disagree.
    """
    own = [entry for entry, store in listed if _is_at(Listed(entry, store), folder)]
    record = folder.record or {}
    model = model_file(record, folder.result)
    if model is None:
        raise RunForgeError(
            ErrorCode.ARTIFACT_NOT_FOUND,
            f"The run {quote(folder.id)} has no model.",
            hint=f"{folder.ending} `runforge show` shows more.",
            path=str(folder.path),
        )
    digest = _recorded_digest(folder.id, model, folder, own, unverified=unverified)
    return RecordedModel(
        folder.path / model, folder.id, digest, record, _names(folder, digest), _recipe(folder)
    )


def _recipe(folder: Run | None) -> Mapping[str, Any] | None:
    recipe = None if folder is None else recipe_of_run(folder)
    return None if recipe is None else recipe.content


def _names(folder: Run | None, digest: str | None) -> ModelNames:
    if folder is None or digest is not None:
        return ModelNames()
    in_store = folder.path.parent.name == "runs"
    return names_beside(folder, folder.path.parents[2] if in_store else folder.path)


def _is_at(run: Listed, folder: Run) -> bool:
    """Tell whether an index entry is that of the run in a folder, by path and not by id."""
    name, run_dir = folder.path.name, run.entry["run_dir"]
    # A path is made only of a string that has the name: a store may have many thousands of runs.
    if name != run.entry["run_id"] and (name not in run_dir or name != PurePosixPath(run_dir).name):
        return False
    try:
        return run.folder is not None and run.folder.path.samefile(folder.path)
    except OSError:
        return False


def model_of_file(
    path: Path,
    listed: Iterable[tuple[dict[str, Any], StoreLayout]],
    *,
    unverified: bool = False,
) -> RecordedModel:
    """Return the model in a file at any path, with the newest run that made it.

    Parameters
    ----------
    path
        The file.
    listed, unverified
        As in :func:`model_of_run`.

    Raises
    ------
    RunForgeError
        ``FILE_NOT_FOUND``; ``RUN_NOT_FOUND`` where no run made it; ``FILE_UNSAFE`` where the
        records of the run disagree.
    """
    sought = wanted(str(path))
    try:
        matches = trace(sought, listed)
    except NotFoundError:
        matches = []
    made = [match for match in matches if match.matched == "model_sha256"]
    if not made:
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND,
            f"No run of this workspace made the model {quote(path, 200)}; only the model of a run"
            " is loaded.",
            hint="Name its workspace with --workspace; `runforge inspect-artifact` looks into the"
            " file without loading it.",
            path=str(path),
        )
    run = next((match.run for match in made if match.run.folder), made[0].run)
    run_id, model = run.entry["run_id"], made[0].path or layout.MODEL
    digest = _recorded_digest(run_id, model, run.folder, [run.entry], unverified=unverified)
    record = (run.folder and run.folder.record) or {}
    return RecordedModel(
        path, run_id, digest, record, _names(run.folder, digest), _recipe(run.folder)
    )


def _recorded_digest(
    run_id: str,
    model: str,
    folder: Run | None,
    entries: Sequence[dict[str, Any]],
    *,
    unverified: bool,
) -> str | None:
    """Return the one digest that all records give for a run's model; None if none is accepted."""
    found = {entry["model_sha256"] for entry in entries if "model_sha256" in entry}
    if folder is not None:
        run, manifest = folder.record or {}, folder.content(layout.MANIFEST) or {}
        for files in (run.get("artifact_digests", {}), manifest.get("files", {})):
            if model in files:
                found.add(files[model]["sha256"])
    if len(found) == 1:
        return str(found.pop())
    if not found and unverified:
        return None
    what = "does not record" if not found else "has several records of"
    raise RunForgeError(
        ErrorCode.FILE_UNSAFE,
        f"The run {quote(run_id)} {what} the digest of its model, so the model is not loaded.",
        hint="`runforge verify` shows what was changed."
        if found
        else "Another or an older client made it, and nothing shows that the file is still its"
        " model. If you trust where it comes from, --unverified (`unverified=True` in Python) uses"
        " it once it was inspected.",
    )


def predict(
    model: RecordedModel, source: DatasetSource, *, probabilities: bool = False
) -> Prediction:
    """Apply a model to the rows of a dataset.

    Parameters
    ----------
    model
        What :func:`model_of_run` or :func:`model_of_file` returned.
    source
        The dataset, with the model's features as columns, in any order and among others.
    probabilities
        Whether to give the probability of each class instead of a label.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE`` and others of :func:`~runforge_engine.model_file.loading.load_model`,
        ``USAGE_INVALID`` where the model gives no probabilities, ``COLUMN_NOT_FOUND`` where the
        dataset lacks a feature, and the dataset codes.
    """
    pipeline, told = load_recorded(model, model.sha256)
    with consistent(model):
        features, classes = signature_of(pipeline, model)
    if probabilities and not hasattr(pipeline, "predict_proba"):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{type(pipeline[-1]).__name__} gives no probabilities.",
            hint="Leave out --proba to get labels.",
        )
    unused: tuple[str, ...] = ()
    if model.recipe is not None:
        source, unused = prepare_rows(source, model.recipe, features)
    X, dropped, missing_by_column, ignored, found = _rows(source, features)
    if model.recipe is not None:
        # What a recipe makes of a missing cell is missing in all of its columns.
        missing_by_column = {raw_name(name): n for name, n in missing_by_column.items()}
    with consistent(model):
        method = "predict_proba" if probabilities else "predict"
        answers = apply(pipeline, X, method)[0].tolist() if len(X) else []
        if model.names.labels is not None:
            labels: dict[Any, str] = dict(enumerate(model.names.labels))
            classes = tuple(labels[code] for code in classes)
            answers = answers if probabilities else [labels[code] for code in answers]
        computed = iter(answers)
    return Prediction(
        run_id=model.run_id,
        classes=classes if probabilities else None,
        values=tuple(None if missing else next(computed) for missing in dropped.tolist()),
        ignored_columns=ignored if model.recipe is None else unused,
        missing_by_column=missing_by_column,
        warnings=told,
        diagnostics=tuple(found),
    )


def load_recorded(model: RecordedModel, sha256: str | None) -> tuple[Any, tuple[str, ...]]:
    """Return the loaded model, and warnings about it.

    Parameters
    ----------
    model
        What :func:`model_of_run` or :func:`model_of_file` returned.
    sha256
        The digest that the file must have; None for a model without one.

    Raises
    ------
    RunForgeError
        The errors of :func:`~runforge_engine.model_file.loading.load_model`.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pipeline = load_model(model.path, sha256, limits=_LIMITS)
    return pipeline, (*_of_unverified(model), *_version_warnings(caught))


@contextmanager
def consistent(model: RecordedModel) -> Iterator[None]:
    """Refuse a model whose parts contradict each other, which only a forged one does."""
    try:
        yield
    except RunForgeError:
        raise
    except Exception as error:
        if is_lack_of_memory(error):
            raise MemoryError(str(error)) from error
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"The model {quote(model.path, 200)} is internally inconsistent: {quote(error, 200)}.",
            hint="`runforge inspect-artifact` shows its contents.",
            path=str(model.path),
        ) from error


def signature_of(
    pipeline: Any, model: RecordedModel
) -> tuple[tuple[str, ...], tuple[int | str, ...]]:
    """Return the names of the features and the classes, on which model and record must agree.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE`` if they do not.
    """
    scaler, classifier = pipeline
    if hasattr(scaler, "feature_names_in_") or model.sha256 is not None:
        names = scaler.feature_names_in_.tolist()
    else:
        coefficients = getattr(classifier, "coef_", None)
        names = column_order(int(scaler.n_features_in_), coefficients, model.names)
        if names is None:
            raise no_order(model.run_id)
    found = {"feature_names": names, "classes": classifier.classes_.tolist()}
    for name, value in found.items():
        if model.record.get(name, value) != value:
            raise RunForgeError(
                ErrorCode.FILE_UNSAFE,
                f"The model and `{name}` in the record of the run {quote(model.run_id)} disagree.",
                hint="`runforge verify` shows what was changed.",
            )
    return tuple(found["feature_names"]), tuple(found["classes"])


def _rows(
    source: DatasetSource, features: Sequence[str]
) -> tuple[Any, Any, dict[str, int], tuple[str, ...], list[Diagnostic]]:
    """Return the complete rows, the positions of the others, and the ignored columns.

    Columns that are not features of the model may have any name.
    """
    import numpy as np

    names = read_names(source)
    check_features(names, features, source)
    known = {*features}
    check_unique([name for name in names if name in known], source)
    index_of = {name: index for index, name in enumerate(names)}
    places = {name: index_of[name] for name in features}
    table = read_table(source, [*places.values()], ())
    masks = {name: missing_mask(table.columns[place]) for name, place in places.items()}
    dropped = np.logical_or.reduce(list(masks.values()))
    X, found = feature_matrix(table, places, np.flatnonzero(~dropped), source, excludable=False)
    missing = {name: int(mask.sum()) for name, mask in masks.items() if mask.any()}
    ignored = tuple(name for name in names if name not in places)
    return X, dropped, missing, ignored, found


def apply(pipeline: Any, X: Any, *methods: str) -> list[Any]:
    """Return the answers of a loaded model, one array for each method.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        What :func:`~runforge_engine.model_file.loading.load_model` returned.
    X : ndarray of shape (n_samples, n_features)
        At least one row, with the columns in the model's order.
    methods
        Names such as ``predict`` and ``predict_proba``.
    """
    from threadpoolctl import threadpool_limits

    prepare(pipeline, len(X))
    X = within_range(pipeline, X)
    with threadpool_limits(limits=1):
        return [getattr(pipeline, method)(X) for method in methods]


def prepare(pipeline: Any, rows: int) -> None:
    """Make a loaded model ready for a number of rows with columns in its order."""
    scaler, classifier = pipeline
    # Otherwise scikit-learn warns about rows without column names.
    vars(scaler).pop("feature_names_in_", None)
    pipeline.verbose = False
    classifier.verbose = 0
    if hasattr(classifier, "estimators_"):
        # Several threads would sum the trees' probabilities in a random order.
        classifier.n_jobs = 1
        steps = sum(tree.tree_.max_depth + 1 for tree in classifier.estimators_)
    else:
        steps = classifier.coef_.size
    allow(_SECONDS + rows * (steps + scaler.n_features_in_) / _STEPS_PER_SECOND)


def _of_unverified(model: RecordedModel) -> Iterator[str]:
    """Give what a user must know of a model for which no digest vouches."""
    if model.sha256 is None:
        yield (
            f"No digest vouches for the model of the run {quote(model.run_id)}: its client recorded"
            " none. The file was inspected, and loading it runs no code; whether it is still the"
            " model of the run is unknown."
        )
        yield from model.names.warnings


def _version_warnings(caught: Iterable[warnings.WarningMessage]) -> Iterator[str]:
    """Give a warning where another scikit-learn made the model."""
    from sklearn.exceptions import InconsistentVersionWarning

    versions = {
        (warning.message.original_sklearn_version, warning.message.current_sklearn_version)
        for warning in caught
        if isinstance(warning.message, InconsistentVersionWarning)
    }
    for original, current in sorted(versions):
        yield (
            f"The model was made by scikit-learn {original}; {current} is installed and may predict"
            " otherwise."
        )
