"""The command group; a command's module is imported when the command runs, not before."""

from __future__ import annotations

import gc
from importlib import import_module

import click

from runforge_cli import __version__
from runforge_cli.shell import interruption
from runforge_cli.shell.click_group import CommandGroup
from runforge_cli.shell.settings import global_options

#: Every command with its short help, in the order of the help page.
COMMANDS = {
    "train": "Train a classifier on a dataset and record the run.",
    "run": "Execute a request file.",
    "rerun": "Repeat a run, with changes if you like.",
    "cancel": "End a run that is at work in another terminal.",
    "runs": "List the runs of the store.",
    "show": "Show what a run did, on one screen.",
    "browse": "Look around in the store, on the whole terminal.",
    "metrics": "Show the metrics of a run.",
    "importance": "Show the feature importances of a forest.",
    "coefficients": "Show the coefficients of a linear model.",
    "interpretability": "Show which interpretability outputs a run has.",
    "diagnostics": "Show why a run behaved as it did.",
    "predict": "Apply the model of a run to new rows.",
    "inspect-artifact": "Look into a model file without running it.",
    "diff": "Compare runs, and say why their results differ.",
    "report": "Write a report on runs as one HTML or Markdown file.",
    "export": "Write runs as MLflow or a spreadsheet keeps them.",
    "trace": "Find the runs that a file comes from.",
    "reproduce": "Train a run again from its record, and compare.",
    "verify": "Check whether anything was changed.",
    "sign": "Sign a run and the list it is in.",
    "keygen": "Make a key to sign runs with.",
    "index": "Check the list of runs, or rebuild it from the folders.",
    "experiment": "Run any training script as a recorded run.",
    "inspect": "Look at a dataset before training.",
    "validate": "Check documents against their schemas.",
    "schema": "List or print the schemas of the contract.",
}

#: Commands that write something and have no signals of their own: an interrupt unwinds them.
_UNWOUND = frozenset(
    {"browse", "experiment", "export", "index", "keygen", "predict", "report", "sign"}
)


class LazyGroup(CommandGroup):
    """A group that knows its commands by name and loads one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return a command."""
        if name not in COMMANDS:
            return None
        module = import_module(f"runforge_cli.commands.{name.replace('-', '_')}_command")
        gc.freeze()
        gc.enable()
        if name in _UNWOUND:
            interruption.unwind()
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


_EPILOG = """
RUN is a run id, the start of one, `latest`, or the path of a run folder.

RUNFORGE_WORKSPACE, RUNFORGE_STORE, RUNFORGE_DATASET and RUNFORGE_PRIVATE stand for options that
are not given; NO_COLOR is honoured.

Completion: eval "$(_RUNFORGE_COMPLETE=bash_source runforge)", or zsh_source, fish_source.
"""


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    epilog=_EPILOG,
)
@global_options
@click.version_option(__version__, message="runforge %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Train classifiers on tables and keep the evidence.

    Every run leaves a folder that proves which data, code, configuration and environment made the
    model.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
