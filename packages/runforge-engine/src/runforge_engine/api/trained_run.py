"""``Run``: a recorded run that can load its model, with a table for notebooks.

Source: specification, sections 8.2 and 12.2.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from runforge_contracts.display import format_duration
from runforge_contracts.store import layout
from runforge_contracts.store import run as recorded_run
from runforge_contracts.store.run import RunStatus
from runforge_contracts.store.summary import class_labels, summary_of

from runforge_engine.api.html_tables import html_table
from runforge_engine.api.python_errors import for_python
from runforge_engine.runtime.folder_lock import state_of

if TYPE_CHECKING:
    import pandas as pd
    from runforge_contracts.store.lookup import AnyRun

    from runforge_engine.api.compared_records import RunComparison
    from runforge_engine.api.prediction_rows import Rows
    from runforge_engine.api.run_evaluation import RunEvaluation
    from runforge_engine.modeling.predict import Prediction
    from runforge_engine.pipeline.observer import Observer
    from runforge_engine.reproduction.reproduction_report import Reproduction
    from runforge_engine.runtime.cancellation import Cancellation
    from runforge_engine.verification.verify_run import RunVerification

#: The notebook display computes the curves of a run whose dataset has at most so many bytes.
_QUICKLY_READ = 5_000_000


class Run(recorded_run.Run):
    """A run of the contract that can also load its model, with a notebook display.

    Parameters
    ----------
    path
        The run folder.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(Path(path).absolute())
        self._curves: str | None = None

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

    @for_python
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

    @for_python
    def predict(
        self, rows: Rows, *, probabilities: bool = False, unverified: bool = False
    ) -> Prediction:
        """Apply the model to rows; see :func:`~runforge_engine.api.operations.predict`."""
        from runforge_engine.api.run_operations import predict_rows

        return predict_rows(self, rows, probabilities=probabilities, unverified=unverified)

    @for_python
    def verify(
        self, *, public_key: str | os.PathLike[str] | None = None, with_dataset: bool = True
    ) -> RunVerification:
        """Check that nothing was changed; see :func:`~runforge_engine.api.operations.verify`."""
        from runforge_engine.api.run_operations import verify_recorded

        return verify_recorded(self, public_key=public_key, with_dataset=with_dataset)

    @for_python
    def reproduce(
        self,
        *,
        dataset: str | os.PathLike[str] | None = None,
        numerics: Literal["recorded", "here"] = "recorded",
        keep: str | os.PathLike[str] | None = None,
    ) -> Reproduction:
        """Train again and compare; see :func:`~runforge_engine.api.operations.reproduce`."""
        from runforge_engine.api.run_operations import reproduce_recorded

        return reproduce_recorded(self, dataset=dataset, numerics=numerics, keep=keep)

    @for_python
    def rerun(
        self,
        data: str | os.PathLike[str] | pd.DataFrame | None = None,
        *,
        model: str | None = None,
        preset: str | None = None,
        profile: str | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
        exclude: Iterable[str] = (),
        include: Iterable[str] = (),
        recipe: str | os.PathLike[str] | Mapping[str, Any] | None = None,
        without_recipe: bool = False,
        seed: int | None = None,
        device: str | None = None,
        name: str | None = None,
        tags: Iterable[str] = (),
        notes: str | None = None,
        private: bool | None = None,
        observer: Observer | None = None,
        cancellation: Cancellation | None = None,
    ) -> Run:
        """Execute the same request in a new run, changed by the arguments, and return that run.

        Dataset and recipe are the files as they are now; if the file of the recipe is gone, the
        copy in this run is applied. :meth:`diff` says what differs. Name, tags and notes are not
        taken over, and neither are the hyperparameters with another model family.

        Parameters
        ----------
        data
            Another dataset, as for :func:`~runforge_engine.api.library.train`.
        model, preset, profile, hyperparameters, seed, device, name, tags, notes
            As there; by default those of this run but for name, tags and notes.
        exclude, include
            Columns that are excluded beside those of this run, and columns that no longer are.
        recipe
            Another recipe, as there.
        without_recipe
            Whether the new run has no recipe.
        private, observer, cancellation
            As there; the repetition of a private run is private.

        Raises
        ------
        RunForgeError
            As there; ``ARTIFACT_NOT_FOUND`` where this run has no request that can be repeated.
        """
        from runforge_engine.api.run_operations import rerun_recorded

        options = {
            "model": model,
            "preset": preset,
            "profile": profile,
            "seed": seed,
            "device": device,
            "name": name,
            "notes": notes,
        }
        folder = rerun_recorded(
            self,
            data,
            options,
            hyperparameters=hyperparameters or {},
            exclude=exclude,
            include=include,
            recipe=recipe,
            without_recipe=without_recipe,
            tags=tags,
            private=private,
            observer=observer,
            cancellation=cancellation,
        )
        return Run(folder)

    @for_python
    def diff(self, *others: AnyRun | str) -> RunComparison:
        """Compare with other runs, of which this one is the baseline.

        Parameters
        ----------
        others
            At least one run, also of an experiment, or references to runs in the workspace as for
            :meth:`~runforge_engine.api.library.Store.diff`.

        Raises
        ------
        UsageError
            Where there is none, or a run is given twice.
        NotFoundError
            Where there is no such run.
        DocumentError
            Where a document of a run cannot be read.
        """
        from runforge_engine.api.compared_records import compare
        from runforge_engine.api.run_operations import runs_given

        return compare([self, *runs_given(self, others)])

    @for_python
    def bundle(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        public_key: str | os.PathLike[str] | None = None,
        with_dataset: bool = False,
    ) -> Path:
        """Write the run, with its signature if it has one, into one file, and return its path.

        Parameters
        ----------
        path
            The file; by default the id of the run with ``.rfz``, in the current folder.
        public_key
            A PEM file to include; the run must have a signature of the matching private key.
        with_dataset
            Whether to include the dataset.

        Raises
        ------
        VerificationError
            Where the run does not verify or has not ended, or the dataset has changed.
        UsageError
            Where the file exists.
        NotFoundError
            Where the dataset is missing.
        """
        from runforge_engine.api.run_operations import bundle_recorded

        return bundle_recorded(self, path, public_key=public_key, with_dataset=with_dataset)

    @for_python
    def report(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        curves: bool = True,
        replace: bool = False,
    ) -> Path:
        """Write the report on the run as one HTML or Markdown file, and return its path.

        The command line writes it, in a separate process; it must be installed.

        Parameters
        ----------
        path
            The file, ``.html`` or ``.md``; by default the id of the run in the current folder.
        curves
            Whether to use model and dataset to compute the curves.
        replace
            Whether to replace an existing file.

        Raises
        ------
        ResourceError
            Where the package ``runforge-cli`` is missing.
        UsageError
            Where the file exists, is inside a store, or has another extension.
        """
        from runforge_engine.api.run_report import write_report

        target = Path(f"{self.id}.html") if path is None else Path(path)
        return write_report([self], target, curves=curves, replace=replace)

    @for_python
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
        from runforge_engine.api.run_operations import evaluate_recorded

        return evaluate_recorded(self, data, label=label, private=private, unverified=unverified)

    @property
    def evaluations(self) -> list[RunEvaluation]:
        """The recorded evaluations of the model, the newest first."""
        from runforge_engine.api.run_evaluation import evaluations_in

        return evaluations_in(self)

    @property
    def parent(self) -> Run | None:
        """The run that this one repeats; None if it repeats none, or that one is not there."""
        from runforge_engine.api.run_operations import parent_in

        path = parent_in(self)
        return None if path is None else Run(path)

    @property
    def children(self) -> list[Run]:
        """The runs that repeat this one, oldest first."""
        from runforge_engine.api.run_operations import children_in

        return [Run(path) for path in children_in(self)]

    def _repr_html_(self) -> str:
        from runforge_engine.api.run_html import diagnostics_html, matrix_html

        parts = [html_table(("", ""), self._facts(), title=f"Run {self.id}: {self.status}")]
        if self.path.is_dir():
            parts += [
                matrix_html(self.detailed_metrics or {}, class_labels(self) or ()),
                self._curves_html(),
                diagnostics_html(self.diagnostics),
            ]
        return "".join(parts)

    def _curves_html(self) -> str:
        """Return the curves of a succeeded run; none if its model or dataset cannot be used.

        The model is used in a separate process, after its file was inspected, and once.
        """
        if self._curves is None:
            from runforge_engine.api.run_curves import curves_of

            self._curves = curves_of(self, _QUICKLY_READ)
        return self._curves

    def _facts(self) -> list[tuple[str, str]]:
        """Return the rows of the table that describes the run."""
        from runforge_engine.api.run_html import dropped_text

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
            "rows": dropped_text(summary),
            "features": None if data.num_features is None else str(data.num_features),
            "duration": None
            if outcome.duration_ms is None
            else format_duration(outcome.duration_ms),
            "folder": str(self.path),
        }
        return [(name, text) for name, text in facts.items() if text]
