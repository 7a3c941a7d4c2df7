"""The base class of all command groups, with stricter parsing and better usage errors."""

from __future__ import annotations

from typing import Any

import click

from runforge_cli.shell.help_page import Command


class CommandGroup(Command, click.Group):
    """A group whose usage errors list its commands, or suggest the nearest one."""

    command_class = Command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments, which must be valid UTF-8 because any may end up in a document."""
        for argument in args:
            if not is_text(argument):
                shown = argument.encode("utf-8", "surrogateescape")
                raise click.UsageError(f"The argument {shown!r} is not valid UTF-8.", ctx)
        # A completion asks what could follow.
        if not (args or self.invoke_without_command or ctx.resilient_parsing):
            names = ", ".join(f"`{name}`" for name in self.list_commands(ctx))
            raise click.UsageError(f"A command is missing. Commands: {names}.", ctx)
        if not ctx.resilient_parsing:
            refuse_repeated(self, ctx.parent, args, ctx.meta)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, or raise an error that suggests a similar name."""
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-"):
            from difflib import get_close_matches

            from runforge_contracts.display import quote

            near = get_close_matches(name, known, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise click.UsageError(f"Unknown command {quote(name)}.{hint}", ctx)
        found, command, rest = super().resolve_command(ctx, args)
        if command is not None and not ctx.resilient_parsing:
            refuse_repeated(command, ctx, rest, ctx.meta)
        return found, command, rest


def refuse_repeated(
    command: click.Command, parent: click.Context | None, args: list[str], meta: dict[str, Any]
) -> None:
    """Refuse a single-valued option that is given more than once; click would use the last.

    This includes an option given once before and once after the name of a command. ``meta``, which
    the contexts of one call share, remembers the options that were given before the name.
    """
    # With the command's context settings: click caches its help option under their names.
    context = command.context_class(
        command, info_name=command.name, parent=parent, **command.context_settings
    )
    try:
        _, _, order = command.make_parser(context).parse_args(list(args))
    except click.UsageError:
        return  # The command itself reports other errors.
    given: dict[str, str] = meta.setdefault(__name__, {})
    for option in order:
        if (
            not isinstance(option, click.Option)
            or option.multiple
            or option.is_flag
            or option.count
        ):
            continue
        place = given.setdefault(str(option.name), context.command_path)
        if order.count(option) > 1 or place != context.command_path:
            raise click.UsageError(
                f"The option `{option.opts[0]}` may be given only once.", context
            )


def is_text(value: str) -> bool:
    """Return whether an argument or environment variable is valid UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
