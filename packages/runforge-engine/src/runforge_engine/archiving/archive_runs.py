"""Put runs away: they are copied into the store of an archive, verified there, then removed here.

An archive is a store like any other, in a folder of its own or packed into one file. Until the
record of this store says that a run was archived, its folder stays; a process that is killed leaves
a run here, or in both places, and the command finishes when it is called again.

Source: specification, sections 26.1 and 26.2.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from msgspec import UNSET
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Location, RunForgeError
from runforge_contracts.fs.files import rename_new, writing
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.invariants.store_invariants import differences
from runforge_contracts.run_ids import parse_experiment_run_id
from runforge_contracts.shared_work import (
    WorkWatch,
    in_processes,
    unwatched,
    usable_cores,
    watched_bytes,
)
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import read_store_index
from runforge_contracts.store.removals import place_of, read_removals
from runforge_contracts.system.system_files import sync_folder
from runforge_contracts.types import ArchivedRun, ArchiveReportV1

from runforge_engine.archiving.archived_copies import (
    UsedCopy,
    also_of,
    has_copies,
    put_copies,
    used_copies,
)
from runforge_engine.archiving.open_archive import OpenArchive, is_packed, opened_archive
from runforge_engine.archiving.packed_store import pack
from runforge_engine.bundles.bundle_contents import AnyRun, problems_of
from runforge_engine.experiment.record.experiment_verification import verify_experiment_run
from runforge_engine.provenance.folder_digest import digest_folder
from runforge_engine.provenance.signatures import signature_path
from runforge_engine.removing.forget_runs import (
    digests_before,
    listed_of,
    needs_of,
    used_by_run,
)
from runforge_engine.removing.removal_writer import (
    Objection,
    RecordedFolder,
    append_removals,
    finish_removals,
    listed_entries,
    record_of_folder,
    recorded_before,
    remove_also,
    remove_folder,
)
from runforge_engine.runtime.zstandard import import_zstd
from runforge_engine.store.incoming import copy_folder, copy_new, remove_left, staging_folder
from runforge_engine.store.index_lock import index_lock, refuse_linked_folders
from runforge_engine.store.run_folders import prepare_store, write_index
from runforge_engine.store.scan import refuse_links
from runforge_engine.verification.context import Surroundings
from runforge_engine.verification.verify_run import RunVerification, verify_run


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A run that verifies, and what goes into the archive besides its folder."""

    record: RecordedFolder
    #: Its entry for the index of the archive.
    entry: dict[str, Any] | None
    #: Its signature.
    signature: Path | None
    #: Digests of its dataset and its recipe.
    digests: set[str]

    @property
    def files(self) -> dict[str, str]:
        """SHA-256 of each file, by path."""
        return {name: item["sha256"] for name, item in self.record.files.items()}

    @property
    def bytes(self) -> int:
        """The size of its files."""
        return sum(item["bytes"] for item in self.record.files.values())

    def folder_in(self, place: StoreLayout) -> Path:
        """Return the folder of the run in an archive."""
        run_id = self.record.run_id
        return place_of({"run_id": run_id}, place).run_folder(run_id)


