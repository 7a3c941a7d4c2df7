"""``runforge browse``: look around in the store, on the whole terminal."""

from __future__ import annotations

import os
import signal
import sys

import click
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_cli.shell.settings import Settings, global_options, pass_settings

#: The library that draws, and what brings it.
_DRAWING, _EXTRA = ("textual", "rich"), "runforge-cli[browse]"


@click.command("browse", short_help="Look around in the store, on the whole terminal.")
@global_options
@pass_settings
def command(settings: Settings) -> int:
    """Look around in the store: list, filter, open, compare and verify runs.

    Works with keyboard and mouse; `?` shows the keys, `q` leaves. Runs that are trained meanwhile
    appear by themselves. Nothing is written to the store.
    """
    if settings.json or not _on_a_terminal():
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "Browsing needs a terminal to draw on and to read keys from.",
            hint="`runforge runs` lists the runs, with --json for programs.",
        )
    settings.stores()  # What is wrong with the options is told before anything is drawn.
    try:
        from runforge_cli.browse.browser import browse
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _DRAWING:
            raise
        raise RunForgeError(
            ErrorCode.EXTRA_MISSING,
            "The library that draws the browser is not installed.",
            hint=f"Install it with `python -m pip install '{_EXTRA}'`; `runforge runs` and"
            " `runforge show` do without.",
        ) from None
    # The drawing library has an answer of its own to an interrupt, in place of Python's.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return browse(settings)


def _on_a_terminal() -> bool:
    streams = (sys.stdin, sys.stdout)
    if sys.stderr is None:
        return False  # The library draws on it; elsewhere it may lead, but not be closed.
    return os.environ.get("TERM") != "dumb" and all(
        stream is not None and stream.isatty() for stream in streams
    )
