"""``runforge coefficients``: the coefficients of a linear model."""

from __future__ import annotations

import click
from runforge_contracts.store import layout
from runforge_contracts.store.lookup import made

from runforge_cli.render.text_pages import coefficients_document, coefficients_page
from runforge_cli.shell.settings import Settings, global_options, pass_settings, run_argument
from runforge_cli.terminal.output import write_json, write_lines


@click.command("coefficients", short_help="Show the coefficients of a linear model.")
@run_argument
@global_options
@pass_settings
def command(settings: Settings, run: str) -> int:
    """Show the coefficients of a linear model for standardized features."""
    folder = settings.find_run(run, takes=made(layout.LINEAR_COEFFICIENTS))
    if settings.json:
        write_json(coefficients_document(folder))
    else:
        write_lines(coefficients_page(folder))
    return 0
