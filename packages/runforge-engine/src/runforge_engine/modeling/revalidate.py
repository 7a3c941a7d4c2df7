"""Compute the predictions of a run on its validation rows again, from its model and its dataset.

They are not recorded. They are computed only where the dataset still has the recorded fingerprint
and the model file the recorded digest, and returned only where they give the recorded metrics;
otherwise an error says what is missing. Nothing is trained.

For the numbers of the run itself call
:func:`runforge_engine.runtime.numeric_environment.pin_environment` before numpy is imported.

Source: specification, sections 11.7, 12.2 and 13.1.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.prepared_names import escaped_name
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import summary_of

from runforge_engine.data.dataset import Dataset, load_dataset
from runforge_engine.data.kept_datasets import read_recorded
from runforge_engine.data.split import split_rows
from runforge_engine.data.table_reader import read_names
from runforge_engine.model_file.loading import load_model
from runforge_engine.modeling.predict import RecordedModel, apply, model_of_run
from runforge_engine.preparation.run_recipe import prepare_rows, recipe_of_run
from runforge_engine.runtime.resource_limits import is_lack_of_memory

#: Largest difference between metrics: machines may differ in the last bits.
TOLERANCE = 1e-6
#: Fields from which the validation rows are derived; older records lack some of them.
_NEEDED = ("seed", "classes", "feature_names", "split", "label_column", "dataset")


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """Validation rows with their true labels and the model's predictions."""

    #: The labels, sorted; the numbers below are positions in it.
    classes: tuple[int | str, ...]
    #: ndarray of shape (n_samples,): the true class of each row.
    truth: Any
    #: ndarray of shape (n_samples,): the predicted class.
    predicted: Any
    #: ndarray of shape (n_samples, n_classes): greater values favour the class.
    scores: Any
    #: The kind of the scores: probabilities, or values of the decision function.
    kind: Literal["probability", "decision"]


def recorded_model(
    folder: Run, listed: Iterable[tuple[dict[str, Any], StoreLayout]]
) -> RecordedModel:
    """Return the model of a run whose record identifies its validation rows.

    Raises
    ------
    RunForgeError
        ``ARTIFACT_NOT_FOUND`` where the run has no model or its record is too old; what
        :func:`~runforge_engine.modeling.predict.model_of_run` raises.
    """
    run, metrics = folder.record or {}, folder.content(layout.METRICS_V1)
    lacking = [name for name in _NEEDED if name not in run]
    if metrics is None or lacking:
        what = f"has no {quote(lacking[0])}" if run and lacking else "has no metrics"
        raise RunForgeError(
            ErrorCode.ARTIFACT_NOT_FOUND,
            f"The record of the run {quote(folder.id)} {what}, so its validation rows are not"
            " known.",
            hint="An older client made it; `runforge rerun` trains it again."
            if run
            else folder.ending,
        )
    return model_of_run(folder, listed)


def replay(
    folder: Run, workspace: Path, listed: Iterable[tuple[dict[str, Any], StoreLayout]]
) -> Replay:
    """Return the predictions of a run's model on the run's validation rows.

    Parameters
    ----------
    folder
        The run.
    workspace
        The folder that the dataset's path is relative to.
    listed
        Every run as :func:`~runforge_contracts.store.reading.list_runs` describes it, with its
        store; for the digest of the model.

    Raises
    ------
    RunForgeError
        What :func:`recorded_model` and :func:`replay_model` raise.
    """
    return replay_model(folder, workspace, recorded_model(folder, listed))


def replay_model(
    folder: Run, workspace: Path, model: RecordedModel, dataset: Dataset | None = None
) -> Replay:
    """Return the predictions of a model of :func:`recorded_model` on the run's validation rows.

    ``dataset`` is what :func:`read_dataset` returns, if it was read before.

    Raises
    ------
    RunForgeError
        ``DATASET_NOT_FOUND``; ``FILE_UNSAFE`` where dataset or model are not those of the record,
        or where they give other predictions; what reading and loading raise.
    """
    rows = validation_rows(folder, workspace, dataset)
    with warnings.catch_warnings():
        # The predictions are compared with the record, whichever scikit-learn made the model.
        warnings.simplefilter("ignore")
        return replay_rows(load_model(model.path, model.sha256), rows, folder)


@dataclass(frozen=True, slots=True, eq=False)
class ValidationRows:
    """The rows that a run was validated on."""

    feature_names: tuple[str, ...]
    classes: tuple[int | str, ...]
    #: ndarray of shape (n_samples, n_features).
    X: Any
    #: ndarray of shape (n_samples,): the true labels.
    y: Any


