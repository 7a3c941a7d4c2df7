"""What a model of another client calls its columns and classes, where the file does not say it.

The models of other clients may lack the names of their features, and predict codes instead of
labels. Documents beside the model have both; nothing of a file is loaded to find out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import summary_of

from runforge_engine.data.dataset_source import dataset_path, read_source
from runforge_engine.data.table_reader import read_names
from runforge_engine.model_file.allowlist import ENCODER
from runforge_engine.model_file.model_inspection import inspect_model

#: Where the command line of Desktop stores the labels of the codes that its model predicts.
ENCODER_FILE = "artifacts/label_encoder.pkl"
#: Longest label that an inspection shows whole.
_LONGEST = 199


@dataclass(frozen=True, slots=True)
class ModelNames:
    """What documents of a run say of the columns and classes of its model."""

    #: The features in the order in which the model takes them; None if no document tells it.
    columns: Sequence[str] | None = None
    #: For each row of the coefficients of a linear model: the coefficient of each feature.
    coefficients: Sequence[dict[str, float]] = ()
    #: The label of each code that the model predicts, if it predicts codes.
    labels: Sequence[str] | None = None
    #: What was not read, or not certain.
    warnings: Sequence[str] = ()


def names_beside(folder: Run, workspace: Path) -> ModelNames:
    """Return what the documents and files of a run say of the columns and classes of its model.

    Parameters
    ----------
    folder
        The run.
    workspace
        The folder that the path of its dataset is relative to.

    Raises
    ------
    RunForgeError
        If a document cannot be read.
    """
    warnings: list[str] = []
    importance = folder.content(layout.FEATURE_IMPORTANCE) or {}
    tables = (folder.content(layout.LINEAR_COEFFICIENTS) or {}).get("coefficients_by_class", ())
    columns = [item["name"] for item in importance.get("features_by_original_order", ())]
    return ModelNames(
        columns=columns or _columns_of_dataset(folder, workspace, warnings),
        coefficients=[
            {item["name"]: item["coefficient"] for item in table["features"]} for table in tables
        ],
        labels=_labels(folder.path / ENCODER_FILE, warnings),
        warnings=warnings,
    )


def column_order(count: int, coefficients: Any, names: ModelNames) -> Sequence[str] | None:
    """Return the features of a model in its order; None if nothing tells them.

    Parameters
    ----------
    count
        Number of features of the model.
    coefficients : ndarray of shape (n_rows, count) or None
        The coefficients of a linear model, in the model's order: each is equal to the one that
        the documents list with the name.
    names
        What the documents say.
    """
    if coefficients is not None and len(names.coefficients) == len(coefficients):
        places: dict[tuple[float, ...], list[str]] = {}
        for name in names.coefficients[0]:
            listed = tuple(table.get(name, 0.0) for table in names.coefficients)
            places.setdefault(listed, []).append(name)
        found = [places.get(tuple(column), []) for column in coefficients.T.tolist()]
        if all(len(fitting) == 1 for fitting in found):
            return [name for [name] in found]
    return names.columns if names.columns is not None and len(names.columns) == count else None


def _columns_of_dataset(folder: Run, workspace: Path, warnings: list[str]) -> list[str] | None:
    """Return the columns of the run's dataset but the label, if it is still there."""
    data = summary_of(folder).data
    if data.path is None or data.label_column is None:
        return None
    try:
        path = dataset_path(data.path, workspace)
        if data.fingerprint_sha256 is None and not path.is_relative_to(workspace):
            return None  # Nothing shows that it is a dataset of this run, or a dataset at all.
        source = read_source(path)
        if data.fingerprint_sha256 not in (None, source.sha256):
            return None
        columns = [name for name in read_names(source) if name != data.label_column]
    except RunForgeError:
        return None
    if data.fingerprint_sha256 is None:
        warnings.append(
            f"The names of the features may be those of {quote(data.path, 200)} as it is now: the"
            " run has no digest of its dataset."
        )
    return columns


def _labels(path: Path, warnings: list[str]) -> list[str] | None:
    """Return the labels that the codes of a model stand for; None if it predicts labels itself."""
    try:
        inspection = inspect_model(path)
    except NotFoundError:
        return None
    except RunForgeError as error:
        warnings.append(f"{error.message} The predictions are codes.")
        return None
    is_encoder = inspection.is_clean and any(
        (item.module, item.name) == ENCODER for item in inspection.globals
    )
    labels = inspection.classes or ()
    if is_encoder and labels and all(_is_whole(label) for label in labels):
        return [*labels]
    warnings.append(
        f"{quote(ENCODER_FILE)} has no labels that can be read without loading it, so the"
        " predictions are codes."
    )
    return None


def _is_whole(label: object) -> bool:
    return isinstance(label, str) and len(label) <= _LONGEST


def no_order(run_id: str) -> RunForgeError:
    """Return the error for a model whose features no document names in order."""
    return RunForgeError(
        ErrorCode.ARTIFACT_NOT_FOUND,
        f"Neither the model nor the documents of the run {quote(run_id)} tell in which order it"
        " takes its features.",
        hint="`runforge train` makes a model on the same dataset that tells it.",
    )
