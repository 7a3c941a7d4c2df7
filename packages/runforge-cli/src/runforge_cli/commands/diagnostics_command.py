"""``runforge diagnostics``: the warnings, notes and errors of a run."""

from __future__ import annotations

import click
from runforge_contracts.store.experiment_runs import ExperimentRun

from runforge_cli.answers.run_answers import diagnostics_document
from runforge_cli.render.text_pages import diagnostics_page
from runforge_cli.shell.completion import run_argument
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines


@click.command(
    "diagnostics",
    cls=Command,
    short_help="Show the diagnostics of a run.",
    examples=("runforge diagnostics latest",),
)
@run_argument
@global_options
@pass_settings
def command(settings: Settings, run: str) -> int:
    """Show the diagnostics of RUN, such as dropped rows, failed convergence and errors.

    RUN may be the run of an experiment, too.
    """
    folder = settings.find_any(run, quiet=not settings.json)
    if isinstance(folder, ExperimentRun):
        from runforge_cli.answers.experiment_diagnostics import experiment_diagnostics_document
        from runforge_cli.render.experiment_view import experiment_diagnostics_page

        document = experiment_diagnostics_document(folder)
        if settings.json:
            write_json(document)
        else:
            write_lines(experiment_diagnostics_page(folder.id, document["diagnostics"]))
        return 0
    if settings.json:
        write_json(diagnostics_document(folder))
        return 0
    write_lines(diagnostics_page(folder))
    return 0
