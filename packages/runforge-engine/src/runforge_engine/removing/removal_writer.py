"""Record that runs are removed or restored, and remove their folders.

The line of a run is on the disk before its folder is touched. From then on the run is removed: a
process that is killed leaves a folder that :func:`finish_removals` removes.

Source: specification, sections 25.1 and 25.2.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, Location, Problem, RunForgeError
from runforge_contracts.fs.files import digest_file, reading, writing
from runforge_contracts.run_ids import parse_experiment_run_id
from runforge_contracts.shared_work import WorkWatch, unwatched
from runforge_contracts.store.layout import EVALUATION, ExperimentLayout, StoreLayout
from runforge_contracts.store.moved_store import is_stray_link
from runforge_contracts.store.reading import read_store_index
from runforge_contracts.store.removals import (
    entry_digest,
    evaluation_in,
    place_of,
    read_removals,
)
from runforge_contracts.system.system_files import (
    remove_below,
    remove_tree,
    rename_below,
    sync_folder,
)

from runforge_engine.provenance.folder_digest import FolderDigests, digest_folder
from runforge_engine.provenance.signatures import signature_path
from runforge_engine.removing.dataset_users import COPIES, DatasetUsers, digest_in, has_digest
from runforge_engine.runtime.clock import read_clock
from runforge_engine.runtime.folder_lock import is_held
from runforge_engine.store.chained_writer import append_chained, chained
from runforge_engine.store.index_lock import index_lock
from runforge_engine.store.run_folders import prepare_store
from runforge_engine.store.scan import refuse_links

Action = Literal["forgotten", "archived", "restored"]
#: What speaks against removing a run.
Objection = Literal["alias", "sweep", "view", "unverified"]
#: How the names of folders begin that are being removed; the id and random digits follow.
_HIDDEN = ".removed-"
_LEFT = re.compile(r"\.removed-(?P<run_id>.+)-[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class RecordedFolder:
    """What a line records of the folder of a run."""

    run_id: str
    folder: Path
    #: ``{"sha256": ..., "bytes": ...}`` by path.
    files: dict[str, dict[str, Any]]
    #: Digest of the entry in the index; None if it is not listed.
    entry_sha256: str | None = None
    #: Digest of the file of the signature; None without one.
    signature_sha256: str | None = None
    #: What lists showed of a run that the index does not list.
    listed: dict[str, Any] | None = None
    #: What spoke against removing it and was set aside.
    despite: tuple[Objection, ...] = ()
    #: Files outside the folder that go with it, by path in the store.
    also: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def kind(self) -> Literal["trained", "experiment"]:
        """Whether RunForge trained the model, or an experiment ran."""
        return "trained" if parse_experiment_run_id(self.run_id) is None else "experiment"


@dataclass(frozen=True, slots=True)
class FinishedRemovals:
    """What was left of removals that were not finished."""

    #: The runs whose folders were there; they are removed now.
    removed: tuple[str, ...] = ()
    #: Folders that are not those of the lines, which stay, and why.
    kept: tuple[tuple[Path, str], ...] = ()
    #: Hidden folders that killed processes left.
    left: tuple[Path, ...] = field(default_factory=tuple)


def listed_entries(store: StoreLayout) -> dict[str, dict[str, Any]]:
    """Return the entries of the index of a store by run id, as its file has them.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if the index is in the form of another client; ``INDEX_INVALID``.
    """
    index = read_store_index(store)
    if index is not None and index.is_foreign:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"The index of {quote(store.root, 200)} is in the form of another client, whose runs"
            " are not removed from it.",
            hint="Use that client.",
            path=str(store.index),
        )
    raw = () if index is None else index.raw_entries
    return {entry["run_id"]: entry for entry in reversed(raw)}


def record_of_folder(
    store: StoreLayout,
    run_id: str,
    folder: Path,
    *,
    entries: Mapping[str, dict[str, Any]] | None = None,
    listed: dict[str, Any] | None = None,
    despite: Sequence[Objection] = (),
) -> RecordedFolder:
    """Return what a line records of the folder of a run, which is read as a whole.

    Parameters
    ----------
    store
        The store; of the run of an experiment, the one of its workspace.
    run_id, folder
        The run, and its folder in the folder of runs.
    entries
        Those of :func:`listed_entries`, where several runs share them.
    listed
        An entry as lists have it; recorded if the index does not list the run.
    despite
        What spoke against removing it and was set aside.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if the folder is not in the folder of runs; ``STORE_BUSY`` if the run is
        in progress; ``FILE_UNSAFE`` if the folder has more than files and folders;
        ``INDEX_INVALID``, ``FILE_NOT_FOUND``, ``FILE_UNREADABLE``.
    """
    entries = listed_entries(store) if entries is None else entries
    runs = place_of({"run_id": run_id}, store).runs
    if folder != runs / run_id:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(folder, 200)} is not {quote(runs / run_id, 200)}; only folders among the runs"
            " are removed.",
            path=str(folder),
        )
    refuse_links(store.root, runs)
    _refuse_in_progress(folder)
    found = _digest(folder)
    entry = entries.get(run_id)
    signature = signature_path(folder)
    return RecordedFolder(
        run_id,
        folder,
        {
            name: {"sha256": sha256, "bytes": (folder / name).stat().st_size}
            for name, sha256 in found.files.items()
        },
        None if entry is None else entry_digest(entry),
        digest_file(signature).sha256 if signature.is_file() else None,
        _shown(listed) if entry is None and listed is not None else None,
        tuple(despite),
    )


def recorded_before(line: Mapping[str, Any], store: StoreLayout) -> RecordedFolder:
    """Return what a line of a removed run records, for another line about it."""
    return RecordedFolder(
        line["run_id"],
        folder_of(line, store),
        line["files"],
        line.get("entry_sha256"),
        line.get("signature_sha256"),
        line.get("listed"),
        tuple(line.get("despite", ())),
    )


def append_removals(
    store: StoreLayout,
    folders: Iterable[RecordedFolder],
    action: Action,
    *,
    because: str | None = None,
    created_by: str | None = None,
    archive: dict[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Append one line for each run, and return the lines that decide about these runs now.

    A run about which the last line has the action already gets none, unless more files go with it.

    Parameters
    ----------
    store
        The store that has the record.
    folders
        The runs.
    action
        What was decided.
    because
        Why.
    created_by
        The client, such as ``runforge-cli@0.4.0``.
    archive
        Of ``archived`` and ``restored``: the ``name`` of the archive, and its ``sha256``.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for a reason that is too long; ``DOCUMENT_INVALID`` if the record is not
        valid; ``STORE_BUSY``, ``STORE_NOT_WRITABLE``, ``FILE_UNSAFE``.
    """
    prepare_store(store)
    with index_lock(store):
        record = read_removals(store)
        last = {entry["run_id"]: entry for entry in record.entries}
        lines = list[dict[str, Any]]()
        for run in folders:
            before = last.get(run.run_id, {})
            also = run.also
            if before.get("action") == action:
                also = {**before.get("also", {}), **also}
                if also == before.get("also", {}):
                    lines.append(before)
                    continue
            if action == "restored" and run.run_id not in record.current:
                continue
            line = {
                "schema_version": "run_removal.v1",
                "action": action,
                "run_id": run.run_id,
                "kind": run.kind,
                "recorded_at": read_clock().now(),
                "because": because,
                "created_by": created_by,
                "files": run.files,
                "entry_sha256": run.entry_sha256,
                "signature_sha256": run.signature_sha256,
                "listed": run.listed,
                "archive": archive,
                "despite": list(run.despite) or None,
                "also": also or None,
            }
            lines.append({name: value for name, value in line.items() if value is not None})
        new = [line for line in lines if "previous" not in line]
        appended = chained(record, new, "run_removal.v1", "The removal")
        append_chained(store.removals, record, appended)
    following = iter(appended)
    return [line if "previous" in line else next(following) for line in lines]


