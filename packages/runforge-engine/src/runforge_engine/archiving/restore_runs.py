"""Bring archived runs back: the same files as before, which the record of the store vouches for.

Source: specification, section 26.4.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from msgspec import UNSET
from msgspec.structs import replace as replace_struct
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Location, RunForgeError
from runforge_contracts.fs.files import digest_file, writing
from runforge_contracts.shared_work import WorkWatch, unwatched, watched_bytes
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.removals import read_removals
from runforge_contracts.store.removed_lookup import find_removed
from runforge_contracts.types import ArchiveReportV1, RunArchive

from runforge_engine.archiving.archive_runs import archive_name, archived_run, other_files
from runforge_engine.archiving.archived_copies import (
    ReturningCopy,
    bring_copies,
    returning_copies,
)
from runforge_engine.archiving.open_archive import OpenArchive
from runforge_engine.bundles.bundle_contents import problems_of
from runforge_engine.experiment.run.allocate import check_place
from runforge_engine.removing.forget_runs import digests_before
from runforge_engine.removing.removal_writer import (
    RecordedFolder,
    append_removals,
    folder_of,
    listed_entries,
    recorded_before,
)
from runforge_engine.store.incoming import copy_folder, copy_new, remove_left
from runforge_engine.store.index_lock import refuse_linked_folders
from runforge_engine.store.run_folders import prepare_store


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A run of the archive that belongs to this store."""

    archive: OpenArchive
    source: Path
    #: The last line of the record about it.
    line: dict[str, Any]
    #: Its folder here.
    target: Path
    outcome: Literal["restored", "present"]

    @property
    def files(self) -> dict[str, str]:
        """SHA-256 of each file, as the record of this store has it."""
        return {name: item["sha256"] for name, item in self.line["files"].items()}

    @property
    def bytes(self) -> int:
        """The size of its files."""
        return sum(item["bytes"] for item in self.line["files"].values())

    @property
    def record(self) -> RecordedFolder:
        """What the record has of the run."""
        return RecordedFolder(
            self.line["run_id"],
            self.target,
            self.line["files"],
            self.line.get("entry_sha256"),
            self.line.get("signature_sha256"),
        )


def restore_runs(
    archives: Sequence[OpenArchive],
    references: Sequence[str],
    store: StoreLayout,
    *,
    created_by: str,
    dry_run: bool = False,
    watch: WorkWatch = unwatched,
) -> ArchiveReportV1:
    """Bring runs back from archives, and report on each.

    Every file must be as it was when the run was archived. Nothing that is here is replaced, and
    nothing in the archives is changed. The copies of datasets and recipes that an archive has for
    the runs come back, too.

    Parameters
    ----------
    archives
        The archives; a run that several of them have is taken from the first.
    references
        Ids of runs in them, their starts, or their names; none for all that were archived from
        this store.
    store
        The store; runs of experiments go back into the folder of runs of its workspace.
    created_by
        The client, such as ``runforge-cli@0.4.0``.
    dry_run
        Whether to compare everything and write nothing.
    watch
        Shows how far it is.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_FOUND``, ``RUN_AMBIGUOUS`` for a reference; ``USAGE_INVALID`` for a run that was
        not archived from this store; ``VERIFICATION_FAILED`` if a file differs from the record;
        ``RUN_ID_TAKEN`` if something else has its name; ``DOCUMENT_INVALID``, ``FILE_UNSAFE``,
        ``STORE_BUSY``, ``STORE_NOT_WRITABLE``.
    """
    refuse_linked_folders(store)
    wanted = _wanted(archives, references, store)
    _compare(wanted, watch)
    copies = _copies(wanted, archives, store)
    if not dry_run:
        _bring(wanted, copies, store, created_by, watch)
    first, *more = (_about(archive, store) for archive in archives)
    return ArchiveReportV1(
        schema_version="archive_report.v1",
        action="restored",
        dry_run=dry_run,
        store=store.name,
        archive=first["name"],
        sha256=first.get("sha256", UNSET),
        more_archives=[RunArchive(**about) for about in more] or UNSET,
        runs=[
            replace_struct(
                archived_run(item.record, item.outcome),
                archive=_about(item.archive, store)["name"] if more else UNSET,
            )
            for item in wanted
        ],
        copies=[copy.to_struct(store) for copy in copies] or UNSET,
    )


def _about(archive: OpenArchive, store: StoreLayout) -> dict[str, str]:
    """Return what the record and the report have of an archive."""
    about = {"name": archive_name(archive.path, store)}
    return about if archive.sha256 is None else {**about, "sha256": archive.sha256}


def _shown(archives: Sequence[OpenArchive]) -> str:
    return ", ".join(quote(archive.path, 200) for archive in archives)


def _wanted(
    archives: Sequence[OpenArchive], references: Sequence[str], store: StoreLayout
) -> list[_Wanted]:
    """Return the runs to bring back, the oldest first."""
    folders = {
        run_id: (archive, folder)
        for archive in reversed(archives)
        for run_id, folder in archive.folders().items()
    }
    last = {line["run_id"]: line for line in read_removals(store).entries}
    ids = list(
        dict.fromkeys(_named(reference, folders, archives, store) for reference in references)
    )
    if not ids:
        ids = sorted(run for run in folders if last.get(run, {}).get("action") == "archived")
    if not ids:
        known = [run for run in folders if run in last]
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND,
            f"All runs of {_shown(archives)} that were archived from this store are here."
            if known
            else f"{_shown(archives)} has no run that was archived from this store.",
            hint="`runforge show ID` says of a run where it is."
            if known
            else "`runforge store merge DIR` brings the runs of another store.",
            path=str(archives[0].path),
        )
    return [_one(*folders[run_id], run_id, last, store) for run_id in ids]


