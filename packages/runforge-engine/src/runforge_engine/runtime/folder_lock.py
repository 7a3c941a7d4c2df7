"""Lock the folder of a running run, and find out whether a run is still running.

The kernel's lock ends with its process and leaves no file behind, so a run folder contains only
what the contract names, and a copied folder is never locked. The lock is meaningful only for a run
without a result, because every user who can read a folder can lock it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store import layout

#: How long a run waits for a process that only checks the lock, in seconds.
_PATIENCE = 1.0
_PAUSE = 0.005


class Hold:
    """A run folder that this process has locked, and finds again when it is renamed."""

    def __init__(self, folder: Path, descriptor: int | None = None) -> None:
        self._folder = self._claimed = folder
        self._descriptor = descriptor

    @property
    def folder(self) -> Path:
        """The current path of the folder.

        Raises
        ------
        RunForgeError
            ``STORE_NOT_WRITABLE`` where it was deleted, or cannot be found again.
        """
        if self._descriptor is None:
            return self._folder
        held = os.fstat(self._descriptor)
        if not _is_folder(self._folder, held):
            path = _path_of(self._descriptor)
            # Some file systems change the inode number of a folder; then the kernel's path counts.
            if path is None or not (
                path == Path(os.path.realpath(self._folder)) or _is_folder(path, held)
            ):
                raise _missing(self._folder)
            self._folder = path
        return self._folder

    @property
    def moved_from(self) -> Path | None:
        """The path at which the folder was claimed, if it was moved since."""
        return None if self.folder == self._claimed else self._claimed


@contextlib.contextmanager
def holding(folder: Path) -> Iterator[Hold]:
    """Lock ``folder`` as that of a running run, for as long as the context lasts.

    Without locks in the file system nothing is locked. The lock does not decide which process may
    write into the folder: the claim of the folder and of its event log does.
    """
    descriptor = _open(folder)
    try:
        if descriptor is not None:
            deadline = time.monotonic() + _PATIENCE
            while _lock(descriptor, shared=False) is False and time.monotonic() < deadline:
                time.sleep(_PAUSE)
        yield Hold(folder, descriptor)
    finally:
        if descriptor is not None:
            os.close(descriptor)


@contextlib.contextmanager
def holding_alone(folder: Path, what: str, patience: float = _PATIENCE) -> Iterator[int | None]:
    """Lock ``folder`` for as long as the context lasts, and yield the descriptor of the lock.

    A process that inherits the descriptor keeps the folder locked until it has ended, too. Without
    locks in the file system nothing is locked, and None is yielded.

    Parameters
    ----------
    folder
        An existing folder.
    what
        What is locked, for the message, such as ``The sweep grp_1``.
    patience
        How long to wait for another process, in seconds.

    Raises
    ------
    RunForgeError
        ``GROUP_BUSY`` where another process has the lock.
    """
    descriptor = _open(folder)
    try:
        if descriptor is not None:
            deadline = time.monotonic() + patience
            while (taken := _lock(descriptor, shared=False)) is False:
                if time.monotonic() > deadline:
                    holder = holder_of(folder) or "another process"
                    raise RunForgeError(
                        ErrorCode.GROUP_BUSY,
                        f"{what} is being executed by {holder}.",
                        hint="Wait for it to end, or cancel it with `runforge cancel`.",
                        path=str(folder),
                    )
                time.sleep(_PAUSE)
            if taken is None:
                os.close(descriptor)
                descriptor = None
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def is_held(folder: Path) -> bool | None:
    """Tell whether a run is running in ``folder``; None where the system cannot tell."""
    descriptor = _open(folder)
    if descriptor is None:
        return None
    try:
        free = _lock(descriptor, shared=True)
        return None if free is None else not free
    finally:
        os.close(descriptor)


def wait_until_free(folders: Iterable[Path]) -> None:
    """Wait for a moment until none of ``folders`` is held.

    For runs that have a result and are about to be listed and released. Every user who can read a
    folder can lock it for any time, so nothing depends on its being free.
    """
    deadline = time.monotonic() + _PATIENCE
    for folder in folders:
        while is_held(folder) and time.monotonic() < deadline:
            time.sleep(_PAUSE)


def state_of(folder: Path) -> Literal["running", "interrupted", "incomplete"]:
    """Return the state of the run in ``folder``, which has no result.

    ``incomplete``: it has not started, or its state is unknown.
    """
    # In this order: a run that has started and is not locked has ended.
    started = os.path.lexists(folder / layout.EVENTS)
    held = is_held(folder)
    if held:
        return "running"
    return "interrupted" if started and held is False else "incomplete"


def holder_of(path: Path) -> str | None:
    """Return the process that holds a lock on a file or folder, for display; None if unknown.

    Source: proc(5), ``/proc/locks``.
    """
    try:
        status = path.stat()
        device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
        inode = f"{device}:{status.st_ino}"
        for line in Path("/proc/locks").read_text("ascii").splitlines():
            fields = line.split()
            if len(fields) == 8 and fields[1] == "FLOCK" and fields[5] == inode:
                name = Path(f"/proc/{int(fields[4])}/comm").read_text("utf-8", "replace")
                return f"process {int(fields[4])} ({printable(name.strip())})"
    except (OSError, ValueError, AttributeError):
        pass
    return None


def _is_folder(path: Path, held: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.stat(), held)
    except OSError:
        return False


def _path_of(descriptor: int) -> Path | None:
    """Return the path of an open folder; None where it was deleted or the path is unknown.

    Source: proc(5), ``/proc/pid/fd``; fcntl(2) of macOS, ``F_GETPATH``.
    """
    try:
        if sys.platform == "darwin":
            import fcntl

            path = os.fsdecode(fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0"))
        else:
            path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
    except OSError:
        return None
    return Path(path) if os.path.isdir(path) else None  # noqa: PTH112 - it may be no path at all


def _missing(folder: Path) -> RunForgeError:
    return RunForgeError(
        ErrorCode.STORE_NOT_WRITABLE,
        f"The run's folder {quote(folder, 200)} was deleted while the run was running, or moved"
        " to an unknown location.",
        hint="Leave the store alone until its runs have ended, and train again.",
        path=str(folder),
    )


def _open(folder: Path) -> int | None:
    if sys.platform == "win32":
        return None  # A folder cannot be opened there.
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None


def _lock(descriptor: int, *, shared: bool) -> bool | None:
    """Take the lock and return True; False where another process has it, None without locks."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in (errno.EWOULDBLOCK, errno.EACCES) else None
    return True