def forget_folders(
    store: StoreLayout,
    folders: Iterable[RecordedFolder],
    *,
    because: str,
    created_by: str,
    watch: WorkWatch = unwatched,
) -> None:
    """Record that runs are forgotten, and remove their folders: all lines come before the first.

    ``watch`` shows how far it is.

    Raises
    ------
    RunForgeError
        As :func:`append_removals` and :func:`remove_folder`.
    """
    lines = append_removals(store, folders, "forgotten", because=because, created_by=created_by)

    def remove(line: dict[str, Any]) -> None:
        remove_folder(store, line)
        remove_also(store, line)

    for _ in watch("Removing the folders", map(remove, lines), len(lines)):
        pass


def remove_folder(store: StoreLayout, line: dict[str, Any]) -> bool:
    """Remove the folder of a run that a line says is removed; return False if there is none.

    Raises
    ------
    RunForgeError
        ``VERIFICATION_FAILED`` if the folder has a file that the line does not have, or another
        one; ``STORE_BUSY`` if the run is in progress. Nothing is removed then. ``FILE_UNSAFE``,
        ``FILE_UNREADABLE``, ``STORE_NOT_WRITABLE``.
    """
    folder = folder_of(line, store)
    refuse_links(store.root, folder.parent)
    if not os.path.lexists(folder):
        return False
    _refuse_in_progress(folder)
    with reading(folder):
        before = folder.lstat()
    recorded = {name: item["sha256"] for name, item in line["files"].items()}
    found = _digest(folder).files
    other = sorted(name for name, sha256 in found.items() if recorded.get(name) != sha256)
    if other:
        raise RunForgeError(
            ErrorCode.VERIFICATION_FAILED,
            f"{quote(folder, 200)} has files that it did not have when the run was"
            f" {line['action']}; it stays.",
            hint="Move them away to finish the removal: `runforge store tidy`.",
            path=str(folder),
            problems=[
                Problem(f"{quote(name)} is another file.", Location(path=f"{folder}/{name}"))
                for name in other
            ],
        )
    # Of an experiment, the folder may be on another disk than the store.
    root, below = store.root, store.root
    if line["kind"] == "experiment":
        root, below = folder.parent, folder.parents[1]
    hidden = root / f"{_HIDDEN}{line['run_id']}-{os.urandom(8).hex()}"
    with writing(folder):
        try:
            rename_below(folder, hidden, below)
        except FileNotFoundError:
            return False  # Another process has renamed it.
        if not os.path.samestat(before, hidden.lstat()):
            rename_below(hidden, folder, below)
            raise RunForgeError(
                ErrorCode.FILE_UNSAFE,
                f"{quote(folder, 200)} was replaced while it was compared; it stays.",
                hint="`runforge store tidy` finishes the removal when nobody writes there.",
                path=str(folder),
            )
        sync_folder(folder.parent)
        sync_folder(root)
    _remove(hidden)
    return True


