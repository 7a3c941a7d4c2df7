"""``runforge rerun``: repeat the request of an earlier run, with or without changes."""

from __future__ import annotations

from typing import Any

import click

from runforge_cli.answers.repetition import repetition_of
from runforge_cli.commands.training_session import train_and_report, training_options
from runforge_cli.process.process_exit import prepare_training
from runforge_cli.shell.settings import (
    Settings,
    complete_run,
    global_options,
    pass_settings,
    private_option,
)


@click.command("rerun", short_help="Repeat a run, with or without changes.")
@click.argument("run", shell_complete=complete_run)
@click.option("--dataset", metavar="FILE", help="Current path of the dataset.")
@training_options
@private_option
@global_options
@pass_settings
def command(
    settings: Settings,
    /,
    run: str,
    params: tuple[str, ...],
    exclude: tuple[str, ...],
    tags: tuple[str, ...],
    dataset: str | None,
    **options: Any,
) -> int:
    """Repeat RUN: execute the same request in a new run, changed by the options.

    With another model family, the hyperparameters of RUN are not used.
    """
    prepare_training()
    from runforge_engine.modeling.configuration import parse_parameters
    from runforge_engine.pipeline.execute import execute

    parameters = parse_parameters(params)
    again, private = repetition_of(
        settings,
        run,
        options,
        parameters=parameters,
        cli_parameters=parameters.keys(),
        exclude=exclude,
        tags=tags,
        dataset=dataset,
    )
    store = settings.target()
    return train_and_report(
        settings,
        lambda observer, cancellation: execute(
            again,
            store,
            # The repetition of a private run is private.
            private=settings.private or private or None,
            observer=observer,
            cancellation=cancellation,
        ),
    )
