"""``runforge cancel``: cancel a run that is in progress in another process."""

from __future__ import annotations

import click
from runforge_contracts.display import printable

from runforge_cli.answers.cancelled_run import cancel_run
from runforge_cli.shell.completion import complete_run
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines

#: Start of the id of a group.
_OF_SWEEPS = "grp_"


@click.command(
    "cancel",
    cls=Command,
    short_help="Cancel a run that is in progress elsewhere.",
    examples=("runforge cancel",),
)
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
    document = cancel_run(settings, run)
    if settings.json:
        write_json(document)
    else:
        write_lines([f"Run {printable(document['run_id'])}: {document['status']}"])
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
