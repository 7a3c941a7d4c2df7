"""Comparison of JSON values and of folders of files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.codec.strict_json import MAX_BYTES
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import read_file
from runforge_contracts.fs.folders import as_text, walk_folder
from runforge_contracts.invariants.finding import ABSENT, same

#: Deepest folder that is read.
_MAX_DEPTH = 64


class Difference(NamedTuple):
    """A location at which two JSON values differ."""

    pointer: str
    expected: Any
    found: Any


def differences(expected: Any, found: Any, pointer: str = "") -> Iterator[Difference]:
    """Yield the locations at which two JSON values differ.

    The order of keys does not matter, numbers are compared as numbers, strings exactly, and an
    absent member differs from null.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in [*expected, *(key for key in found if key not in expected)]:
            place = pointer + format_pointer([key])
            left, right = expected.get(key, ABSENT), found.get(key, ABSENT)
            if left is ABSENT or right is ABSENT:
                yield Difference(place, left, right)
            else:
                yield from differences(left, right, place)
    elif isinstance(expected, list) and isinstance(found, list):
        for index, (left, right) in enumerate(zip(expected, found, strict=False)):
            yield from differences(left, right, f"{pointer}/{index}")
        if len(expected) != len(found):
            shorter = min(len(expected), len(found))
            left, right = expected[shorter:] or ABSENT, found[shorter:] or ABSENT
            yield Difference(f"{pointer}/{shorter}", left, right)
    elif not same(expected, found):
        yield Difference(pointer, expected, found)


def missing(expected: Any, found: Any, pointer: str = "") -> Iterator[Difference]:
    """Yield the locations at which ``found`` lacks a part of ``expected``; it may have more.

    Hyperparameters, whose order is free, are compared by name; all other lists in order.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            yield from missing(value, found.get(key, ABSENT), pointer + format_pointer([key]))
    elif _are_named(expected) and _are_named(found):
        by_name = {item["name"]: item for item in found}
        for index, item in enumerate(expected):
            yield from missing(item, by_name.get(item["name"], ABSENT), f"{pointer}/{index}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (left, right) in enumerate(zip(expected, found, strict=True)):
            yield from missing(left, right, f"{pointer}/{index}")
    else:
        yield from differences(expected, found, pointer)


def _are_named(value: Any) -> bool:
    """Return whether ``value`` is a list of objects with a name and a value."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and {"name", "value"} <= item.keys() for item in value)
    )


class Snapshot(dict[str, bytes]):
    """Every file of a folder with its content, every link with its target, and permissions."""

    def __init__(self) -> None:
        super().__init__()
        #: Permissions of files and folders.
        self.permissions: dict[str, int] = {}


def snapshot(folder: Path) -> Snapshot:
    """Return what is below ``folder``.

    A client may have left anything: for an entry that is not a file, cannot be read or is larger
    than any document, the content is a word that describes it.
    """
    found = Snapshot()
    for place, path, kind in walk_folder(folder, max_depth=_MAX_DEPTH):
        name = as_text(place)
        if kind == "link":
            found[name] = b"link to " + os.fsencode(path.readlink())
            continue
        if kind != "folder":
            found[name] = content(path)
        if kind != "other":
            found.permissions[name] = stat.S_IMODE(path.lstat().st_mode)
    return found


def content(path: Path) -> bytes:
    """Return the content of a file that a client left, or a word for why it was not read."""
    try:
        return read_file(path, max_bytes=MAX_BYTES, too_large=ErrorCode.JSON_TOO_LARGE)
    except RunForgeError as error:
        return b"\0" + error.code.encode()


def changes(before: dict[str, bytes], after: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield each file that differs between two snapshots, and how."""
    for place in sorted(before.keys() | after.keys()):
        if place not in after:
            yield place, "is gone"
        elif place not in before:
            yield place, "is new"
        elif before[place] != after[place]:
            yield place, "has changed"
