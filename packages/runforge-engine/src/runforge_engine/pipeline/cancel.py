"""Cancel a run from another process, by a lock on the file that the run started with.

A run checks from time to time whether another process holds a write lock on its ``request.json``,
or on the ``config.yaml`` of an experiment's run. Taking that lock requires permission to write the
run's files, so the file system decides who may cancel a run. No process id is used, which could
have been reused, and nothing is left behind: the lock ends with the process that holds it. It works
for every run, whether a command, an editor or a notebook started it.

Source: specification, section 12.7; fcntl(2), "Advisory record locking".
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import run_folders
from runforge_contracts.store.run import Run
from runforge_contracts.system.system_files import READING, open_without_link
from runforge_contracts.system.system_locks import ask_holder, is_asked

from runforge_engine.runtime.cancellation import Cancellation
from runforge_engine.runtime.folder_lock import holder_of, is_held, wait_until_free

#: How long to wait for the end of a run, in seconds; it usually takes two.
PATIENCE = 10.0
_PAUSE = 0.02


@contextlib.contextmanager
def stoppable(
    folder: Path, cancellation: Cancellation, file: str = layout.REQUEST
) -> Iterator[None]:
    """Let :func:`stop` cancel the run in ``folder``, which contains ``file``."""
    try:
        descriptor = open_without_link(folder / file)
    except OSError:
        yield  # It can be cancelled by signals only.
        return
    try:
        with cancellation.listening(lambda: _asked(descriptor)):
            yield
    finally:
        os.close(descriptor)


def running(stores: Sequence[StoreLayout]) -> Iterator[Run]:
    """Yield the running runs in ``stores``, the newest first."""
    folders = [path for store in stores for path in run_folders(store)]
    for path in sorted(folders, key=lambda path: path.name, reverse=True):
        if not (path / layout.RESULT).exists() and is_held(path):
            yield Run(path)


def stop(path: Path, *, patience: float = PATIENCE) -> Run:
    """Ask the run in the folder ``path`` to end, wait until it has, and return it.

    Parameters
    ----------
    path
        The run folder.
    patience
        How long to wait, in seconds.

    Raises
    ------
    RunForgeError
        ``RUN_ALREADY_COMPLETE`` where the run has ended in another way, before or meanwhile;
        ``RUN_NOT_RUNNING`` where it is not running; ``STORE_NOT_WRITABLE`` for the run of another
        user; ``STORE_BUSY`` where it has not ended in time.
    """
    held = is_held(path)
    if held and (path / layout.RESULT).exists():
        wait_until_free([path])  # The run has ended, even if another process holds the folder.
        held = False
    if held is not True:
        _refuse_unless_running(path, held)
    ask_to_end(path, layout.REQUEST, lambda: (path / layout.RESULT).exists(), patience)
    folder = Run(path)
    if folder.status != "cancelled":
        _refuse_unless_running(path, False)
    return folder


def ask_to_end(path: Path, file: str, has_ended: Callable[[], bool], patience: float) -> None:
    """Ask the run in the folder ``path`` to end, and wait until it has.

    Parameters
    ----------
    path
        The run folder.
    file
        The file that the run started with.
    has_ended
        Returns whether the run has recorded its end. The folder's lock does not show that, because
        every user who can read the folder can hold it.
    patience
        How long to wait, in seconds.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_WRITABLE`` for the run of another user, ``STORE_BUSY`` where it has not ended in
        time.
    """
    with _asking(path, file) as ask:
        deadline = time.monotonic() + patience
        while is_held(path) is not False and not has_ended():
            if time.monotonic() > deadline:
                raise _no_answer(path, patience)
            ask()
            time.sleep(_PAUSE)
    wait_until_free([path])


def _refuse_unless_running(path: Path, held: bool | None) -> None:
    """Raise the error for a run that is not running."""
    folder = Run(path)
    name = quote(path.name)
    if folder.result is not None or (folder.record is not None and held is False):
        raise RunForgeError(
            ErrorCode.RUN_ALREADY_COMPLETE,
            f"The run {name} has ended already: {folder.status}.",
            path=str(path),
        )
    if held is None and (path / layout.EVENTS).exists():
        return  # Unknown until it ends.
    started = (path / layout.EVENTS).exists()
    raise RunForgeError(
        ErrorCode.RUN_NOT_RUNNING,
        f"No process of this machine executes the run {name}:"
        + (" it was interrupted." if started else " it has not started."),
        hint="A run on another machine is cancelled there."
        if started
        else "`runforge run --run-dir` starts it.",
        path=str(path),
    )


def _no_answer(path: Path, patience: float) -> RunForgeError:
    holder = holder_of(path)
    return RunForgeError(
        ErrorCode.STORE_BUSY,
        f"The run {quote(path.name)} has not ended within {patience:g} seconds"
        + (f"; it is held by {holder}." if holder else "."),
        hint="Its process may be stopped, run on another machine, or be of an older version; end"
        " it there.",
        path=str(path),
    )


@contextlib.contextmanager
def _asking(path: Path, file: str) -> Iterator[Callable[[], None]]:
    """Yield a function that asks the run to end; the request lasts as long as the context."""
    request = path / file
    try:
        descriptor = open_without_link(request, READING | os.O_WRONLY)
    except OSError as error:
        raise RunForgeError(
            ErrorCode.STORE_NOT_WRITABLE,
            f"The run {quote(path.name)} cannot be cancelled from here, because its files cannot"
            f" be written: {(error.strerror or str(error)).lower()}.",
            hint="The user who started it can cancel it.",
            path=str(request),
        ) from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise RunForgeError(
                ErrorCode.FILE_UNSAFE, f"{quote(request, 200)} is not a file.", path=str(request)
            )

        yield lambda: ask_holder(descriptor)
    finally:
        os.close(descriptor)


def _asked(descriptor: int) -> str | None:
    """Return the reason to end the run of this request, if another process asks for it."""
    return "The run was cancelled from another process." if is_asked(descriptor) else None