def archive_runs(
    runs: Sequence[AnyRun],
    store: StoreLayout,
    target: Path,
    *,
    created_by: str,
    because: str | None = None,
    archived: Sequence[str] = (),
    with_dataset: bool = False,
    keep_needed: bool = False,
    force: bool = False,
    dry_run: bool = False,
    watch: WorkWatch = unwatched,
) -> ArchiveReportV1:
    """Move runs into an archive, and report on each.

    Parameters
    ----------
    runs
        Runs of the store, and of the experiments beside it, that have ended and verify.
    store
        The store.
    target
        The archive: a file if its name ends with ``.tar.zst``, else a folder. A folder may have an
        archive already; a file must not exist, unless it has these runs.
    created_by
        The client, such as ``runforge-cli@0.4.0``.
    because
        Why, for the record.
    archived
        Runs that were chosen and are in an archive already.
    with_dataset
        Whether the copies of their datasets and recipes go into the archive, too; a copy that
        something else uses stays here as well.
    keep_needed
        Whether to leave out a run that something needs, such as an alias, instead of refusing all.
    force
        Whether to set aside that something needs a run; the record says what that was.
    dry_run
        Whether to verify everything and write nothing.
    watch
        Shows how far it is.

    Raises
    ------
    RunForgeError
        ``VERIFICATION_FAILED`` if a run, or its copy, does not verify; ``USAGE_INVALID`` for a
        target that cannot be an archive of this store, and for a run that something needs;
        ``RUN_ID_TAKEN`` if the archive has another run with an id; ``EXTRA_MISSING`` without
        Zstandard; ``FILE_UNSAFE``, ``INDEX_INVALID``, ``STORE_BUSY``, ``STORE_NOT_WRITABLE``.
    """
    refuse_linked_folders(store)
    shown = archive_name(target, store)
    target = Path(os.path.abspath(target))  # noqa: PTH100 - keeps links
    _check_target(target, store)
    if not dry_run:
        finish_removals(store)
    objected = {run.id: dict(needs_of(store, run)) for run in runs}
    needs = {run: " ".join(said.values()) for run, said in objected.items() if said and not force}
    if needs and not keep_needed:
        raise _needed(needs, store)
    left = [run for run in runs if run.id not in needs]
    chosen = _choose(left, store, objected, watch)
    place, sha256 = StoreLayout(target, store.name), None
    there = _runs_there(target, store) if with_dataset else {}
    wanted = {item.record.run_id: item.digests for item in chosen}
    wanted |= {run_id: there.pop(run_id) for run_id in archived if run_id in there}
    copies = used_copies(store, wanted, there) if with_dataset else []
    if chosen and is_packed(target):
        sha256 = _into_file(chosen, copies, store, place, watch, dry_run=dry_run)
    elif dry_run:
        removed = read_removals(place).current
        for item in chosen:
            _is_there(item, place, removed)
    elif chosen or copies:
        with writing(target):
            target.mkdir(exist_ok=True)
        _into_folder(chosen, copies, store, place, watch)
        # The archive may have removed a run since it was archived the last time.
        append_removals(place, [item.record for item in chosen], "restored", created_by=created_by)
    if not dry_run:
        archive = {"name": shown} if sha256 is None else {"name": shown, "sha256": sha256}
        current = read_removals(store).current
        before = [recorded_before(current[run_id], store) for run_id in (*archived, *there)]
        records = [
            replace(record, also=also_of(record.run_id, copies))
            for record in (*(item.record for item in chosen), *before)
        ]
        lines = append_removals(
            store, records, "archived", because=because, created_by=created_by, archive=archive
        )

        def remove(line: dict[str, Any]) -> None:
            # In this order: where a copy is left, a folder is, which the next call finds.
            remove_also(store, line)
            remove_folder(store, line)

        for _ in watch("Removing the folders", map(remove, lines), len(lines)):
            pass
    return ArchiveReportV1(
        schema_version="archive_report.v1",
        action="archived",
        dry_run=dry_run,
        store=store.name,
        archive=shown,
        sha256=sha256 or UNSET,
        runs=[
            *(archived_run(item.record, "archived") for item in chosen),
            *(ArchivedRun(run_id=name, kind=_kind(name), outcome="present") for name in archived),
            *(
                ArchivedRun(run_id=name, kind=_kind(name), outcome="kept", reason=reason)
                for name, reason in needs.items()
            ),
        ],
        copies=[copy.to_struct(store) for copy in copies] if with_dataset else UNSET,
    )


def _runs_there(target: Path, store: StoreLayout) -> dict[str, set[str]]:
    """Return the runs of this store that the folder of an archive has, with their datasets."""
    if is_packed(target) or not (target / store.name).is_dir():
        return {}
    entries, current = listed_entries(store), read_removals(store).current
    with opened_archive(target, store.name) as archive:
        folders = archive.folders()
    return {
        run_id: digests_before(recorded_before(line, store), entries)
        for run_id, line in current.items()
        if line["action"] == "archived" and run_id in folders
    }