def _named(
    reference: str,
    folders: Mapping[str, object],
    archives: Sequence[OpenArchive],
    store: StoreLayout,
) -> str:
    """Return the run of the archives that an id, the start of one, or a name means."""
    found = [run for run in folders if run.startswith(reference)]
    if reference in folders:
        return reference
    found = found or [
        line["run_id"] for line, _ in find_removed(reference, [store]) if line["run_id"] in folders
    ]
    if len(found) == 1:
        return found[0]
    raise RunForgeError(
        ErrorCode.RUN_AMBIGUOUS if found else ErrorCode.RUN_NOT_FOUND,
        f"{quote(reference)} matches {len(found):,} runs of {_shown(archives)}.",
        hint="Give more of the id."
        if found
        else "Name a run of the archive by its id or its name.",
        path=str(archives[0].path),
    )


def _one(
    archive: OpenArchive, source: Path, run_id: str, last: Mapping[str, Any], store: StoreLayout
) -> _Wanted:
    line = last.get(run_id)
    if line is None or line["action"] == "forgotten":
        reason = "was not archived from this store" if line is None else "was forgotten here"
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"The run {quote(run_id)} {reason}, so it is not restored.",
            hint="`runforge store merge DIR` brings the runs of another store."
            if line is None
            else f"`runforge show {run_id}` says why.",
            path=str(source),
        )
    target = folder_of(line, store)
    is_here = line["action"] == "restored" and target.is_dir()
    return _Wanted(archive, source, line, target, "present" if is_here else "restored")


def _compare(wanted: Sequence[_Wanted], watch: WorkWatch) -> None:
    """Compare the files of the archives, and what is here, with the record."""
    restored = [item for item in wanted if item.outcome == "restored"]
    compared = ((item, other_files(item.source, item.files)) for item in restored)
    differing = [
        (item, name)
        for item, names in watch("Comparing runs", compared, len(restored))
        for name in names or ()
    ]
    if differing:
        changed = list(dict.fromkeys(item.archive for item, _ in differing))
        raise RunForgeError(
            ErrorCode.VERIFICATION_FAILED,
            f"{_shown(changed)} was changed: {len(differing):,} files of runs are not as"
            " they were when the runs were archived.",
            hint="Nothing was restored. Restore from another copy of the archive.",
            path=str(changed[0].path),
            problems=problems_of(
                (
                    f"{quote(item.line['run_id'])}: {quote(name)} differs.",
                    Location(path=f"{item.source.name}/{name}"),
                )
                for item, name in differing
            ),
        )
    for item in wanted:
        found = other_files(item.target, item.files)
        if found:
            raise RunForgeError(
                ErrorCode.RUN_ID_TAKEN,
                f"{quote(item.target, 200)} has other files than the archived run.",
                hint="Nothing was restored. Move that folder away.",
                path=str(item.target),
                problems=problems_of(
                    (f"{quote(name)} differs.", Location(path=name)) for name in found
                ),
            )


def _copies(
    wanted: Sequence[_Wanted], archives: Sequence[OpenArchive], store: StoreLayout
) -> list[ReturningCopy]:
    """Return the copies of datasets and recipes that belong to the runs."""
    entries, found = listed_entries(store), dict[str, ReturningCopy]()
    for archive in archives:
        lines = [item.line for item in wanted if item.archive is archive]
        digests, also = set[str](), dict[str, Any]()
        for line in lines:
            digests |= digests_before(recorded_before(line, store), entries)
            also |= line.get("also", {})
        for copy in returning_copies(archive.layout, store, digests, also):
            if found.get(copy.name, copy).outcome in (copy.outcome, "missing"):
                found[copy.name] = copy
    return list(found.values())


def _bring(
    wanted: Sequence[_Wanted],
    copies: Sequence[ReturningCopy],
    store: StoreLayout,
    created_by: str,
    watch: WorkWatch,
) -> None:
    """Copy each run to its place, and record that it is here."""
    prepare_store(store)
    for folder in (store.root, store.signatures):
        remove_left(folder)
    bring_copies(copies, store)
    missing = sum(item.bytes for item in wanted if not os.path.lexists(item.target))
    with watched_bytes(watch, "Copying runs", missing) as done:
        for item in wanted:
            _copy(item, store, done)
    for archive in dict.fromkeys(item.archive for item in wanted):
        append_removals(
            store,
            [item.record for item in wanted if item.archive is archive],
            "restored",
            created_by=created_by,
            archive=_about(archive, store),
        )


def _copy(item: _Wanted, store: StoreLayout, done: Callable[[int], None]) -> None:
    """Copy the signature and the folder of a run to their places, where they are missing."""
    _bring_signature(item, item.archive.layout, store)
    in_store = item.target.parent == store.runs
    if not in_store:
        check_place(store.workspace)
        with writing(item.target.parent):
            item.target.parent.mkdir(exist_ok=True)
    if not os.path.lexists(item.target):
        # The runs of experiments may be on another disk than the store.
        root = store.root if in_store else item.target.parent
        copy_folder(item.source, item.target, item.files, root, done)


def _bring_signature(item: _Wanted, other: StoreLayout, store: StoreLayout) -> None:
    """Copy the signature of a run if it is missing here and the archive has the same one."""
    run_id, sha256 = item.line["run_id"], item.line.get("signature_sha256")
    source, target = other.signature(run_id), store.signature(run_id)
    if sha256 is None or os.path.lexists(target) or not source.is_file():
        return
    if digest_file(source).sha256 == sha256:
        with writing(store.signatures):
            store.signatures.mkdir(exist_ok=True)
        copy_new(source, target, sha256)
