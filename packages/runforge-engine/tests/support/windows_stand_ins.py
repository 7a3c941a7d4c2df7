"""Stand-ins for the calls of Windows, which behave on Linux as their documentation says.

What they show is that the code for Windows does what it should if Windows does what it says.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import os
import shutil
import signal
import stat
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

#: ``ERROR_FILE_NOT_FOUND``, ``ERROR_LOCK_VIOLATION``, ``ERROR_ALREADY_EXISTS``.
_NOT_FOUND, _LOCKED, _EXISTS = 2, 33, 183
_NEW_GROUP, _SUSPENDED, _BREAK = 0x200, 0x4, 1
_RECORD = struct.Struct("hhqqi4x")  # struct flock


class Kernel:
    """``kernel32``: named objects are files that somebody has locked; handles are descriptors."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.error = 0
        self.jobs: dict[int, list[int]] = {}

    def _object(self, name: str) -> tuple[int, bool]:
        """Return a handle of a named object, and whether it is the first."""
        assert name.startswith("Global\\"), name
        path = self._folder / hashlib.sha256(name.encode()).hexdigest()
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            first = True
        except OSError:
            first = False
        fcntl.flock(handle, fcntl.LOCK_SH)
        return handle, first

    def CreateMutexW(self, security: None, owner: bool, name: str) -> int:  # noqa: N802
        handle, first = self._object(name)
        self.error = 0 if first else _EXISTS
        return handle

    def OpenMutexW(self, access: int, inherit: bool, name: str) -> int | None:  # noqa: N802
        handle, first = self._object(name)
        if not first:
            return handle
        os.close(handle)
        self.error = _NOT_FOUND
        return None

    def CloseHandle(self, handle: int) -> bool:  # noqa: N802
        if handle in self.jobs:
            self.TerminateJobObject(handle, 1)
            del self.jobs[handle]
        else:
            os.close(handle)
        return True

    def LockFileEx(self, handle: int, flags: int, _: int, low: int, high: int, at: Any) -> bool:  # noqa: N802
        assert (flags & 1, low, high) == (1, 1, 0), "fails at once, one byte"
        return self._lock(handle, fcntl.F_WRLCK if flags & 2 else fcntl.F_RDLCK, at)

    def UnlockFileEx(self, handle: int, _: int, low: int, high: int, at: Any) -> bool:  # noqa: N802
        return self._lock(handle, fcntl.F_UNLCK, at)

    def _lock(self, handle: int, kind: int, at: Any) -> bool:
        place = at._obj
        start = place.offset | place.offset_high << 32
        # Of the open file, as there, and not of the process.
        record = _RECORD.pack(kind, os.SEEK_SET, start, 1, 0)
        try:
            fcntl.fcntl(handle, fcntl.F_OFD_SETLK, record)
        except BlockingIOError:
            self.error = _LOCKED
            return False
        return True

    def CreateJobObjectW(self, security: None, name: None) -> int:  # noqa: N802
        job = -1 - len(self.jobs)
        self.jobs[job] = []
        return job

    def SetInformationJobObject(self, job: int, kind: int, limits: Any, size: int) -> bool:  # noqa: N802
        assert (kind, size, limits._obj.flags) == (9, ctypes.sizeof(limits._obj), 0x2000)
        return True

    def AssignProcessToJobObject(self, job: int, process: int) -> bool:  # noqa: N802
        self.jobs[job].append(process)
        return True

    def TerminateJobObject(self, job: int, code: int) -> bool:  # noqa: N802
        for process in self.jobs[job]:
            try:
                os.killpg(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return True

    def QueryInformationJobObject(  # noqa: N802
        self, job: int, kind: int, counts: Any, size: int, length: None
    ) -> bool:
        assert (kind, size) == (1, ctypes.sizeof(counts._obj))
        counts._obj.active_processes = sum(map(_is_group_alive, self.jobs[job]))
        return True


def _is_group_alive(group: int) -> bool:
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            return True
    return False


def start_as_windows() -> None:
    """Let :class:`subprocess.Popen` take the arguments that it has on Windows only."""
    start: Callable[..., None] = subprocess.Popen.__init__

    def started(self: Any, command: Sequence[str], **options: Any) -> None:
        flags = options.pop("creationflags", 0)
        assert not flags & ~(_NEW_GROUP | _SUSPENDED)
        handles = getattr(options.pop("startupinfo", None), "lpAttributeList", {})
        assert not options.keys() & {"pass_fds", "preexec_fn", "process_group"}
        for handle in handles.get("handle_list", ()):
            assert os.get_inheritable(handle)
        start(
            self,
            command,
            **options,
            start_new_session=bool(flags & _NEW_GROUP),
            pass_fds=handles.get("handle_list", ()),
        )
        self._handle = self.pid

    subprocess.Popen.__init__ = started  # type: ignore[method-assign]
    vars(subprocess)["STARTUPINFO"] = SimpleNamespace
    vars(os)["set_handle_inheritable"] = os.set_inheritable
    kill = os.kill

    def killed(process: int, number: int) -> None:
        if number == _BREAK:  # to the group, as ``CTRL_BREAK_EVENT``
            os.killpg(process, signal.SIGTERM)
        else:
            kill(process, number)

    os.kill = killed


def _refused(number: int, path: Any, windows: int) -> PermissionError:
    error = PermissionError(number, "The process cannot access the file", str(path))
    vars(error)["winerror"] = windows
    return error


def is_open(path: Any) -> bool:
    """Return whether a process has the file, or a file in the folder, open."""
    try:
        found = Path(path).lstat()
    except OSError:
        return False
    place = os.path.realpath(path)
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        inside = stat.S_ISDIR(found.st_mode) and target.startswith(place + os.sep)
        if target == place or inside:
            return True
    return False


def guard_open_files() -> None:
    """Let nothing be renamed, replaced or removed that a process has open, and no folder opened."""
    opened, rename, replace = os.open, os.rename, os.replace
    unlink, rmdir, fsync = os.unlink, os.rmdir, os.fsync

    def open_file(path: Any, flags: int, mode: int = 0o777, *, dir_fd: None = None) -> int:
        assert dir_fd is None
        # Temporary files without a name are another thing there.
        if Path(path).is_dir() and flags & os.O_TMPFILE != os.O_TMPFILE:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, flags, mode)

    def renamed(source: Any, target: Any) -> None:
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "Cannot create a file that exists", str(target))
        if is_open(source):
            raise _refused(errno.EACCES, source, 32)
        rename(source, target)

    def replaced(source: Any, target: Any) -> None:
        if is_open(source):
            raise _refused(errno.EACCES, source, 32)
        if is_open(target) or Path(target).is_dir():
            raise _refused(errno.EACCES, target, 5)
        replace(source, target)

    def removed(path: Any, *, dir_fd: None = None) -> None:
        assert dir_fd is None
        # The library of the lock has another way on Windows, which is not simulated.
        if is_open(path) and not str(path).endswith(".lock"):
            raise _refused(errno.EACCES, path, 32)
        if not os.lstat(path).st_mode & stat.S_IWUSR:
            raise _refused(errno.EACCES, path, 5)
        unlink(path)

    def folder_removed(path: Any, *, dir_fd: None = None) -> None:
        assert dir_fd is None
        if is_open(path):
            raise _refused(errno.EACCES, path, 32)
        rmdir(path)

    def synced(descriptor: int) -> None:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        fsync(descriptor)

    os.open, os.rename, os.replace = open_file, renamed, replaced
    os.unlink = os.remove = removed
    os.rmdir, os.fsync = folder_removed, synced
    os.supports_dir_fd.clear()
    vars(shutil)["_use_fd_functions"] = False


def choose_windows(kernel: Kernel) -> None:
    """Let the code of this process take the ways of Windows."""
    from runforge_contracts.system import windows_api

    start_as_windows()
    guard_open_files()
    stand_in: Any = vars(windows_api)
    stand_in["kernel"] = lambda: kernel
    stand_in["last_error"] = lambda: kernel.error
    stand_in["native"] = lambda: SimpleNamespace(NtResumeProcess=lambda handle: 0)
    stand_in["runtime"] = lambda: SimpleNamespace(
        get_osfhandle=lambda descriptor: descriptor, open_osfhandle=lambda handle, flags: handle
    )
    platform = sys.platform
    sys.platform = "win32"
    try:
        from runforge_contracts.system import (  # noqa: F401
            system_files,
            system_locks,
            system_processes,
        )
    finally:
        sys.platform = platform
