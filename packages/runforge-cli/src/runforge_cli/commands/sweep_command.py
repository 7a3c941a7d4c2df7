"""``runforge sweep``: train many runs from a plan or a grid; ``show`` and ``list`` look at them."""

from __future__ import annotations

import click

from runforge_cli.commands.sweep_run_command import command as default
from runforge_cli.shell.default_command import DefaultCommandGroup, LazyCommand
from runforge_cli.shell.settings import global_options

#: The commands on sweeps that have a name of their own.
NAMED = {
    "show": LazyCommand(
        "runforge_cli.commands.sweep_show_command", "Show a sweep and its members, the best first."
    ),
    "list": LazyCommand(
        "runforge_cli.commands.sweep_list_command", "List the sweeps of the workspace."
    ),
}


@click.group(
    "sweep",
    cls=DefaultCommandGroup,
    default=default,
    named=NAMED,
    short_help="Train many runs: a grid of settings, or a plan.",
)
@global_options
def command() -> None:
    """Train many runs, or look at sweeps."""
