"""Compare the index with the run folders.

Source: specification, sections 5.5 and 5.7.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.display import quote
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.folders import as_text
from runforge_contracts.invariants.store_invariants import (
    differences,
    in_common,
    instant,
    is_recorded_here,
)
from runforge_contracts.run_ids import parse_experiment_run_id
from runforge_contracts.shared_work import WorkWatch, in_processes, unwatched
from runforge_contracts.store.foreign_index import write_entry
from runforge_contracts.store.index_entries import indexed_run
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import StoreIndex, locate_run, read_store_index
from runforge_contracts.store.removals import Removed, removed_runs
from runforge_contracts.store.run import Run
from runforge_contracts.store.view_folders import record_of

from runforge_engine.store.scan import Found, Skipped, State, children, look_at, times_of


@dataclass(frozen=True, slots=True)
class IndexFinding:
    """An inconsistency between the index and the run folders."""

    #: ``index_unreadable``, ``entry_unreadable``, ``entry_missing``, ``entry_duplicate``,
    #: ``folder_missing``, ``folder_unreadable`` or ``entry_disagrees``.
    kind: str
    #: Description, in one sentence.
    message: str
    #: File or folder, relative to the workspace.
    path: str
    #: JSON Pointer into the file, if the finding is about a value.
    pointer: str | None = None
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class IndexReport:
    """The result of comparing an index with the run folders; runs are named by their ids."""

    #: The store's folder and its index, relative to the workspace.
    store: str
    index: str
    #: Number of files and folders among the run folders.
    scanned: int
    #: Runs that the index listed and whose folders exist.
    already_indexed: tuple[str, ...]
    #: Finished runs that were missing from the index and have been added.
    recovered: tuple[str, ...]
    #: Finished runs that are missing from the index.
    unlisted: tuple[str, ...]
    #: Items that are not runs, or cannot be read as runs.
    skipped: tuple[Skipped, ...]
    #: Runs that were interrupted before they had a result; they are not indexed.
    interrupted: tuple[str, ...]
    #: Runs in progress.
    running: tuple[str, ...]
    #: Runs that have not started, or whose state is unknown.
    incomplete: tuple[str, ...]
    #: Finished runs that were cancelled.
    cancelled: tuple[str, ...]
    #: Runs in the index whose folder is missing.
    missing_folders: tuple[str, ...]
    #: Runs that were archived, and forgotten: they have no folder, and that is no finding.
    archived: tuple[str, ...]
    forgotten: tuple[str, ...]
    findings: tuple[IndexFinding, ...]
    #: ``index.v1``, or the form of another client; None without a readable index.
    form: str | None = None
    #: Where an unreadable index was kept, relative to the workspace.
    kept_aside: str | None = None


#: What tells the run of an entry from others, as :meth:`StoreIndex.key` returns it.
_Key = tuple[str, ...]


class IndexDiff:
    """Compare the index, as it was last read, with the run folders; read each finished run once.

    Parameters
    ----------
    store
        The store to read.
    thorough
        Whether to read the documents of indexed runs, too, and compare them with their entries.
    jobs, watch
        How many processes read the documents, and what shows how far they are.
    """

    def __init__(
        self,
        store: StoreLayout,
        *,
        thorough: bool,
        jobs: int = 1,
        watch: WorkWatch = unwatched,
    ) -> None:
        self.store = store
        self._jobs, self._watch = jobs, watch
        #: The index; None if it is missing or unreadable.
        self.index: StoreIndex | None = None
        #: Why the index is unreadable.
        self.problem: RunForgeError | None = None
        #: Finished runs missing from the index, in the order in which they ended.
        self.unlisted: list[Found] = []
        self._thorough = thorough
        self._known: dict[Path, Found] = {}
        #: Entries that agreed with the documents in these folders, which never change.
        self._agreed: dict[Path, tuple[StoreIndex, int]] = {}
        self._removed: Mapping[str, Removed] = {}
        self.read_again()

    def read_again(self) -> bool:
        """Read the index again, and return whether it has changed."""
        before = None if self.index is None else self.index.text
        self.index = self.problem = None
        try:
            self.index = read_store_index(self.store, parse_later=True)
        except RunForgeError as error:
            self.problem = error
        return before != (None if self.index is None else self.index.text)

    def report(self) -> IndexReport:
        """Scan the run folders and return the report."""
        runs = [] if self.index is None else self.index.listed
        # The folder of each indexed run: by its first entry, as readers of the index find it.
        firsts = dict[_Key, int]()
        if self.index is not None:
            for number, run in enumerate(runs):
                firsts.setdefault(self.index.key(run), number)
        listed = list(children(self.store))
        beside = f"{self.store.relative(self.store.runs)}/"
        folders = {beside + path.name: path for path, reason in listed if reason is None}
        by_key = {
            key: folders.get(runs[number].run_dir) or self._place(number)
            for key, number in firsts.items()
        }
        self._removed = removed_runs(self.store)
        places = {key[0]: place for key, place in reversed(by_key.items())}
        indexed = set(by_key.values())
        disagreeing = self._disagreeing(firsts, by_key) if self._thorough else {}
        skipped, unlisted = list[Skipped](), list[Path]()
        for path, reason in listed:
            if reason is not None:
                skipped.append(Skipped(as_text(path.name), reason))
            elif path not in indexed and path.name not in self._removed:
                record = record_of(path, self.store)
                if record is None:
                    unlisted.append(path)
                else:
                    skipped.append(Skipped(path.name, _is_view(record, self.store)))
        self._look_at_all(unlisted)
        found = [self._look_at(path) for path in unlisted]
        chosen, copies = _choose([item for item in found if item.state == "finished"], places)
        self.unlisted = sorted(
            (item for item in chosen if self._can_list(item)), key=lambda item: item.ended
        )
        skipped += copies
        skipped += [
            Skipped(item.path.name, item.reason) for item in found if item.state == "unreadable"
        ]

        def named(state: State) -> tuple[str, ...]:
            return tuple(item.path.name for item in found if item.state == state)

        def removed(how: Removed) -> tuple[str, ...]:
            # The record has the runs of experiments, too, which no index lists.
            return tuple(
                run_id
                for run_id, action in self._removed.items()
                if action == how and parse_experiment_run_id(run_id) is None
            )

        return IndexReport(
            store=self.store.name,
            index=self.store.relative(self.store.index),
            scanned=len(listed),
            already_indexed=tuple(key[0] for key, place in by_key.items() if place is not None),
            recovered=(),
            unlisted=tuple(item.entry["run_id"] for item in self.unlisted),
            skipped=tuple(sorted(skipped, key=lambda item: item.name)),
            interrupted=named("interrupted"),
            running=named("running"),
            incomplete=named("incomplete"),
            cancelled=tuple(
                run.run_id
                for run in chain(runs, (indexed_run(item.entry) for item in self.unlisted))
                if run.status == "cancelled"
            ),
            missing_folders=tuple(
                key[0]
                for key, place in by_key.items()
                if place is None and key[0] not in self._removed
            ),
            archived=removed("archived"),
            forgotten=removed("forgotten"),
            findings=(
                *self._index_findings(firsts, by_key, disagreeing),
                *self._folder_findings(found),
            ),
            form=None if self.index is None else self.index.form,
        )

    def _place(self, number: int) -> Path | None:
        """Return the run folder that an entry of the index names; None if there is none."""
        assert self.index is not None  # noqa: S101 - it has the entry
        try:
            place = locate_run(self.index.entries[number], self.store)
        except RunForgeError:
            return None
        return place if place.is_dir() and not place.is_symlink() else None

    def _can_list(self, found: Found) -> bool:
        """Return whether the index, which may be another client's, has a form for a run."""
        if self.index is None:
            return found.is_due
        return write_entry(found.entry, self.index.form, self.store) is not None

    def _look_at_all(self, paths: list[Path]) -> None:
        """Look at many folders ahead, those that were not looked at before."""
        waiting = [path for path in paths if path not in self._known]
        looked = in_processes(lambda path: look_at(path, self.store), waiting, self._jobs)
        for found in self._watch("Reading runs", looked, len(waiting)):
            self._known[found.path] = found

    def _look_at(self, path: Path) -> Found:
        found = self._known.get(path)
        if found is None or not found.is_final:
            found = self._known[path] = look_at(path, self.store)
        return found

    def _disagreeing(
        self, firsts: Mapping[_Key, int], places: Mapping[_Key, Path | None]
    ) -> dict[int, list[IndexFinding]]:
        """Return where the first entries of runs differ from their documents, by position.

        The process that reads the documents compares them: most agree, and then it has nothing to
        hand over.
        """
        if self.index is None:
            return {}
        waiting = [
            (number, place)
            for key, number in firsts.items()
            if (place := places[key]) is not None and not self._has_agreed(number, place)
        ]
        compared = in_processes(lambda item: list(self._compare(*item)), waiting, self._jobs)
        found = dict[int, list[IndexFinding]]()
        for (number, place), findings in zip(
            waiting, self._watch("Reading runs", compared, len(waiting)), strict=True
        ):
            if findings:
                found[number] = findings
            else:
                self._agreed[place] = self.index, number
        return found

    def _has_agreed(self, number: int, place: Path) -> bool:
        """Return whether the same entry agreed with the documents in a folder before."""
        assert self.index is not None  # noqa: S101 - it has the entry
        if place not in self._agreed:
            return False
        index, before = self._agreed[place]
        if index.entries[before] != self.index.entries[number]:
            return False
        self._agreed[place] = self.index, number  # The index that was read before is let go.
        return True

    def _compare(self, number: int, place: Path) -> Iterator[IndexFinding]:
        """Yield the differences between an entry of the index and the documents in a folder."""
        assert self.index is not None  # noqa: S101 - it has the entry
        entry = self.index.entries[number]
        run_id = entry["run_id"]
        found = look_at(record_of(place, self.store) or place, self.store, is_listed=True)
        if found.state == "unreadable":
            yield self._folder_unreadable(found, run_id)
        described = found.entry
        if self.index.is_foreign and not is_recorded_here(place, self.store):
            described = in_common(described)
        for parts, text in _disagreements(entry, found, described):
            file = self.store.relative(self.store.index)
            pointer = self.index.pointer(number) + format_pointer(parts)
            yield IndexFinding("entry_disagrees", text, file, pointer, run_id)

    def _index_findings(
        self,
        firsts: Mapping[_Key, int],
        places: Mapping[_Key, Path | None],
        disagreeing: Mapping[int, list[IndexFinding]],
    ) -> Iterator[IndexFinding]:
        """Yield the problems of the index, in the order of its entries."""
        file = self.store.relative(self.store.index)
        if self.problem is not None:
            text = self.problem.message
            yield IndexFinding("index_unreadable", text, file, self.problem.location.pointer)
        if self.index is None:
            return
        for problem in self.index.problems:
            pointer = self.index.pointer_at(problem.position)
            pointer += format_pointer(() if problem.member is None else (problem.member,))
            yield IndexFinding("entry_unreadable", problem.message, file, pointer)
        for number, run in enumerate(self.index.listed):
            run_id, pointer = run.run_id, self.index.pointer(number)
            key = self.index.key(run)
            first, place = firsts[key], places[key]
            if first != number:
                text = (
                    f"The run {quote(run_id)} is listed again; its first entry is"
                    f" {self.index.pointer(first)}."
                )
                yield IndexFinding("entry_duplicate", text, file, pointer, run_id)
            elif place is not None:
                yield from disagreeing.get(number, ())
            elif run_id not in self._removed:
                text = f"The folder of the run {quote(run_id)} is missing: {quote(run.run_dir)}."
                yield IndexFinding("folder_missing", text, file, f"{pointer}/run_dir", run_id)

    def _folder_findings(self, found: list[Found]) -> Iterator[IndexFinding]:
        """Yield the problems of the folders that the index does not name."""
        # An unreadable index lacks all of them; that is reported once.
        for item in self.unlisted if self.problem is None else ():
            run_id = item.entry["run_id"]
            text = f"The index lacks the run {quote(run_id)}."
            yield IndexFinding("entry_missing", text, self.store.relative(item.path), run_id=run_id)
        for item in found:
            if item.state == "unreadable":
                yield self._folder_unreadable(item, item.path.name)

    def _folder_unreadable(self, found: Found, run_id: str) -> IndexFinding:
        text = f"The run {quote(run_id)} cannot be read: {found.reason}"
        return IndexFinding(
            "folder_unreadable", text, self.store.relative(found.path), run_id=run_id
        )


