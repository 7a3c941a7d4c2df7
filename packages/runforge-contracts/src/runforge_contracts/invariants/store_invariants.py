"""All checks of a store: its runs, its groups, and the index that lists the runs.

Source: specification, sections 5.1 to 5.5.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.folders import list_folder
from runforge_contracts.invariants.checked_folder import CheckedRun
from runforge_contracts.invariants.evaluation_invariants import evaluation_findings
from runforge_contracts.invariants.finding import PRESETS, Finding, close, same, show_value
from runforge_contracts.invariants.group_invariants import group_findings
from runforge_contracts.invariants.run_invariants import check_folder
from runforge_contracts.invariants.view_invariants import compare_view
from runforge_contracts.run_ids import started
from runforge_contracts.shared_work import in_processes
from runforge_contracts.store import layout
from runforge_contracts.store.foreign_index import write_entry
from runforge_contracts.store.index_entries import IndexedRun
from runforge_contracts.store.index_form import ADDED, ADDED_SINCE
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.moved_store import is_stray_link, moved_to
from runforge_contracts.store.reading import (
    StoreIndex,
    describe,
    locate_run,
    read_store_index,
    run_folders,
)
from runforge_contracts.store.removals import removed_runs
from runforge_contracts.store.run import Run
from runforge_contracts.store.view_folders import record_of

#: Fields of an entry that all clients take from the documents of the run.
_IN_COMMON = ("status", "dataset_fingerprint_sha256", "label_column", "model_pkl")
#: Fields of an entry for a view that an editor fills in when it makes its index anew.
_FILLED_IN = ("name", "preset_id", "duration_ms", "device")


class _Looked(NamedTuple):
    """What is known of a run folder, once it was read."""

    findings: list[Finding]
    #: Whether it was described, and its entry; None if a document of its run is invalid.
    is_described: bool = False
    entry: dict[str, Any] | None = None
    #: The id that the run has to have, and whether it is of the current version; None for a view.
    run_id: str | None = None
    is_current: bool = False
    #: Findings about the entries of the index that name the folder, by their positions.
    in_index: Mapping[int, Sequence[Finding]] = {}


def check_store(store: StoreLayout, *, jobs: int = 1) -> list[Finding]:
    """Return the violations in a store: in runs, groups, evaluations, and in the index.

    Parameters
    ----------
    store
        The store.
    jobs
        How many processes read the runs.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_FOUND`` if there is none.
    """
    if is_stray_link(store.root) or not store.root.is_dir():
        raise RunForgeError(
            ErrorCode.STORE_NOT_FOUND,
            f"There is no store in {quote(store.workspace, 200)}.",
            hint="Name a folder that holds `.runforge` or `.ml`.",
            path=str(store.root),
        )
    index, refused = _read_index(store)
    findings: list[Finding] = []
    # Keep only what the index is compared with: there may be very many runs.
    in_index: list[Sequence[Finding] | None] = [None] * len(index.entries if index else ())
    unlisted: list[dict[str, Any]] = []
    current: dict[str, bool] = {}
    listed = _listed_folders(index, store)
    elsewhere = named_otherwise(index.listed if index else (), store)
    ids = {run.run_id for run in index.listed} if index else set[str]()

    def look(path: Path) -> _Looked:
        found = _look(path, store, listed.keys(), in_store=path not in elsewhere)
        if index is None or not found.is_described:
            return found._replace(entry=None)
        differing = {
            number: tuple(_of_entry(index, number, store, {path: found.entry}))
            for number in listed.get(path, ())
        }
        is_listed = found.entry is not None and found.entry["run_id"] in ids
        return found._replace(entry=None if is_listed else found.entry, in_index=differing)

    for found in in_processes(look, run_folders(store), jobs):
        findings += found.findings
        for number, differing in found.in_index.items():
            in_index[number] = differing
        if found.entry is not None:
            unlisted.append(found.entry)
        if found.run_id is not None and found.run_id not in ids:
            current[found.run_id] = found.is_current
    if store.runs.is_symlink():
        place = store.runs.relative_to(store.workspace).as_posix()
        message = "The folder of the runs is a symbolic link, which could lead anywhere."
        findings.append(Finding("run.no-links", message, place))
    for child in list_folder(store.runs):
        if child.is_symlink():
            place = store.relative(Path(child.path))
            message = f"{quote(child.name)} is a symbolic link, which could lead anywhere."
            findings.append(Finding("run.no-links", message, place))
    findings += group_findings(store)
    findings += evaluation_findings(store)
    if not refused:
        refused = [*_index(store, index, in_index, unlisted, current)]
    return [*findings, *refused]


def _look(path: Path, store: StoreLayout, listed: Set[Path], *, in_store: bool) -> _Looked:
    """Return what is known of a run folder, or of a view of a run."""
    record = record_of(path, store)
    if record is not None:
        findings = _placed(list(compare_view(path, record).findings), path, store)
        return _Looked(findings, True, describe_view(path, record, store))
    folder = CheckedRun(path, in_store=in_store)
    if not folder.has_ended:
        # A run that is in progress or was interrupted need not be complete.
        return _Looked(_placed([*folder.findings, *_unfinished(path, listed)], path, store))
    entry, run_id, is_current = folder.index_entry(store), folder.expected_id, folder.is_current
    return _Looked(_placed(check_folder(folder), path, store), True, entry, run_id, is_current)


def _listed_folders(index: StoreIndex | None, store: StoreLayout) -> dict[Path, list[int]]:
    """Return the positions of the entries by the folder that they name."""
    folders: dict[Path, list[int]] = {}
    for number, entry in enumerate(index.entries if index else ()):
        with suppress(RunForgeError):
            folders.setdefault(locate_run(entry, store), []).append(number)
    return folders


def _of_entry(
    index: StoreIndex,
    number: int,
    store: StoreLayout,
    described: Mapping[Path, dict[str, Any] | None] = MappingProxyType({}),
) -> Iterator[Finding]:
    """Yield the differences between an entry and the run that it names."""
    return entry_findings(
        index.entries[number],
        store,
        store.relative(store.index),
        index.pointer(number),
        described,
        whole=not index.is_foreign,
    )


def _unfinished(path: Path, listed: Set[Path]) -> Iterator[Finding]:
    """Yield the violation of a run that is listed, and so had a result."""
    if path in listed:
        message = "The index lists the run, which has no result."
        yield Finding("run.files", message, layout.RESULT)


def _placed(findings: list[Finding], path: Path, store: StoreLayout) -> list[Finding]:
    """Return findings of a run folder with their files relative to the workspace."""
    place = path.relative_to(store.workspace).as_posix()
    return [
        replace(finding, file=f"{place}/{finding.file}" if finding.file else place)
        for finding in findings
    ]


def named_otherwise(listed: Iterable[IndexedRun], store: StoreLayout) -> set[Path]:
    """Return the folders in the index that are not named by their run id (``--run-dir``)."""
    return {
        store.workspace / run.run_dir
        for run in listed
        if not run.run_dir.endswith(f"/{run.run_id}")
        and PurePosixPath(run.run_dir).name != run.run_id
    }


def describe_view(view: Path, record: Path, store: StoreLayout) -> dict[str, Any] | None:
    """Return what an index must say of a view of the run in the folder ``record``.

    An editor that makes its index anew has the copied ``run.json`` alone, which says nothing of the
    name, the preset, the duration and the device: these it fills in. None if a document of the run
    is invalid.
    """
    entry = _describe(record, store)
    if entry is None:
        return None
    summary = {
        name: value for name, value in entry.get("summary", {}).items() if name not in _FILLED_IN
    }
    known = {name: value for name, value in entry.items() if name not in _FILLED_IN}
    return {**known, "summary": summary, "run_dir": store.relative(view)}


def _read_index(store: StoreLayout) -> tuple[StoreIndex | None, list[Finding]]:
    """Return the index, if there is one, and the findings if it cannot be read."""
    try:
        return read_store_index(store, parse_later=True), []
    except RunForgeError as error:
        file = store.relative(store.index)
        return None, [Finding("index.schema", error.message, file, error.location.pointer)]


def _index(
    store: StoreLayout,
    index: StoreIndex | None,
    in_index: Sequence[Sequence[Finding] | None],
    unlisted: list[dict[str, Any]],
    current: dict[str, bool],
) -> Iterator[Finding]:
    """Yield the violations in the index, whose entries were compared with the finished runs.

    Parameters
    ----------
    store, index
        The store and its index.
    in_index
        What differs between each entry and the run that it names; None if it was not compared.
    unlisted
        Entries of runs that the index does not have.
    current
        The ids of the finished runs that the index does not have, and whether they are of the
        current version.
    """
    file = store.relative(store.index)
    if index is None:
        # The index can be rebuilt; clients of the first versions wrote none.
        if any(current.values()):
            yield Finding("index.complete", f"The store has runs but no {file}.", file)
        return
    yield from problem_findings(index, file)
    yield from once_findings(index, file)
    yield from origin_findings(index, file)
    yield from order_notes(index, file)
    removed = removed_runs(store)
    for number, run in enumerate(index.listed):
        if run.run_id in removed:
            continue  # Its folder went by a recorded decision.
        differing = in_index[number]
        yield from _of_entry(index, number, store) if differing is None else differing
        yield from _outside_the_runs(index.entries[number], store)
    entries = {entry["run_id"]: entry for entry in unlisted}
    for run_id, is_current in current.items():
        if is_current and _is_due(entries.get(run_id), index, store):
            message = f"The run {quote(run_id)} has finished but is not listed."
            pointer = index.pointer_at(0).rpartition("/")[0]
            yield Finding("index.complete", message, file, pointer, run_id)


def _is_due(entry: dict[str, Any] | None, index: StoreIndex, store: StoreLayout) -> bool:
    """Return whether the index has a form in which a run can be listed."""
    return entry is None or write_entry(entry, index.form, store) is not None


def _outside_the_runs(entry: dict[str, Any], store: StoreLayout) -> Iterator[Finding]:
    """Yield the violations in a run of the workspace outside the folder of the runs."""
    try:
        path = locate_run(entry, store)
    except RunForgeError:
        return
    inside = path.is_relative_to(store.workspace) and path.parent != store.runs
    if inside and path.is_dir() and not _leads_away(path, store):
        yield from _placed(check_folder(CheckedRun(path, in_store=False)), path, store)


def problem_findings(index: StoreIndex, file: str) -> Iterator[Finding]:
    """Yield the entries of the index ``file`` of another client that cannot be read."""
    for problem in index.problems:
        rule = "index.run-dir" if problem.member == "run_dir" else "index.schema"
        pointer = index.pointer_at(problem.position)
        if problem.member is not None:
            pointer += format_pointer((problem.member,))
        yield Finding(rule, problem.message, file, pointer)


def once_findings(index: StoreIndex, file: str) -> Iterator[Finding]:
    """Yield the runs that the index ``file`` lists more than once."""
    seen: dict[tuple[str, ...], str] = {}
    for number, run in enumerate(index.listed):
        pointer, key = index.pointer(number), index.key(run)
        if key in seen:
            message = f"The run {quote(run.run_id)} is already listed at {seen[key]}."
            yield Finding("index.once", message, file, f"{pointer}/run_id", found=run.run_id)
        seen.setdefault(key, pointer)


def origin_findings(index: StoreIndex, file: str) -> Iterator[Finding]:
    """Yield the entries that name the index ``file`` itself as the one that their run came from."""
    origin = index.origin
    for number, run in enumerate(index.listed):
        if run.origin is not None and run.origin == origin:
            yield origin_finding(index, number, file, run.run_id)


def origin_finding(index: StoreIndex, number: int, file: str, run_id: str) -> Finding:
    """Return what is said of the entry ``index.entries[number]``, which names its own index."""
    message = f"The run {quote(run_id)} is said to come from this store itself."
    pointer = f"{index.pointer(number)}/origin"
    return Finding("index.origin", message, file, pointer, found=index.origin)


def order_notes(index: StoreIndex, file: str) -> Iterator[Finding]:
    """Yield the entries of the index ``file`` of an earlier day than the entry before.

    This breaks no rule: entries are in the order of appending, and clocks are set back, runs
    train past midnight, and stores are merged. Runs of one day may overlap and are not noted.
    """
    runs = index.listed
    for number, (before, after) in enumerate(pairwise(map(_started, runs)), 1):
        if after[:8] < before[:8]:
            message = (
                f"The run {quote(runs[number].run_id)} started at {after}, before the run listed"
                f" above it, which started at {before}."
            )
            yield Finding("index.order", message, file, index.pointer(number))


def _started(run: IndexedRun) -> str:
    return started({"run_id": run.run_id, "created_at": run.created_at})


def entry_findings(
    entry: dict[str, Any],
    store: StoreLayout,
    file: str,
    pointer: str,
    described: Mapping[Path, dict[str, Any] | None] = MappingProxyType({}),
    *,
    whole: bool = True,
) -> Iterator[Finding]:
    """Yield the differences between an entry and the run that it names.

    Parameters
    ----------
    entry
        The raw entry of the index ``file``, at ``pointer``.
    store
        The store that the index is of.
    described
        Entries made from the documents of runs that were read already, by folder; None for a run
        whose documents are invalid.
    whole
        Whether the entry must have every value that the documents have.
    """
    try:
        path = locate_run(entry, store)
    except RunForgeError as error:
        yield Finding("index.run-dir", error.message, file, f"{pointer}/run_dir")
        return
    inside = path.is_relative_to(store.workspace)
    if not inside:
        return  # A run that was written outside the workspace on request is not checked.
    if _leads_away(path, store) or not path.is_dir():
        found = quote(entry["run_dir"])
        message = (
            f"The folder of the run {quote(entry['run_id'])} is a file or behind a link: {found}."
            if os.path.lexists(path)
            else f"The folder of the run {quote(entry['run_id'])} is missing: {found}."
        )
        yield Finding("index.run-dir", message, file, f"{pointer}/run_dir")
        return
    actual = described[path] if path in described else _describe(path, store)
    if actual is None:
        return  # The findings of the folder report the error.
    compared = actual if whole or is_recorded_here(path, store) else in_common(actual)
    for path_in_entry, value, found in differences(entry, compared):
        location = format_pointer(path_in_entry)
        message = (
            f"The entry has {location} {show_value(found)}; the run's documents have"
            f" {show_value(value)}."
        )
        yield Finding("index.entry", message, file, pointer + location, value, found)
    has_manifest = whole and (path / layout.MANIFEST).exists()
    # An entry that was written before they were added has none of them.
    later = (*ADDED_SINCE, *(ADDED if entry.keys().isdisjoint(ADDED) else ()))
    if not has_manifest:
        return
    lacking = {f"/{key}": actual[key] for key in actual.keys() - entry.keys() - {*later}}
    if "summary" in entry:
        made, listed = actual["summary"], entry["summary"]
        lacking |= {f"/summary/{key}": made[key] for key in made.keys() - listed.keys()}
    for location, value in sorted(lacking.items()):
        message = f"The entry lacks {location}; the run's documents have {show_value(value)}."
        yield Finding("index.entry", message, file, pointer + location, value)


def _describe(path: Path, store: StoreLayout) -> dict[str, Any] | None:
    try:
        return describe(Run(path), store)
    except RunForgeError:
        return None


def is_recorded_here(folder: Path, store: StoreLayout) -> bool:
    """Return whether the run in a folder, or the one that it is a view of, has a manifest."""
    return ((record_of(folder, store) or folder) / layout.MANIFEST).is_file()


def in_common(actual: dict[str, Any]) -> dict[str, Any]:
    """Return the values that the index of another client has from the documents of its run.

    Others have two sources there: the extension measures the time of a run, and so does its engine.
    """
    return {name: value for name, value in actual.items() if name in _IN_COMMON}


def differences(
    entry: dict[str, Any], actual: dict[str, Any]
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Yield the differences between an entry and one made from the run's documents.

    A field that only one of the two has is no difference: clients may omit or add fields.

    Yields
    ------
    tuple
        The path in the entry, the expected value, and the value found.
    """
    for key, value in actual.items():
        if key in entry and key != "summary" and not _alike(key, value, entry[key]):
            yield (key,), value, entry[key]
    expected, found = actual.get("summary", {}), entry.get("summary", {})
    for key in ("duration_ms", "device"):
        if key in expected and key in found and not same(expected[key], found[key]):
            yield ("summary", key), expected[key], found[key]
    metrics = expected.get("final_metrics", {})
    for name, value in found.get("final_metrics", {}).items():
        if name in metrics and not close(metrics[name], value):
            yield ("summary", "final_metrics", name), metrics[name], value


def _alike(key: str, value: Any, found: Any) -> bool:
    if key == "preset_id":
        return same(PRESETS.get(value, value), PRESETS.get(found, found))
    if key == "created_at":
        return instant(value) == instant(found)
    return same(value, found)


def instant(time: str) -> str:
    """Return a time of a document without the zone, which is always UTC."""
    return time.removesuffix("Z").removesuffix("+00:00")


def _leads_away(path: Path, store: StoreLayout) -> bool:
    """Return whether there is a link on the way from the workspace to ``path``."""
    start, place = store.workspace, moved_to(store.root)
    if place is not None and path.is_relative_to(store.root):
        return path.resolve() != place / path.relative_to(store.root)
    return path.resolve() != start.resolve() / path.relative_to(start)
