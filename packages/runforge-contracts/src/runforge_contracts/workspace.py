"""A workspace: the folder that contains runs, and the runs in it, of any client."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.run_ids import started
from runforge_contracts.store.experiment_list import newest_experiments
from runforge_contracts.store.experiment_runs import ExperimentRun
from runforge_contracts.store.layout import (
    ExperimentLayout,
    StoreLayout,
    find_workspace,
    stores_in,
)
from runforge_contracts.store.reading import locate_run, runs_of
from runforge_contracts.store.run import Run
from runforge_contracts.sweeps.scoped_runs import find_scoped_run


class Workspace:
    """The runs in a folder: those of its stores, and experiment runs.

    Parameters
    ----------
    path
        The folder that contains ``.runforge``, ``.ml`` or ``runs``. No other folder is searched;
        :func:`open_workspace` does that.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        #: The folder, absolute.
        self.path = Path(path).absolute()

    @property
    def stores(self) -> Sequence[StoreLayout]:
        """The stores that exist; the default one if there is none."""
        return stores_in(self.path)

    def runs(self) -> list[Run | ExperimentRun]:
        """Return every run, newest first.

        Runs whose folder was deleted, and entries that lead out of the workspace, are left out.

        Raises
        ------
        StoreError
            If the index of a store or a folder of runs cannot be read.
        """
        found: list[tuple[str, Run | ExperimentRun]] = []
        for entry, store in runs_of(self.stores):
            try:
                path = locate_run(entry, store)
            except RunForgeError:
                continue
            if path.is_dir():
                found.append((started(entry), Run(path)))
        experiments = ExperimentLayout(self.path)
        for entry in newest_experiments(experiments).entries:
            found.append((started(entry), ExperimentRun(experiments.run_folder(entry["run_id"]))))
        return [run for _, run in sorted(found, key=lambda pair: pair[0])][::-1]

    def run(self, reference: str | os.PathLike[str] = "latest") -> Run | ExperimentRun:
        """Return one run: by its id, a unique prefix of it, ``latest``, or the path of its folder.

        Also by what :func:`~runforge_contracts.sweeps.scoped_runs.find_scoped_run` takes.

        Raises
        ------
        NotFoundError
            If there is no such run.
        UsageError
            If a prefix matches several runs.
        """
        return find_scoped_run(os.fspath(reference), [*self.stores, ExperimentLayout(self.path)])

    def __repr__(self) -> str:
        return f"Workspace({str(self.path)!r})"


def open_workspace(path: str | os.PathLike[str] | None = None) -> Workspace:
    """Return the nearest workspace at or above a folder.

    Parameters
    ----------
    path
        Where to start; by default the current folder.

    Raises
    ------
    NotFoundError
        If neither the folder nor one above it contains runs.
    """
    start = Path.cwd() if path is None else Path(path).absolute()
    workspace = Workspace(find_workspace(start))
    stored = any(store.root.is_dir() for store in workspace.stores)
    if not stored and not ExperimentLayout(workspace.path).has_runs():
        raise RunForgeError(
            ErrorCode.STORE_NOT_FOUND,
            f"There are no runs in {quote(start, 200)} or a folder above it.",
            hint="`runforge train DATA --label COLUMN` makes the first one.",
            path=str(start),
        )
    return workspace
