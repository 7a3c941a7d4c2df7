"""Move a store: it is copied, the copy is verified, one rename switches, and the source goes.

Until the switch the workspace has its store as before, and from then on the store at its new place;
a process that is killed leaves a copy that the next call takes, or removes where it is the same.

Source: specification, section 5.12.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Location, Problem, RunForgeError
from runforge_contracts.fs.files import digest_file, reading, write_file, writing
from runforge_contracts.fs.folders import as_text, list_folder, walk_folder
from runforge_contracts.shared_work import WorkWatch, unwatched
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.moved_store import PLACE, moved_to, place_document
from runforge_contracts.system.system_files import (
    USERS_MAKE_LINKS,
    exchange_files,
    remove_below,
    sync_folder,
)
from runforge_contracts.types import MoveReportV1
from runforge_contracts.validation import validate

from runforge_engine.runtime.clock import read_clock
from runforge_engine.runtime.folder_lock import is_held
from runforge_engine.store.incoming import copy_file, remove_left, rename_whole, staging_folder
from runforge_engine.store.index_lock import index_lock

#: How the names of what is switched end: random digits, and `.old` where two renames are needed.
_ASIDE = re.compile(r"\.moved-[0-9a-f]{16}(\.old)?")


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a store, as it was when it was found."""

    mode: int
    size: int
    modified_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class _Content:
    """What a store has, without the document that names its workspace."""

    files: dict[str, _File]
    folders: tuple[str, ...]

    @property
    def size(self) -> int:
        """The size of all files, in bytes."""
        return sum(file.size for file in self.files.values())


def move_store(
    store: StoreLayout,
    folder: Path,
    *,
    created_by: str,
    dry_run: bool = False,
    watch: WorkWatch = unwatched,
) -> MoveReportV1:
    """Move a store into another folder, and put a link to it in its place.

    Parameters
    ----------
    store
        The store, in its workspace; it may have been moved before.
    folder
        The folder that will have the store, under its name. It is created if it does not exist.
        The workspace itself brings the store back.
    created_by
        The client, such as ``runforge-cli@0.4.0``.
    dry_run
        Whether to check everything and write nothing.
    watch
        Shows how far it is.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_FOUND``; ``STORE_BUSY`` if a run is in progress, or something was written
        meanwhile; ``USAGE_INVALID`` for a folder that cannot have the store; ``FILE_UNSAFE`` if the
        store is a link that does not count, or has more than files and folders;
        ``VERIFICATION_FAILED`` if a copy differs; ``FILE_UNREADABLE``, ``STORE_NOT_WRITABLE``.
    """
    if not USERS_MAKE_LINKS:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "Stores are not moved under Windows, where a link needs rights of its own.",
            hint="Move the whole workspace.",
        )
    target = Path(os.path.realpath(folder)) / store.name
    if not dry_run:
        _put_back(store)
    source = _lies_in(store, target)
    _check_target(store, source, target)
    kept = list[Path]() if dry_run else _finish(store, source, target, {}, watch)
    content = _content(source)
    is_there = source == target
    if is_there and store.root.is_symlink() and not dry_run:
        _name_workspace(store, source, created_by)
    elif not is_there:
        _refuse_busy(store)
        _check_space(content, target)
        if not dry_run:
            known = _switch(store, source, target, created_by, watch)
            kept += _finish(store, target, target, known, watch)
    return MoveReportV1(
        schema_version="move_report.v1",
        dry_run=dry_run,
        outcome="present" if is_there else "moved",
        store=store.name,
        source=as_text(source),
        target=as_text(target),
        files=len(content.files),
        bytes=content.size,
        kept=[as_text(path) for path in kept],
    )


