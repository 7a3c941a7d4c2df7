"""The written form of an index, and functions to read only its last entries.

The index is one JSON document, and grows by half a kilobyte per run. In its written form, an entry
starts and ends with lines that cannot occur within an entry, so the last entries can be found from
the end of the file. If the file has another form, the whole file is read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import open_file, read_all, reading
from runforge_contracts.run_ids import is_any_run_id

HEAD = b'{\n  "schema_version": "index.v1",\n  "runs": [\n    {\n'
BETWEEN = b"\n    },\n    {\n"
TAIL = b"\n    }\n  ]\n}\n"

#: Members of an entry that were added later: an entry has all that have a value, or none of them.
ADDED = ("seed", "hyperparameters", "group_id", "rerun_from")
#: Members that were added after those: an entry may lack each of them.
ADDED_SINCE = ("tags",)

#: Bytes of an index that are read at a time: few enough for the cache of a processor, and for
#: memory that is used again. Larger texts take new memory of the system each time.
_BLOCK = 2**16
#: The line of an entry that has its run id; no run id is longer.
_ID, _LONGEST_ID = rb'\n {6}"run_id": "([^"\n]+)"', 128
#: Strings and numbers of an entry that a list of runs shows.
_TEXTS = (
    "run_id",
    "created_at",
    "run_dir",
    "name",
    "preset_id",
    "status",
    "label_column",
    "model_family",
)
_REQUIRED = {"run_id", "created_at", "run_dir", "status"}


class Newest(NamedTuple):
    """The newest runs of a store, oldest first, and the number of all runs."""

    entries: list[dict[str, Any]]
    total: int
    #: How many of the first ones are left out.
    skipped: int = 0


def newest_entries(path: Path, count: int) -> list[dict[str, Any]] | None:
    """Return the last ``count`` entries of the index at ``path``; None if it has another form.

    Raises
    ------
    RunForgeError
        As :func:`~runforge_contracts.fs.files.open_file`.
    """
    with open_file(path) as file, reading(path):
        size = os.fstat(file.fileno()).st_size
        if size < len(HEAD) + len(TAIL) or file.read(len(HEAD)) != HEAD:
            return None
        start, text = size, b""
        while start > len(HEAD) and text.count(BETWEEN) < count:
            # Twice as much each time, so that a long end is not searched again and again.
            length = min(max(_BLOCK, len(text)), start - len(HEAD))
            start -= length
            file.seek(start)
            text = read_all(file, length) + text
    if not text.endswith(TAIL):
        return None
    pieces = text[: -len(TAIL)].split(BETWEEN)
    if start > len(HEAD):
        del pieces[0]  # it may be incomplete
    try:
        entries: list[dict[str, Any]] = parse_json(b"[{" + b"},{".join(pieces[-count:]) + b"}]")
    except RunForgeError:
        return None
    return entries


def entry_count(path: Path) -> int:
    """Return the number of entries of an index in its written form, without parsing it.

    Raises
    ------
    RunForgeError
        As :func:`~runforge_contracts.fs.files.open_file`.
    """
    return 1 + sum(piece.count(BETWEEN) for piece in _overlapping(path, len(BETWEEN) - 1))


def listed_ids(path: Path) -> set[str]:
    """Return the run ids of an index in its written form, without parsing it.

    Raises
    ------
    RunForgeError
        As :func:`~runforge_contracts.fs.files.open_file`.
    """
    pieces = _overlapping(path, len('\n      "run_id": ""') + _LONGEST_ID)
    return {found.decode("latin-1") for piece in pieces for found in re.findall(_ID, piece)}


def _overlapping(path: Path, overlap: int) -> Iterator[bytes]:
    """Yield the bytes of a file in pieces, each of which begins with the end of the one before."""
    with open_file(path) as file, reading(path):
        end = b""
        while read := file.read(_BLOCK):
            piece = end + read
            yield piece
            end = piece[-overlap:]


def once(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return entries without repeated runs, keeping the first; an index may repeat a run."""
    first = {entry["run_id"]: number for number, entry in reversed([*enumerate(entries)])}
    if len(first) == len(entries):
        return entries
    return [entry for number, entry in enumerate(entries) if first[entry["run_id"]] == number]


def can_be_shown(entry: dict[str, Any]) -> bool:
    """Return whether an entry appears to follow the current version of the schema."""
    texts = all(isinstance(entry.get(name, ""), str) for name in _TEXTS)
    summary = entry.get("summary", {})
    if not texts or not entry.keys() >= _REQUIRED or not isinstance(summary, dict):
        return False
    metrics, duration = summary.get("final_metrics", {}), summary.get("duration_ms", 0)
    if not isinstance(metrics, dict) or type(duration) is not int or duration < 0:
        return False
    return is_any_run_id(entry["run_id"]) and all(
        type(value) in (int, float) for value in metrics.values()
    )
