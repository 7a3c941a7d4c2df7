"""``runforge cancel``: cancel a run that is in progress in another process."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

import click
from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_cli.shell.settings import Settings, complete_run, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines

if TYPE_CHECKING:
    from runforge_contracts.store.experiment_runs import ExperimentRun
    from runforge_contracts.store.run import Run


@click.command("cancel", short_help="Cancel a run that is in progress elsewhere.")
@click.argument("run", required=False, shell_complete=complete_run)
@global_options
@pass_settings
def command(settings: Settings, run: str | None) -> int:
    """Cancel a run that is in progress in another process, and wait until it has finished.

    RUN defaults to the newest run in progress. The run is recorded as cancelled.
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
    if settings.json:
        where = settings.target().relative(ended.path)
        write_json({"run_id": ended.id, "run_dir": where, "status": ended.status, **document})
    else:
        write_lines([f"Run {printable(ended.id)}: {ended.status}"])
    return 0
