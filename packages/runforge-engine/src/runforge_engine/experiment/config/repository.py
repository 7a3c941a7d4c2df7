"""Find the repository of experiments and their runs."""

from __future__ import annotations

import os
from pathlib import Path


def find_repository(start: Path) -> Path:
    """Return the top folder of the Git repository around ``start``, else ``start`` itself."""
    start = start.absolute()
    for folder in (start, *start.parents):
        if os.path.lexists(folder / ".git"):
            return folder
    return start
