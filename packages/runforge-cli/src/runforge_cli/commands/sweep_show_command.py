"""``runforge sweep show``: show a sweep and its members, the best first."""

from __future__ import annotations

import click
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_cli.render.formula_quoting import REMEDY, guard_formulas, quoting_option
from runforge_cli.shell.completion import complete_group, complete_run_field
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.shell.sweep_selection import find_sweep
from runforge_cli.terminal.output import write_csv, write_json, write_lines


@click.command(
    "show",
    cls=Command,
    short_help="Show a sweep and its members, the best first.",
    examples=(
        "runforge sweep show latest",
        "runforge sweep show latest --sort duration --csv",
    ),
)
@click.argument("group", default="latest", shell_complete=complete_group)
@click.option(
    "--sort",
    metavar="NAME",
    show_default="the primary metric",
    help="A metric, a parameter, `member`, `duration` (in ms) or `status`.",
    shell_complete=complete_run_field,
)
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", default=20, help="Maximum number of members."
)
@click.option("--csv", "as_csv", is_flag=True, help="Print all members as CSV (RFC 4180).")
@quoting_option
@global_options
@pass_settings
def command(
    settings: Settings,
    group: str,
    sort: str | None,
    limit: int,
    as_csv: bool,
    quote_formulas: bool,
) -> int:
    """Show what varies in a sweep, and its members sorted by the primary metric.

    GROUP is the id of a sweep, a unique prefix of it, its name, its folder, or `latest` (default).
    Members with different seeds and otherwise equal parameters are one setting, whose mean, 95 %
    confidence interval (Student's t) and range are shown.
    """
    if as_csv and settings.json:
        raise RunForgeError(ErrorCode.USAGE_INVALID, "Give either `--csv` or `--json`, not both.")
    found, sweep = find_sweep(settings, group)
    rows = sweep.ranked() if sort is None else sweep.sorted_by(sort)
    if as_csv or settings.json:
        from runforge_cli.render.sweep_documents import csv_table, sweep_document

        if settings.json:
            write_json(sweep_document(sweep, found.record or {}, rows))
            return 0
        header, cells = csv_table(sweep, rows)
        write_csv(*guard_formulas(header, cells, quoted=quote_formulas, remedy=REMEDY))
        return 0
    from runforge_cli.render.sweep_view import sweep_lines

    write_lines(
        sweep_lines(
            sweep,
            rows,
            limit=limit,
            metric=sort if sort in sweep.metrics else None,
            folder=settings.shown(found.path),
            repeated=settings.repeated(),
            colored=settings.colored(),
        )
    )
    return 0
