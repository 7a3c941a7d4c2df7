"""``runforge diff``: compare runs and explain why their results differ."""

from __future__ import annotations

import click
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError

from runforge_cli.shell.completion import complete_run
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.shell.sweep_selection import find_sweep, group_option
from runforge_cli.terminal.output import warn, write_json, write_lines


@click.command(
    "diff",
    cls=Command,
    short_help="Compare runs and explain why their results differ.",
    examples=(
        "runforge diff production latest",
        "runforge diff --group latest",
    ),
)
@click.argument("runs", metavar="RUN RUN [RUN]...", nargs=-1, shell_complete=complete_run)
@group_option
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", default=20, help="Maximum number of members."
)
@global_options
@pass_settings
def command(settings: Settings, runs: tuple[str, ...], group: str | None, limit: int) -> int:
    """Compare two or more runs: configuration, data, environment and results.

    The first run is the baseline. The comparison uses the recorded documents; nothing is computed
    again.

    With --group, or the id of a sweep alone, the members of the sweep are compared with the best.
    """
    if group is not None and runs:
        raise RunForgeError(ErrorCode.USAGE_INVALID, "Give either runs or `--group`, not both.")
    if group is not None:
        return _compare_members(settings, group, limit)
    if len(runs) == 1 and _names_a_group(settings, runs[0]):
        return _compare_members(settings, runs[0], limit)
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


def _names_a_group(settings: Settings, reference: str) -> bool:
    from runforge_contracts.sweeps.groups import find_group

    if reference == "latest":
        return False  # the newest run
    try:
        find_group(reference, settings.stores())
    except NotFoundError:
        return False
    return True


def _compare_members(settings: Settings, reference: str, limit: int) -> int:
    from runforge_contracts.comparison import compare_runs
    from runforge_engine.store.sweep_reading import find_member

    group, sweep = find_sweep(settings, reference)
    stores = [group.store, *settings.stores()]
    found = [
        (row.number, opened[0])
        for row in sweep.ranked()
        if row.run_id is not None
        and row.problem is None
        and (opened := find_member(row.run_id, group.id, stores)) is not None
    ]
    if not sweep.best() or len(found) < 2:
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND,
            f"The sweep {quote(sweep.group_id)} does not have two runs to compare, of which one has"
            " a metric.",
            hint=f"`runforge sweep show {sweep.group_id}` shows its members.",
        )
    comparison = compare_runs([run for _, run in found], settings.target())
    if settings.json:
        write_json(comparison)
        return 0
    from runforge_cli.render.sweep_differences import sweep_difference_lines

    numbers = [number for number, _ in found]
    write_lines(
        sweep_difference_lines(sweep, numbers, comparison, limit=limit, colored=settings.colored())
    )
    return 0
