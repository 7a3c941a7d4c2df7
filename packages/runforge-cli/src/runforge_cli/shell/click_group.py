"""What all groups of commands share: they refuse what cannot be meant, and say what may be."""

from __future__ import annotations

from typing import Any

import click


class CommandGroup(click.Group):
    """A group that names its commands where one is missing or misspelt."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; all of them are text, because all of them may end in a document."""
        for argument in args:
            if not is_text(argument):
                shown = argument.encode("utf-8", "surrogateescape")
                raise click.UsageError(f"The argument {shown!r} is not valid UTF-8.", ctx)
        if not args and not self.invoke_without_command:
            names = ", ".join(f"`{name}`" for name in self.list_commands(ctx))
            raise click.UsageError(f"A command is missing. There are {names}.", ctx)
        if not ctx.resilient_parsing:
            refuse_repeated(self, ctx.parent, args, ctx.meta)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one may have been meant."""
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-"):
            from difflib import get_close_matches

            from runforge_contracts.display import quote

            near = get_close_matches(name, known, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise click.UsageError(f"There is no command {quote(name)}.{hint}", ctx)
        found, command, rest = super().resolve_command(ctx, args)
        if command is not None and not ctx.resilient_parsing:
            refuse_repeated(command, ctx, rest, ctx.meta)
        return found, command, rest


def refuse_repeated(
    command: click.Command, parent: click.Context | None, args: list[str], meta: dict[str, Any]
) -> None:
    """Refuse an option that is given twice and holds one value, of which the last would count.

    Also once before the name of a command and once after it; ``meta``, which the contexts of one
    call share, knows what stood before.
    """
    # With the settings of the command, by whose names the option for help is made once for all.
    context = click.Context(
        command, info_name=command.name, parent=parent, **command.context_settings
    )
    try:
        _, _, order = command.make_parser(context).parse_args(list(args))
    except click.UsageError:
        return  # What else is wrong is for the command itself to say.
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
                f"The option `{option.opts[0]}` is given twice; it has one value.", context
            )


def is_text(value: str) -> bool:
    """Tell whether a value from the process's surroundings was valid UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
