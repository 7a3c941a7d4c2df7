"""Work that can be left: it runs in a thread of its own while the caller's stays awake.

Native code of the numeric libraries, and imports, go on for seconds or minutes in which Python
answers no signal. So they are waited for, and not waited for any longer once the run is cancelled.
What runs aside must not write into a run folder: nothing stops it after it was left.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Check = Callable[[], None]
T = TypeVar("T")

#: How often a waiting thread looks whether it is still to wait, in seconds.
POLL = 0.05

_stragglers: set[threading.Thread] = set()


def stragglers_running() -> bool:
    """Tell whether work that was left is still in native code; nothing can stop it from outside."""
    return any(thread.is_alive() for thread in _stragglers)


def run_aside(
    work: Callable[[threading.Event], T], check: Check, *, ended: Check | None = None
) -> T:
    """Return what ``work`` returns, or raise what it raises.

    Parameters
    ----------
    work
        Called in a daemon thread with an event that is set when nobody waits for it any more.
    check
        Called in this thread again and again; what it raises ends the waiting.
    ended
        Called in the thread when the work has really ended, also where nobody waits.
    """
    stop, results, failures = threading.Event(), list[T](), list[BaseException]()
    endings = [ended] if ended else []

    def target() -> None:
        try:
            results.append(work(stop))
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is awaited
            failures.append(error)
        finally:
            if endings:
                endings.pop()()

    thread = threading.Thread(target=target, name="runforge-work", daemon=True)
    try:
        check()
        thread.start()
    except BaseException:
        if endings and not thread.is_alive():
            endings.pop()()
        raise
    try:
        while thread.is_alive():
            check()
            thread.join(POLL)
    except BaseException:
        stop.set()
        _stragglers.add(thread)
        raise
    for error in failures:
        raise error
    return results[0]