def remove_also(store: StoreLayout, line: Mapping[str, Any]) -> None:
    """Remove the files outside the folder that went with a run, if they are those of its line.

    A copy of a dataset or a recipe that something uses stays.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE``, ``FILE_UNREADABLE``, ``STORE_NOT_WRITABLE``, ``INDEX_INVALID``,
        ``DOCUMENT_INVALID``.
    """
    for path in left_of(store, line):
        with writing(path):
            if path.name != EVALUATION:
                with suppress(FileNotFoundError):
                    remove_below(path, store.root)
                sync_folder(path.parent)
                continue
            hidden = store.root / f"{_HIDDEN}{path.parent.name}-{os.urandom(8).hex()}"
            rename_below(path.parent, hidden, store.root)
            sync_folder(store.evaluations)
            sync_folder(store.root)
        _remove(hidden)


def left_of(store: StoreLayout, line: Mapping[str, Any]) -> list[Path]:
    """Return the files that went with a run and are there as its line has them, copies last.

    These are documents of evaluations, and copies of datasets and recipes that nothing uses;
    whatever else a line names is never removed.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE`` for a link in the place of a folder of the store; ``DOCUMENT_INVALID``,
        ``INDEX_INVALID``.
    """
    here = {
        name: item["sha256"]
        for name, item in line.get("also", {}).items()
        if os.path.lexists(store.root / name)
    }
    if not here:
        return []
    refuse_links(store.root, *(store.root / name for name in COPIES), store.evaluations)
    found, copies = list[Path](), list[Path]()
    for name, sha256 in here.items():
        path = store.root / name
        if evaluation_in(name) is None:
            if path.parent.parent == store.root and digest_in(path) == sha256:
                copies.append(path)
        elif not path.parent.is_symlink() and [*path.parent.iterdir()] == [path]:
            found.append(path)
    if copies:
        users = DatasetUsers(store, frozenset(path.parent.name for path in found))
        found += [path for path in copies if not users.of(str(digest_in(path)))]
    return [
        path for path in found if has_digest(path, here[path.relative_to(store.root).as_posix()])
    ]


def folder_of(line: Mapping[str, Any], store: StoreLayout) -> Path:
    """Return where the folder of the run of a line is, if it is there: always among the runs."""
    return place_of(line, store).run_folder(line["run_id"])


