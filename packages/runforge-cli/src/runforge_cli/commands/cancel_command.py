"""``runforge cancel``: cancel a run that is in progress in another process."""

from __future__ import annotations

import click
from runforge_contracts.display import printable

from runforge_cli.answers.cancelled_run import cancel_run
from runforge_cli.shell.settings import Settings, complete_run, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines


@click.command("cancel", short_help="Cancel a run that is in progress elsewhere.")
@click.argument("run", required=False, shell_complete=complete_run)
@global_options
@pass_settings
def command(settings: Settings, run: str | None) -> int:
    """Cancel a run that is in progress in another process, and wait until it has finished.

    RUN defaults to the newest run in progress. The run is recorded as cancelled.
    """
    document = cancel_run(settings, run)
    if settings.json:
        write_json(document)
    else:
        write_lines([f"Run {printable(document['run_id'])}: {document['status']}"])
    return 0
