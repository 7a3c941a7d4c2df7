"""``runforge runs``: list the runs of the store."""

from __future__ import annotations

import click
from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.selection.run_bounds import parse_bounds
from runforge_contracts.selection.run_values import column_of, metric_names
from runforge_contracts.store.aliases import aliases_by_run, with_aliases, with_known_aliases

from runforge_cli.answers.list_answer import IndexPart, RunChoice, index_document, index_text
from runforge_cli.listing.run_columns import named_columns, parse_columns
from runforge_cli.listing.run_list import ListedRun, newest_in
from runforge_cli.listing.run_query_list import QueriedList, run_facts
from runforge_cli.listing.run_rows import add_states, csv_table
from runforge_cli.listing.run_table_text import chosen_table, default_table
from runforge_cli.render.formula_quoting import REMEDY, guard_formulas, quoting_option
from runforge_cli.shell.completion import (
    complete_family,
    complete_file,
    complete_group,
    complete_metric_bound,
    complete_run_field,
    complete_tag,
)
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import note, write_csv, write_json, write_json_text, write_lines

#: So many runs are read from their folders without a note; it takes no time.
_UNTOLD = 100


@click.command(
    "runs",
    cls=Command,
    short_help="List the runs of the store.",
    examples=(
        "runforge runs --sort accuracy",
        "runforge runs --where 'C<0.1' --since 7d",
        "runforge runs --columns run,accuracy,param.C,tags --csv",
    ),
)
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", default=20, help="Maximum number of runs."
)
@click.option(
    "--where",
    metavar="EXPR",
    multiple=True,
    help="Only runs for which this holds, such as `C<0.1`.",
    shell_complete=complete_run_field,
)
@click.option(
    "--group",
    metavar="GROUP",
    help="Only the runs of this sweep, in its order.",
    shell_complete=complete_group,
)
@click.option(
    "--model", metavar="F", help="Only runs of this model family.", shell_complete=complete_family
)
@click.option(
    "--status",
    metavar="S",
    type=click.Choice(
        [
            *("succeeded", "failed", "cancelled", "running", "interrupted", "incomplete"),
            *("missing", "forgotten", "archived"),
        ]
    ),
    help="succeeded, failed, cancelled, running, interrupted, incomplete (no result), missing (no"
    " folder), forgotten, or archived.",
)
@click.option("--all", "removed", is_flag=True, help="Also runs that were forgotten or archived.")
@click.option("--tag", metavar="T", help="Only runs with this tag.", shell_complete=complete_tag)
@click.option("--name", metavar="TEXT", help="Only runs with this name.")
@click.option(
    "--dataset", metavar="PATH|SHA", help="Only runs on this dataset.", shell_complete=complete_file
)
@click.option(
    "--since",
    metavar="TIME",
    help="Only runs since then: 7d (also m, h, w), 2026-11-01, or 2026-11-01T09:00 in UTC.",
)
@click.option("--before", metavar="TIME", help="Only runs before then.")
@click.option(
    "--min",
    "least",
    metavar="NAME=VALUE",
    shell_complete=complete_metric_bound,
    multiple=True,
    help="Only runs with at least this value, as in accuracy=0.8.",
)
@click.option(
    "--max",
    "greatest",
    metavar="NAME=VALUE",
    shell_complete=complete_metric_bound,
    multiple=True,
    help="Only runs with at most this value, as in log_loss=0.3.",
)
@click.option(
    "--sort",
    metavar="NAME",
    show_default="created",
    help="A metric, a hyperparameter or a field; -NAME reverses.",
    shell_complete=complete_run_field,
)
@click.option(
    "--columns",
    metavar="NAME,...",
    show_default="those in which the runs differ",
    help="The columns, or `all`.",
    shell_complete=complete_run_field,
)
@click.option("--csv", "as_csv", is_flag=True, help="Print the runs as CSV (RFC 4180).")
@quoting_option
@global_options
@pass_settings
def command(
    settings: Settings,
    limit: int,
    where: tuple[str, ...],
    group: str | None,
    model: str | None,
    status: str | None,
    removed: bool,
    tag: str | None,
    name: str | None,
    dataset: str | None,
    since: str | None,
    before: str | None,
    least: tuple[str, ...],
    greatest: tuple[str, ...],
    sort: str | None,
    columns: str | None,
    as_csv: bool,
    quote_formulas: bool,
) -> int:
    """List the runs of the store, newest first, or sorted by a value.

    The list has the hyperparameters in which the listed runs differ, and the seed if it differs;
    of experiments also configured values, such as training.epochs.

    EXPR is NAME, one of = != < <= > >= ~ (contains), and a value: `accuracy>=0.9`,
    `model=random_forest`, `created>=2026-02`, `name~"first try"`. Names are those of
    hyperparameters, metrics, and the fields run, created, status, name, alias, kind, model, preset,
    label, seed, group, repeats, tags, dataset, duration (in ms), device, and metric (the primary
    one). A run without a value matches only `!=`. Where one name means two things, param.NAME and
    metric.NAME tell them apart.

    Sorting by a metric lists the best runs first, by another value the least. Runs without the
    value are the last. Runs with the same value of the metric are marked with `=`; the other
    metrics decide their order. Times are in UTC.
    """
    if as_csv and settings.json:
        raise RunForgeError(ErrorCode.USAGE_INVALID, "Give either `--csv` or `--json`, not both.")
    names = None if columns is None else parse_columns(columns)
    choice = RunChoice(
        where,
        group,
        model,
        status,
        tag,
        dataset,
        sort,
        since,
        before,
        name,
        parse_bounds(least, "--min"),
        parse_bounds(greatest, "--max"),
    )
    query = choice.query(settings)
    listed = QueriedList(
        settings.places(),
        query,
        run_facts(settings.folder),
        removed=removed or status in ("forgotten", "archived"),
    )
    members = choice.members(settings)
    if settings.json and names is None and members is None:
        _write_index(listed, limit, settings)
        return 0
    shown, total = listed.first(limit, members)
    entries = with_aliases(listed.with_settings(shown), settings.stores())
    if names is not None and {"tag", "tags"} & {*names}:
        listed.with_tags(shown, entries)
    add_states(entries, settings.folder)
    chosen = None if names is None else named_columns(names, entries)
    _note_read(listed, len(shown), settings)
    if as_csv:
        header, rows = csv_table(entries, chosen)
        write_csv(*guard_formulas(header, rows, quoted=quote_formulas, remedy=REMEDY))
        return 0
    if settings.json:
        write_json(index_document(entries))
        return 0
    if not entries:
        folder = printable(str(settings.folder))
        found = any(newest_in(place, 1).total for place in settings.places())
        write_lines([f"No runs {'match' if found else 'yet'} in {folder}."])
        if any(
            column_of(one.name, ()) == ("field", "dataset") and one.operator == "~"
            for one in query.conditions
        ):
            note(
                "dataset is the SHA-256 of a file; `runforge runs --dataset FILE` and `runforge"
                " trace FILE` find the runs on it"
            )
        if name is not None and (group_of_name := _sweep_named(settings, name)) is not None:
            note(
                f"--name is that of a run; {quote(name)} is a sweep, whose runs are listed by"
                f" `runforge runs --group {group_of_name}`."
            )
        return 0
    metrics = metric_names(entries)
    column = column_of(query.order.name, metrics)
    if chosen is not None:
        write_lines(chosen_table(entries, chosen, column))
    else:
        metric = column.name if column.source == "metric" else None
        # The value of a condition with `=` is the same for all.
        named = [
            column_of(condition.name, metrics)
            for condition in query.conditions
            if condition.operator != "="
        ]
        write_lines(default_table(entries, metric, column, named))
    if total > limit:
        write_lines([f"{total - limit:,} more; use --limit {total} to show all."])
    return 0


def _write_index(listed: QueriedList, limit: int, settings: Settings) -> None:
    """Print the index document of the runs of a list, of which few are in memory at once."""
    aliases, folder = aliases_by_run(settings.stores()), settings.folder

    def part_of(rows: list[ListedRun]) -> IndexPart:
        entries = with_known_aliases(listed.with_settings(rows), aliases)
        add_states(entries, folder)
        return IndexPart.of(entries)

    parts = listed.in_parts(limit, part_of)
    _note_read(listed, sum(part.runs for part in parts), settings)
    write_json_text(index_text(parts))


def _note_read(listed: QueriedList, shown: int, settings: Settings) -> None:
    """Note that many more runs were read for the settings that their entries lack than shown."""
    if listed.read > max(shown, _UNTOLD) and not settings.quiet:
        note(
            f"The settings of {listed.read:,} runs were read from their folders, which is slower:"
            " their index entries were written before entries had them."
        )


def _sweep_named(settings: Settings, name: str) -> str | None:
    """Return the id of the sweep with a name, or None if there is not one."""
    from runforge_contracts.sweeps.groups import find_group

    try:
        return find_group(name, settings.stores()).id
    except RunForgeError:
        return None