def _is_view(record: Path, store: StoreLayout) -> str:
    return f"It is a view of the run {quote(store.relative(record), 200)}."


def _choose(
    finished: list[Found], places: dict[str, Path | None]
) -> tuple[list[Found], list[Skipped]]:
    """Return the folder of each finished run that is not indexed, and folders of other runs.

    A run's folder may have a name other than its id, if the user chose one. The other folders are
    copies or were renamed: their documents belong to a run that already has a folder or an entry.
    """
    folders: dict[str, list[Found]] = {}
    for item in finished:
        folders.setdefault(item.entry["run_id"], []).append(item)
    chosen, others = list[Found](), list[Skipped]()
    for run_id, items in folders.items():
        owner = None
        if run_id not in places:
            owner = next((item for item in items if item.path.name == run_id), items[0])
            chosen.append(owner)
        others += [
            Skipped(item.path.name, f"Its documents are those of the run {quote(run_id)}.")
            for item in items
            if item is not owner
        ]
    return chosen, others


def _disagreements(
    entry: dict[str, Any], found: Found, described: dict[str, Any]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the fields of an entry that differ from the run's documents, with their values there.

    A field that an older client left out is not a difference.

    Parameters
    ----------
    entry
        The entry.
    found
        The run.
    described
        The values that its documents have for an entry.
    """
    if found.state in ("interrupted", "incomplete"):
        yield (), f"The run {quote(entry['run_id'])} is listed, but it has no result."
    if found.state != "finished":
        return
    for parts, expected, value in differences(entry, described):
        if parts == ("run_dir",):
            continue  # only the run's existence is compared
        if parts == ("created_at",) and instant(value) in times_of(Run(found.path)):
            continue
        if parts == ("name",) and value == entry["run_id"]:
            continue
        name = ".".join(parts)
        yield parts, f"{quote(name)} is {quote(value)}; the run's documents say {quote(expected)}."
