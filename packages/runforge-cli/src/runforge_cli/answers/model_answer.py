"""What ``inspect-artifact`` prints with ``--json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runforge_engine.model_file.model_inspection import inspect_model

from runforge_cli.shell.file_argument import is_file
from runforge_cli.shell.run_reference import find_run, model_path
from runforge_cli.shell.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def model_document(settings: Settings, model: str) -> tuple[dict[str, Any], bool]:
    """Return what a model file contains, and whether there are no findings of severity `error`."""
    path, name = _locate(settings, model)
    inspection = inspect_model(path)
    return {**inspection.to_dict(), "artifact_path": name}, inspection.is_clean


def _locate(settings: Settings, model: str) -> tuple[Path, str]:
    """Return the path of the model file, and its name for display."""
    path = settings.located(model)
    if is_file(path):
        return path, model
    path = model_path(find_run(settings, model))
    named = settings.target().relative(path) if settings.json else settings.shown(path)
    return path, named
