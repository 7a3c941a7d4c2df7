"""Everything that must be true of a store: its runs, and the index that lists them.

Source: run store contract, section 1; RunForge guarantees, "Provenance Tracking"; RunForge
contract, "Documents and versions".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.folders import list_folder
from runforge_contracts.invariants.checked_folder import Folder
from runforge_contracts.invariants.finding import Finding, close, same
from runforge_contracts.invariants.run_invariants import check_folder
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import describe, locate_run, read_index_document, run_folders
from runforge_contracts.store.run import Run
from runforge_contracts.store.run_ids import started

#: Names that editors have for presets.
_PRESETS = {"std-train": "balanced", "hq-train": "thorough"}


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
    index, refused = _read_index(store)
    findings: list[Finding] = []
    # Of each run what the index is held against, and no more: there may be very many.
    described: dict[Path, dict[str, Any] | None] = {}
    current: dict[str, bool] = {}
    asked_for = named_otherwise(index["runs"] if index else (), store)
    for path in run_folders(store):
        folder = Folder(path, in_store=path not in asked_for)
        if not folder.has_ended:
            # What is still training, or was interrupted, has nothing to be held to yet.
            findings += _placed(folder.findings, path, store)
            continue
        described[path], current[folder.run_id] = folder.described(store), folder.is_current
        findings += _placed(check_folder(folder), path, store)
    if store.runs.is_symlink():
        place = store.runs.relative_to(store.workspace).as_posix()
        message = "The folder of the runs is a symbolic link, which could lead anywhere."
        findings.append(Finding("run.no-links", message, place))
    for child in list_folder(store.runs):
        if child.is_symlink():
            place = store.relative(Path(child.path))
            message = f"{quote(child.name)} is a symbolic link, which could lead anywhere."
            findings.append(Finding("run.no-links", message, place))
    return [*findings, *refused, *(() if refused else _index(store, index, described, current))]


def _placed(findings: list[Finding], path: Path, store: StoreLayout) -> list[Finding]:
    """Return findings of a run folder with their files relative to the workspace."""
    place = path.relative_to(store.workspace).as_posix()
    return [
        replace(finding, file=f"{place}/{finding.file}" if finding.file else place)
        for finding in findings
    ]


def named_otherwise(entries: Iterable[dict[str, Any]], store: StoreLayout) -> set[Path]:
    """Return the folders that the index names for runs with another id: somebody asked for them."""
    return {
        store.workspace / entry["run_dir"]
        for entry in entries
        if PurePosixPath(entry["run_dir"]).name != entry["run_id"]
    }


def _read_index(store: StoreLayout) -> tuple[dict[str, Any] | None, list[Finding]]:
    """Return the raw index, if there is one, and what is wrong where it cannot be read."""
    try:
        return read_index_document(store), []
    except RunForgeError as error:
        file = store.relative(store.index)
        return None, [Finding("index.schema", error.message, file, error.location.pointer)]


def _index(
    store: StoreLayout,
    index: dict[str, Any] | None,
    described: dict[Path, dict[str, Any] | None],
    current: dict[str, bool],
) -> Iterator[Finding]:
    """Give what is wrong with the index, held against the runs that have ended."""
    file = store.relative(store.index)
    if index is None:
        # The index can be rebuilt; clients of the first versions wrote none.
        if any(current.values()):
            yield Finding("index.complete", "The store has an index of its runs.", file)
        return
    entries = index["runs"]
    yield from once_findings(entries, file)
    yield from order_notes(entries, file)
    for number, entry in enumerate(entries):
        yield from entry_findings(entry, store, file, f"/runs/{number}", described)
        yield from _outside_the_runs(entry, store)
    listed = {entry["run_id"] for entry in entries}
    for run_id, is_current in current.items():
        if is_current and run_id not in listed:
            message = f"Every run that ended is listed; {quote(run_id)} is not."
            yield Finding("index.complete", message, file, "/runs", run_id)


def _outside_the_runs(entry: dict[str, Any], store: StoreLayout) -> Iterator[Finding]:
    """Give what is wrong with a run of the workspace that does not lie among the others."""
    try:
        path = locate_run(entry, store)
    except RunForgeError:
        return
    inside = path.is_relative_to(store.workspace) and path.parent != store.runs
    if inside and path.is_dir() and not _leads_away(path, store.workspace):
        yield from _placed(check_folder(Folder(path, in_store=False)), path, store)


def once_findings(entries: list[dict[str, Any]], file: str) -> Iterator[Finding]:
    """Give where the index ``file`` lists a run that it has listed before."""
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries):
        run_id = entry["run_id"]
        if run_id in seen:
            message = f"The run {quote(run_id)} is listed already, at /runs/{seen[run_id]}."
            yield Finding("index.once", message, file, f"/runs/{number}/run_id", found=run_id)
        seen.setdefault(run_id, number)


def order_notes(entries: list[dict[str, Any]], file: str) -> Iterator[Finding]:
    """Give where an entry of the index ``file`` is of an earlier day than the one before it.

    That breaks no rule: the order is that of appending, and clocks are set back, days end while
    runs train, and stores are merged. Runs of one day may overlap, which is not worth a note.
    """
    times = [started(entry) for entry in entries]
    for number, (before, after) in enumerate(pairwise(times), 1):
        if after[:8] < before[:8]:
            message = (
                f"The run {quote(entries[number]['run_id'])} began at {after}, before the run that"
                f" is listed above it, which began at {before}."
            )
            yield Finding("index.order", message, file, f"/runs/{number}")


def entry_findings(
    entry: dict[str, Any],
    store: StoreLayout,
    file: str,
    pointer: str,
    described: Mapping[Path, dict[str, Any] | None] = MappingProxyType({}),
) -> Iterator[Finding]:
    """Give where an entry and the run that it names disagree.

    Parameters
    ----------
    entry
        The raw entry of the index ``file``, at ``pointer``.
    store
        The store that the index is of.
    described
        The entries that runs amount to whose documents were read already, by their folders; None
        where they cannot tell.
    """
    try:
        path = locate_run(entry, store)
    except RunForgeError as error:
        yield Finding("index.run-dir", error.message, file, f"{pointer}/run_dir")
        return
    inside = path.is_relative_to(store.workspace)
    if not inside:
        return  # A run that was written elsewhere on request; what lies there is not looked at.
    if _leads_away(path, store.workspace) or not path.is_dir():
        message = "Every entry names a run folder, and not by a link."
        yield Finding("index.run-dir", message, file, f"{pointer}/run_dir", found=entry["run_dir"])
        return
    actual = described[path] if path in described else _describe(path, store)
    if actual is None:
        return  # The folder's own findings say what is wrong with it.
    for place, value, found in differences(entry, actual):
        message = "An entry repeats the run's documents."
        yield Finding("index.entry", message, file, pointer + format_pointer(place), value, found)
    lacking = actual.keys() - entry.keys() if (path / layout.MANIFEST).exists() else ()
    for key in sorted(lacking):
        message = f"An entry has its `{key}`."
        yield Finding("index.entry", message, file, f"{pointer}/{key}", actual[key])


def _describe(path: Path, store: StoreLayout) -> dict[str, Any] | None:
    try:
        return describe(Run(path), store)
    except RunForgeError:
        return None


def differences(
    entry: dict[str, Any], actual: dict[str, Any]
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Give where an entry says other than the one that the run's documents amount to.

    What only one of the two has is no difference: clients say more, or less.

    Yields
    ------
    tuple
        The place in the entry, what it should be, and what it is.
    """
    for key, value in actual.items():
        if key in entry and key != "summary" and not _alike(key, value, entry[key]):
            yield (key,), value, entry[key]
    told, said = actual.get("summary", {}), entry.get("summary", {})
    for key in ("duration_ms", "device"):
        if key in told and key in said and not same(told[key], said[key]):
            yield ("summary", key), told[key], said[key]
    metrics = told.get("final_metrics", {})
    for name, value in said.get("final_metrics", {}).items():
        if name in metrics and not close(metrics[name], value):
            yield ("summary", "final_metrics", name), metrics[name], value


def _alike(key: str, value: Any, found: Any) -> bool:
    if key == "preset_id":
        return same(value, _PRESETS.get(found, found))
    if key == "created_at":
        return instant(value) == instant(found)
    return same(value, found)


def instant(time: str) -> str:
    """Return a time of a document without the zone, which is always UTC."""
    return time.removesuffix("Z").removesuffix("+00:00")


def _leads_away(path: Path, workspace: Path) -> bool:
    """Tell whether there is a link on the way from the workspace to ``path``."""
    return path.resolve() != workspace.resolve() / path.relative_to(workspace)
