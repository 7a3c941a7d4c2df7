"""The index and the run folders held against each other; the index rebuilt from the folders.

Rebuilding adds what is missing and changes nothing that is there: the index is append-only, and an
entry whose folder is gone is history.

Source: run store contract, section 1; RunForge contract, "Where things live".
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.files import writing
from runforge_contracts.layout import StoreLayout
from runforge_contracts.reading import locate_run, read_index_document
from runforge_contracts.text import quote

from runforge_engine.clock import read_clock
from runforge_engine.store import index_lock, write_index
from runforge_engine.survey import Found, Skipped, children, instant, look_at, refuse_links

#: How often the index is read again because somebody appended while the folders were looked at.
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where the index and the folders do not fit."""

    #: ``index_unreadable``, ``entry_missing``, ``entry_duplicate``, ``folder_missing``,
    #: ``folder_unreadable`` or ``entry_disagrees``.
    kind: str
    #: One sentence.
    message: str
    #: File or folder, relative to the workspace.
    path: str
    #: JSON Pointer into the file, where there is one.
    pointer: str | None = None
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What a look at a store gave; runs are named by their ids."""

    #: The store's folder and its index, relative to the workspace.
    store: str
    index: str
    #: How many things lie among the run folders.
    scanned: int
    #: Runs that the index had, with their folders.
    already_indexed: tuple[str, ...]
    #: Finished runs that the index lacked and has now.
    recovered: tuple[str, ...]
    #: Finished runs that the index lacks.
    unlisted: tuple[str, ...]
    #: What is not taken for a run, or cannot be read as one.
    skipped: tuple[Skipped, ...]
    #: Runs that were ended before they had a result; they are not indexed.
    interrupted: tuple[str, ...]
    #: Runs at work.
    running: tuple[str, ...]
    #: Runs that have not begun, or of which nobody can tell whether they are at work.
    incomplete: tuple[str, ...]
    #: Finished runs that were cancelled.
    cancelled: tuple[str, ...]
    #: Runs of the index whose folder is gone.
    missing_folders: tuple[str, ...]
    findings: tuple[Finding, ...]
    #: Where an index that could not be read was put, relative to the workspace.
    kept_aside: str | None = None


def check_index(store: StoreLayout) -> IndexReport:
    """Hold the index of ``store`` against its run folders; write nothing.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE`` where the store is a symbolic link; ``FILE_UNREADABLE``.
    """
    comparison = _Comparison(store)
    report = comparison.report()
    for _ in range(_ATTEMPTS):
        # A run that ended meanwhile is in the index by now: it is appended before it is let go.
        if not report.unlisted or not comparison.read_again():
            break
        report = comparison.report()
    return report


def rebuild_index(store: StoreLayout) -> IndexReport:
    """Add every finished run that the index of ``store`` lacks, in the order in which they ended.

    An index that cannot be read is kept beside the new one. Nothing is written where nothing is
    missing.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE`` where the store is a symbolic link, ``FILE_UNREADABLE``, ``STORE_BUSY`` or
        ``STORE_NOT_WRITABLE``; then the index is as it was.
    """
    refuse_links(store.index.parent)
    comparison = _Comparison(store)
    # Before the lock, so that nobody waits for the reading of many folders.
    report = comparison.report()
    if comparison.problem is None and not report.unlisted:
        return report
    with index_lock(store):
        comparison.read_again()
        report = comparison.report()
        kept = None
        if comparison.problem is not None:
            kept = store.relative(_keep_aside(store, comparison.problem))
        elif not report.unlisted:
            return report
        index = comparison.index or {"schema_version": "index.v1", "runs": []}
        index["runs"] += [found.entry for found in comparison.unlisted]
        write_index(store, index)
    comparison.read_again()
    return replace(
        comparison.report(),
        already_indexed=report.already_indexed,
        recovered=report.unlisted,
        kept_aside=kept,
    )


class _Comparison:
    """The index as it was last read, beside the run folders; what is over is looked at once."""

    def __init__(self, store: StoreLayout) -> None:
        self.store = store
        #: The raw index; None where there is none, or none that can be read.
        self.index: dict[str, Any] | None = None
        #: Why the index cannot be read.
        self.problem: RunForgeError | None = None
        #: Finished runs that the index lacks, in the order in which they ended.
        self.unlisted: list[Found] = []
        self._known: dict[Path, Found] = {}
        self.read_again()

    def read_again(self) -> bool:
        """Read the index and tell whether it is another than before."""
        before = self.index
        self.index = self.problem = None
        try:
            self.index = read_index_document(self.store)
        except RunForgeError as error:
            self.problem = error
        return self.index != before

    def report(self) -> IndexReport:
        """Look at the folders and say what there is."""
        entries = self.index["runs"] if self.index else []
        # Where each run of the index lies: of its first entry, as whoever reads the index finds it.
        places: dict[str, Path | None] = {}
        for entry in entries:
            if entry["run_id"] not in places:
                places[entry["run_id"]] = _place(entry, self.store)
        scanned, skipped = 0, []
        found: list[Found] = []
        for path, reason in children(self.store):
            scanned += 1
            if reason is None:
                found.append(self._look_at(path))
            else:
                skipped.append(Skipped(_text(path.name), reason))
        findings = [] if self.problem is None else [self._unreadable_index(self.problem)]
        findings += self._entry_findings(entries, places)
        chosen, copies = _choose([item for item in found if item.state == "finished"], places)
        self.unlisted = sorted(
            (item for item in chosen if item.entry["run_id"] not in places),
            key=lambda item: item.ended,
        )
        here = set(places.values())
        for item in found:
            if item.state == "unreadable" and item.path not in here:
                skipped.append(Skipped(item.path.name, item.reason))
                findings.append(self._folder_unreadable(item, item.path.name))
        for item in self.unlisted:
            findings.append(
                Finding(
                    "entry_missing",
                    f"The index lacks the run {quote(item.entry['run_id'])}.",
                    self.store.relative(item.path),
                    run_id=item.entry["run_id"],
                )
            )

        def named(state: str) -> tuple[str, ...]:
            return tuple(
                item.path.name for item in found if item.state == state and item.path not in here
            )

        return IndexReport(
            store=self.store.name,
            index=self.store.relative(self.store.index),
            scanned=scanned,
            already_indexed=tuple(run_id for run_id, place in places.items() if place is not None),
            recovered=(),
            unlisted=tuple(item.entry["run_id"] for item in self.unlisted),
            skipped=(*skipped, *copies),
            interrupted=named("interrupted"),
            running=named("running"),
            incomplete=named("incomplete"),
            cancelled=tuple(
                item.entry["run_id"] for item in chosen if item.entry.get("status") == "cancelled"
            ),
            missing_folders=tuple(run_id for run_id, place in places.items() if place is None),
            findings=tuple(findings),
        )

    def _look_at(self, path: Path) -> Found:
        found = self._known.get(path)
        if found is None or found.state != "finished":
            found = self._known[path] = look_at(path, self.store)
        return found

    def _entry_findings(
        self, entries: list[dict[str, Any]], places: dict[str, Path | None]
    ) -> Iterator[Finding]:
        file, seen = self.store.relative(self.store.index), dict[str, int]()
        for number, entry in enumerate(entries):
            run_id, pointer = entry["run_id"], f"/runs/{number}"
            first = seen.setdefault(run_id, number)
            place = places[run_id]
            if first != number:
                text = f"The run {quote(run_id)} is listed again; its first entry is /runs/{first}."
                yield Finding("entry_duplicate", text, file, pointer, run_id)
            elif place is None:
                text = f"The folder of the run {quote(run_id)} is gone: {quote(entry['run_dir'])}."
                yield Finding("folder_missing", text, file, f"{pointer}/run_dir", run_id)
            else:
                found = self._look_at(place)
                if found.state == "unreadable":
                    yield self._folder_unreadable(found, run_id)
                for name, text in _disagreements(entry, found):
                    where = pointer + (f"/{name}" if name else "")
                    yield Finding("entry_disagrees", text, file, where, run_id)

    def _unreadable_index(self, problem: RunForgeError) -> Finding:
        file = self.store.relative(self.store.index)
        return Finding("index_unreadable", problem.message, file, problem.place.pointer)

    def _folder_unreadable(self, found: Found, run_id: str) -> Finding:
        text = f"The run {quote(run_id)} cannot be read: {found.reason}"
        return Finding("folder_unreadable", text, self.store.relative(found.path), run_id=run_id)


def _place(entry: dict[str, Any], store: StoreLayout) -> Path | None:
    """Return the run folder that an entry names; None where there is none."""
    try:
        place = locate_run(entry, store)
    except RunForgeError:
        return None
    return place if place.is_dir() and not place.is_symlink() else None


def _choose(
    finished: list[Found], places: dict[str, Path | None]
) -> tuple[list[Found], list[Skipped]]:
    """Return the folder of each finished run, and those that only carry another run's id."""
    folders: dict[str, list[Found]] = {}
    for item in finished:
        folders.setdefault(item.entry["run_id"], []).append(item)
    chosen, copies = [], []
    for run_id, items in folders.items():
        # A run may lie in a folder of another name, as it was asked for; then the index says so.
        if run_id in places:
            owner = next((item for item in items if item.path == places[run_id]), None)
        else:
            owner = next((item for item in items if item.path.name == run_id), items[0])
        if owner is not None:
            chosen.append(owner)
        copies += [
            Skipped(item.path.name, f"Its documents are those of the run {quote(run_id)}.")
            for item in items
            if item is not owner
        ]
    return chosen, copies


