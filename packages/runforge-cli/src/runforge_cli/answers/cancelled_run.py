"""What ``cancel`` does and prints with ``--json``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_cli.shell.settings import Settings

if TYPE_CHECKING:
    from runforge_contracts.store.experiment_runs import ExperimentRun
    from runforge_contracts.store.run import Run


def cancel_run(settings: Settings, run: str | None) -> dict[str, Any]:
    """Cancel a run that is in progress, wait until it has finished, and return how it ended.

    Parameters
    ----------
    run
        The reference to the run; None for the newest run in progress.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_RUNNING``, ``RUN_ALREADY_COMPLETE``, ``STORE_BUSY``, ``STORE_NOT_WRITABLE``.
    """
    from runforge_contracts.store.experiment_runs import ExperimentRun
    from runforge_engine.experiment.run.cancel_experiment import (
        running_experiments,
        stop_experiment,
    )
    from runforge_engine.pipeline.cancel import running, stop

    found: Run | ExperimentRun | None
    if run is None:
        candidates: list[Iterator[Run | ExperimentRun]] = [running(settings.stores())]
        candidates += [running_experiments(place.workspace) for place in settings.experiments()]
        found = next(chain.from_iterable(candidates), None)
        if found is None:
            raise RunForgeError(
                ErrorCode.RUN_NOT_RUNNING,
                f"No run is in progress in {quote(settings.folder, 200)}.",
                hint="`runforge runs` lists the runs.",
            )
    else:
        found = settings.find_any(run)
    ended: Run | ExperimentRun
    if isinstance(found, ExperimentRun):
        ended = stop_experiment(found.path)
        document = {"config": ended.config}
    else:
        ended = stop(found.path)
        document = {"result": ended.result}
    where = settings.target().relative(ended.path)
    return {"run_id": ended.id, "run_dir": where, "status": ended.status, **document}
