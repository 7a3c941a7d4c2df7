"""Tell the path of a file from the reference to a run."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def is_archive(reference: str) -> bool:
    """Return whether an argument names an archive in one file and not a run."""
    return reference.endswith(".tar.zst")


def is_bundle(reference: str) -> bool:
    """Return whether an argument names a bundle and not a run."""
    return reference.endswith(".rfz")


def is_file(path: Path) -> bool:
    """Return whether ``path`` exists and is not a folder; a folder may be that of a run."""
    try:
        return not stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError):
        return False
