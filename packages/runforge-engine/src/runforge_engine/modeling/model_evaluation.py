"""Evaluate a recorded model on labelled rows that it was not trained on.

The model is opened as for a prediction: only after the static reader found nothing in its file, and
only with the recorded digest. Call :func:`runforge_engine.modeling.model_process.evaluate`, which
does this in a process of its own.

Source: specification, sections 21.3 and 21.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from runforge_contracts.diagnostics import Diagnostic
from runforge_contracts.fs.files import digest_file
from runforge_contracts.prepared_names import escaped_name, raw_name
from runforge_contracts.types import LeftOutRows

from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.data.labelled_rows import read_labelled_rows
from runforge_engine.modeling.evaluation import evaluate
from runforge_engine.modeling.predict import (
    RecordedModel,
    consistent,
    load_recorded,
    prepare,
    signature_of,
)
from runforge_engine.preparation.run_recipe import prepare_rows


@dataclass(frozen=True, slots=True)
class ModelEvaluation:
    """The metrics of a model on the rows of a dataset, and what they were computed from."""

    #: SHA-256 of the model file that was loaded, and of the dataset that was read.
    model_sha256: str
    dataset_sha256: str
    #: Number of rows of the dataset, and of those that the metrics are computed on.
    rows: int
    rows_evaluated: int
    #: The features of the model, in its order.
    features: tuple[str, ...]
    left_out: tuple[LeftOutRows, ...]
    #: The raw ``metrics.v1``.
    metrics: dict[str, Any]
    #: Columns of the dataset that are neither the label nor a feature.
    ignored_columns: tuple[str, ...]
    #: Warnings about the model.
    warnings: tuple[str, ...]
    #: Diagnostics about the rows and the metrics.
    diagnostics: tuple[Diagnostic, ...]


def evaluate_model(
    model: RecordedModel, source: DatasetSource, label_column: str, *, with_values: bool = True
) -> ModelEvaluation:
    """Return the metrics of a model on the rows of a dataset that it can be judged on.

    Parameters
    ----------
    model
        What :func:`~runforge_engine.modeling.predict.model_of_run` returned.
    source
        The dataset, with the model's features and the label as columns, in any order.
    label_column
        The column with the true labels.
    with_values
        Whether examples of rows that are left out have the content of a cell.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE`` and others of :func:`~runforge_engine.model_file.loading.load_model`, and
        the errors of :func:`~runforge_engine.data.labelled_rows.read_labelled_rows`.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    sha256 = model.sha256 or digest_file(model.path).sha256
    pipeline, warnings = load_recorded(model, sha256)
    with consistent(model):
        features, classes = signature_of(pipeline, model)
        labels = classes if model.names.labels is None else model.names.labels
    sha256_of_data, unused = source.sha256, None
    label = label_column
    if model.recipe is not None:
        source, unused = prepare_rows(source, model.recipe, features, label_column)
        label = escaped_name(label_column)
    rows = read_labelled_rows(source, features, label, labels, with_values=with_values)
    with consistent(model), threadpool_limits(limits=1):
        prepare(pipeline, len(rows.X))
        truth = np.asarray(classes)[rows.truth]
        judged = evaluate(pipeline, rows.X, truth, classes, rows="evaluated rows")
    metrics = {**msgspec.to_builtins(judged.metrics), "class_labels": list(labels)}
    return ModelEvaluation(
        model_sha256=sha256,
        dataset_sha256=sha256_of_data,
        rows=rows.total,
        rows_evaluated=len(rows.X),
        features=features,
        left_out=rows.left_out if unused is None else tuple(map(_of_raw_columns, rows.left_out)),
        metrics=metrics,
        ignored_columns=rows.ignored_columns if unused is None else unused,
        warnings=warnings,
        diagnostics=(*rows.diagnostics, *judged.diagnostics),
    )


def _of_raw_columns(left_out: LeftOutRows) -> LeftOutRows:
    """Return rows that are left out, with the names of the raw columns of their cells."""
    replace = msgspec.structs.replace
    examples = [replace(item, column=raw_name(item.column)) for item in left_out.examples]
    return replace(left_out, examples=examples)
