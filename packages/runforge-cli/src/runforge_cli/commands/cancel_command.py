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


#: Start of the id of a group.
_OF_SWEEPS = "grp_"


@click.command("cancel", short_help="Cancel a run that is in progress elsewhere.")
@click.argument("run", required=False, metavar="[RUN|GROUP]", shell_complete=complete_run)
@global_options
@pass_settings
def command(settings: Settings, run: str | None) -> int:
    """Cancel a run or a sweep that is in progress in another process, and wait for its end.

    RUN defaults to the newest run in progress. The run is recorded as cancelled. GROUP is the id of
    a sweep, or the start of one: its runs in progress are cancelled, and it can be resumed.
    """
    if run is not None and run.startswith(_OF_SWEEPS):
        return _cancel_sweep(settings, run)
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


def _cancel_sweep(settings: Settings, reference: str) -> int:
    from runforge_contracts.sweeps.groups import find_group
    from runforge_engine.sweeps.stop_sweep import stop_sweep

    ended = stop_sweep(find_group(reference, settings.stores()))
    if settings.json:
        where = settings.target().relative(ended.path)
        write_json({"group_id": ended.id, "group_dir": where, "status": ended.status})
    else:
        status = {"canceled": "cancelled"}.get(ended.status, ended.status)
        write_lines([f"Sweep {printable(ended.id)}: {status}"])
    return 0