def _lies_in(store: StoreLayout, target: Path) -> Path:
    """Return the folder of a store, without links."""
    root = store.root
    if not root.is_dir():
        raise RunForgeError(
            ErrorCode.STORE_NOT_FOUND,
            f"There is no store {quote(root, 200)}.",
            hint="`--workspace` names the folder that has it.",
            path=str(root),
        )
    if not root.is_symlink():
        return Path(os.path.realpath(root.parent)) / root.name
    place = moved_to(root)
    if place is not None:
        return place
    # The workspace was renamed or copied since, and the user names where its store lies.
    place = Path(os.path.realpath(root))
    document = place_document(place)
    if document is None or place != target:
        reason = "which could lead anywhere"
    elif os.path.realpath(Path(document["workspace"]) / store.name) == str(place):
        reason = f"and the store is that of {quote(document['workspace'], 200)}"
    else:
        return place
    raise RunForgeError(
        ErrorCode.FILE_UNSAFE,
        f"{quote(root, 200)} is a symbolic link to {quote(place, 200)}, {reason}.",
        hint="If the workspace was renamed since its store was moved, `runforge store move` with"
        " the folder that has the store takes it over.",
        path=str(root),
    )


def _check_target(store: StoreLayout, source: Path, target: Path) -> None:
    """Check that a folder can have the store, without writing anything."""
    folder, reason = target.parent, None
    if folder.is_relative_to(source):
        reason = "it is in the store itself"
    elif os.path.lexists(folder) and not folder.is_dir():
        reason = "it is not a folder"
    elif not folder.parent.is_dir():
        reason = "it is in a folder that does not exist"
    elif target != source and not _is_own_root(store, target) and os.path.lexists(target):
        document = place_document(target)
        if document is None or document["workspace"] != os.path.realpath(store.workspace):
            reason = f"it has something of the name {quote(store.name)}"
    if reason is not None:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"The store cannot be moved into {quote(folder, 200)}: {reason}.",
            hint="Name a new folder, or one without a store.",
            path=str(folder),
        )


def _is_own_root(store: StoreLayout, target: Path) -> bool:
    """Return whether the store is to be brought back into its workspace."""
    return target == Path(os.path.realpath(store.workspace)) / store.name


def _content(folder: Path) -> _Content:
    """Return what a store has; raise ``FILE_UNSAFE`` for more than files and folders."""
    files, folders, other = dict[str, _File](), list[str](), list[str]()
    with reading(folder):
        for place, path, kind in walk_folder(folder):
            if kind == "file" and place != PLACE:
                files[place] = _look(path)
            elif kind == "folder":
                folders.append(place)
            elif kind != "file":
                other.append(place)
    if other:
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(folder, 200)} has more than files and folders, and is not moved.",
            hint="Move away what does not belong to the store.",
            path=str(folder),
            problems=[
                Problem(
                    f"{quote(place)} is neither a file nor a folder.",
                    Location(path=as_text(folder / place)),
                )
                for place in other
            ],
        )
    return _Content(files, tuple(folders))


def _look(path: Path) -> _File:
    found = path.stat(follow_symlinks=False)
    return _File(stat.S_IMODE(found.st_mode), found.st_size, found.st_mtime_ns, found.st_ino)


def _refuse_busy(store: StoreLayout) -> None:
    """Raise ``STORE_BUSY`` if a run, or a sweep, is in progress."""
    for folder in (store.runs, store.groups):
        for entry in list_folder(folder):
            if entry.is_dir(follow_symlinks=False) and is_held(folder / entry.name):
                raise RunForgeError(
                    ErrorCode.STORE_BUSY,
                    f"{quote(store.relative(folder / entry.name), 200)} is in progress.",
                    hint="Wait for its end, or end it with `runforge cancel`.",
                    path=str(folder / entry.name),
                )


def _check_space(content: _Content, target: Path) -> None:
    """Raise ``STORE_NOT_WRITABLE`` if a store is larger than the space on its new disk."""
    folder = target.parent if target.parent.is_dir() else target.parent.parent
    with writing(folder):
        free = shutil.disk_usage(folder).free
    if content.size > free and not target.is_dir():
        raise RunForgeError(
            ErrorCode.STORE_NOT_WRITABLE,
            f"The store has {content.size:,} bytes, and {quote(folder, 200)} has space for"
            f" {free:,}.",
            hint="Free some space and try again.",
            path=str(folder),
        )


