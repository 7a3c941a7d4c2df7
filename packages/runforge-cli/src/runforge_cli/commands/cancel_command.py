"""``runforge cancel``: end a run that is at work in another terminal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

import click
from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_cli.render.output import write_json, write_lines
from runforge_cli.shell.settings import Settings, complete_run, global_options, pass_settings

if TYPE_CHECKING:
    from runforge_contracts.store.experiment_runs import ExperimentRun
    from runforge_contracts.store.run import Run


@click.command("cancel", short_help="End a run that is at work in another terminal.")
@click.argument("run", required=False, shell_complete=complete_run)
@global_options
@pass_settings
def command(settings: Settings, run: str | None) -> int:
    """End a run that is at work in another terminal, and wait until it has ended.

    RUN is the newest one at work where it is left out. The run records itself as cancelled.
    """
    from runforge_contracts.store.experiment_runs import ExperimentRun
    from runforge_engine.experiment.run.cancel_experiment import (
        running_experiments,
        stop_experiment,
    )
    from runforge_engine.pipeline.cancel import running, stop

    found: Run | ExperimentRun | None
    if run is None:
        at_work: list[Iterator[Run | ExperimentRun]] = [running(settings.stores())]
        at_work += [running_experiments(place.workspace) for place in settings.experiments()]
        found = next(chain.from_iterable(at_work), None)
        if found is None:
            raise RunForgeError(
                ErrorCode.RUN_NOT_RUNNING,
                f"No run is at work in {quote(settings.folder, 200)}.",
                hint="`runforge runs` lists the runs.",
            )
    else:
        found = settings.find_any(run)
    ended: Run | ExperimentRun
    if isinstance(found, ExperimentRun):
        ended = stop_experiment(found.path)
        told = {"config": ended.config}
    else:
        ended = stop(found.path)
        told = {"result": ended.result}
    if settings.json:
        where = settings.target().relative(ended.path)
        write_json({"run_id": ended.id, "run_dir": where, "status": ended.status, **told})
    else:
        write_lines([f"Run {printable(ended.id)}: {ended.status}"])
    return 0
