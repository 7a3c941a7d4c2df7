"""``runforge importance``: the feature importances of a forest."""

from __future__ import annotations

import click
from runforge_contracts.store import layout
from runforge_contracts.store.lookup import made

from runforge_cli.render.text_pages import importance_document, importance_page
from runforge_cli.shell.settings import Settings, global_options, pass_settings, run_argument
from runforge_cli.terminal.output import write_json, write_lines


@click.command("importance", short_help="Show the feature importances of a forest.")
@run_argument
@global_options
@pass_settings
def command(settings: Settings, run: str) -> int:
    """Show the Gini importance of each feature of a forest; the importances sum to one."""
    folder = settings.find_run(run, takes=made(layout.FEATURE_IMPORTANCE))
    if settings.json:
        write_json(importance_document(folder))
    else:
        write_lines(importance_page(folder))
    return 0
