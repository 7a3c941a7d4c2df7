"""Resolve the paths in an experiment file, which must stay in the repository."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError


class ConfigPath(NamedTuple):
    """A path in the repository."""

    #: Relative to the root, with forward slashes.
    name: str
    #: Absolute, with symbolic links followed.
    path: Path


def place_in(root: Path, text: str, pointer: str) -> ConfigPath:
    """Resolve the path ``text``, which need not exist.

    Parameters
    ----------
    root
        The repository, absolute and without symbolic links.
    text
        A path relative to it, or an absolute path inside it.
    pointer
        Location of the path in the experiment file.

    Raises
    ------
    RunForgeError
        ``PATH_OUTSIDE_ROOT`` where it is outside the repository, also through a symbolic link.
    """
    if text and "\0" not in text:
        name = os.path.relpath(root / text, root).replace(os.sep, "/")
        path = Path(os.path.realpath(root / name))
        if name.split("/")[0] != ".." and path.is_relative_to(root):
            return ConfigPath(name, path)
    raise RunForgeError(
        ErrorCode.PATH_OUTSIDE_ROOT,
        f"{quote(text, 200)} is not a path in the repository {quote(root, 200)}.",
        hint="Paths are relative to the repository and stay in it.",
        pointer=pointer,
    )
