"""``runforge inspect-artifact``: inspect a model file without running any of its code."""

from __future__ import annotations

import click

from runforge_cli.answers.model_answer import model_document
from runforge_cli.shell.completion import complete_run
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines


@click.command(
    "inspect-artifact",
    cls=Command,
    short_help="Inspect a model file without loading it.",
    examples=(
        "runforge inspect-artifact latest",
        "runforge inspect-artifact downloaded.pkl",
    ),
)
@click.argument("model", metavar="MODEL|RUN", shell_complete=complete_run)
@global_options
@pass_settings
def command(settings: Settings, model: str) -> int:
    """Inspect a model file without importing or running anything in it.

    Lists every name that loading the file would import, and whether it is allowed. The exit code is
    1 if there is a finding of severity `error`.
    """
    document, is_clean = model_document(settings, model)
    if settings.json:
        write_json(document)
    else:
        from runforge_cli.render.model_pages import model_lines

        write_lines(model_lines(document))
    return 0 if is_clean else 1
