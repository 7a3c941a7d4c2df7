"""``runforge train``: train on a dataset."""

from __future__ import annotations

from typing import Any

import click

from runforge_cli import CLIENT
from runforge_cli.commands.gate_options import gate_options, read_gates
from runforge_cli.commands.training_session import (
    require,
    require_label,
    train_and_report,
    training_options,
)
from runforge_cli.process.process_exit import prepare_training
from runforge_cli.shell.completion import complete_column, complete_file
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.model_help import model_section
from runforge_cli.shell.settings import Settings, global_options, pass_settings, private_option


@click.command(
    "train",
    cls=Command,
    short_help="Train a classifier on a dataset and record the run.",
    sections=(model_section,),
    examples=(
        "runforge train penguins.csv --label species --exclude island --exclude sex",
        (
            "runforge train penguins.csv --label species --exclude island --exclude sex \\\n"
            "  --model random_forest --param n_estimators=300 --fail-under accuracy=0.9"
        ),
    ),
)
@click.argument("data", required=False, envvar="RUNFORGE_DATASET", shell_complete=complete_file)
@click.option(
    "--label",
    metavar="COLUMN",
    help="Column to learn; never guessed.",
    shell_complete=complete_column,
)
@click.option(
    "--recipe",
    metavar="FILE",
    help="Recipe to apply to DATA, as `runforge prepare` writes it; --label is then optional.",
    shell_complete=complete_file,
)
@training_options
@gate_options
@private_option
@global_options
@pass_settings
def command(
    settings: Settings,
    /,
    data: str | None,
    label: str | None,
    recipe: str | None,
    model: str | None,
    params: tuple[str, ...],
    exclude: tuple[str, ...],
    fail_under: tuple[str, ...],
    fail_over: tuple[str, ...],
    no_worse_than: str | None,
    **options: Any,
) -> int:
    """Train a classifier on DATA and record the run.

    DATA is a CSV (also .csv.gz) or Parquet file. Without it, the file named in RUNFORGE_DATASET is
    used.
    """
    data = require(data, "DATA", "Name the dataset, or set RUNFORGE_DATASET.")
    label = require_label(label, recipe)
    gates = read_gates(settings, fail_under, fail_over, no_worse_than)
    prepare_training()
    from runforge_engine.modeling.configuration import parse_parameters
    from runforge_engine.pipeline.execute import execute
    from runforge_engine.pipeline.request import new_request

    parameters = parse_parameters(params)
    given = {name: value for name, value in options.items() if value is not None}
    store = settings.target()
    request = new_request(
        dataset=data,
        label_column=label,
        store=store,
        created_by=CLIENT,
        model_family=model,
        hyperparameters=parameters,
        cli_parameters=parameters.keys(),
        exclude_columns=exclude,
        recipe=recipe,
        **given,
    )
    return train_and_report(
        settings,
        lambda observer, cancellation: execute(
            request,
            store,
            private=settings.private,
            observer=observer,
            cancellation=cancellation,
        ),
        gates,
    )
