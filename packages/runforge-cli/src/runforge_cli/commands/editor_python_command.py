"""``runforge editor-python``: make the interpreter that the editor extension is pointed to."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from runforge_cli.shell.completion import complete_folder
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.interpreter_wrapper import wrapper_folder, write_wrapper
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines

#: The setting of the editor extension.
_SETTING = "runforge.pythonPath"


@click.command(
    "editor-python",
    cls=Command,
    short_help="Let the editor extension train with this RunForge.",
    examples=("runforge editor-python --out bin",),
)
@click.option(
    "--out",
    metavar="DIR",
    show_default="the data folder of the user",
    help="Folder to write the script to.",
    shell_complete=complete_folder,
)
@global_options
@pass_settings
def command(settings: Settings, out: str | None) -> int:
    """Write a script that starts this Python, and print the editor setting that names it.

    The editor extension puts the engine that it ships first on PYTHONPATH. The script removes that
    variable, so that the editor trains with this installation of RunForge. It lies in the user's
    data folder unless DIR is given. Calling the command again replaces it.
    """
    windows = os.name == "nt"
    folder = wrapper_folder(windows=windows) if out is None else Path(out).absolute()
    wrapper = write_wrapper(folder, sys.executable, windows=windows)
    path = str(wrapper.path)
    if settings.json:
        write_json(
            {
                "path": path,
                "python": sys.executable,
                "written": wrapper.written,
                "settings": {_SETTING: path},
            }
        )
        return 0
    from json import dumps

    from runforge_contracts.display import printable

    # Not wrapped: both are copied.
    write_lines(
        [
            printable(f"Script that starts {sys.executable}:"),
            printable(f"  {path}"),
            "In the settings of the editor:",
            printable(f"  {dumps(_SETTING)}: {dumps(path, ensure_ascii=False)}"),
        ]
    )
    return 0
