"""Where ``reproduce`` looks for the dataset of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runforge_cli.shell.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from runforge_contracts.store.run import Run


def workspace_of(folder: Run, settings: Settings) -> Path:
    """Return the folder that the path of the dataset is relative to: the workspace of the run."""
    from runforge_contracts.store.layout import find_workspace

    if folder.path.parent.name == "runs":
        return folder.path.parents[2]
    above = find_workspace(folder.path)
    return settings.folder if above == folder.path else above
