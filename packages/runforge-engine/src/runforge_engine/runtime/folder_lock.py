"""Lock the folder of a running run, and find out whether a run is still running.

The kernel's lock ends with its process and leaves no file behind, so a run folder contains only
what the contract names, and a copied folder is never locked. The lock is meaningful only for a run
without a result, because every user who can read a folder can lock it.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.system.system_locks import FolderLock
from runforge_contracts.system.system_locks import holder_of as holder_of

#: How long a run waits for a process that only checks the lock, in seconds.
_PATIENCE = 1.0
_PAUSE = 0.005


class Hold:
    """A run folder that this process has locked, and finds again when it is renamed."""

    def __init__(self, folder: Path, lock: FolderLock | None = None) -> None:
        self._folder = self._claimed = folder
        self._lock = lock

    @property
    def folder(self) -> Path:
        """The current path of the folder.

        Raises
        ------
        RunForgeError
            ``STORE_NOT_WRITABLE`` where it was deleted, or cannot be found again.
        """
        if self._lock is not None:
            path = self._lock.find(self._folder)
            if path is None:
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
    lock = FolderLock.open(folder)
    try:
        if lock is not None:
            deadline = time.monotonic() + _PATIENCE
            while lock.take(shared=False) is False and time.monotonic() < deadline:
                time.sleep(_PAUSE)
        yield Hold(folder, lock)
    finally:
        if lock is not None:
            lock.close()


@contextlib.contextmanager
def holding_alone(folder: Path, what: str, patience: float = _PATIENCE) -> Iterator[int | None]:
    """Lock ``folder`` for as long as the context lasts, and yield what other processes inherit.

    A process that inherits it keeps the folder locked until it has ended, too. Without locks in
    the file system nothing is locked, and None is yielded.

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
    lock, taken = FolderLock.open(folder), None
    try:
        if lock is not None:
            deadline = time.monotonic() + patience
            while (taken := lock.take(shared=False)) is False:
                if time.monotonic() > deadline:
                    holder = holder_of(folder) or "another process"
                    raise RunForgeError(
                        ErrorCode.GROUP_BUSY,
                        f"{what} is being executed by {holder}.",
                        hint="Wait for it to end, or cancel it with `runforge cancel`.",
                        path=str(folder),
                    )
                time.sleep(_PAUSE)
        yield lock.inheritable if lock is not None and taken else None
    finally:
        if lock is not None:
            lock.close()


def is_held(folder: Path) -> bool | None:
    """Tell whether a run is running in ``folder``; None where the system cannot tell."""
    lock = FolderLock.open(folder)
    if lock is None:
        return None
    try:
        free = lock.take(shared=True)
        return None if free is None else not free
    finally:
        lock.close()


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


def _missing(folder: Path) -> RunForgeError:
    return RunForgeError(
        ErrorCode.STORE_NOT_WRITABLE,
        f"The run's folder {quote(folder, 200)} was deleted while the run was running, or moved"
        " to an unknown location.",
        hint="Leave the store alone until its runs have ended, and train again.",
        path=str(folder),
    )