def archive_name(path: Path, store: StoreLayout) -> str:
    """Return the path of an archive for the record: relative to the workspace if it was relative.

    A path that was given as absolute stays so, unless the archive is in the workspace.
    """
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - keeps links
    if path.is_absolute() and not absolute.is_relative_to(store.workspace):
        return absolute.as_posix()
    try:
        return Path(os.path.relpath(absolute, store.workspace)).as_posix()
    except ValueError:  # on another drive
        return absolute.as_posix()


def _kind(run_id: str) -> Literal["trained", "experiment"]:
    return "trained" if parse_experiment_run_id(run_id) is None else "experiment"


def archived_run(
    record: RecordedFolder, outcome: Literal["archived", "restored", "present"]
) -> ArchivedRun:
    """Return what the report has of a run."""
    return ArchivedRun(
        run_id=record.run_id,
        kind=record.kind,
        outcome=outcome,
        files=len(record.files),
        bytes=sum(item["bytes"] for item in record.files.values()),
    )


def other_files(folder: Path, files: Mapping[str, str]) -> list[str] | None:
    """Return the files in which a folder differs from digests; None if nothing has its name.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE`` for a link, ``FILE_NOT_FOUND`` for what is no folder, ``FILE_UNREADABLE``.
    """
    if not os.path.lexists(folder):
        return None
    found = digest_folder(folder, careful=True)
    names = {*found.files, *files, *found.irregular}
    return sorted(name for name in names if found.files.get(name) != files.get(name))


def _check_target(target: Path, store: StoreLayout) -> None:
    """Check that a path can be that of an archive, without writing anything."""
    real = Path(os.path.realpath(target))
    root = Path(os.path.realpath(store.root))
    reason = None
    if real.is_relative_to(root):
        reason = "is in the store itself"
    elif real == root.parent or _is_same(target / store.name, root):
        # The second is so if the store was moved: the workspace has a link to it.
        reason = "is the workspace of the store"
    elif not target.parent.is_dir():
        reason = "is in a folder that does not exist"
    elif not is_packed(target) and os.path.lexists(target):
        has_store = (target / store.name).is_dir()
        if not target.is_dir() or target.is_symlink():
            reason = "is not a folder"
        elif not has_store and any(target.iterdir()):
            reason = "has other files, and no archive"
    if reason is not None:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(target, 200)} cannot be an archive: it {reason}.",
            hint="Name a new folder, a folder that is an archive, or a new file whose name ends"
            " with `.tar.zst`.",
            path=str(target),
        )
    refuse_links(*(target / name for name in (store.name, f"{store.name}/runs", "runs")))


def _is_same(one: Path, other: Path) -> bool:
    """Return whether two paths lead to one folder."""
    return one.is_dir() and other.is_dir() and one.samefile(other)


def _needed(needs: Mapping[str, str], store: StoreLayout) -> RunForgeError:
    return RunForgeError(
        ErrorCode.USAGE_INVALID,
        f"Nothing was archived. {next(iter(needs.values()))}",
        hint="`runforge store archive --force` archives it all the same; the record then says so.",
        path=str(store.root),
        problems=problems_of((sentence, Location(path=name)) for name, sentence in needs.items()),
    )


