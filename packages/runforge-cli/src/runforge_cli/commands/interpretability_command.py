"""``runforge interpretability``: list the interpretability outputs of a run."""

from __future__ import annotations

import click
from runforge_contracts.store import layout
from runforge_contracts.store.lookup import made

from runforge_cli.answers.run_answers import interpretability_document
from runforge_cli.render.artifact_pages import heading
from runforge_cli.shell.completion import run_argument
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines
from runforge_cli.terminal.text_layout import table

_SHOWN_BY = {
    "metrics_v1": "metrics",
    "feature_importance_v1": "importance",
    "linear_coefficients_v1": "coefficients",
}


@click.command(
    "interpretability",
    cls=Command,
    short_help="List the interpretability outputs of a run.",
    examples=("runforge interpretability latest",),
)
@run_argument
@global_options
@pass_settings
def command(settings: Settings, run: str) -> int:
    """List the interpretability outputs of RUN with their versions and paths."""
    folder = settings.find_run(run, takes=made(layout.INTERPRETABILITY_INDEX))
    index = interpretability_document(folder)
    if settings.json:
        write_json(index)
        return 0
    rows = [
        [entry["schema_version"], entry["path"], _SHOWN_BY[name]]
        for name, entry in index["available_artifacts"].items()
    ]
    header = ("output", "path", "command")
    write_lines(
        [*heading(folder, "Interpretability"), "", *table(header, rows, flexible=1, indent=2)]
    )
    return 0
