"""What a run takes in: its dataset, the parts to train and to validate with, its surroundings.

A single run reads everything by itself. Runs that belong together may share it; see
:mod:`runforge_engine.pipeline.shared_inputs`.

Source: specification, sections 11.1 to 11.7 and 14.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_engine.data.dataset_source import DatasetSource, read_source
from runforge_engine.modeling.configuration import Configuration
from runforge_engine.pipeline.memory_estimate import check_memory
from runforge_engine.runtime.background import Check

# What only a training needs is imported where it is used, beside other work.
if TYPE_CHECKING:
    from runforge_engine.data.dataset import Dataset
    from runforge_engine.modeling.fit import FittedScaler
    from runforge_engine.preparation.run_recipe import RunRecipe
    from runforge_engine.provenance.collect import RemoteOrigin


@dataclass(slots=True)
class DataParts:
    """The rows to train with and those to validate with."""

    X_train: Any
    y_train: Any
    X_validation: Any
    y_validation: Any
    #: The scaler that has scaled ``X_train``; None where nothing is scaled yet.
    scaler: FittedScaler | None = None

    def take_train(self) -> tuple[Any, Any]:
        """Give the rows to train with away, so that they are in memory no longer than needed."""
        X, y = self.X_train, self.y_train
        self.X_train = self.y_train = None
        return X, y


@dataclass(frozen=True, slots=True)
class TableChoice:
    """A dataset, and what of it is used."""

    path: Path
    label_column: str
    exclude_columns: tuple[str, ...]
    #: Whether the caller is a Python program; see :class:`DatasetSource`.
    in_python: bool = False
    #: The recipe that makes the table that is trained on; columns are then those of the raw one.
    recipe: RunRecipe | None = None


class RunInputs:
    """The inputs of a run that shares nothing."""

    def __init__(
        self,
        threads: int | None = None,
        origin: RemoteOrigin | None = None,
        *,
        warm: bool = False,
    ) -> None:
        #: Threads of a fit that can use several; None for all usable cores.
        self.threads = threads
        #: The origin of runs whose workspace is not on this machine.
        self.origin = origin
        #: Whether the process has loaded its libraries, so that what is small takes no time.
        self.warm = warm
        #: Files that are read as datasets and recipes whose paths are on another machine.
        self.files: dict[Path, Path] = {}
        #: Digests that datasets must have, by their paths.
        self.digests: dict[Path, str] = {}

    def has(self, choice: TableChoice, seed: int | None = None) -> bool:
        """Return whether the table is known to this process, divided by ``seed`` if given."""
        return False

    @property
    def knows_surroundings(self) -> bool:
        """Whether :meth:`provenance` takes no time."""
        return False

    def source(
        self, choice: TableChoice, configuration: Configuration, check: Check
    ) -> DatasetSource:
        """Return the dataset's bytes, or what is known of them.

        Parameters
        ----------
        check
            Called while waiting for others; an exception that it raises ends the waiting.

        Raises
        ------
        RunForgeError
            ``MEMORY_INSUFFICIENT``; the codes of
            :func:`~runforge_engine.data.dataset_source.read_source`.
        """
        file = self.files.get(choice.path, choice.path)
        columns, width = (choice.label_column, choice.exclude_columns), None
        if choice.recipe is not None:
            from runforge_engine.preparation.run_recipe import prepared_width

            width = prepared_width(choice.recipe.content, choice.exclude_columns)
        check_memory(file, *columns, configuration, width)
        source = read_source(file)
        source.path = choice.path  # Messages name the dataset as the request does.
        source.in_python = choice.in_python
        if choice.recipe is not None:
            from runforge_engine.preparation.prepared_table import set_form

            set_form(source, choice.recipe.content.get("source", {}))
        return source

    def dataset(
        self, source: DatasetSource, choice: TableChoice, seed: int | None = None
    ) -> Dataset:
        """Return the dataset, which is read from ``source``; its matrix may be divided by ``seed``.

        Raises the errors of :func:`~runforge_engine.data.dataset.load_dataset` and, with a recipe,
        of :func:`~runforge_engine.preparation.run_recipe.load_prepared`.
        """
        if choice.recipe is not None:
            from runforge_engine.preparation.run_recipe import load_prepared

            return load_prepared(
                source, choice.recipe, choice.label_column, choice.exclude_columns, seed
            )
        from runforge_engine.data.dataset import load_dataset

        return load_dataset(source, choice.label_column, choice.exclude_columns, seed)

    def parts(self, dataset: Dataset, configuration: Configuration, check: Check) -> DataParts:
        """Divide the rows of a dataset, whose matrix is released.

        ``check`` is called while waiting for others, as in :meth:`source`.

        Raises the errors of :func:`~runforge_engine.data.split.split_rows`.
        """
        import numpy as np

        from runforge_engine.data.split import split_rows

        split = dataset.split or split_rows(dataset.positions, configuration.seed)
        X = dataset.X if dataset.split else dataset.X[split.order]
        X_train, X_validation = np.split(X, [len(split.train)])
        dataset.release()
        return DataParts(X_train, dataset.y[split.train], X_validation, dataset.y[split.validation])

    def provenance(
        self, workspace: Path, store_name: str, client: str
    ) -> tuple[dict[str, Any], Sequence[str]]:
        """Return the provenance of the run, and a sentence for each gap in it."""
        from runforge_engine.provenance.collect import collect_provenance

        gaps: list[str] = []
        return (
            collect_provenance(workspace, store_name, client, gaps.append, self.origin),
            gaps,
        )

    def release(self, source: DatasetSource) -> None:
        """Give up what :meth:`source` has reserved for this run, if it was not used."""
