"""Bring folders and files into a store: each is whole under its name, or not there.

A folder is completed beside its place under a hidden name and renamed. What a killed process leaves
is removed by the next one that brings the same folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from io import FileIO
from pathlib import Path
from tempfile import mkdtemp

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import open_file, reading, rename_new, writing
from runforge_contracts.store.moved_store import is_stray_link
from runforge_contracts.system.system_files import rename_below, sync_file, sync_folder

from runforge_engine.runtime.folder_lock import holding, is_held

_PIECE = 2**20
#: How the names of unfinished folders begin.
_HIDDEN = ".incoming-"


def copy_folder(
    source: Path,
    target: Path,
    files: Mapping[str, str],
    root: Path,
    done: Callable[[int], None] = lambda _: None,
) -> None:
    """Copy the files of a folder to a new one, which appears when it is complete.

    Parameters
    ----------
    source
        The folder.
    target
        The new folder.
    files
        SHA-256 of each file, by path in the folder.
    root
        The folder for the unfinished copy, on the same disk as the new one.
    done
        Called with the number of bytes of each piece that was copied.

    Raises
    ------
    RunForgeError
        As :func:`copy_file`; ``STORE_NOT_WRITABLE`` also where something has the name.
    """
    with staging_folder(root, target.name) as staging:
        whole = staging / target.name
        copy_files(source, whole, files, done)
        with writing(target):
            rename_below(whole, target, root)
            sync_folder(target.parent)


def copy_files(
    source: Path,
    target: Path,
    files: Mapping[str, str],
    done: Callable[[int], None] = lambda _: None,
) -> None:
    """Copy files of a folder, with their SHA-256, into a new one, and bring them to the disk.

    Raises
    ------
    RunForgeError
        As :func:`copy_file`.
    """
    for name, sha256 in files.items():
        copy_file(source / name, target / name, sha256, below=source.parent, done=done)
    with writing(target):
        for folder in {(target / name).parent for name in files} | {target}:
            sync_folder(folder)


def copy_file(
    source: Path,
    target: Path,
    sha256: str | None = None,
    *,
    sync: bool = True,
    below: Path | None = None,
    done: Callable[[int], None] = lambda _: None,
) -> str:
    """Copy a file, bring its bytes to the disk, and return their SHA-256.

    Without ``sync`` the caller brings them to the disk. No link is followed on the way from
    ``below`` to the source. ``done`` is called with the number of bytes of each piece.

    Raises
    ------
    RunForgeError
        ``VERIFICATION_FAILED`` if the copied bytes have another SHA-256 than the given one;
        ``FILE_NOT_FOUND``, ``FILE_UNSAFE``, ``FILE_UNREADABLE``, ``STORE_NOT_WRITABLE``.
    """
    digest = hashlib.sha256()
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with open_file(source, below=below) as file, target.open("xb") as copy:
            while piece := _read(file, source):
                digest.update(piece)
                copy.write(piece)
                done(len(piece))
            copy.flush()
            if sync:
                sync_file(copy.fileno())
    if sha256 not in (None, digest.hexdigest()):
        raise RunForgeError(
            ErrorCode.VERIFICATION_FAILED,
            f"{quote(source, 200)} was changed while it was copied.",
            hint="Try again when nobody writes there.",
            path=str(source),
        )
    return digest.hexdigest()


def copy_new(source: Path, target: Path, sha256: str | None = None) -> bool:
    """Copy a file to a name that nothing has; return False if something has it by now.

    Raises
    ------
    RunForgeError
        As :func:`copy_file`.
    """
    with staging_folder(target.parent, target.name) as staging:
        unfinished = staging / target.name
        copy_file(source, unfinished, sha256)
        with writing(target):
            try:
                rename_new(unfinished, target)
            except FileExistsError:
                return False
            sync_folder(target.parent)
    return True


def rename_whole(whole: Path, target: Path) -> None:
    """Give a complete folder its name, which fails if the name is taken by anything but nothing."""
    with writing(target):
        whole.rename(target)
        sync_folder(target.parent)


@contextlib.contextmanager
def staging_folder(root: Path, name: str) -> Iterator[Path]:
    """Create a hidden folder in ``root`` for what will be named ``name``; remove it at the end."""
    remove_left(root, name)
    with writing(root):
        staging = Path(mkdtemp(prefix=_prefix(name), dir=root))
    try:
        with holding(staging):
            staging.chmod(0o777 & ~_umask())
            yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def remove_left(root: Path, name: str | None = None) -> None:
    """Remove the hidden folders that killed processes left in ``root``: those for a name, or all.

    Nothing is removed where ``root`` is a link, or no folder.
    """
    for left in left_copies(root, name):
        shutil.rmtree(left, ignore_errors=True)


def left_copies(root: Path, name: str | None = None) -> list[Path]:
    """Return the hidden folders that killed processes left in ``root``, as :func:`remove_left`."""
    if is_stray_link(root) or not root.is_dir():
        return []
    prefix = _HIDDEN if name is None else _prefix(name)
    with writing(root):
        return [
            left
            for left in root.iterdir()
            if left.name.startswith(prefix)
            and not left.is_symlink()
            and left.is_dir()
            and is_held(left) is False
        ]


def _read(file: FileIO, path: Path) -> bytes:
    with reading(path):
        return file.read(_PIECE)


def _prefix(name: str) -> str:
    return f"{_HIDDEN}{name}-"


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