def _choose(
    runs: Sequence[AnyRun],
    store: StoreLayout,
    objected: Mapping[str, Mapping[Objection, str]],
    watch: WorkWatch,
) -> list[_Chosen]:
    """Verify runs, and return them with what goes into the archive."""
    around = Surroundings(store, store.workspace)
    around.prepare()
    index, entries = around.index, listed_entries(store)

    def choose(run: AnyRun) -> tuple[_Chosen, list[Finding]]:
        listed = listed_of(store, run)
        record = record_of_folder(
            store,
            run.id,
            run.path,
            entries=entries,
            listed=listed,
            despite=[*objected[run.id]],
        )
        entry = entries.get(run.id)
        if entry is not None and index is not None:
            # The entry for another index names the one that it comes from.
            entry = {**entry, "origin": entry.get("origin", index.origin)}
        signature = signature_path(run.path) if record.signature_sha256 else None
        checks = _verified(run.path, around).checks
        findings = [item for check in checks for item in check.findings]
        return _Chosen(record, entry, signature, used_by_run(run, listed)), findings

    chosen, refused = list[_Chosen](), list[tuple[str, Finding]]()
    found = in_processes(choose, runs, usable_cores())
    for item, findings in watch("Verifying runs", found, len(runs)):
        chosen.append(item)
        refused += [(item.record.run_id, finding) for finding in findings]
    if refused:
        count = len({run_id for run_id, _ in refused})
        raise RunForgeError(
            ErrorCode.VERIFICATION_FAILED,
            f"{'A run does' if count == 1 else f'{count:,} runs do'} not verify, so nothing is"
            " archived.",
            hint=f"`runforge verify {refused[0][0]}` has the details; name the others alone.",
            path=str(store.root),
            problems=problems_of(
                (
                    f"{quote(run_id)}: {finding.message}",
                    Location(path=finding.file, pointer=finding.pointer),
                )
                for run_id, finding in refused
            ),
        )
    return chosen


def _verified(folder: Path, around: Surroundings) -> RunVerification:
    """Verify a run of either kind, without its dataset."""
    if around.store is not None and folder.parent == around.store.runs:
        return verify_run(folder, around, with_dataset=False, alone=False)
    return verify_experiment_run(folder, around.workspace, with_dataset=False)


def _into_folder(
    chosen: Sequence[_Chosen],
    copies: Sequence[UsedCopy],
    store: StoreLayout,
    place: StoreLayout,
    watch: WorkWatch,
) -> None:
    """Copy runs, and what they use, into the store of an archive, and verify them there."""
    prepare_store(place)
    for folder in (place.root, place.signatures):
        remove_left(folder)
    put_copies(copies, store, place)
    removed = read_removals(place).current
    with watched_bytes(watch, "Copying runs", sum(item.bytes for item in chosen)) as done:
        for item in chosen:
            _copy(item, place, removed, done)
    _append_entries(chosen, place)
    for item in chosen:
        if item.signature is None or os.path.lexists(place.signature(item.record.run_id)):
            continue
        with writing(place.signatures):
            place.signatures.mkdir(exist_ok=True)
        copy_new(item.signature, place.signature(item.record.run_id), item.record.signature_sha256)
    with writing(place.root):
        for folder in (place.runs, place.root, place.workspace, place.workspace.parent):
            sync_folder(folder)
    _check_copies(chosen, place, watch)


