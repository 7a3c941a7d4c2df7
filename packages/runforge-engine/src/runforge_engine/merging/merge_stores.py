"""Merge a store into another: nothing that is there is changed, and everything is verified before.

Folders are whole before they have their names, the entries follow them, then the line of the
record, then the signatures: a process that is killed at any moment leaves a store in which nothing
signed is contradicted, and calling it again adds what is missing.

Source: specification, chapter 23.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from msgspec import UNSET
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Location, RunForgeError
from runforge_contracts.fs.files import digest_file, read_file, write_file, writing
from runforge_contracts.invariants.store_invariants import differences
from runforge_contracts.store.aliases import AliasHistory, read_aliases
from runforge_contracts.store.layout import (
    CONFIG,
    EXPERIMENT_MANIFEST,
    ExperimentLayout,
    StoreLayout,
)
from runforge_contracts.store.merges import contents_of, read_merges
from runforge_contracts.store.reading import StoreIndex, locate_run, read_store_index
from runforge_contracts.store.removals import (
    RemovalRecord,
    other_than_removed,
    place_of,
    read_removals,
)
from runforge_contracts.types import MergedItem, MergeReportV1, StoreContents

from runforge_engine.bundles.bundle_contents import problems_of
from runforge_engine.data.kept_datasets import DATASETS
from runforge_engine.experiment.run.allocate import check_place
from runforge_engine.merging.merged_index import MergedIndex, merge_indexes
from runforge_engine.merging.other_store import OtherFolder, OtherStore, foreign_index
from runforge_engine.preparation.given_recipe import RECIPES
from runforge_engine.provenance.folder_digest import digest_folder
from runforge_engine.provenance.signatures import read_claim
from runforge_engine.provenance.sigstore_bundle import MAX_BYTES as MAX_SIGNATURE
from runforge_engine.runtime.clock import read_clock
from runforge_engine.store.chained_writer import append_chained, chained
from runforge_engine.store.incoming import copy_folder, copy_new, remove_left
from runforge_engine.store.index_chain import Chain
from runforge_engine.store.index_lock import index_lock, refuse_linked_folders
from runforge_engine.store.other_indexes import OtherIndexes
from runforge_engine.store.run_folders import prepare_store, write_index
from runforge_engine.store.scan import refuse_links

Outcome = Literal["added", "present", "apart", "differs", "unfinished", "removed"]
Kind = Literal[
    "run",
    "experiment",
    "group",
    "evaluation",
    "dataset",
    "recipe",
    "signature",
    "alias",
    "removal",
]


@dataclass(frozen=True, slots=True)
class _Item:
    """Something of the other store, and what happens to it."""

    kind: Kind
    id: str
    outcome: Outcome
    source: Path | None = None
    target: Path | None = None
    #: SHA-256 of each file of a folder.
    files: dict[str, str] | None = None
    differences: tuple[str, ...] = ()

    @property
    def is_new(self) -> bool:
        """Whether it is brought in."""
        return self.outcome == "added" or (self.outcome == "apart" and self.files is not None)

    def to_struct(self, store: StoreLayout) -> MergedItem:
        """Return the item as it is in ``merge_report.v1``."""
        return MergedItem(
            kind=self.kind,
            id=self.id,
            outcome=self.outcome,
            path=UNSET if self.target is None else store.relative(self.target),
            differences=list(self.differences) or UNSET,
        )


@dataclass(frozen=True, slots=True)
class _Records:
    """What the index, the records and the signatures become, for a state of this store."""

    merged: MergedIndex
    #: Lines that are appended to the record of removed runs.
    removals: list[dict[str, Any]]
    #: The history of the aliases, if lines are appended to it.
    aliases: bytes | None
    #: What happens to the removed runs, the signatures and the aliases.
    items: tuple[_Item, ...]

    @property
    def are_new(self) -> bool:
        """Whether entries or lines are appended."""
        lines = self.merged.lines or self.removals
        return self.merged.added > 0 or bool(lines)


def merge_store(
    other: OtherStore, store: StoreLayout, *, created_by: str, dry_run: bool = False
) -> MergeReportV1:
    """Merge another store into a store, and report on everything in the other one.

    Parameters
    ----------
    other
        The other store, verified.
    store
        The store; runs of experiments go into the folder of runs of its workspace.
    created_by
        The client, such as ``runforge-cli@0.4.0``.
    dry_run
        Whether to compare everything and write nothing.

    Raises
    ------
    RunForgeError
        ``RUN_ID_TAKEN`` if this store has another run with an id of the other one;
        ``VERIFICATION_FAILED`` if a file changes while it is copied; ``INDEX_INVALID``;
        ``FILE_UNSAFE`` where a folder of the store is a symbolic link; ``STORE_BUSY``,
        ``STORE_NOT_WRITABLE``.
    """
    refuse_linked_folders(store)
    refuse_links(store.groups, store.evaluations, store.signatures, store.others, store.root)
    items = _plan(other, store)
    records = _records(other, store, items)
    changes = any(item.is_new for item in (*items, *records.items)) or records.are_new
    if not dry_run:
        experiments = ExperimentLayout(store.workspace).runs
        copies = (store.root / name for name in (DATASETS, RECIPES))
        for folder in (store.root, store.signatures, *copies, experiments):
            remove_left(folder)
        if changes:
            records = _write(items, other, store, created_by)
    origin = None if other.index is None else other.index.origin
    contents = contents_of(records.merged.entries)
    return MergeReportV1(
        schema_version="merge_report.v1",
        outcome="merged" if changes else "present",
        dry_run=dry_run,
        store=store.name,
        other=str(other.layout.root),
        contents=StoreContents(count=contents.entries, sha256=contents.sha256),
        items=[item.to_struct(store) for item in (*items, *records.items)],
        origin=origin or UNSET,
    )


def _plan(other: OtherStore, store: StoreLayout) -> list[_Item]:
    """Return what happens to the folders of the other store, and to its copies of datasets."""
    index, own = _own_index(store), read_removals(store)
    items = [_folder(folder, store, index, own) for folder in other.folders]
    taken = [item for item in items if item.kind == "run" and item.outcome == "differs"]
    if taken:
        raise _taken(store, taken)
    items += _copies(other, store, own)
    return items


def _records(other: OtherStore, store: StoreLayout, items: list[_Item]) -> _Records:
    """Return what the index, the records and the signatures of a store, as it is now, become."""
    index, own = _own_index(store), read_removals(store)
    merged = _merged(other, store, index, items)
    aliases, alias_items = _aliases(other, store, index)
    unsigned = frozenset[str]()
    while True:
        removals = _removals(other, store, own, unsigned)
        removed = [
            _Item("removal", run_id, _outcome(run_id, removals, own))
            for run_id in other.removals.current
        ]
        signatures = list(
            _signatures(other, store, [*items, *removed], merged, aliases, own, removals)
        )
        # A line names only a signature that comes along. Without the name it has another digest,
        # which the heads in further signatures may contradict.
        left = {item.id for item in signatures if item.outcome == "differs"}
        named = {line["run_id"] for line in removals if "signature_sha256" in line}
        if not left & named:
            break
        unsigned |= left & named
    text = aliases.text if any(item.outcome == "added" for item in alias_items) else None
    return _Records(merged, removals, text, (*removed, *signatures, *alias_items))


def _own_index(store: StoreLayout) -> StoreIndex | None:
    index = read_store_index(store)
    if index is not None and index.is_foreign:
        raise foreign_index(store)
    return index


def _folder(
    folder: OtherFolder, store: StoreLayout, index: StoreIndex | None, own: RemovalRecord
) -> _Item:
    """Return what happens to a folder of the other store."""
    is_run = folder.kind in ("run", "experiment")
    is_removed = folder.id in (own.current if is_run else own.evaluations)
    # Experiments number their runs: another one may have the id of a run that was removed.
    others = list[str]()
    if is_removed and folder.kind == "experiment" and folder.files is not None:
        others = other_than_removed(own.current[folder.id], folder.files)
    if is_removed and not others:
        return _Item(folder.kind, folder.id, "removed")
    if folder.files is None:
        return _Item(folder.kind, folder.id, "unfinished")
    target = _target(folder, store, index)
    found = others or _differing(target, folder.files)
    if found is None:
        return _Item(folder.kind, folder.id, "added", folder.path, target, folder.files)
    if not found:
        return _Item(folder.kind, folder.id, "present", None, target)
    if folder.kind != "experiment":
        return _Item(folder.kind, folder.id, "differs", None, target, None, tuple(found))
    digest = folder.files.get(EXPERIMENT_MANIFEST, folder.files.get(CONFIG, ""))
    apart = store.others / digest[:16] / folder.id
    files = None if _differing(apart, folder.files) == [] else folder.files
    return _Item("experiment", folder.id, "apart", folder.path, apart, files, tuple(found))


def _target(folder: OtherFolder, store: StoreLayout, index: StoreIndex | None) -> Path:
    """Return where a folder of the other store is, or will be, in this workspace."""
    if folder.kind == "experiment":
        return ExperimentLayout(store.workspace).run_folder(folder.id)
    if folder.kind == "group":
        return store.group_folder(folder.id)
    if folder.kind == "evaluation":
        return store.evaluation_folder(folder.id)
    for entry in () if index is None else index.entries:
        if entry["run_id"] == folder.id:
            place = locate_run(entry, store)
            if place.is_dir():
                return place
    in_runs = folder.path.parent.name == store.runs.name
    return store.run_folder(folder.path.name if in_runs else folder.id)


def _differing(target: Path, files: dict[str, str]) -> list[str] | None:
    """Return the files in which a folder differs; None if there is nothing at its path."""
    if not os.path.lexists(target):
        return None
    found = digest_folder(target)
    names = {*found.files, *files, *found.irregular}
    return sorted(name for name in names if found.files.get(name) != files.get(name))


def _taken(store: StoreLayout, taken: list[_Item]) -> RunForgeError:
    first = taken[0]
    return RunForgeError(
        ErrorCode.RUN_ID_TAKEN,
        f"{quote(store.root, 200)} has a run {quote(first.id)} whose files differ from those of the"
        f" run with this id in the other store{f' ({len(taken)} such runs)' if taken[1:] else ''}.",
        hint="Nothing was changed. One of the two was changed after it was trained: `runforge"
        " verify --all` in both workspaces names it.",
        path=str(first.target),
        problems=problems_of(
            (f"{quote(item.id)}: {quote(name)} differs.", Location(path=f"{item.target}/{name}"))
            for item in taken
            for name in item.differences
        ),
    )


def _merged(
    other: OtherStore, store: StoreLayout, index: StoreIndex | None, items: list[_Item]
) -> MergedIndex:
    """Return what the index and the record of merges become."""
    own = [] if index is None else index.raw_entries
    others = [] if other.index is None else other.index.raw_entries
    known = {entry["run_id"]: entry for entry in own}
    for entry in others:
        mine = known.get(entry["run_id"])
        found = [] if mine is None else [path for path, _, _ in differences(mine, entry)]
        if [path for path in found if path[0] not in ("run_dir", "origin")]:
            item = _Item("run", entry["run_id"], "differs", None, store.index, None, ("entry",))
            raise _taken(store, [item])
    folders = {
        item.id: store.relative(item.target)
        for item in items
        if item.kind == "run" and item.target is not None
    }
    return merge_indexes(own, read_merges(store).entries, others, other.merges.entries, folders)


def _aliases(
    other: OtherStore, store: StoreLayout, index: StoreIndex | None
) -> tuple[AliasHistory, list[_Item]]:
    """Return the history of the aliases afterwards, and what happens to the other ones."""
    own, theirs = read_aliases(store), other.aliases
    origin = None if other.index is None else other.index.origin
    same_origin = index is not None and index.origin == origin
    follows = same_origin and theirs.text.startswith(own.text) and theirs.text != own.text
    history = theirs if follows else own
    items = list[_Item]()
    for name, entry in theirs.current.items():
        mine = own.current.get(name)
        same = mine is not None and mine["run_id"] == entry["run_id"]
        outcome: Outcome = "present" if same else "added" if follows else "differs"
        items.append(_Item("alias", name, outcome))
    return history, items


def _removals(
    other: OtherStore, store: StoreLayout, own: RemovalRecord, unsigned: Collection[str]
) -> list[dict[str, Any]]:
    """Return the lines of the other record that come along: about runs that are not here.

    The lines of ``unsigned`` name no signature.

    Source: specification, section 25.5.
    """
    known = {line["run_id"] for line in own.entries}
    lines = [
        {
            name: value
            for name, value in line.items()
            if name != "previous"
            and not (name == "signature_sha256" and line["run_id"] in unsigned)
        }
        for line in other.removals.entries
        if line["run_id"] in other.removals.current
        and line["run_id"] not in known
        and not os.path.lexists(place_of(line, store).run_folder(line["run_id"]))
    ]
    return chained(own, lines, "run_removal.v1", "The removal")


def _outcome(run_id: str, lines: list[dict[str, Any]], own: RemovalRecord) -> Outcome:
    if any(line["run_id"] == run_id for line in lines):
        return "added"
    return "present" if run_id in own.current else "differs"


def _copies(other: OtherStore, store: StoreLayout, own: RemovalRecord) -> Iterator[_Item]:
    """Yield what happens to the copies of datasets and recipes."""
    removed = {name for line in own.current.values() for name in line.get("also", ())}
    for path, sha256 in other.copies.items():
        kind: Kind = "recipe" if path.parent.name == RECIPES else "dataset"
        place = f"{path.parent.name}/{path.name}"
        if place in removed and not _is_used(sha256, other, own):
            yield _Item(kind, path.name, "removed")
            continue
        target = store.root / place
        refuse_links(target.parent)
        outcome: Outcome = "present" if os.path.lexists(target) else "added"
        yield _Item(kind, path.name, outcome, path, target, {"": sha256})


def _is_used(sha256: str, other: OtherStore, own: RemovalRecord) -> bool:
    """Return whether a run of the other store that was not removed here has a dataset."""
    entries = () if other.index is None else other.index.entries
    return any(
        entry.get("dataset_fingerprint_sha256") == sha256 and entry["run_id"] not in own.current
        for entry in entries
    )


def _signatures(
    other: OtherStore,
    store: StoreLayout,
    items: list[_Item],
    merged: MergedIndex,
    aliases: AliasHistory,
    own: RemovalRecord,
    removals: list[dict[str, Any]],
) -> Iterator[_Item]:
    """Yield what happens to the signatures: those that would contradict this store stay.

    That of a removed run comes only if its line names it; ``removals`` are appended to ``own``.
    """
    record = [*own.entries, *removals]
    named = {line["run_id"]: line.get("signature_sha256") for line in record}
    removed = {item.id for item in items if item.kind == "removal"}
    here = {
        item.id
        for item in items
        if item.kind in ("run", "evaluation", "removal") and item.outcome in ("added", "present")
    }
    chain = Chain(merged.entries)
    on_record = OtherIndexes(merged.entries, _all_lines(store, merged))
    alias_chain, removal_chain = Chain(aliases.entries), Chain(record)
    for name, path in other.signatures.items():
        target = store.signature(name)
        if name not in here:
            continue
        if os.path.lexists(target):
            same = read_file(path, max_bytes=MAX_SIGNATURE) == read_file(
                target, max_bytes=MAX_SIGNATURE
            )
            yield _Item("signature", name, "present" if same else "differs", path, target)
            continue
        if name in removed and named.get(name) != digest_file(path).sha256:
            reason = "removals" if name in own.current else "index"
            yield _Item("signature", name, "differs", path, target, None, (reason,))
            continue
        content = read_claim(path).content
        head, alias_head = content.index_head, content.alias_head
        is_own = head is not None and chain.check(head) == "holds"
        known = head is None or is_own or on_record.has(head)
        if is_own and alias_head is not None:
            known = alias_chain.check(alias_head) == "holds"
        if is_own and known and content.removal_head is not None:
            known = removal_chain.check(content.removal_head) == "holds"
        outcome: Outcome = "added" if known else "differs"
        yield _Item("signature", name, outcome, path, target, None, () if known else ("index",))


def _all_lines(store: StoreLayout, merged: MergedIndex) -> list[dict[str, object]]:
    return [*read_merges(store).entries, *merged.lines]


def _write(items: list[_Item], other: OtherStore, store: StoreLayout, created_by: str) -> _Records:
    """Bring everything that is new into the store, and return what its records became."""
    prepare_store(store)
    for item in items:
        if item.source is None or item.target is None or item.files is None:
            continue
        if item.kind == "experiment":
            check_place(store.workspace)
        with writing(item.target.parent):
            item.target.parent.mkdir(parents=True, exist_ok=True)
        if item.kind == "dataset" and item.outcome == "added":
            copy_new(item.source, item.target, item.files[""])
        elif item.kind != "dataset":
            # The runs of experiments may be on another disk than the store.
            in_store = item.target.is_relative_to(store.root)
            root = store.root if in_store else item.target.parent
            copy_folder(item.source, item.target, item.files, root)
    with index_lock(store):
        # Again: another process may have appended a run, a removal or an alias meanwhile.
        records = _records(other, store, items)
        merged = records.merged
        # Before the entries: an entry without a folder has its line.
        append_chained(store.removals, read_removals(store), records.removals)
        if merged.added:
            index = read_store_index(store)
            write_index(store, index, merged.entries)
        if merged.lines:
            _append_lines(store, merged, created_by)
        if records.aliases is not None:
            write_file(store.aliases, records.aliases)
    for item in records.items:
        if item.kind == "signature" and item.outcome == "added" and item.source and item.target:
            with writing(item.target.parent):
                item.target.parent.mkdir(exist_ok=True)
            copy_new(item.source, item.target)
    return records


def _append_lines(store: StoreLayout, merged: MergedIndex, created_by: str) -> None:
    """Append the lines of a merge; the caller holds the lock of the index."""
    known = read_merges(store)
    about = {"recorded_at": read_clock().now(), "created_by": created_by}
    lines = [{"schema_version": "store_merge.v1", **about, **line} for line in merged.lines]
    append_chained(store.merges, known, chained(known, lines, "store_merge.v1", "The merge"))
