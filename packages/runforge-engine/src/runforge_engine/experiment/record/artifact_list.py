"""Write artifacts of a run, once and atomically.

It uses only the standard library, like the module that training scripts import.

Source: specification, section 17.9.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from pathlib import Path, PurePosixPath

from runforge_contracts.system.file_names import is_alias
from runforge_contracts.system.system_files import hard_link, replace_file, sync_file

#: Permissions of an artifact: read-only, also for its owner.
_READ_ONLY = 0o444


def place_of(name: str) -> PurePosixPath:
    """Return the path of an artifact below its folder.

    Raises
    ------
    ValueError
        For a name that is not a relative path with forward slashes, or is outside the folder.
    """
    place = PurePosixPath(name)
    if name != str(place) or place.is_absolute() or not place.parts or ".." in place.parts:
        raise ValueError(f"an artifact is named by a path such as 'plots/loss.png', not {name!r}")
    strange = any(character == "\\" or character < " " for character in name)
    if strange or not _is_text(name):
        raise ValueError(f"the name {name!r} has characters that a path should not have")
    if any(map(is_alias, place.parts)):
        raise ValueError(f"Windows takes the name {name!r} for another one: choose a plainer one")
    return place


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def check_way(folder: Path, place: PurePosixPath) -> None:
    """Raise ``OSError`` if a path component between ``folder`` and ``place`` is a symbolic link."""
    for parent in place.parents:
        if (folder / parent).is_symlink():
            raise OSError(errno.ELOOP, "the folder is a symbolic link", str(folder / parent))


def keep_artifact(
    source: str | os.PathLike[str] | bytes, folder: Path, place: PurePosixPath
) -> None:
    """Copy ``source``, a file or its bytes, to the relative path ``place`` in ``folder``.

    Raises
    ------
    FileExistsError
        Where the path exists.
    OSError
        Where the file cannot be read or written.
    """
    target = folder / place
    check_way(folder, place)
    target.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "artifacts are written once", str(target))
    unfinished = target.with_name(f".{os.urandom(8).hex()}.tmp")
    try:
        with unfinished.open("xb") as file:
            if isinstance(source, bytes):
                file.write(source)
            else:
                with Path(source).open("rb") as original:
                    shutil.copyfileobj(original, file, 2**20)
            file.flush()
            sync_file(file.fileno())
        publish(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    target.chmod(_READ_ONLY)  # Last: Windows removes no name of a file that is read-only.


def publish(unfinished: Path, target: Path) -> None:
    """Move the finished file to its final name, without replacing a file.

    The old name remains where the file system supports links. Raises ``FileExistsError``.
    """
    try:
        hard_link(unfinished, target)
    except FileExistsError:
        raise FileExistsError(
            errno.EEXIST, "files of a run are written once", str(target)
        ) from None
    except OSError:
        # A file system without links: the name is claimed first and then replaced.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
        replace_file(unfinished, target)


def protect(folder: Path) -> None:
    """Make all files in ``folder`` read-only, ignoring failures.

    Folders keep their permissions, so that Git and ``rm`` can remove them. No symbolic link is
    followed.
    """
    if folder.is_symlink():
        return
    for parent, _, names in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            with contextlib.suppress(OSError):
                status = path.lstat()
                if stat.S_ISREG(status.st_mode):
                    path.chmod(stat.S_IMODE(status.st_mode) & ~0o222 | 0o400)
