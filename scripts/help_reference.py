"""The help page of every command, and ``docs/reference/commands.md`` made from them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import click
from runforge_cli.shell.app import cli
from runforge_cli.shell.default_command import DefaultCommandGroup

_NOTE = (
    "<!-- Generated from the help of the commands by scripts/generate.py; edit the command, then"
    " run `make generate`. -->\n"
)
#: Columns of the terminal that the pages are made for.
_COLUMNS = 80


class HelpPage(NamedTuple):
    """A command as it is called, and the context to show its help in."""

    command: click.Command
    context: click.Context

    @property
    def path(self) -> str:
        """The command as it is typed, without arguments."""
        return self.context.command_path

    @property
    def text(self) -> str:
        """The help."""
        self.context.terminal_width = _COLUMNS - 2
        return self.command.get_help(self.context)


def help_pages(
    command: click.Command = cli, parent: click.Context | None = None
) -> Iterator[HelpPage]:
    """Yield every command and subcommand, a group before its commands."""
    name = command.name if parent is not None else "runforge"
    context = command.context_class(
        command, info_name=name, parent=parent, **command.context_settings
    )
    if isinstance(command, DefaultCommandGroup):
        yield from help_pages(command.default, context)
    else:
        yield HelpPage(command, context)
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            if found is not None:
                yield from help_pages(found, context)


def commands_page() -> str:
    """Return the reference of the commands, as Markdown."""
    lines = [
        _NOTE,
        "# The commands\n",
        "What `--help` prints on a terminal of 80 columns. `RUN` and the environment variables are",
        "explained at the end of the first page;",
        "[the specification](../specification/command-line.md) has the exit codes and what",
        "`--json` prints.\n",
    ]
    for page in help_pages():
        lines += [f"## {page.path}\n", "```text", page.text, "```\n"]
    return "\n".join(lines).rstrip() + "\n"
