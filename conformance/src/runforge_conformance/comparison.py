"""Comparing what is with what should be, and trees of files with each other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from runforge_contracts.facts.finding import ABSENT, same


class Difference(NamedTuple):
    """A place at which two JSON values differ."""

    pointer: str
    expected: Any
    found: Any


def differences(expected: Any, found: Any, pointer: str = "") -> Iterator[Difference]:
    """Give the places at which two JSON values differ.

    The order of keys does not matter, numbers are compared as numbers, texts exactly, and absent
    is not null.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in [*expected, *(key for key in found if key not in expected)]:
            place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
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
    """Give the places at which ``found`` lacks something of ``expected``; it may have more."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            yield from missing(value, found.get(key, ABSENT), f"{pointer}/{key}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (left, right) in enumerate(zip(expected, found, strict=True)):
            yield from missing(left, right, f"{pointer}/{index}")
    else:
        yield from differences(expected, found, pointer)


def snapshot(folder: Path) -> dict[str, bytes]:
    """Return every file below ``folder`` with its content; of links where they lead."""
    found: dict[str, bytes] = {}
    for root, folders, files in os.walk(folder):
        for name in [*files, *(name for name in folders if (Path(root) / name).is_symlink())]:
            path = Path(root) / name
            place = path.relative_to(folder).as_posix()
            found[place] = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
    return found


def changes(before: dict[str, bytes], after: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """Give each file that differs between two snapshots, and how."""
    for place in sorted(before.keys() | after.keys()):
        if place not in after:
            yield place, "is gone"
        elif place not in before:
            yield place, "is new"
        elif before[place] != after[place]:
            yield place, "has changed"
