"""Everything that must be true of a store: its runs, and the index that lists them.

Source: run store contract, section 1; RunForge guarantees, "Provenance Tracking"; RunForge
contract, "Documents and versions".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.facts.finding import Finding, unequal
from runforge_contracts.facts.folder import Folder
from runforge_contracts.facts.runs import check_folder
from runforge_contracts.layout import StoreLayout
from runforge_contracts.reading import (
    RunFolder,
    describe,
    locate_run,
    read_index_document,
    run_folders,
)
from runforge_contracts.run_ids import started
from runforge_contracts.text import quote

#: What an index entry repeats from the run's documents, where it has it.
_REPEATED = (
    "status",
    "dataset_fingerprint_sha256",
    "label_column",
    "model_pkl",
    "model_family",
    "model_sha256",
    "preset_id",
)


def check_store(store: StoreLayout) -> list[Finding]:
    """Return what is wrong with a store: every run, and the index.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_FOUND`` where there is none.
    """
    if store.root.is_symlink() or not store.root.is_dir():
        raise RunForgeError(
            ErrorCode.STORE_NOT_FOUND,
            f"There is no store in {quote(store.workspace, 200)}.",
            hint="Name a folder that holds `.runforge` or `.ml`.",
            path=str(store.root),
        )
    findings: list[Finding] = []
    runs: dict[str, Folder] = {}
    for path in run_folders(store):
        folder = Folder(path)
        # What is still training, or was interrupted, has nothing to be held to yet.
        if folder.result is None and folder.run is None and not folder.is_current:
            continue
        runs[path.name] = folder
        place = path.relative_to(store.workspace).as_posix()
        findings += [
            replace(finding, file=f"{place}/{finding.file}" if finding.file else place)
            for finding in check_folder(folder)
        ]
    for child in _children(store.runs):
        if child.is_symlink():
            place = child.relative_to(store.workspace).as_posix()
            message = f"{quote(child.name)} is a symbolic link, which could lead anywhere."
            findings.append(Finding("run.no-links", message, place))
    return findings + list(_index(store, runs))


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _index(store: StoreLayout, runs: dict[str, Folder]) -> Iterator[Finding]:
    file = store.index.relative_to(store.workspace).as_posix()
    try:
        index = read_index_document(store)
    except RunForgeError as error:
        yield Finding("index.schema", error.message, file, error.place.pointer)
        return
    if index is None:
        # The index can be rebuilt; clients of the first versions wrote none.
        if any(folder.is_current for folder in runs.values()):
            yield Finding("index.complete", "The store has an index of its runs.", file)
        return
    entries = index["runs"]
    yield from order_findings(entries, file)
    for number, entry in enumerate(entries):
        yield from entry_findings(entry, store, file, f"/runs/{number}")
    listed = {entry["run_id"] for entry in entries}
    for run_id, folder in runs.items():
        if run_id not in listed and folder.is_current:
            message = f"Every run that ended is listed; {quote(run_id)} is not."
            yield Finding("index.complete", message, file, "/runs", run_id)


def order_findings(entries: list[dict[str, Any]], file: str) -> Iterator[Finding]:
    """Give where the entries of the index ``file`` are not each run once, the oldest first."""
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries):
        run_id = entry["run_id"]
        if run_id in seen:
            message = f"A run is listed once; {quote(run_id)} stands at {seen[run_id]}, too."
            yield Finding("index.once", message, file, f"/runs/{number}/run_id", found=run_id)
        seen.setdefault(run_id, number)
    times = [started(entry) for entry in entries]
    for number, (before, after) in enumerate(pairwise(times)):
        # Runs that overlap are listed as they end; a day apart is no overlap.
        if after[:8] < before[:8]:
            message = "The oldest run comes first."
            yield Finding("index.order", message, file, f"/runs/{number + 1}")


def entry_findings(
    entry: dict[str, Any], store: StoreLayout, file: str, pointer: str
) -> Iterator[Finding]:
    """Give where an entry and the run that it names disagree.

    Parameters
    ----------
    entry
        The raw entry of the index ``file``, at ``pointer``.
    store
        The store that the index is of.
    """
    try:
        path = locate_run(entry, store)
    except RunForgeError as error:
        yield Finding("index.run-dir", error.message, file, f"{pointer}/run_dir")
        return
    if path.is_symlink() or not path.is_dir():
        message = "Every entry names a run folder."
        yield Finding("index.run-dir", message, file, f"{pointer}/run_dir", found=entry["run_dir"])
        return
    run = RunFolder(path)
    try:
        actual = describe(run, store)
    except RunForgeError:
        return  # The folder's own findings say what is wrong with it.
    message = "An entry repeats the run's documents."
    yield from unequal(
        "index.entry", message, file, f"{pointer}/run_id", actual["run_id"], entry["run_id"]
    )
    for key in _REPEATED:
        if key in entry:
            place = f"{pointer}/{key}"
            yield from unequal("index.entry", message, file, place, actual.get(key), entry[key])
