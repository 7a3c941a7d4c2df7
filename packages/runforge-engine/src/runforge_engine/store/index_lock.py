"""The lock that clients take in turns to write the index of a store.

Source: specification, section 5.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import writing
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.moved_store import is_stray_link

from runforge_engine.runtime.folder_lock import holder_of

#: How long an append waits for other processes, in seconds.
LOCK_TIMEOUT = 30.0


def refuse_linked_folders(store: StoreLayout) -> None:
    """Raise ``FILE_UNSAFE`` if a folder of the store that is written to is a symbolic link.

    The link of a workspace to its moved store counts as the store.
    """
    for folder in dict.fromkeys((store.root, store.runs, store.index.parent)):
        if is_stray_link(folder):
            raise RunForgeError(
                ErrorCode.FILE_UNSAFE,
                f"{quote(folder, 200)} is a symbolic link; a store is never written through one.",
                hint="`runforge store move` makes a link that counts. If it made this one, the disk"
                " of the store is missing, or the workspace was renamed since: move it again.",
                path=str(folder),
            )


@contextmanager
def index_lock(store: StoreLayout) -> Iterator[None]:
    """Lock the index of ``store`` for writing.

    Raises
    ------
    RunForgeError
        ``STORE_BUSY``, ``STORE_NOT_WRITABLE``, or ``FILE_UNSAFE`` if a folder of the store is a
        symbolic link.
    """
    from filelock import FileLock, Timeout

    refuse_linked_folders(store)
    path = store.index.with_suffix(".lock")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=LOCK_TIMEOUT)
        try:
            lock.acquire()
        except Timeout:
            holder = holder_of(path) or "another process"
            raise RunForgeError(
                ErrorCode.STORE_BUSY,
                f"The index has been held for {LOCK_TIMEOUT:.0f} seconds by {holder}.",
                hint="Wait for it to end; a lock never outlives its process.",
                path=str(path),
            ) from None
    try:
        yield
    finally:
        lock.release()
