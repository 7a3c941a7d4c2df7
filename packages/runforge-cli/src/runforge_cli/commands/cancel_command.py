"""``runforge cancel``: end a run that is at work in another terminal."""

from __future__ import annotations

import click
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.text import printable, quote

from runforge_cli.output import write_json, write_lines
from runforge_cli.settings import Settings, complete_run, global_options, pass_settings


@click.command("cancel", short_help="End a run that is at work in another terminal.")
@click.argument("run", required=False, shell_complete=complete_run)
@global_options
@pass_settings
def command(settings: Settings, run: str | None) -> int:
    """End a run that is at work in another terminal, and wait until it has ended.

    RUN is the newest one at work where it is left out. The run records itself as cancelled.
    """
    from runforge_engine.stopping import running, stop

    if run is None:
        folder = next(running(settings.stores()), None)
        if folder is None:
            raise RunForgeError(
                ErrorCode.RUN_NOT_RUNNING,
                f"No run is at work in {quote(settings.folder, 200)}.",
                hint="`runforge runs` lists the runs.",
            )
    else:
        folder = settings.find_run(run)
    folder = stop(folder.path)
    where = settings.target().relative(folder.path)
    if settings.json:
        document = {"run_id": folder.run_id, "run_dir": where, "status": folder.status}
        write_json({**document, "result": folder.result})
    else:
        write_lines([f"Run {printable(folder.run_id)}: {folder.status}"])
    return 0
