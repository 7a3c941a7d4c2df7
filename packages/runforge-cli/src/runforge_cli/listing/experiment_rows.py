"""Runs of experiments as the commands meet them: also wrong ones, and where others were meant."""

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
    """A run as far as it can be read: a document that is wrong is as if it were not there."""

    @property
    def problems(self) -> dict[str, RunForgeError]:
        """What cannot be read, by its path, and why."""
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


def tolerant(folder: AnyRun, tell: Callable[[str], None]) -> AnyRun:
    """Return a run; one of an experiment as far as it can be read, telling what cannot."""
    if isinstance(folder, Run):
        return folder
    run = TolerantRun(folder.path)
    for error in run.problems.values():
        tell(error.message)
    return run


def trained_run(folder: ExperimentRun) -> str | None:
    """Return the run that the experiment had RunForge train, if there is one."""
    try:
        name = ((folder.config or {}).get("parameters") or {}).get(TRAINED_RUN)
    except RunForgeError:
        return None
    return name if isinstance(name, str) else None


def refusal(folder: ExperimentRun, instead: str) -> RunForgeError:
    """Return the error for a command that needs a trained run and was given another one.

    Parameters
    ----------
    folder
        The run that was given.
    instead
        What to do, as a sentence; ``{run}`` stands for its id.
    """
    trained = trained_run(folder)
    return RunForgeError(
        ErrorCode.USAGE_INVALID,
        f"{quote(folder.id)} is the run of an experiment, and this is for runs that RunForge"
        " has trained.",
        hint=instead.format(run=folder.id)
        if trained is None
        else f"It had a run trained: name {quote(trained)}.",
        path=str(folder.path),
    )
