"""Folders: list the content of one, at any depth, without following links out of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from runforge_contracts.errors import NotFoundError
from runforge_contracts.fs.files import reading


class Item(NamedTuple):
    """Something in a folder."""

    #: Path below the folder, with forward slashes; may contain undecodable bytes, as surrogates.
    place: str
    path: Path
    kind: Literal["file", "folder", "link", "other"]


def list_folder(folder: Path) -> list[os.DirEntry[str]]:
    """Return the entries of a folder by name; an empty list if it does not exist.

    Raises
    ------
    RunForgeError
        ``FILE_UNREADABLE``.
    """
    try:
        with reading(folder):
            return _sorted(folder)
    except NotFoundError:
        return []


def walk_folder(
    folder: Path,
    *,
    max_depth: int | None = None,
    unreadable: Callable[[str, OSError], None] | None = None,
    hidden: bool = True,
) -> Iterator[Item]:
    """Yield everything in a folder, at every depth.

    Parameters
    ----------
    folder
        The folder to start in.
    max_depth
        How many levels of folders to enter.
    unreadable
        Called with each folder that cannot be read, which is then skipped, and the error.
    hidden
        Whether to enter folders whose name begins with a dot.

    Raises
    ------
    OSError
        If a folder cannot be read and ``unreadable`` is not given.
    """
    waiting = [("", folder, 0)]
    while waiting:
        prefix, current, depth = waiting.pop()
        try:
            entries = _sorted(current)
        except OSError as error:
            if unreadable is None:
                raise
            unreadable(prefix, error)
            continue
        for entry in entries:
            item = Item(prefix + entry.name, Path(entry.path), _kind(entry))
            is_entered = hidden or not entry.name.startswith(".")
            if item.kind == "folder" and is_entered and (max_depth is None or depth < max_depth):
                waiting.append((f"{item.place}/", item.path, depth + 1))
            yield item


def as_text(path: str | Path) -> str:
    """Return a path as a string that every document can hold; undecodable bytes are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _sorted(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _kind(entry: os.DirEntry[str]) -> Literal["file", "folder", "link", "other"]:
    if entry.is_symlink():
        return "link"
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) else "other"
