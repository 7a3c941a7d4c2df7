"""Compute digests of all files in a folder, without following links that lead out of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import digest_file
from runforge_contracts.fs.folders import walk_folder


@dataclass(frozen=True, slots=True)
class FolderDigests:
    """The content of a folder, at every depth, by relative path with forward slashes."""

    #: SHA-256 of every file, in lowercase hex, sorted by path.
    files: dict[str, str]
    #: Items that are neither files nor folders, with a phrase for each: ``a symbolic link``.
    irregular: dict[str, str]


def digest_folder(folder: Path, *, careful: bool = False) -> FolderDigests:
    """Return the digests of all files in ``folder``; empty folders are ignored.

    With ``careful`` a folder that is replaced by a link meanwhile is not followed, either, which
    takes more calls of the system.

    Raises
    ------
    RunForgeError
        ``FILE_NOT_FOUND`` if there is no folder, ``FILE_UNSAFE`` if it is a symbolic link,
        ``FILE_UNREADABLE``.
    """
    if folder.is_symlink():
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(folder, 200)} is a symbolic link, which could lead anywhere.",
            hint="Name the folder itself.",
            path=str(folder),
        )
    if not folder.is_dir():
        raise RunForgeError(
            ErrorCode.FILE_NOT_FOUND,
            f"There is no folder {quote(folder, 200)}.",
            hint="Check the path.",
            path=str(folder),
        )
    files: dict[str, str] = {}
    irregular: dict[str, str] = {}
    try:
        for name, path, kind in walk_folder(folder):
            if kind == "link":
                irregular[name] = "a symbolic link"
            elif kind == "other":
                irregular[name] = "neither a file nor a folder"
            elif kind == "file" and not _is_text(name):
                irregular[name] = "a file whose name is not UTF-8"
            elif kind == "file":
                files[name] = digest_file(path, below=folder.parent if careful else None).sha256
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RunForgeError(
            ErrorCode.FILE_UNREADABLE,
            f"{quote(error.filename or folder, 200)} cannot be read: {reason}.",
            path=str(error.filename or folder),
        ) from None
    return FolderDigests(dict(sorted(files.items())), irregular)


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
