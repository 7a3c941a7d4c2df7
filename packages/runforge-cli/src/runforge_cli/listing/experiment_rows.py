"""Experiment runs for the commands: reading invalid ones, and refusing them where needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runforge_contracts.comparison.experiment_facets import TRAINED_RUN
from runforge_contracts.display import quote
from runforge_contracts.documents import Document
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.experiment_runs import EXPERIMENT_SCHEMAS, ExperimentRun
from runforge_contracts.store.lookup import AnyRun
from runforge_contracts.store.run import Run


class TolerantRun(ExperimentRun):
    """An experiment run whose invalid documents are treated as missing."""

    @property
    def problems(self) -> dict[str, RunForgeError]:
        """The errors of the documents that cannot be read, by their paths."""
        found: dict[str, RunForgeError] = {}
        for file in EXPERIMENT_SCHEMAS:
            try:
                super().document(file)
            except RunForgeError as error:
                found[file] = error
        return found

    def document(self, file: str) -> Document[Any] | None:
        """Return the document at ``file``, or None."""
        try:
            return super().document(file)
        except RunForgeError:
            return None


def tolerant(folder: AnyRun, report: Callable[[str], None]) -> AnyRun:
    """Return a run, tolerating invalid documents of an experiment run after reporting them."""
    if isinstance(folder, Run):
        return folder
    run = TolerantRun(folder.path)
    for error in run.problems.values():
        report(error.message)
    return run


def trained_run(folder: ExperimentRun) -> str | None:
    """Return the id of the run that the experiment trained with RunForge, if there is one."""
    try:
        name = ((folder.config or {}).get("parameters") or {}).get(TRAINED_RUN)
    except RunForgeError:
        return None
    return name if isinstance(name, str) else None


def refusal(folder: ExperimentRun, instead: str) -> RunForgeError:
    """Return the error for a command that needs a trained run and was given an experiment run.

    Parameters
    ----------
    folder
        The run that was given.
    instead
        The hint, as a sentence; ``{run}`` stands for its id.
    """
    trained = trained_run(folder)
    return RunForgeError(
        ErrorCode.USAGE_INVALID,
        f"{quote(folder.id)} is an experiment run, and this command needs a run that RunForge"
        " trained.",
        hint=instead.format(run=folder.id)
        if trained is None
        else f"The experiment trained the run {quote(trained)}; name that one.",
        path=str(folder.path),
    )
