"""The factory of the commands that show one document of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from runforge_contracts.store.lookup import made
from runforge_contracts.store.run import Run

from runforge_cli.shell.completion import run_argument
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines


def document_command(
    name: str,
    file: str,
    document: Callable[[Run], dict[str, Any]],
    page: Callable[[Run], list[str]],
    text: str,
) -> click.Command:
    """Return a command that shows a document of a run, as a page or with ``--json`` as it is.

    Parameters
    ----------
    name
        The name of the command.
    file
        The path of the file that ``latest`` requires a run to have.
    document, page
        Return the document, and the lines that show it.
    text
        The help text.
    """

    @run_argument
    @global_options
    @pass_settings
    def show(settings: Settings, run: str) -> int:
        folder = settings.find_run(run, takes=made(file))
        if settings.json:
            write_json(document(folder))
        else:
            write_lines(page(folder))
        return 0

    example = f"runforge {name} latest"
    return click.command(name, cls=Command, help=text, examples=(example,))(show)
