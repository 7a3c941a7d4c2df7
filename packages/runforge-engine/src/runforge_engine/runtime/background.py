"""Work that can be left: it runs in a thread of its own while the caller's stays awake.

Native code of the numeric libraries, and imports, go on for seconds or minutes in which Python
answers no signal. So they are waited for, and not waited for any longer once the run is cancelled.
What runs aside must not write into a run folder: nothing stops it after it was left.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

Check = Callable[[], None]
T = TypeVar("T")

#: How often a waiting thread looks whether it is still to wait, in seconds.
POLL = 0.05

#: Work that nobody has waited for, so far or any longer.
_left: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def stragglers_running() -> bool:
    """Tell whether work is still at it that nobody waits for; nothing can stop native code."""
    return any(thread.is_alive() for thread in _left)


class Aside(Generic[T]):
    """Work that has begun in a thread of its own."""

    def __init__(self, work: Callable[[threading.Event], T], ended: Check | None) -> None:
        self._stop = threading.Event()
        self._results: list[T] = []
        self._failures: list[BaseException] = []
        self._endings = [ended] if ended else []
        self._thread = threading.Thread(
            target=self._run, args=(work,), name="runforge-work", daemon=True
        )
        try:
            self._thread.start()
        except BaseException:
            if not self._thread.is_alive():
                self._end()
            raise
        _left.add(self._thread)

    def result(self, check: Check) -> T:
        """Wait, and return what the work returns or raise what it raises.

        What ``check`` raises, which is called again and again, ends the waiting.
        """
        try:
            check()
            while self._thread.is_alive():
                self._thread.join(POLL)
                check()
        except BaseException:
            self._stop.set()
            raise
        _left.discard(self._thread)
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
        if self._endings:
            self._endings.pop()()


def begin_aside(work: Callable[[threading.Event], T], *, ended: Check | None = None) -> Aside[T]:
    """Begin ``work`` and return it, to be waited for later or not at all.

    Parameters
    ----------
    work
        Called in a daemon thread with an event that is set when nobody waits for it any more.
    ended
        Called in the thread when the work has really ended, also where nobody waits.
    """
    return Aside(work, ended)


def run_aside(
    work: Callable[[threading.Event], T], check: Check, *, ended: Check | None = None
) -> T:
    """Return what ``work`` returns, or raise what it raises.

    Parameters
    ----------
    work, ended
        As in :func:`begin_aside`.
    check
        Called in this thread again and again; what it raises ends the waiting.
    """
    try:
        check()
    except BaseException:
        if ended:
            ended()
        raise
    return begin_aside(work, ended=ended).result(check)
