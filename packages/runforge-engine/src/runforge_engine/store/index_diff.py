"""Compare the index with the run folders.

Source: run store contract, section 1; RunForge contract, "Where things live".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.display import quote
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.folders import as_text
from runforge_contracts.invariants.store_invariants import differences, instant
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import locate_run, read_index_document

from runforge_engine.store.scan import Found, Skipped, State, children, look_at


@dataclass(frozen=True, slots=True)
class IndexFinding:
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
    #: Runs in progress.
    running: tuple[str, ...]
    #: Runs that have not started, or whose state is unknown.
    incomplete: tuple[str, ...]
    #: Finished runs that were cancelled.
    cancelled: tuple[str, ...]
    #: Runs of the index whose folder is gone.
    missing_folders: tuple[str, ...]
    findings: tuple[IndexFinding, ...]
    #: Where an index that could not be read was put, relative to the workspace.
    kept_aside: str | None = None


class IndexDiff:
    """The index as it was last read, beside the run folders; finished runs are read once.

    Parameters
    ----------
    store
        Where to look.
    thorough
        Whether to read the documents of runs that are indexed, too, and compare them with their
        entries.
    """

    def __init__(self, store: StoreLayout, *, thorough: bool) -> None:
        self.store = store
        #: The raw index; None where there is none, or none that can be read.
        self.index: dict[str, Any] | None = None
        #: Why the index cannot be read.
        self.problem: RunForgeError | None = None
        #: Finished runs that the index lacks, in the order in which they ended.
        self.unlisted: list[Found] = []
        self._thorough = thorough
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
        # Where each run of the index lies: by its first entry, as readers of the index find it.
        places: dict[str, Path | None] = {}
        for entry in entries:
            if entry["run_id"] not in places:
                places[entry["run_id"]] = _place(entry, self.store)
        indexed = set(places.values())
        names, skipped, found = 0, list[Skipped](), list[Found]()
        for path, reason in children(self.store):
            names += 1
            if reason is not None:
                skipped.append(Skipped(as_text(path.name), reason))
            elif path not in indexed:
                found.append(self._look_at(path))
        chosen, copies = _choose([item for item in found if item.state == "finished"], places)
        self.unlisted = sorted(chosen, key=lambda item: item.ended)
        skipped += copies
        skipped += [
            Skipped(item.path.name, item.reason) for item in found if item.state == "unreadable"
        ]

        def named(state: State) -> tuple[str, ...]:
            return tuple(item.path.name for item in found if item.state == state)

        return IndexReport(
            store=self.store.name,
            index=self.store.relative(self.store.index),
            scanned=names,
            already_indexed=tuple(run_id for run_id, place in places.items() if place is not None),
            recovered=(),
            unlisted=tuple(item.entry["run_id"] for item in self.unlisted),
            skipped=tuple(sorted(skipped, key=lambda item: item.name)),
            interrupted=named("interrupted"),
            running=named("running"),
            incomplete=named("incomplete"),
            cancelled=tuple(
                entry["run_id"]
                for entry in (*entries, *(item.entry for item in self.unlisted))
                if entry.get("status") == "cancelled"
            ),
            missing_folders=tuple(run_id for run_id, place in places.items() if place is None),
            findings=(*self._index_findings(entries, places), *self._folder_findings(found)),
        )

    def _look_at(self, path: Path, *, is_listed: bool = False) -> Found:
        found = self._known.get(path)
        if found is None or not found.is_final:
            found = self._known[path] = look_at(path, self.store, is_listed=is_listed)
        return found

    def _index_findings(
        self, entries: list[dict[str, Any]], places: dict[str, Path | None]
    ) -> Iterator[IndexFinding]:
        """Give what is wrong with the index, in its order."""
        file, seen = self.store.relative(self.store.index), dict[str, int]()
        if self.problem is not None:
            text = self.problem.message
            yield IndexFinding("index_unreadable", text, file, self.problem.location.pointer)
        for number, entry in enumerate(entries):
            run_id, pointer = entry["run_id"], f"/runs/{number}"
            first = seen.setdefault(run_id, number)
            place = places[run_id]
            if first != number:
                text = f"The run {quote(run_id)} is listed again; its first entry is /runs/{first}."
                yield IndexFinding("entry_duplicate", text, file, pointer, run_id)
            elif place is None:
                text = f"The folder of the run {quote(run_id)} is gone: {quote(entry['run_dir'])}."
                yield IndexFinding("folder_missing", text, file, f"{pointer}/run_dir", run_id)
            elif self._thorough:
                found = self._look_at(place, is_listed=True)
                if found.state == "unreadable":
                    yield self._folder_unreadable(found, run_id)
                for parts, text in _disagreements(entry, found):
                    yield IndexFinding(
                        "entry_disagrees", text, file, pointer + format_pointer(parts), run_id
                    )

    def _folder_findings(self, found: list[Found]) -> Iterator[IndexFinding]:
        """Give what is wrong with the folders that the index does not name."""
        # Where there is no index that can be read, it lacks all of them: that is said once.
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
    """Return the folder of each finished run that is not indexed, and folders of other runs.

    A run may lie in a folder of another name, if that was asked for. The other folders are copies,
    or were renamed: their documents are those of a run that has a folder or an entry already.
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


def _disagreements(entry: dict[str, Any], found: Found) -> Iterator[tuple[tuple[str, ...], str]]:
    """Give the places of an entry that the run's documents tell otherwise, and what they tell.

    What an older client left out is no disagreement.
    """
    if found.state in ("interrupted", "incomplete"):
        yield (), f"The run {quote(entry['run_id'])} is listed, but it has no result."
    if found.state != "finished":
        return
    for parts, expected, value in differences(entry, found.entry):
        if parts == ("run_dir",):
            continue  # that there is a run is what counts
        if parts == ("created_at",) and instant(value) in found.times:
            continue
        if parts == ("name",) and value == entry["run_id"]:
            continue
        name = ".".join(parts)
        yield parts, f"{quote(name)} is {quote(value)}; the run's documents say {quote(expected)}."
