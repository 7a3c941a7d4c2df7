"""Locks as POSIX systems have them.

Source: flock(2); fcntl(2), "Advisory record locking" and "Leases"; proc(5), ``/proc/locks`` and
``/proc/pid/fd``; fcntl(2) of macOS, ``F_GETPATH``.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import sys
from pathlib import Path
from typing import Self

from runforge_contracts.display import printable

assert sys.platform != "win32"  # noqa: S101 - for type checkers


class DescriptorLock:
    """An open folder that can be locked, and is found again when it is renamed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def open(cls, folder: Path) -> Self | None:
        """Return the lock of a folder, not taken yet; None where the folder cannot be opened."""
        try:
            return cls(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW))
        except OSError:
            return None

    def take(self, *, shared: bool) -> bool | None:
        """Take it and return True; False where another process has it, None without locks."""
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except OSError as error:
            return False if error.errno in (errno.EWOULDBLOCK, errno.EACCES) else None
        return True

    def close(self) -> None:
        """Give it back, unless another process has inherited it."""
        os.close(self._descriptor)

    @property
    def inheritable(self) -> int:
        """What a process inherits that keeps the folder locked until it has ended, too."""
        return self._descriptor

    def find(self, known: Path) -> Path | None:
        """Return where the folder is that was at ``known``; None where it was deleted."""
        held = os.fstat(self._descriptor)
        if _is_folder(known, held):
            return known
        path = _path_of(self._descriptor)
        # Some file systems change the inode number of a folder; then the kernel's path counts.
        if path is not None and (path == Path(os.path.realpath(known)) or _is_folder(path, held)):
            return path
        return None


def _is_folder(path: Path, held: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.stat(), held)
    except OSError:
        return False


def _path_of(descriptor: int) -> Path | None:
    """Return the path of an open folder; None where it was deleted or the path is unknown."""
    try:
        if sys.platform == "darwin":
            path = os.fsdecode(fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0"))
        else:
            path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
    except OSError:
        return None
    return Path(path) if os.path.isdir(path) else None  # noqa: PTH112 - it may be no path at all


def ask_holder(descriptor: int) -> None:
    """Ask the process that looks at a file with :func:`is_asked`, until the file is closed.

    The descriptor is open for writing: who may not write the file cannot ask.
    """
    # The process itself takes the lock for a moment to look, and others may ask, too.
    with contextlib.suppress(OSError):
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_asked(descriptor: int) -> bool:
    """Return whether another process asks for the end of what is done with an open file."""
    try:
        # Shared, so that only a write lock is in the way, which needs write permission.
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.lockf(descriptor, fcntl.LOCK_UN)
    except OSError as error:
        return error.errno in (errno.EACCES, errno.EAGAIN)
    return False


def refuse_readers(descriptor: int) -> None:
    """Raise ``OSError`` if another process has the file open, or if the system cannot tell."""
    if sys.platform == "linux":
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    else:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))


def holder_of(path: Path) -> str | None:
    """Return the process that holds a lock on a file or folder, for display; None if unknown."""
    try:
        status = path.stat()
        device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
        inode = f"{device}:{status.st_ino}"
        for line in Path("/proc/locks").read_text("ascii").splitlines():
            fields = line.split()
            if len(fields) == 8 and fields[1] == "FLOCK" and fields[5] == inode:
                name = Path(f"/proc/{int(fields[4])}/comm").read_text("utf-8", "replace")
                return f"process {int(fields[4])} ({printable(name.strip())})"
    except (OSError, ValueError):
        pass
    return None
