"""``runforge browse``: browse the store in a full-screen view."""

from __future__ import annotations

import os
import signal
import sys

import click
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings

#: The packages of the terminal interface.
_DRAWING = ("textual", "rich")


@click.command(
    "browse",
    cls=Command,
    short_help="Browse the store in a full-screen view.",
    examples=("runforge browse",),
)
@global_options
@pass_settings
def command(settings: Settings) -> int:
    """Browse the store: list, filter, open, compare and verify runs.

    Use the keyboard or the mouse; `?` shows the keys, `q` quits. New runs appear automatically.
    Nothing is written to the store.
    """
    if settings.json or not _on_a_terminal():
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "`runforge browse` needs an interactive terminal.",
            hint="`runforge runs` lists the runs, with --json for programs.",
        )
    settings.stores()  # Report invalid options before the terminal is taken over.
    try:
        from runforge_cli.browse.browser import browse
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _DRAWING:
            raise
        from runforge_engine.runtime.extras import install_extra

        raise RunForgeError(
            ErrorCode.EXTRA_MISSING,
            "The terminal interface library is not installed.",
            hint=f"Install it with `{install_extra('runforge-cli', 'browse')}`; `runforge runs` and"
            " `runforge show` do not need it.",
        ) from None
    # The terminal interface replaces Python's default handler of interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return browse(settings)


def _on_a_terminal() -> bool:
    streams = (sys.stdin, sys.stdout)
    if sys.stderr is None:
        return False  # The library draws on standard error; it may be redirected, but not closed.
    return os.environ.get("TERM") != "dumb" and all(
        stream is not None and stream.isatty() for stream in streams
    )
