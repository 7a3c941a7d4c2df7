"""A command group with a default command: ``sweep PLAN`` beside ``sweep show GROUP``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click

from runforge_cli.shell.click_group import CommandGroup, refuse_repeated
from runforge_cli.shell.help_page import Command

#: What stands in the place of a command's name where none is given.
_UNNAMED = ""


class LazyCommand(NamedTuple):
    """A command whose module is imported only to run it."""

    module: str
    short_help: str


class UnnamedContext(click.Context):
    """The context of a default command, which is called by the name of its group."""

    @property
    def command_path(self) -> str:
        """The command as it is typed."""
        return self.parent.command_path if self.parent is not None else super().command_path


class DefaultCommand(Command):
    """The command of a group that needs no name; its help also lists the named commands."""

    context_class = UnnamedContext

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the named commands of the group."""
        group = ctx.parent.command if ctx.parent is not None else None
        if isinstance(group, DefaultCommandGroup) and group.named:
            with formatter.section("Commands"):
                formatter.write_dl([(name, item.short_help) for name, item in group.named.items()])


class DefaultCommandGroup(CommandGroup):
    """A group that runs :attr:`default` unless its first argument is one of :attr:`named`.

    Options that all commands share may come before the name.
    """

    def __init__(
        self,
        *args: Any,
        default: click.Command,
        named: Mapping[str, LazyCommand],
        **attributes: Any,
    ) -> None:
        super().__init__(*args, **attributes)
        #: Runs if no command is named.
        self.default = default
        #: The commands that have a name.
        self.named = named

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the named commands."""
        return list(self.named)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return a named command."""
        if name not in self.named:
            return None
        command: click.Command = import_module(self.named[name].module).command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; those of the default command are left to it."""
        if not self._name_a_command(ctx, args):
            args = [_UNNAMED, *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the named command, else the default one."""
        if args[0] != _UNNAMED:
            return super().resolve_command(ctx, args)
        rest = args[1:]
        if not ctx.resilient_parsing:
            refuse_repeated(self.default, ctx, rest, ctx.meta)
        return self.default.name, self.default, rest

    def _name_a_command(self, ctx: click.Context, args: list[str]) -> bool:
        """Return whether the first argument after the options of the group is a command's name."""
        try:
            _, rest, _ = self.make_parser(ctx).parse_args(list(args))
        except click.UsageError:
            return False  # an option of the default command
        return bool(rest) and rest[0] in self.named
