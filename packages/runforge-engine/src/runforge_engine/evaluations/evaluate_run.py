"""Evaluate the model of a run on labelled new rows, and record the evaluation beside the runs.

Source: specification, chapter 21.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import msgspec
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.evaluations import RecordedEvaluation
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import summary_of

from runforge_engine.evaluations.evaluation_writer import write_evaluation
from runforge_engine.modeling.model_evaluation import ModelEvaluation
from runforge_engine.modeling.model_process import evaluate
from runforge_engine.modeling.predict import RecordedModel, model_of_run
from runforge_engine.provenance.privacy import LEFT_OUT, is_outside, is_wanted

_SAME_DATASET = (
    "The dataset is the one that the model was trained on, so the metrics say little about new"
    " rows."
)


@dataclass(frozen=True, slots=True)
class NewEvaluation:
    """An evaluation that was just recorded, and what its document does not have."""

    recorded: RecordedEvaluation
    #: Warnings about the model and the dataset.
    warnings: tuple[str, ...]
    #: Columns of the dataset that are neither the label nor a feature.
    ignored_columns: tuple[str, ...]


def evaluate_run(
    run: Run,
    data: Path,
    store: StoreLayout,
    listed: Iterable[tuple[dict[str, Any], StoreLayout]],
    *,
    created_by: str,
    label_column: str | None = None,
    private: bool | None = None,
    unverified: bool = False,
) -> NewEvaluation:
    """Evaluate the model of a run on a dataset, in a separate process, and record the result.

    Parameters
    ----------
    run
        The run.
    data
        Path of the dataset: the model's features and the label as columns.
    store
        Where the evaluation is recorded if the run is not in a store.
    listed
        Every run as :func:`~runforge_contracts.store.reading.list_runs` describes it, with its
        store; for the digest of the model.
    created_by
        The client, as ``<client>@<version>``.
    label_column
        The column with the true labels; by default that of the run.
    private
        Whether to omit the folder of a dataset outside the workspace and the content of cells; by
        default if ``RUNFORGE_PRIVATE`` requests it.
    unverified
        Whether to use a model whose digest no run recorded, after inspection alone.

    Raises
    ------
    RunForgeError
        The errors of :func:`~runforge_engine.modeling.predict.model_of_run` and
        :func:`~runforge_engine.modeling.model_evaluation.evaluate_model`; ``USAGE_INVALID`` where
        the run does not say which column is the label; ``STORE_NOT_WRITABLE``.
    """
    model = model_of_run(run, listed, unverified=unverified)
    label = label_column or summary_of(run).data.label_column
    if label is None:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"The record of the run {quote(run.id)} does not say which column is the label.",
            hint="Name it with --label (`label=` in Python).",
        )
    store, omits = store_of(run, store), is_wanted(private)
    found = evaluate(model, data, label, with_values=not omits)
    body = _body(model, data, label, found, store, omits=omits)
    recorded = write_evaluation(store, body, created_by)
    warnings = found.warnings
    if found.dataset_sha256 == summary_of(run).data.fingerprint_sha256:
        warnings += (_SAME_DATASET,)
    return NewEvaluation(recorded, warnings, found.ignored_columns)


def store_of(run: Run, otherwise: StoreLayout) -> StoreLayout:
    """Return the store that a run is in, or another one if it is in none."""
    folder = run.path.absolute()
    if folder.parent.name != "runs":
        return otherwise
    root = folder.parents[1]
    return StoreLayout(root.parent, root.name)


def _body(
    model: RecordedModel,
    data: Path,
    label_column: str,
    found: ModelEvaluation,
    store: StoreLayout,
    *,
    omits: bool,
) -> dict[str, Any]:
    """Return the members of the document that do not depend on its id."""

    def recorded(path: Path) -> str:
        shown = store.relative(Path(os.path.abspath(path)))  # noqa: PTH100 - keeps links
        hidden = omits and is_outside(shown)
        return f"{LEFT_OUT}/{PureWindowsPath(shown).name}" if hidden else shown

    body = {
        "run_id": model.run_id,
        "model": {"path": recorded(model.path), "sha256": found.model_sha256},
        "dataset": {
            "path": recorded(data),
            "sha256": found.dataset_sha256,
            "rows": found.rows,
            "label_column": label_column,
            "columns": list(found.features),
        },
        "rows_evaluated": found.rows_evaluated,
        "left_out": msgspec.to_builtins(found.left_out),
        "metrics": found.metrics,
    }
    if found.diagnostics:
        body["diagnostics"] = msgspec.to_builtins(found.diagnostics)
    return body
