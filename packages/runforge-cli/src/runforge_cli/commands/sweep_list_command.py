"""``runforge sweep list``: list the sweeps of the workspace."""

from __future__ import annotations

import click
from runforge_contracts.display import printable

from runforge_cli.answers.sweep_answers import groups_document, newest_sweeps
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines


@click.command(
    "list",
    cls=Command,
    short_help="List the sweeps of the workspace.",
    examples=("runforge sweep list",),
)
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", default=20, help="Maximum number of sweeps."
)
@global_options
@pass_settings
def command(settings: Settings, limit: int) -> int:
    """List the sweeps of the workspace, newest first."""
    sweeps, total = newest_sweeps(settings, limit)
    if settings.json:
        write_json(groups_document(sweeps))
        return 0
    if not sweeps:
        write_lines([f"No sweeps yet in {printable(str(settings.folder))}."])
        return 0
    from runforge_cli.render.sweep_view import list_lines

    write_lines(list_lines(sweeps))
    if total > limit:
        write_lines([f"{total - limit:,} more; use --limit {total} to show all."])
    return 0
