"""``runforge inspect-artifact``: inspect a model file without running any of its code."""

from __future__ import annotations

from pathlib import Path

import click
from runforge_engine.model_file.model_inspection import inspect_model

from runforge_cli.shell.file_argument import is_file
from runforge_cli.shell.run_reference import find_run, model_path
from runforge_cli.shell.settings import Settings, complete_run, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines


@click.command("inspect-artifact", short_help="Inspect a model file without loading it.")
@click.argument("model", metavar="MODEL|RUN", shell_complete=complete_run)
@global_options
@pass_settings
def command(settings: Settings, model: str) -> int:
    """Inspect a model file without importing or running anything in it.

    Lists every name that loading the file would import, and whether it is allowed. The exit code is
    1 if there is a finding of severity `error`.
    """
    path, name = _locate(settings, model)
    inspection = inspect_model(path)
    document = {**inspection.to_dict(), "artifact_path": name}
    if settings.json:
        write_json(document)
    else:
        from runforge_cli.render.model_pages import model_lines

        write_lines(model_lines(document))
    return 0 if inspection.is_clean else 1


def _locate(settings: Settings, model: str) -> tuple[Path, str]:
    """Return the path of the model file, and its name for display."""
    path = settings.located(model)
    if is_file(path):
        return path, model
    path = model_path(find_run(settings, model))
    named = settings.target().relative(path) if settings.json else settings.shown(path)
    return path, named