def _switch(
    store: StoreLayout, source: Path, target: Path, created_by: str, watch: WorkWatch
) -> dict[str, _File]:
    """Copy a store and let its workspace name the copy; return the files that were verified."""
    with writing(target.parent):
        target.parent.mkdir(exist_ok=True)
    remove_left(target.parent, store.name)
    with index_lock(store):
        content = _content(source)
        aside = store.workspace / _aside(store)
        comes_back = _is_own_root(store, target)
        if target.is_dir() and not comes_back:
            _compare_copy(source, target, content, watch)
            _compare_again(store, source, content)
        else:
            with staging_folder(target.parent, store.name) as staging:
                whole = staging / store.name
                _copy(source, whole, content, watch)
                if not comes_back:
                    _name_workspace(store, whole, created_by)
                _compare_again(store, source, content)
                rename_whole(whole, aside if comes_back else target)
        if not comes_back:
            with writing(aside):
                aside.symlink_to(target, target_is_directory=True)
        with writing(store.root):
            if not exchange_files(store.root, aside):
                # Two renames, on other systems: a process that is killed between them leaves a
                # workspace without a store, which the next call puts back.
                store.root.rename(aside.with_name(f"{aside.name}.old"))
                aside.rename(store.root)
            sync_folder(store.workspace)
    return content.files


def _copy(source: Path, target: Path, content: _Content, watch: WorkWatch) -> None:
    """Copy a store into a new folder, and read the copy again."""
    with writing(target):
        target.mkdir()
        for place in content.folders:
            (target / place).mkdir()
    copied = (_copy_one(source, target, name, file) for name, file in content.files.items())
    digests = dict(watch("Copying files", copied, len(content.files)))
    with writing(target):
        if sys.platform == "linux":
            os.sync()  # Waits for all at once: many times as fast as file by file.
        for place in ("", *content.folders):
            sync_folder(target / place)
    read = ((name, digest_file(target / name).sha256) for name in content.files)
    differing = [
        name
        for name, sha256 in watch("Verifying the copy", read, len(content.files))
        if digests[name] != sha256
    ]
    if differing:
        raise _differs(target, differing, "The copy of the store differs from it")


def _copy_one(source: Path, target: Path, name: str, file: _File) -> tuple[str, str]:
    sha256 = copy_file(source / name, target / name, sync=sys.platform != "linux", below=source)
    with writing(target / name):
        (target / name).chmod(file.mode)
        # An index that is made anew has the runs in the order of these times.
        os.utime(target / name, ns=(file.modified_ns, file.modified_ns))
    return name, sha256


def _compare_copy(source: Path, target: Path, content: _Content, watch: WorkWatch) -> None:
    """Compare the copy that a killed process left with the store, file by file."""
    names = sorted(content.files.keys() | _content(target).files.keys())
    same = map(partial(_is_same, source, target), names)
    compared = watch("Comparing files", same, len(names))
    differing = [name for name, is_same in zip(names, compared, strict=True) if not is_same]
    if differing:
        message = f"{quote(target, 200)} is an earlier copy of the store, which has changed since"
        raise _differs(target, differing, message)


def _differs(target: Path, names: list[str], message: str) -> RunForgeError:
    return RunForgeError(
        ErrorCode.VERIFICATION_FAILED,
        f"{message}; nothing was moved.",
        hint="Move it away, or name another folder.",
        path=str(target),
        problems=[
            Problem(f"{quote(name)} differs.", Location(path=as_text(target / name)))
            for name in names
        ],
    )


def _compare_again(store: StoreLayout, source: Path, content: _Content) -> None:
    """Raise ``STORE_BUSY`` if a store is, or was, written to since its files were found."""
    _refuse_busy(store)
    now = _content(source)
    if now != content:
        names = {name for name, file in now.files.items() if content.files.get(name) != file}
        names |= content.files.keys() - now.files.keys()
        shown = f": {quote(min(names))}" if names else ""
        raise RunForgeError(
            ErrorCode.STORE_BUSY,
            f"The store was written to while it was copied{shown}; nothing was moved.",
            hint="Try again when nothing trains.",
            path=str(source),
        )


