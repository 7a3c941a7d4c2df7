"""The base class of all commands: help with notes on each option, more sections, and examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

#: Writes a section of a help page.
Section = Callable[[click.HelpFormatter], None]


class Command(click.Command):
    """A command whose help ends with examples.

    After the text of an option stand its default, its bounds, and whether it is required or
    repeatable.

    Parameters
    ----------
    examples
        Command lines as they are typed; they are never wrapped. A test runs each of them.
    sections
        Write what stands between the options and the examples.
    """

    def __init__(
        self,
        *args: Any,
        examples: Sequence[str] = (),
        sections: Sequence[Section] = (),
        **attributes: Any,
    ) -> None:
        super().__init__(*args, **attributes)
        self.examples = tuple(examples)
        self.sections = tuple(sections)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options with their notes, the commands of a group, and more sections."""
        options = [item for item in self.get_params(ctx) if isinstance(item, click.Option)]
        with formatter.section("Options"):
            formatter.write_dl(
                [
                    (record[0], _text(option, ctx))
                    for option in options
                    if (record := option.get_help_record(ctx)) is not None
                ]
            )
        write_commands = getattr(self, "format_commands", None)  # groups have it
        if write_commands is not None:
            write_commands(ctx, formatter)
        for write in self.sections:
            write(formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the text after the options, then the examples."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for line in "\n".join(self.examples).splitlines():
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")


def _text(option: click.Option, context: click.Context) -> str:
    """Return the text of an option with its notes in brackets."""
    extra = option.get_help_extra(context)
    # Click puts parentheses around a default in words.
    words = option.show_default if isinstance(option.show_default, str) else None
    default = words or extra.get("default")
    notes = [
        *([f"default: {default}"] if default else []),
        *([_range(option.type)] if isinstance(option.type, click.IntRange) else []),
        *(["required"] if option.required else []),
        *(["repeatable"] if option.multiple else []),
    ]
    return f"{option.help}  [{'; '.join(notes)}]" if notes else str(option.help)


def _range(values: click.IntRange) -> str:
    return f"at least {values.min}" if values.max is None else f"{values.min} to {values.max}"
