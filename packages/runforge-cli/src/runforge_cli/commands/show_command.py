"""``runforge show``: show a summary of a run."""

from __future__ import annotations

import click
from runforge_contracts.store.run import Run

from runforge_cli.answers.run_answers import run_document
from runforge_cli.commands.gate_options import (
    as_json,
    gate_options,
    gate_results,
    read_gates,
    report_gates,
)
from runforge_cli.shell.settings import Settings, global_options, pass_settings, run_argument
from runforge_cli.terminal.output import write_json, write_lines


@click.command("show", short_help="Show a summary of a run.")
@run_argument
@gate_options
@global_options
@pass_settings
def command(
    settings: Settings,
    run: str,
    fail_under: tuple[str, ...],
    fail_over: tuple[str, ...],
    no_worse_than: str | None,
) -> int:
    """Show a summary of RUN, which defaults to the newest run."""
    folder = settings.find_any(run, quiet=not settings.json)
    results = gate_results(read_gates(settings, fail_under, fail_over, no_worse_than), folder)
    if isinstance(folder, Run):
        from runforge_cli.render.run_summary import summary_lines

        lines = summary_lines(folder, settings)
    else:
        from runforge_cli.render.experiment_summary import experiment_lines

        lines = experiment_lines(folder, settings)
    if settings.json:
        write_json({**run_document(folder, settings), **as_json(results)})
    else:
        write_lines(lines)
    return report_gates(settings, results)
