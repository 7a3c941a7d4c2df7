"""Stores that lie elsewhere: the workspace has a link, and the store names the workspace.

A link alone could lead anywhere, so it counts only if the folder that it leads to says that it is
the store of this workspace.

Source: specification, section 5.12.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import read_file
from runforge_contracts.validation import validate

#: The file of a store that was moved which names its workspace.
PLACE = "place.json"
_MAX_BYTES = 64 * 1024


def is_stray_link(folder: Path) -> bool:
    """Return whether a folder is a symbolic link, and not that of a workspace to its moved store.

    ``folder`` is the root of a store, or any other folder of which no link is accepted.
    """
    return folder.is_symlink() and not _is_moved(folder)


def moved_to(root: Path) -> Path | None:
    """Return where a store lies whose root is a link; None if it lies in its workspace.

    A stray link counts as none.
    """
    return Path(os.path.realpath(root)) if root.is_symlink() and _is_moved(root) else None


def place_document(store: Path) -> dict[str, Any] | None:
    """Return the valid document in the folder of a store that names its workspace, or None."""
    try:
        document: dict[str, Any] = parse_json(read_file(store / PLACE, max_bytes=_MAX_BYTES))
        validate(document, "store_place.v1")
    except RunForgeError:
        return None
    return document


def _is_moved(root: Path) -> bool:
    target = Path(os.path.realpath(root))
    if target.name != root.name:
        return False
    document = place_document(target)
    return document is not None and document["workspace"] == os.path.realpath(root.parent)
