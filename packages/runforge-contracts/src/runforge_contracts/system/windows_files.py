"""Files as Windows has them.

Folders cannot be opened there, and a file that a program has open can neither be replaced nor
removed. So a replacement is tried again for a moment, because most readers are done by then.

Source: Microsoft, "Naming Files, Paths, and Namespaces", ``CreateFileW``, ``MoveFileExW``.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

#: How files are read: byte by byte as they are, and not by child processes.
READING = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
#: As :data:`READING`, of files that the user names, where links are followed.
FOLLOWING = READING
#: What is called the time of the last change there is that of creation.
KEEPS_CHANGE_TIMES = False
#: Whether a file can be replaced that a program has open.
REPLACES_OPEN_FILES = False
#: Whether every user can make symbolic links.
USERS_MAKE_LINKS = False

#: How long to wait until a file that is open elsewhere can be replaced, in seconds.
PATIENCE = 2.0
_PAUSE = 0.01
#: ``MAX_PATH``: the length of a path, with the character that ends it.
_MAX_PATH = 260


def open_without_link(path: str | Path, flags: int = READING) -> int:
    """Return a descriptor of ``path``; raise ``OSError``, with ``ELOOP`` for a symbolic link."""
    if Path(path).is_symlink():
        raise OSError(errno.ELOOP, "symbolic link")
    return os.open(path, flags | READING)


def open_below(path: Path, below: Path) -> int:
    """Return a descriptor for reading ``path``, without a link on the way from ``below``.

    A part that is replaced by a link between the check and the use is not noticed. Raises
    ``OSError``.
    """
    _refuse_links(path, below)
    return open_without_link(path)


def rename_below(source: Path, target: Path, below: Path) -> None:
    """Give a file or folder another name, without a link on the way from ``below`` to either.

    As :func:`open_below`, and as :func:`replace_file`.
    """
    _refuse_links(source, below)
    _refuse_links(target, below)
    replace_file(source, target)


def remove_below(path: Path, below: Path) -> None:
    """Remove a file, without a link on the way from ``below``, as :func:`open_below`."""
    _refuse_links(path, below)
    path.unlink()


def _refuse_links(path: Path, below: Path) -> None:
    folder = below
    for part in path.relative_to(below).parts[:-1]:
        folder /= part
        if folder.is_symlink():
            raise OSError(errno.ELOOP, "symbolic link")


def replace_file(source: Path, target: Path) -> None:
    """Give a file or folder another name; a file that has the name is replaced.

    Raises ``OSError``, with ``EBUSY`` where a program has one of the files open for too long, or
    the permissions forbid it: the system tells these apart no better.
    """
    _patiently(lambda: source.replace(target), target)


def _patiently(work: Callable[[], object], path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            work()
        except PermissionError as error:
            if time.monotonic() > deadline:
                reason = error.strerror or "access is denied"
                raise OSError(errno.EBUSY, reason, str(path)) from error
        else:
            return
        time.sleep(_PAUSE)


def exchange_files(one: Path, two: Path) -> bool:
    """Return False: the system has no such call."""
    return False


def rename_new_folder(folder: Path, target: Path) -> None:
    """Give a folder a name that nothing has; raise ``FileExistsError`` if something has it.

    Raises ``OSError``.
    """
    folder.rename(target)


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that is in it, files that are read-only, too. Raises ``OSError``."""
    import shutil  # late: few commands need it

    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(stat.S_IWRITE)
    shutil.rmtree(folder)


def hard_link(source: Path, target: Path) -> None:
    """Give a file a second name, and never replace a file. Raises ``OSError``."""
    os.link(source, target)


def sync_file(descriptor: int) -> None:
    """Make the content of a file that is open for writing durable. Raises ``OSError``."""
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Do nothing: the file system keeps names in its journal."""


def reserve(descriptor: int, begin: int, size: int) -> None:
    """Take the space for ``size`` bytes from ``begin`` on the disk. Raises ``OSError``."""
    os.lseek(descriptor, begin, os.SEEK_SET)
    piece = bytes(2**20)
    while size:
        size -= os.write(descriptor, piece[:size])


def is_too_long(path: Path) -> bool:
    """Return whether there can be no file at ``path`` unless the system allows long paths.

    The system says no more than that it does not find such a path.
    """
    return len(str(path.absolute())) >= _MAX_PATH


def has_permissions() -> bool:
    """Return whether the mode of a file says who may read it."""
    return False


def is_private(found: os.stat_result) -> bool:
    """Return False: the mode of a file does not say who can write to it."""
    return False
