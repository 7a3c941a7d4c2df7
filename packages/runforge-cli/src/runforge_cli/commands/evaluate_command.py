"""``runforge evaluate``: judge the model of a run by labelled new rows."""

from __future__ import annotations

import click
from runforge_contracts.store.evaluations import is_evaluation, validation_of

from runforge_cli.answers.evaluation_answer import evaluation_report, new_evaluation
from runforge_cli.commands.gate_options import (
    evaluation_results,
    gate_options,
    read_gates,
    report_gates,
)
from runforge_cli.shell.completion import complete_column, complete_file, complete_run
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.run_reference import find_run
from runforge_cli.shell.settings import Settings, global_options, pass_settings, private_option
from runforge_cli.terminal.output import note, warn, write_json, write_lines


@click.command(
    "evaluate",
    cls=Command,
    short_help="Judge the model of a run by labelled new rows.",
    examples=(
        "runforge evaluate production new.csv",
        "runforge evaluate latest new.csv --fail-under accuracy=0.8",
    ),
)
@click.argument("run", shell_complete=complete_run)
@click.argument("data", type=click.Path(), shell_complete=complete_file)
@click.option(
    "--label",
    metavar="COLUMN",
    show_default="that of the run",
    help="Column of the labels.",
    shell_complete=complete_column,
)
@click.option(
    "--unverified",
    is_flag=True,
    help="Use a model whose digest no run recorded; it is still inspected.",
)
@gate_options
@private_option
@global_options
@pass_settings
def command(
    settings: Settings,
    run: str,
    data: str,
    label: str | None,
    unverified: bool,
    fail_under: tuple[str, ...],
    fail_over: tuple[str, ...],
    no_worse_than: str | None,
) -> int:
    """Measure the model of RUN on DATA, labelled rows that it was not trained on.

    DATA is a CSV (also .csv.gz) or Parquet file with the columns that the model was trained on and
    the label, in any order; other columns are ignored. A row that cannot be judged is left out and
    counted: a value is missing or not a number, or the model does not know its label.

    The metrics are shown beside those of validation, and recorded in the store with the digests of
    model and data. `runforge show RUN` lists the evaluations of a run, `runforge verify` checks
    them, and `runforge sign` signs one. The model file is loaded only after it was inspected.
    """
    from runforge_cli.render.evaluation_view import evaluation_lines

    folder = find_run(settings, run)
    gates = read_gates(settings, fail_under, fail_over, no_worse_than)
    of_other_rows = no_worse_than and not is_evaluation(no_worse_than, settings.stores())
    if of_other_rows and not settings.quiet:
        note(
            "the bound of --no-worse-than is a value on the validation rows of that run; evaluate"
            " it on these rows, and name that evaluation, to compare on the same ones"
        )
    made = new_evaluation(settings, folder, data, label=label, unverified=unverified)
    for text in made.warnings:
        warn(text)
    if made.ignored_columns and settings.verbose:
        from runforge_cli.render.run_summary import some

        note(f"Columns that the model does not use: {some(made.ignored_columns)}.")
    results = evaluation_results(gates, made.recorded)
    if settings.json:
        write_json(
            evaluation_report(
                made.recorded,
                settings,
                validation_of(folder),
                warnings=made.warnings,
                gates=results,
            )
        )
    else:
        write_lines(evaluation_lines(made.recorded, folder, settings))
    return report_gates(settings, results)
