"""``runforge diff``: compare runs and explain why their results differ."""

from __future__ import annotations

import click

from runforge_cli.shell.settings import Settings, complete_run, global_options, pass_settings
from runforge_cli.terminal.output import warn, write_json, write_lines


@click.command("diff", short_help="Compare runs and explain why their results differ.")
@click.argument("runs", metavar="RUN RUN [RUN]...", nargs=-1, shell_complete=complete_run)
@global_options
@pass_settings
def command(settings: Settings, runs: tuple[str, ...]) -> int:
    """Compare two or more runs: configuration, data, environment and results.

    The first run is the baseline. The comparison uses the recorded documents; nothing is computed
    again.
    """
    from runforge_contracts.comparison import compare_runs

    from runforge_cli.listing.experiment_rows import tolerant
    from runforge_cli.shell.run_selection import find_runs

    folders = [tolerant(folder, warn) for folder in find_runs(settings, runs, least=2)]
    comparison = compare_runs(folders, settings.target())
    if settings.json:
        write_json(comparison)
        return 0
    from runforge_cli.render.differences import comparison_lines

    write_lines(comparison_lines(comparison, colored=settings.colored()))
    return 0