def _disagreements(entry: dict[str, Any], found: Found) -> Iterator[tuple[str, str]]:
    """Give the fields of an entry that the run's documents tell otherwise, and what they tell.

    What an older client left out is no disagreement.
    """
    if found.state in ("interrupted", "incomplete"):
        yield "", f"The run {quote(entry['run_id'])} has no result in its folder."
    if found.state != "finished":
        return
    told = found.entry
    if instant(entry["created_at"]) not in found.times:
        yield "created_at", _other("created_at", entry["created_at"], told["created_at"])
    for name in told.keys() & entry.keys() - {"created_at", "run_dir", "summary"}:
        unnamed = name == "name" and entry[name] == entry["run_id"]
        if entry[name] != told[name] and not unnamed:
            yield name, _other(name, entry[name], told[name])
    summary, told_summary = entry.get("summary", {}), told["summary"]
    for name in ("duration_ms", "device"):
        if summary.get(name) != told_summary.get(name) and name in summary.keys() & told_summary:
            place = f"summary/{name}"
            yield place, _other(place, summary[name], told_summary[name])
    metrics, told_metrics = summary.get("final_metrics", {}), told_summary["final_metrics"]
    for name in metrics.keys() & told_metrics:
        if metrics[name] != told_metrics[name]:
            place = f"summary/final_metrics/{name.replace('~', '~0').replace('/', '~1')}"
            yield place, _other(name, metrics[name], told_metrics[name])


def _other(name: str, listed: object, told: object) -> str:
    return f"{quote(name)} is {quote(listed)}; the run's documents say {quote(told)}."


def _keep_aside(store: StoreLayout, problem: RunForgeError) -> Path:
    """Give the index that cannot be read another name as well, and return it."""
    cause = problem.__cause__
    if isinstance(cause, RunForgeError) and cause.code is ErrorCode.FILE_UNREADABLE:
        raise problem  # It may be sound: it is this process that must not, or cannot, read it.
    time = read_clock().instant().strftime("%Y%m%dT%H%M%SZ")
    name, number = f"{store.index.name}.corrupt-{time}", 1
    while os.path.lexists(store.index.with_name(name)):
        number += 1
        name = f"{store.index.name}.corrupt-{time}-{number}"
    aside = store.index.with_name(name)
    with writing(aside):
        try:
            # A second name: the first one never vanishes under a reader.
            os.link(store.index, aside, follow_symlinks=False)
        except OSError:
            store.index.rename(aside)
    return aside


def _text(name: str) -> str:
    """Return the name of a file as text that every document can hold."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
