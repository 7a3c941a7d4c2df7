"""``runforge reproduce``: train a run again from its record and compare the results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from runforge_contracts.errors import ExitCode
from runforge_contracts.store.layout import RUN
from runforge_contracts.store.lookup import made
from runforge_contracts.store.run import Run

from runforge_cli.answers.reproduction_answer import workspace_of
from runforge_cli.shell.completion import complete_file, complete_folder, run_argument
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines

if TYPE_CHECKING:
    from runforge_engine.reproduction.reproduction_report import Reproduction

#: The number of verdicts, starting with the best one, that each level accepts.
_LEVELS = {"bytes": 1, "content": 2, "predictions": 3}


@click.command(
    "reproduce",
    cls=Command,
    short_help="Train a run again from its record and compare.",
    examples=(
        "runforge reproduce latest",
        "runforge reproduce production --dataset penguins.csv --accept predictions",
    ),
)
@run_argument
@click.option(
    "--dataset",
    metavar="FILE",
    type=click.Path(),
    show_default="the recorded path",
    help="Current path of the dataset.",
    shell_complete=complete_file,
)
@click.option(
    "--accept",
    type=click.Choice(list(_LEVELS)),
    default="content",
    help="The lowest level that counts as success.",
)
@click.option(
    "--numerics",
    type=click.Choice(["recorded", "here"]),
    default="recorded",
    help="Use the recorded kernels and threads, or those of this machine.",
)
@click.option(
    "--keep",
    metavar="DIR",
    type=click.Path(),
    help="Keep the new run in this folder.",
    shell_complete=complete_folder,
)
@click.option("--requirements", is_flag=True, help="Only print the packages to install.")
@global_options
@pass_settings
def command(
    settings: Settings,
    run: str,
    dataset: str | None,
    accept: str,
    numerics: Literal["recorded", "here"],
    keep: str | None,
    requirements: bool,
) -> int:
    """Train RUN again from its record, in a new process and outside the store, and compare.

    The verdict is `identical bytes`, `identical content` of the model, `identical predictions`
    with coefficients within 1e-9, or `different`, with the reasons; or `not reproducible here`,
    with what is missing. The exit code is 0 if the verdict reaches the level of --accept, 3 if
    only the dataset is missing, otherwise 1.
    """
    folder = settings.find_run(
        run,
        "Repeat it with `runforge experiment run --experiment runs/{run}/config.yaml`.",
        made(RUN),
    )
    if requirements:
        return _print_requirements(settings, folder)
    from runforge_engine.reproduction.reproduce import reproduce

    from runforge_cli.commands.training_session import cancelled_by_signals
    from runforge_cli.render.progress import watching

    with cancelled_by_signals() as cancellation, watching(settings) as observer:
        report = reproduce(
            folder,
            workspace_of(folder, settings),
            dataset=None if dataset is None else Path(dataset),
            numerics=numerics,
            keep=None if keep is None else Path(keep),
            observer=observer,
            cancellation=cancellation,
        )
    document = report.to_dict()
    if settings.json:
        write_json(document)
    else:
        from runforge_cli.render.reproduction_view import reproduction_lines

        write_lines(reproduction_lines(document))
    return _exit_code(report, accept)


def _print_requirements(settings: Settings, folder: Run) -> int:
    from runforge_engine.reproduction.requirements import requirements

    lines = requirements(folder)
    if settings.json:
        pinned = [line for line in lines if not line.startswith("#")]
        python = (folder.record or {})["provenance"]["python"]["version"]
        write_json({"run_id": folder.id, "python": python, "requirements": pinned})
    else:
        write_lines(lines)
    return ExitCode.OK


def _exit_code(report: Reproduction, accept: str) -> int:
    from runforge_engine.reproduction.reproduction_findings import Verdict

    if report.verdict in list(Verdict)[: _LEVELS[accept]]:
        return ExitCode.OK
    return ExitCode.NOT_FOUND if report.dataset_is_missing else ExitCode.FAILED
