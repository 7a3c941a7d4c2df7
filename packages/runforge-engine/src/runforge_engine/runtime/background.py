"""Run work in a background thread, so that the calling thread can react to a cancellation.

Native code of the numeric libraries, and imports, run for seconds or minutes in which Python
handles no signal. The caller waits for them here, and stops waiting once the run is cancelled.
Background work must not write into a run folder: nothing stops it once the caller has given up.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from runforge_contracts.shared_work import usable_cores

Check = Callable[[], None]
T = TypeVar("T")
Item = TypeVar("Item")

#: How often a waiting thread checks whether to go on waiting, in seconds.
POLL = 0.05

#: Threads whose result has not been collected.
_uncollected: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def stragglers_running() -> bool:
    """Report whether abandoned work is still running; nothing can stop native code."""
    return any(thread.is_alive() for thread in _uncollected)


class BackgroundTask(Generic[T]):
    """Work that was started in a background thread."""

    def __init__(self, work: Callable[[threading.Event], T], on_end: Check | None) -> None:
        self._stop = threading.Event()
        self._results: list[T] = []
        self._failures: list[BaseException] = []
        self._callbacks = [on_end] if on_end else []
        self._thread = threading.Thread(
            target=self._run, args=(work,), name="runforge-work", daemon=True
        )
        try:
            self._thread.start()
        except BaseException:
            if not self._thread.is_alive():
                self._end()
            raise
        _uncollected.add(self._thread)

    def result(self, check: Check) -> T:
        """Wait, and return what the work returns or raise what it raises.

        ``check`` is called repeatedly; an exception that it raises ends the waiting.
        """
        try:
            check()
            while self._thread.is_alive():
                self._thread.join(POLL)
                check()
        except BaseException:
            self._stop.set()
            raise
        _uncollected.discard(self._thread)
        for error in self._failures:
            raise error
        return self._results[0]

    def _run(self, work: Callable[[threading.Event], T]) -> None:
        try:
            self._results.append(work(self._stop))
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is awaited
            self._failures.append(error)
        finally:
            self._end()

    def _end(self) -> None:
        if self._callbacks:
            self._callbacks.pop()()


def start_in_background(work: Callable[[], T]) -> BackgroundTask[T]:
    """Start ``work`` in a daemon thread, and return the task to wait for later, or never."""
    return BackgroundTask(lambda _: work(), None)


def run_in_background(work: Callable[[], T], check: Check) -> T:
    """Return what ``work`` returns, or raise what it raises.

    Parameters
    ----------
    work
        Called in a daemon thread.
    check
        Called repeatedly in this thread; an exception that it raises ends the waiting.
    """
    return run_stoppable(lambda _: work(), check)


def run_soon(work: Callable[[], T], check: Check, *, quick: bool) -> T:
    """Return what ``work`` returns, in this thread where it is ``quick``, else in the background.

    To start a thread and to wait for it takes longer than many a piece of work on a small table.
    """
    if not quick:
        return run_in_background(work, check)
    check()
    return work()


def run_stoppable(
    work: Callable[[threading.Event], T], check: Check, *, on_end: Check | None = None
) -> T:
    """Run ``work`` as :func:`run_in_background` does, and ask it to stop when the waiting ends.

    Parameters
    ----------
    work
        Called in a daemon thread with an event that is set when its result is no longer needed.
    check
        As in :func:`run_in_background`.
    on_end
        Called once the work has ended, in its thread; also where the waiting ended before it.
    """
    try:
        check()
    except BaseException:
        if on_end:
            on_end()
        raise
    return BackgroundTask(work, on_end).result(check)


def in_threads(work: Callable[[Item], object], items: Sequence[Item]) -> None:
    """Call ``work`` with each of the items, in as many threads as there are cores.

    For native code that lets other threads run. Raises what ``work`` raises.
    """
    threads = min(usable_cores(), len(items))
    waiting = iter(items)

    def take() -> None:
        for item in waiting:
            work(item)

    tasks = [start_in_background(take) for _ in range(threads - 1)]
    take()
    for task in tasks:
        task.result(lambda: None)
