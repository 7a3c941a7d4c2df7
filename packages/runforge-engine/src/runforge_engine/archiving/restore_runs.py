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
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Location, RunForgeError
from runforge_contracts.fs.files import digest_file, writing
from runforge_contracts.shared_work import WorkWatch, unwatched, watched_bytes
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.lookup import find_removed
from runforge_contracts.store.removals import read_removals
from runforge_contracts.types import ArchiveReportV1

from runforge_engine.archiving.archive_runs import archive_name, archived_run, other_files
from runforge_engine.archiving.open_archive import OpenArchive
from runforge_engine.bundles.bundle_contents import problems_of
from runforge_engine.experiment.run.allocate import check_place
from runforge_engine.removing.removal_writer import RecordedFolder, append_removals, folder_of
from runforge_engine.store.incoming import copy_folder, copy_new, remove_left
from runforge_engine.store.index_lock import refuse_linked_folders
from runforge_engine.store.run_folders import prepare_store


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A run of the archive that belongs to this store."""

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
    archive: OpenArchive,
    references: Sequence[str],
    store: StoreLayout,
    *,
    created_by: str,
    dry_run: bool = False,
    watch: WorkWatch = unwatched,
) -> ArchiveReportV1:
    """Bring runs back from an archive, and report on each.

    Every file must be as it was when the run was archived. Nothing that is here is replaced, and
    nothing in the archive is changed.

    Parameters
    ----------
    archive
        The archive.
    references
        Ids of runs in it, their starts, or their names; none for all that were archived from
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
    wanted = _wanted(archive, references, store)
    _compare(wanted, archive, watch)
    if not dry_run:
        _bring(wanted, archive, store, created_by, watch)
    return ArchiveReportV1(
        schema_version="archive_report.v1",
        action="restored",
        dry_run=dry_run,
        store=store.name,
        archive=archive_name(archive.path, store),
        sha256=archive.sha256 or UNSET,
        runs=[archived_run(item.record, item.outcome) for item in wanted],
    )


def _wanted(archive: OpenArchive, references: Sequence[str], store: StoreLayout) -> list[_Wanted]:
    """Return the runs to bring back, the oldest first."""
    folders = archive.folders()
    last = {line["run_id"]: line for line in read_removals(store).entries}
    ids = list(
        dict.fromkeys(_named(reference, folders, archive, store) for reference in references)
    )
    if not ids:
        ids = sorted(run for run in folders if last.get(run, {}).get("action") == "archived")
    if not ids:
        known = [run for run in folders if run in last]
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND,
            "All runs of the archive that were archived from this store are here."
            if known
            else f"{quote(archive.path, 200)} has no run that was archived from this store.",
            hint="`runforge show ID` says of a run where it is."
            if known
            else "`runforge store merge DIR` brings the runs of another store.",
            path=str(archive.path),
        )
    return [_one(folders[run_id], run_id, last, store) for run_id in ids]


def _named(
    reference: str, folders: Mapping[str, Path], archive: OpenArchive, store: StoreLayout
) -> str:
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
        f"{quote(reference)} matches {len(found):,} runs of {quote(archive.path, 200)}.",
        hint="Give more of the id."
        if found
        else "Name a run of the archive by its id or its name.",
        path=str(archive.path),
    )


def _one(source: Path, run_id: str, last: Mapping[str, Any], store: StoreLayout) -> _Wanted:
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
    return _Wanted(source, line, target, "present" if is_here else "restored")


def _compare(wanted: Sequence[_Wanted], archive: OpenArchive, watch: WorkWatch) -> None:
    """Compare the files of the archive, and what is here, with the record."""
    restored = [item for item in wanted if item.outcome == "restored"]
    compared = ((item, other_files(item.source, item.files)) for item in restored)
    differing = [
        (item, name)
        for item, names in watch("Comparing runs", compared, len(restored))
        for name in names or ()
    ]
    if differing:
        raise RunForgeError(
            ErrorCode.VERIFICATION_FAILED,
            f"{quote(archive.path, 200)} was changed: {len(differing):,} files of runs are not as"
            " they were when the runs were archived.",
            hint="Nothing was restored. Restore from another copy of the archive.",
            path=str(archive.path),
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


def _bring(
    wanted: Sequence[_Wanted],
    archive: OpenArchive,
    store: StoreLayout,
    created_by: str,
    watch: WorkWatch,
) -> None:
    """Copy each run to its place, and record that it is here."""
    prepare_store(store)
    for folder in (store.root, store.signatures):
        remove_left(folder)
    missing = sum(item.bytes for item in wanted if not os.path.lexists(item.target))
    with watched_bytes(watch, "Copying runs", missing) as done:
        for item in wanted:
            _copy(item, archive, store, done)
    about = {"name": archive_name(archive.path, store)}
    if archive.sha256 is not None:
        about["sha256"] = archive.sha256
    append_removals(
        store, [item.record for item in wanted], "restored", created_by=created_by, archive=about
    )


def _copy(
    item: _Wanted, archive: OpenArchive, store: StoreLayout, done: Callable[[int], None]
) -> None:
    """Copy the signature and the folder of a run to their places, where they are missing."""
    _bring_signature(item, archive.layout, store)
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