def _copy(
    item: _Chosen,
    place: StoreLayout,
    removed: Mapping[str, Mapping[str, Any]],
    done: Callable[[int], None],
) -> None:
    """Copy the folder of a run into an archive, unless it is there."""
    if _is_there(item, place, removed):
        done(item.bytes)
        return
    folder = item.folder_in(place)
    with writing(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
    # The archive may be on another disk than the store.
    root = place.root if folder.is_relative_to(place.root) else folder.parent
    copy_folder(item.record.folder, folder, item.files, root, done)


def _is_there(item: _Chosen, place: StoreLayout, removed: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether an archive has a run; raise ``RUN_ID_TAKEN`` if it has, or had, another.

    ``removed`` are the lines about the runs that the archive itself has removed, by their ids.
    """
    line = removed.get(item.record.run_id)
    if line is not None and line["files"] != item.record.files:
        raise _taken(item, place, f"the run that was {line['action']} there had other files")
    folder = item.folder_in(place)
    found = other_files(folder, item.files)
    if found:
        raise _taken(item, place, f"{quote(found[0])} differs")
    return found is not None


def _append_entries(chosen: Sequence[_Chosen], place: StoreLayout) -> None:
    """Append the entries that the index of an archive lacks."""
    with index_lock(place):
        index = read_store_index(place)
        if index is not None and index.is_foreign:
            raise RunForgeError(
                ErrorCode.INDEX_INVALID,
                f"The index of {quote(place.root, 200)} is in the form of another client.",
                hint="Name another folder.",
                path=str(place.index),
            )
        entries = [] if index is None else [*index.raw_entries]
        known = {entry["run_id"]: entry for entry in entries}
        new = list[dict[str, Any]]()
        for item in chosen:
            mine = known.get(item.record.run_id)
            if item.entry is None:
                continue
            if mine is None:
                new.append(item.entry)
            elif [path for path, _, _ in differences(mine, item.entry) if path != ("origin",)]:
                raise _taken(item, place, "its entry in the index differs")
        if new:
            write_index(place, index, entries + new)


def _check_copies(chosen: Sequence[_Chosen], place: StoreLayout, watch: WorkWatch) -> None:
    """Verify runs in the store of an archive, before they are removed here."""
    around = Surroundings(place, place.workspace)
    around.prepare()

    def check(item: _Chosen) -> None:
        folder = item.folder_in(place)
        if other_files(folder, item.files) != [] or not _verified(folder, around).holds:
            raise RunForgeError(
                ErrorCode.VERIFICATION_FAILED,
                f"The copy of the run {quote(item.record.run_id)} in"
                f" {quote(place.root, 200)} does not verify.",
                hint="Nothing was removed here. Name another place for the archive.",
                path=str(folder),
            )

    for _ in watch("Verifying the copies", map(check, chosen), len(chosen)):
        pass


def _taken(item: _Chosen, place: StoreLayout, reason: str) -> RunForgeError:
    return RunForgeError(
        ErrorCode.RUN_ID_TAKEN,
        f"The archive {quote(place.root, 200)} has another run {quote(item.record.run_id)}:"
        f" {reason}.",
        hint="Nothing was removed here. Name another archive.",
        path=str(place.root),
    )


def _into_file(
    chosen: Sequence[_Chosen],
    copies: Sequence[UsedCopy],
    store: StoreLayout,
    file: StoreLayout,
    watch: WorkWatch,
    *,
    dry_run: bool,
) -> str | None:
    """Pack runs into a new file, and return its SHA-256; a file that has them already is kept.

    ``file`` is the store whose workspace will be packed into the file of this name.
    """
    import_zstd()
    target = file.workspace
    if os.path.lexists(target):
        if not dry_run:
            remove_left(target.parent, target.name)
        with opened_archive(target, file.name, watch) as archive:
            return _kept(chosen, copies, archive, watch)
    if dry_run:
        return None
    with staging_folder(target.parent, target.name) as staging:
        place = StoreLayout(staging / "archive", file.name)
        with writing(place.workspace):
            place.workspace.mkdir()
        _into_folder(chosen, copies, store, place, watch)
        with writing(place.index):
            place.index.with_suffix(".lock").unlink(missing_ok=True)
        packed = staging / target.name
        written = pack(place.workspace, packed, watch)
        with opened_archive(packed, file.name, watch) as archive:
            sha256 = _kept(chosen, copies, archive, watch)
        with writing(target):
            rename_new(packed, target)
            sync_folder(target.parent)
    assert sha256 == written.sha256  # noqa: S101 - what was read is what was written
    return sha256


def _kept(
    chosen: Sequence[_Chosen], copies: Sequence[UsedCopy], archive: OpenArchive, watch: WorkWatch
) -> str:
    """Check that an archive in one file has runs and copies, and return its SHA-256."""
    removed = read_removals(archive.layout).current
    is_whole = all(_is_there(item, archive.layout, removed) for item in chosen)
    if not is_whole or not has_copies(copies, archive.layout):
        missing = "their datasets" if is_whole else "these runs"
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(archive.path, 200)} exists, and does not have {missing}.",
            hint="Name a new file: one that exists is never changed.",
            path=str(archive.path),
        )
    _check_copies(chosen, archive.layout, watch)
    return str(archive.sha256)
