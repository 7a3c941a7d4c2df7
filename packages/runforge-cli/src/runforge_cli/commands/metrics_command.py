"""``runforge metrics``: every metric of a run."""

from __future__ import annotations

import click
from runforge_contracts.store import layout
from runforge_contracts.store.lookup import made

from runforge_cli.render.text_pages import metrics_document, metrics_page
from runforge_cli.shell.settings import Settings, global_options, pass_settings, run_argument
from runforge_cli.terminal.output import write_json, write_lines


@click.command("metrics", short_help="Show the metrics of a run.")
@run_argument
@global_options
@pass_settings
def command(settings: Settings, run: str) -> int:
    """Show the metrics of RUN on its validation rows, with the confusion matrix."""
    folder = settings.find_run(run, takes=made(layout.METRICS))
    if settings.json:
        write_json(metrics_document(folder))
    else:
        write_lines(metrics_page(folder))
    return 0
