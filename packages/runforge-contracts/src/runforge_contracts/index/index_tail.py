"""The newest runs of a store, without reading all of its index.

The index is one JSON document, and grows by half a kilobyte a run. In the form in which it is
written, an entry begins and ends with lines that nothing inside an entry can look like, so the last
entries can be found from the end of the file. Where the file has another form, it is read whole.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, NamedTuple

from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import open_file, read_all, reading
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run_ids import is_any_run_id, started

HEAD = b'{\n  "schema_version": "index.v1",\n  "runs": [\n    {\n'
BETWEEN = b"\n    },\n    {\n"
TAIL = b"\n    }\n  ]\n}\n"

#: Runs are listed as they end. So many that began later may stand before one that ended later.
_OVERLAP = 50
_BLOCK = 2**16
#: Length of a run id that begins with its time.
_ID_LENGTH = len("20260201-120000-abc12345")
#: Texts and numbers of an entry that a list of runs shows.
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
    """The newest runs of a store, oldest first, and how many runs there are."""

    entries: list[dict[str, Any]]
    total: int


def newest_runs(store: StoreLayout, count: int) -> Newest | None:
    """Return the newest ``count`` runs, or None where only the whole index can tell them.

    Runs that the index does not know are described from their documents.
    """
    try:
        listed = newest_entries(store.index, count + _OVERLAP)
        names = os.listdir(store.runs)  # noqa: PTH208 - names are enough, and ten times as fast
    except (OSError, RunForgeError):
        return None
    if listed is None or not all(can_be_shown(entry) for entry in listed):
        return None
    oldest, whole = "", len(listed) < count + _OVERLAP
    if not whole:
        if set(map(len, names)) != {_ID_LENGTH}:
            return None  # a name of another client does not tell when its run began
        oldest = min(map(started, listed))
    listed = once(listed)
    known = store.known_names(listed)
    unlisted = [name for name in names if name >= oldest and name not in known]
    entries = sorted([*listed, *described_runs(store, unlisted, known)], key=started)
    # Of a large index only the end was read: then the folders are counted.
    total = len(entries) if whole else max(len(names), len(entries))
    return Newest(entries[-count:], total)


def newest_entries(path: Path, count: int) -> list[dict[str, Any]] | None:
    """Return the last ``count`` entries of the index at ``path``; None where it has another form.

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
            length = min(_BLOCK, start - len(HEAD))
            start -= length
            file.seek(start)
            text = read_all(file, length) + text
    if not text.endswith(TAIL):
        return None
    pieces = text[: -len(TAIL)].split(BETWEEN)
    if start > len(HEAD):
        del pieces[0]  # it may have been cut
    try:
        entries: list[dict[str, Any]] = parse_json(b"[{" + b"},{".join(pieces[-count:]) + b"}]")
    except RunForgeError:
        return None
    return entries


def once(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return entries without those of runs that stand before; an index may list one again."""
    first = {entry["run_id"]: number for number, entry in reversed([*enumerate(entries)])}
    if len(first) == len(entries):
        return entries
    return [entry for number, entry in enumerate(entries) if first[entry["run_id"]] == number]


def can_be_shown(entry: dict[str, Any]) -> bool:
    """Return whether an entry looks like one in the current version of the schema."""
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


def described_runs(store: StoreLayout, names: list[str], known: set[str]) -> list[dict[str, Any]]:
    """Return entries for runs that have none; runs that cannot be read are skipped.

    So are copies of documents of runs that are ``known``.
    """
    found = []
    for name in sorted(names):
        from runforge_contracts.store.reading import describe
        from runforge_contracts.store.run import Run

        path = store.run_folder(name)
        if not is_any_run_id(name) or path.is_symlink() or not path.is_dir():
            continue
        with contextlib.suppress(RunForgeError):
            entry = describe(Run(path), store)
            if entry["run_id"] not in known:
                known.add(entry["run_id"])
                found.append(entry)
    return found