def _name_workspace(store: StoreLayout, folder: Path, created_by: str) -> None:
    """Write the document that makes the link of the workspace count, unless it is there."""
    workspace = os.path.realpath(store.workspace)
    known = place_document(folder)
    if known is not None and known["workspace"] == workspace:
        return
    document = {
        "schema_version": "store_place.v1",
        "workspace": workspace,
        "recorded_at": read_clock().now(),
        "created_by": created_by,
    }
    validate(document, "store_place.v1")
    write_file(folder / PLACE, encode_json(document))


def _aside(store: StoreLayout) -> str:
    return f".{store.name.removeprefix('.')}.moved-{os.urandom(8).hex()}"


def _asides(store: StoreLayout) -> Iterator[Path]:
    """Yield what earlier switches, or processes that were killed, left in the workspace."""
    start = f".{store.name.removeprefix('.')}"
    for entry in list_folder(store.workspace):
        if entry.name.startswith(start) and _ASIDE.fullmatch(entry.name.removeprefix(start)):
            yield store.workspace / entry.name


def _put_back(store: StoreLayout) -> None:
    """Give a store its name back, which a process took that was killed between two renames."""
    for aside in _asides(store):
        if aside.name.endswith(".old") and not os.path.lexists(store.root):
            with writing(store.root):
                aside.rename(store.root)


def _finish(
    store: StoreLayout,
    current: Path,
    target: Path,
    known: Mapping[str, _File],
    watch: WorkWatch,
) -> list[Path]:
    """Remove what is left of earlier places of a store; return the files that stay.

    Parameters
    ----------
    store
        The store.
    current
        Where it lies.
    target
        Where it is to lie: a copy there stays.
    known
        Files of which a copy was verified by this process.
    watch
        Shows how far it is.
    """
    kept, workspace = list[Path](), os.path.realpath(store.workspace)
    for aside in _asides(store):
        place = Path(os.path.realpath(aside))
        left = list[Path]()
        if not aside.is_symlink():
            left = _remove_same(aside, current, known, watch)
        elif place not in (current, target) and place.is_dir():
            document = place_document(place)
            is_ours = document is not None and document["workspace"] == workspace
            # Of what a killed process removed, the last to stay is an empty folder.
            if not is_ours and list_folder(place):
                continue
            left = _remove_same(place, current, known, watch)
        if aside.is_symlink() and not left:
            with writing(aside):
                aside.unlink(missing_ok=True)
        kept += left
    with writing(store.workspace):
        sync_folder(store.workspace)
    return kept


def _remove_same(old: Path, new: Path, known: Mapping[str, _File], watch: WorkWatch) -> list[Path]:
    """Remove the files of a folder that another one has as well; return those that stay."""
    with reading(old):
        items = list(walk_folder(old))
    # The files that a store changes come first: of those that stay the same, a killed process
    # leaves copies that are removed at any later time.
    files = sorted(
        (item for item in items if item.kind != "folder" and item.place != PLACE),
        key=lambda item: ("/" in item.place, item.place),
    )

    def remove(item: Any) -> Path | None:
        if item.kind != "file":
            return Path(item.path)
        with writing(item.path):
            verified = known.get(item.place)
            if (verified is not None and verified == _look(item.path)) or _is_same(
                old, new, item.place
            ):
                remove_below(item.path, old)
                return None
        return Path(item.path)

    removed = watch("Removing the earlier copy", map(remove, files), len(files))
    kept = [path for path in removed if path is not None]
    with writing(old):
        for item in sorted(items, key=lambda item: item.place, reverse=True):
            if item.kind == "folder" and not any(item.path.iterdir()):
                item.path.rmdir()
        if not kept:
            (old / PLACE).unlink(missing_ok=True)
            old.rmdir()
            sync_folder(old.parent)
    return kept


def _is_same(one: Path, other: Path, name: str) -> bool:
    """Return whether two folders have the same file of a name."""
    try:
        return digest_file(one / name, below=one) == digest_file(other / name, below=other)
    except RunForgeError:
        return False
