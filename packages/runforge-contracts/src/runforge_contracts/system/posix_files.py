"""Files as POSIX systems have them: Linux and macOS.

Source: open(2), link(2), fsync(2), renameat2(2), renamex_np(2); fcntl(2) of macOS,
``F_FULLFSYNC``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from pathlib import Path

assert sys.platform != "win32"  # noqa: S101 - for type checkers

#: How files are read: links are not followed, and nothing waits for a pipe.
READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
#: As :data:`READING`, of files that the user names, where links are followed.
FOLLOWING = READING & ~os.O_NOFOLLOW
#: Whether the system keeps the time of the last change of a file, also of its permissions.
KEEPS_CHANGE_TIMES = True
#: Whether a file can be replaced that a program has open.
REPLACES_OPEN_FILES = True
#: Whether every user can make symbolic links.
USERS_MAKE_LINKS = True

_AT_FDCWD = -100
#: ``RENAME_EXCHANGE`` of Linux and ``RENAME_SWAP`` of macOS.
_EXCHANGE = 2


def open_without_link(path: str | Path, flags: int = READING) -> int:
    """Return a descriptor of ``path``; raise ``OSError``, with ``ELOOP`` for a symbolic link."""
    return os.open(path, flags | os.O_NOFOLLOW)


def open_below(path: Path, below: Path) -> int:
    """Return a descriptor for reading ``path``, without a link on the way from ``below``.

    Each part is opened in the folder that was opened before, so none can be replaced by a link
    between a check and its use. Raises ``OSError``.
    """
    depth = len(below.parts)
    if path.parts[:depth] != below.parts:
        raise ValueError(f"{path} is not below {below}")
    found = os.open(below, FOLLOWING)
    for part in path.parts[depth:]:
        folder = found
        try:
            found = os.open(part, READING, dir_fd=folder)
        finally:
            os.close(folder)
    return found


def rename_below(source: Path, target: Path, below: Path) -> None:
    """Give a file or folder another name, without a link on the way from ``below`` to either.

    Raises ``OSError``, with ``ELOOP`` for a link.
    """
    first = open_below(source.parent, below)
    try:
        second = open_below(target.parent, below)
        try:
            os.rename(source.name, target.name, src_dir_fd=first, dst_dir_fd=second)
        finally:
            os.close(second)
    finally:
        os.close(first)


def remove_below(path: Path, below: Path) -> None:
    """Remove a file, without a link on the way from ``below``. Raises ``OSError``."""
    folder = open_below(path.parent, below)
    try:
        os.unlink(path.name, dir_fd=folder)
    finally:
        os.close(folder)


def replace_file(source: Path, target: Path) -> None:
    """Give a file or folder another name; a file that has the name is replaced.

    Readers that have the old file open go on reading it. Raises ``OSError``.
    """
    source.replace(target)


def exchange_files(one: Path, two: Path) -> bool:
    """Give each of two paths what the other one names; return False where the system cannot.

    Raises ``OSError``; both names are then as before.
    """
    return _rename(one, two, _EXCHANGE)


def _rename(one: Path, two: Path, flags: int) -> bool:
    """Rename with flags of the system; return False where it, or the file system, has no such call.

    Raises ``OSError``.
    """
    import ctypes  # late: few commands need it

    library = ctypes.CDLL(None, use_errno=True)
    first, second = os.fsencode(one), os.fsencode(two)
    try:
        if sys.platform == "darwin":
            failed = library.renamex_np(first, second, ctypes.c_uint(flags))
        else:
            here = _AT_FDCWD
            failed = library.renameat2(here, first, here, second, ctypes.c_uint(flags))
    except AttributeError:  # The library of the system is older than the call.
        return False
    number = ctypes.get_errno()
    if failed and number not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        raise OSError(number, os.strerror(number), str(one), None, str(two))
    return not failed  # Of those, the file system is the cause.


def rename_new_folder(folder: Path, target: Path) -> None:
    """Give a folder a name that nothing has; raise ``FileExistsError`` if something has it.

    Where the file system has no such call, an empty folder claims the name and is then replaced.
    Raises ``OSError``.
    """
    exclusive = 4 if sys.platform == "darwin" else 1  # RENAME_EXCL and RENAME_NOREPLACE
    if not _rename(folder, target, exclusive):
        target.mkdir()
        folder.rename(target)


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that is in it, files that are read-only, too. Raises ``OSError``."""
    import shutil  # late: few commands need it

    shutil.rmtree(folder)


def hard_link(source: Path, target: Path) -> None:
    """Give a file a second name, and never replace a file. Raises ``OSError``."""
    # Of a symbolic link, macOS would otherwise link what it leads to.
    os.link(source, target, follow_symlinks=False)


def sync_file(descriptor: int) -> None:
    """Make the content of an open file durable. Raises ``OSError``."""
    if sys.platform == "darwin":
        import fcntl

        # There, fsync leaves the content in the cache of the disk.
        with contextlib.suppress(OSError):  # as on a network share
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises ``OSError``."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        sync_file(descriptor)
    finally:
        os.close(descriptor)


def reserve(descriptor: int, begin: int, size: int) -> None:
    """Take the space for ``size`` bytes from ``begin`` on the disk. Raises ``OSError``."""
    if sys.platform == "linux":
        if size:
            os.posix_fallocate(descriptor, begin, size)
    else:
        os.lseek(descriptor, begin, os.SEEK_SET)
        piece = bytes(2**20)
        while size:
            size -= os.write(descriptor, piece[:size])


def is_too_long(path: Path) -> bool:
    """Return False: a path that is too long has an error of its own."""
    return False


def has_permissions() -> bool:
    """Return whether the mode of a file says who may read it."""
    return True


def is_private(found: os.stat_result) -> bool:
    """Return whether a file is the user's, and nobody else can write to it."""
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