def unfinished_removals(store: StoreLayout) -> list[dict[str, Any]]:
    """Return the lines of removed runs whose folders are there.

    Raises
    ------
    RunForgeError
        ``DOCUMENT_INVALID`` if the record is not valid; ``INDEX_INVALID``.
    """
    return [
        line
        for line in read_removals(store).current.values()
        if os.path.lexists(folder_of(line, store))
    ]


def left_folders(store: StoreLayout) -> list[Path]:
    """Return the hidden folders that killed processes left while they removed runs of the record.

    A folder that has anything but files of a line about its run, with their digests, is none.

    Raises
    ------
    RunForgeError
        ``DOCUMENT_INVALID`` if the record is not valid.
    """
    known: dict[str, set[tuple[str, str]]] = {}
    record = read_removals(store)
    for entry in record.entries:
        files = {(name, item["sha256"]) for name, item in entry["files"].items()}
        known.setdefault(entry["run_id"], set()).update(files)
    for evaluation_id, (_, item) in record.evaluations.items():
        known.setdefault(evaluation_id, set()).add((EVALUATION, item["sha256"]))
    found = list[Path]()
    for root in (store.root, ExperimentLayout(store.workspace).runs):
        if is_stray_link(root) or not root.is_dir() or not known:
            continue
        with writing(root):
            for path in sorted(root.iterdir()):
                name = _LEFT.fullmatch(path.name)
                expected = None if name is None else known.get(name["run_id"])
                is_folder = path.is_dir() and not path.is_symlink()
                if expected is not None and is_folder and _has_only(path, expected):
                    found.append(path)
    return found


def finish_removals(store: StoreLayout) -> FinishedRemovals:
    """Finish the removals that killed processes did not.

    Raises
    ------
    RunForgeError
        ``DOCUMENT_INVALID`` if the record is not valid; ``INDEX_INVALID``, ``FILE_UNSAFE``,
        ``FILE_UNREADABLE``, ``STORE_NOT_WRITABLE``.
    """
    removed, kept = list[str](), list[tuple[Path, str]]()
    left = left_folders(store)
    for path in left:
        _remove(path)
    for line in unfinished_removals(store):
        try:
            if line["action"] == "archived":
                remove_also(store, line)  # First, as the process that was killed did.
            remove_folder(store, line)
        except RunForgeError as error:
            if error.code not in (ErrorCode.VERIFICATION_FAILED, ErrorCode.STORE_BUSY):
                raise
            kept.append((folder_of(line, store), error.message))
        else:
            removed.append(line["run_id"])
    return FinishedRemovals(tuple(removed), tuple(kept), tuple(left))


def _has_only(folder: Path, files: set[tuple[str, str]]) -> bool:
    """Return whether a folder has none but these files, each a name and its SHA-256."""
    found = digest_folder(folder)
    return not found.irregular and found.files.items() <= files


def _refuse_in_progress(folder: Path) -> None:
    """Raise ``STORE_BUSY`` if a run is in progress."""
    if is_held(folder) and not _has_ended(folder):
        raise RunForgeError(
            ErrorCode.STORE_BUSY,
            f"The run {quote(folder.name)} is in progress.",
            hint="Wait for its end, or end it with `runforge cancel`.",
            path=str(folder),
        )


def _has_ended(folder: Path) -> bool:
    """Return whether the run has a result, after which a lock on its folder means nothing."""
    return any(os.path.lexists(folder / name) for name in ("result.json", "manifest.json"))


def _digest(folder: Path) -> FolderDigests:
    found = digest_folder(folder, careful=True)
    if found.irregular:
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(folder, 200)} has more than files and folders; it stays.",
            hint="Move away what does not belong to the run.",
            path=str(folder),
            problems=[
                Problem(f"{quote(name)} is {kind}.", Location(path=printable(name)))
                for name, kind in sorted(found.irregular.items())
            ],
        )
    return found


def _shown(listed: dict[str, Any]) -> dict[str, Any]:
    names = ("name", "created_at", "status", "dataset_fingerprint_sha256")
    return {name: listed[name] for name in names if listed.get(name)}


def _remove(hidden: Path) -> None:
    """Remove a folder whose name says that it is being removed."""
    with writing(hidden):
        try:
            remove_tree(hidden)
        except FileNotFoundError:
            if os.path.lexists(hidden):
                remove_tree(hidden)  # Another process removes it, too.
