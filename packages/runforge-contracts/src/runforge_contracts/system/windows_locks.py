"""Locks as Windows has them.

A folder cannot be locked there, so its lock is a named object, which ends with the processes that
have it open. Its name is made of what identifies the folder on its disk, which a rename keeps.

Source: Microsoft, "Mutex Objects", "Kernel object namespaces", ``LockFileEx``.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from pathlib import Path
from typing import Any, Self

from runforge_contracts.system import windows_api as api

#: Where a file is locked to ask its holder: far behind its end, because what is locked there
#: cannot be read by others.
_FAR = 2**62


class MutexLock:
    """The lock of a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._handle: int | None = None

    @classmethod
    def open(cls, folder: Path) -> Self | None:
        """Return the lock of a folder, not taken yet; None where there is no such folder."""
        try:
            found = folder.lstat()
        except OSError:
            return None
        if not stat.S_ISDIR(found.st_mode):
            return None
        # Of all sessions of the machine, those of services included.
        return cls(folder, f"Global\\runforge-{found.st_dev:x}-{found.st_ino:x}")

    def take(self, *, shared: bool) -> bool | None:
        """Take it and return True; False where another process has it, None without locks.

        A shared lock only looks whether there is another one.
        """
        kernel = api.kernel()
        if shared:
            found = kernel.OpenMutexW(api.SYNCHRONIZE, False, self._name)
            if found:
                kernel.CloseHandle(found)
                return False
            return {api.NOT_FOUND: True, api.DENIED: False}.get(api.last_error())
        # That it exists is what counts, and not which thread owns it.
        made = kernel.CreateMutexW(None, False, self._name)
        error = api.last_error()
        if made and error != api.EXISTS:
            self._handle = made
            return True
        if made:
            kernel.CloseHandle(made)
        return False if error in (api.EXISTS, api.DENIED) else None

    def close(self) -> None:
        """Give it back, unless another process has inherited it."""
        if self._handle is not None:
            api.kernel().CloseHandle(self._handle)
            self._handle = None

    @property
    def inheritable(self) -> int:
        """What a process inherits that keeps the folder locked until it has ended, too."""
        if self._handle is None:
            raise ValueError("the lock was not taken")
        return self._handle

    def find(self, known: Path) -> Path | None:
        """Return where the folder is that was at ``known``; None where it was deleted.

        A folder with open files cannot be renamed there.
        """
        return known if known.is_dir() else None


def ask_holder(descriptor: int) -> None:
    """Ask the process that looks at a file with :func:`is_asked`, until the file is closed.

    The descriptor is open for writing: who may not write the file cannot ask.
    """
    _lock(descriptor, api.EXCLUSIVE)


def is_asked(descriptor: int) -> bool:
    """Return whether another process asks for the end of what is done with an open file."""
    if _lock(descriptor, 0):
        place = _place()
        handle = _handle_of(descriptor)
        api.kernel().UnlockFileEx(handle, 0, 1, 0, ctypes.byref(place))
        return False
    return api.last_error() == api.LOCKED


def _lock(descriptor: int, kind: int) -> bool:
    place = _place()
    flags = kind | api.FAIL_AT_ONCE
    taken = api.kernel().LockFileEx(_handle_of(descriptor), flags, 0, 1, 0, ctypes.byref(place))
    return bool(taken)


def _handle_of(descriptor: int) -> Any:
    return api.runtime().get_osfhandle(descriptor)


def _place() -> api.Offset:
    return api.Offset(offset=_FAR & 0xFFFFFFFF, offset_high=_FAR >> 32)


def refuse_readers(descriptor: int) -> None:
    """Raise ``OSError``: the system cannot tell whether another process has the file open."""
    raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))


def holder_of(path: Path) -> str | None:
    """Return None: the system does not tell which process holds a lock."""
    return None