def validation_rows(folder: Run, workspace: Path, dataset: Dataset | None = None) -> ValidationRows:
    """Return the validation rows of a run that :func:`recorded_model` accepts.

    ``dataset`` is what :func:`read_dataset` returns, if it was read before.

    Raises
    ------
    RunForgeError
        What :func:`read_dataset` raises; ``FILE_UNSAFE`` where the dataset is not that of the
        record.
    """
    run = folder.record or {}
    if dataset is None:
        dataset = read_dataset(folder, workspace)
    found = (list(dataset.feature_names), list(dataset.classes), len(dataset.y))
    if found != (run["feature_names"], run["classes"], run["num_samples"]):
        raise _not_of_record("The dataset is read otherwise here than the record says", folder)
    rows = split_rows(dataset.positions, run["seed"]).validation
    return ValidationRows(dataset.feature_names, dataset.classes, dataset.X[rows], dataset.y[rows])


def read_dataset(folder: Run, workspace: Path) -> Dataset:
    """Return the rows that a run used, if :func:`recorded_model` accepts it.

    Raises
    ------
    RunForgeError
        ``DATASET_NOT_FOUND``; ``FILE_UNSAFE`` where the dataset has another fingerprint; what
        reading raises.
    """
    run = folder.record or {}
    used, label = run["dataset"], run["label_column"]
    source = read_recorded(used["path"], used["fingerprint_sha256"], folder.path, workspace)
    if source.sha256 != used["fingerprint_sha256"]:
        raise _not_of_record(f"The dataset {quote(used['path'], 200)} was changed", folder)
    recipe = recipe_of_run(folder)
    if recipe is not None:
        source, _ = prepare_rows(source, recipe.content, run["feature_names"])
        label = escaped_name(label)
    needed = {*run["feature_names"], label}
    excluded = [name for name in read_names(source) if name not in needed]
    return load_dataset(source, label, excluded)


def dataset_use(folder: Run) -> tuple[Any, ...] | None:
    """Return what :func:`read_dataset` depends on, the same for runs that used the same rows.

    None for a run with a recipe, of which each has a copy of its own.
    """
    run = folder.record or {}
    if summary_of(folder).data.recipe_sha256 is not None:
        return None
    used = run["dataset"]
    path, sha256, features = used["path"], used["fingerprint_sha256"], tuple(run["feature_names"])
    return path, sha256, features, run["label_column"], folder.path.parent


def replay_rows(pipeline: Any, rows: ValidationRows, folder: Run) -> Replay:
    """Return the predictions of a run's loaded model on the run's validation rows.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE`` where they are not those of the record.
    """
    replayed = _compute(pipeline, rows, folder)
    if not _fits(replayed, folder.content(layout.METRICS_V1) or {}):
        raise _not_of_record("The model predicts otherwise here than the record says", folder)
    return replayed


def score_method(pipeline: Any) -> str:
    """Return the method of a model that gives probabilities, or else decision values."""
    return "predict_proba" if hasattr(pipeline, "predict_proba") else "decision_function"


def both_columns(scores: Any) -> Any:
    """Return scores with a column for each class, also where there is one for two classes.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
    """
    import numpy as np

    return np.column_stack([-scores, scores]) if scores.ndim == 1 else scores


def _compute(pipeline: Any, rows: ValidationRows, folder: Run) -> Replay:
    import numpy as np

    classes = rows.classes
    try:
        if pipeline[-1].classes_.tolist() != list(classes):
            raise _not_of_record("The model knows other classes than the record", folder)
        method = score_method(pipeline)
        predicted, scores = apply(pipeline, rows.X, "predict", method)
    except RunForgeError:
        raise
    except Exception as error:
        if is_lack_of_memory(error):
            raise MemoryError(str(error)) from error
        # Only a forged record can name a model whose parts contradict each other.
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"The model of the run {quote(folder.id)} cannot predict: {quote(error, 200)}.",
        ) from error
    known = np.array(classes)
    return Replay(
        classes=classes,
        truth=np.searchsorted(known, rows.y),
        predicted=np.searchsorted(known, predicted),
        scores=both_columns(scores),
        kind="probability" if method == "predict_proba" else "decision",
    )


def _fits(replayed: Replay, metrics: dict[str, Any]) -> bool:
    """Tell whether the predictions give the matrix and the metrics of the record.

    The matrix alone could be that of other rows: two good models confuse as little.
    """
    import numpy as np
    from sklearn.metrics import log_loss, roc_auc_score

    size = len(replayed.classes)
    counts = np.zeros((size, size), dtype=np.int64)
    np.add.at(counts, (replayed.truth, replayed.predicted), 1)
    if counts.tolist() != metrics["confusion_matrix"]:
        return False
    found = {}
    if "roc_auc" in metrics:
        found["roc_auc"] = roc_auc_score(replayed.truth == 1, replayed.scores[:, 1])
    if "log_loss" in metrics:
        found["log_loss"] = log_loss(replayed.truth, replayed.scores, labels=range(size))
    return all(
        math.isclose(value, metrics[name], rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        for name, value in found.items()
    )


def _not_of_record(what: str, folder: Run) -> RunForgeError:
    return RunForgeError(
        ErrorCode.FILE_UNSAFE,
        f"{what} (run {quote(folder.id)}).",
        hint="`runforge verify` shows what was changed.",
    )
