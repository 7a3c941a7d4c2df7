"""``Run``: a recorded run that can load its model, with a table for notebooks.

Source: specification, sections 8.2 and 12.2.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import format_duration
from runforge_contracts.store import layout
from runforge_contracts.store import run as recorded_run
from runforge_contracts.store.run import RunStatus
from runforge_contracts.store.summary import summary_of

from runforge_engine.api.html_tables import html_table
from runforge_engine.runtime.folder_lock import state_of

if TYPE_CHECKING:
    import pandas as pd

    from runforge_engine.api.run_evaluation import RunEvaluation


class Run(recorded_run.Run):
    """A run of the contract that can also load its model, with a notebook display.

    Parameters
    ----------
    path
        The run folder.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(Path(path).absolute())

    @property
    def status(self) -> RunStatus:
        """``succeeded``, ``failed`` or ``cancelled``.

        Without a result it is ``running``, ``interrupted``, or ``incomplete`` where it has not
        started or its state is unknown; ``missing`` where the folder was deleted.
        """
        if not self.path.is_dir():
            return "missing"
        recorded = super().status
        if recorded != "incomplete":
            return recorded
        self.reload()  # a running run is read again next time
        return state_of(self.path)

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """Every hyperparameter that was used, by name."""
        return {
            item["name"]: item["value"] for item in (self.record or {}).get("hyperparameters", ())
        }

    @property
    def detailed_metrics(self) -> dict[str, Any] | None:
        """``metrics.v1.json``: metrics by class, and the confusion matrix."""
        return self.content(layout.METRICS_V1)

    @property
    def importance(self) -> dict[str, Any] | None:
        """``feature_importance.v1.json``, of a forest."""
        return self.content(layout.FEATURE_IMPORTANCE)

    @property
    def coefficients(self) -> dict[str, Any] | None:
        """``linear_coefficients.v1.json``, of a linear model."""
        return self.content(layout.LINEAR_COEFFICIENTS)

    def load_model(self) -> Any:
        """Return the fitted pipeline, after inspecting the file without running it.

        Raises
        ------
        RunForgeError
            As :func:`~runforge_engine.modeling.predict.model_of_run` and
            :func:`~runforge_engine.model_file.loading.load_model`.
        """
        from runforge_engine.model_file.loading import load_model
        from runforge_engine.modeling.predict import model_of_run

        model = model_of_run(self, ())
        return load_model(model.path, model.sha256)

    def evaluate(
        self,
        data: str | os.PathLike[str] | pd.DataFrame,
        *,
        label: str | None = None,
        private: bool | None = None,
        unverified: bool = False,
    ) -> RunEvaluation:
        """Evaluate the model on labelled rows, record the evaluation, and return it.

        The model is used in a separate process, after its file was inspected. The metrics are those
        of the profile of the run.

        Parameters
        ----------
        data
            Path of a CSV or Parquet file, or a data frame, with the features of the model and the
            label as columns; a frame is written into the store as a CSV file.
        label
            The column with the true labels; by default that of the run.
        private
            Whether to omit the folder of a dataset outside the workspace and the content of cells;
            by default if ``RUNFORGE_PRIVATE`` requests it.
        unverified
            Whether to use a model whose digest no run recorded, after inspection alone.

        Raises
        ------
        NotFoundError
            Where the model or the dataset is missing.
        StoreError
            Where the model is not the recorded one, or no digest of it is recorded.
        DatasetError
            Where a column is missing, or no row can be evaluated.

        Source: specification, chapter 21.
        """
        from runforge_contracts.store.layout import DEFAULT_STORE, StoreLayout, find_workspace
        from runforge_contracts.store.layout import stores_in as stores_of
        from runforge_contracts.store.reading import list_runs

        from runforge_engine import __version__
        from runforge_engine.api.run_evaluation import RunEvaluation
        from runforge_engine.data.dataframe import dataset_file
        from runforge_engine.data.dataset_source import PYTHON
        from runforge_engine.evaluations.evaluate_run import evaluate_run, store_of

        workspace = find_workspace(self.path)
        store = store_of(self, StoreLayout(workspace, DEFAULT_STORE))
        listed = [(entry, each) for each in stores_of(workspace) for entry in list_runs(each)]
        made = evaluate_run(
            self,
            dataset_file(data, store),
            store,
            listed,
            created_by=f"{PYTHON}{__version__}",
            label_column=label,
            private=private,
            unverified=unverified,
        )
        return RunEvaluation(made.recorded.path, self)

    @property
    def evaluations(self) -> list[RunEvaluation]:
        """The recorded evaluations of the model, the newest first."""
        from runforge_engine.api.run_evaluation import evaluations_in

        return evaluations_in(self)

    def _repr_html_(self) -> str:
        return html_table(("", ""), self._facts(), title=f"Run {self.id}: {self.status}")

    def _facts(self) -> list[tuple[str, str]]:
        """Return the rows of the table that describes the run."""
        summary = summary_of(self)
        outcome, data = summary.outcome, summary.data
        facts = {
            "name": outcome.name,
            "error": (outcome.error or {}).get("message"),
            **{name: f"{value:.4f}" for name, value in self.metrics.items()},
            "model": summary.model.family,
            "hyperparameters": ", ".join(
                f"{name}={value}" for name, value in self.hyperparameters.items()
            ),
            "dataset": data.path,
            "label": data.label_column,
            "rows": None if data.rows is None else str(data.rows),
            "features": None if data.num_features is None else str(data.num_features),
            "duration": None
            if outcome.duration_ms is None
            else format_duration(outcome.duration_ms),
            "folder": str(self.path),
        }
        return [(name, text) for name, text in facts.items() if text]
