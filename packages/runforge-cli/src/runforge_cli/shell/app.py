"""The top-level command group, which imports the module of a command only to run it."""

from __future__ import annotations

import gc
from importlib import import_module

import click

from runforge_cli import __version__
from runforge_cli.process import interruption
from runforge_cli.shell.click_group import CommandGroup
from runforge_cli.shell.settings import global_options

#: Every command with its short help, in the order of the help page.
COMMANDS = {
    "train": "Train a classifier on a dataset and record the run.",
    "run": "Execute a request file.",
    "rerun": "Repeat a run, with or without changes.",
    "sweep": "Train many runs: a grid of settings, or a plan.",
    "cancel": "Cancel a run that is in progress elsewhere.",
    "runs": "List the runs of the store.",
    "show": "Show a summary of a run.",
    "alias": "Point a name at a run, or list these names.",
    "browse": "Browse the store in a full-screen view.",
    "ui": "Show the runs in the browser.",
    "metrics": "Show the metrics of a run.",
    "importance": "Show the feature importances of a forest.",
    "coefficients": "Show the coefficients of a linear model.",
    "interpretability": "List the interpretability outputs of a run.",
    "diagnostics": "Show the diagnostics of a run.",
    "predict": "Apply the model of a run to new rows.",
    "evaluate": "Judge the model of a run by labelled new rows.",
    "inspect-artifact": "Inspect a model file without loading it.",
    "diff": "Compare runs and explain why their results differ.",
    "report": "Write a report on runs as one HTML or Markdown file.",
    "export": "Export runs to MLflow, CSV or another client.",
    "import": "Import runs of MLflow.",
    "trace": "Find the runs that a file comes from.",
    "reproduce": "Train a run again from its record and compare.",
    "verify": "Check whether a run or the store was changed.",
    "sign": "Sign a run, or an evaluation, and the index.",
    "keygen": "Create a key to sign runs with.",
    "bundle": "Write a run into one file, to be sent.",
    "unbundle": "Bring the run of a bundle into the store.",
    "store": "Bring another store into this one.",
    "index": "Check the index, or rebuild it from the run folders.",
    "experiment": "Run any training script as a recorded run.",
    "editor-python": "Let the editor extension train with this RunForge.",
    "serve": "Serve an editor or a program on standard streams.",
    "prepare": "Make a table of numbers from raw columns.",
    "inspect": "Inspect a dataset before training.",
    "validate": "Check documents against their schemas.",
    "schema": "List or print the schemas of the contract.",
}

#: Commands that write files and handle no signals themselves: an interrupt raises an exception in
#: them, so that they can clean up.
_UNWOUND = frozenset(
    {
        "alias",
        "browse",
        "bundle",
        "editor-python",
        "evaluate",
        "experiment",
        "export",
        "import",
        "index",
        "keygen",
        "predict",
        "prepare",
        "report",
        "serve",
        "sign",
        "store",
        "unbundle",
    }
)


class LazyGroup(CommandGroup):
    """A group that lists its commands without importing them."""

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
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


_EPILOG = """
RUN is a run id, a unique prefix of one, `latest`, `best`, an alias, the name of a run, or the path
of a run folder; also latest:STATUS, best:METRIC, alias:NAME, name:TEXT and tag:TEXT.

RUNFORGE_WORKSPACE, RUNFORGE_STORE, RUNFORGE_DATASET and RUNFORGE_PRIVATE set the defaults of the
corresponding options. NO_COLOR is respected.

Completion: eval "$(_RUNFORGE_COMPLETE=bash_source runforge)", or zsh_source, fish_source.
"""


@click.group(
    cls=LazyGroup,
    context_settings={
        "help_option_names": ["--help", "-h"],
        "max_content_width": 100,
        "show_default": True,
    },
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    epilog=_EPILOG,
    examples=(
        "runforge train penguins.csv --label species --exclude island --exclude sex",
        "runforge show latest",
    ),
)
@global_options
@click.version_option(__version__, message="runforge %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Train classifiers on tabular data and record how each model was made.

    Every run has a folder that records the data, code, configuration and environment that produced
    the model.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
