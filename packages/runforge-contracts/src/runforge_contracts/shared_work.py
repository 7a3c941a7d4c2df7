"""Do one thing with each of many items, on all cores, and show how far it is.

The items are shared out to copies of this process, which have read what all of them need. Results
come in the order of the items, through pipes that hold only a few, so that memory does not grow
with their number.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, islice, repeat
from typing import IO, Any, NoReturn, Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Fewer items than these take less time than copying the process does.
WORTH_SHARING = 100
_MIB = 2**20


class WorkWatch(Protocol):
    """Give the results of a stage as they come, and show how many there are."""

    def __call__(
        self, stage: str, results: Iterable[Result], total: int, unit: str = ""
    ) -> Iterable[Result]:
        """Return ``results``; ``stage`` says what is done, as in ``Verifying runs``.

        ``unit`` is what the results are, where that is not clear from the stage: ``MiB``.
        """


def unwatched(
    stage: str, results: Iterable[Result], total: int, unit: str = ""
) -> Iterable[Result]:
    """Return the results of a stage that nobody watches."""
    return results


@contextmanager
def watched_bytes(watch: WorkWatch, stage: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many of ``total`` bytes are done, in MiB.

    The context is a function that is called with the number of bytes of each piece.
    """
    waiting, shown = 0, iter(watch(stage, repeat(None, total // _MIB), total // _MIB, "MiB"))

    def done(size: int) -> None:
        nonlocal waiting
        waiting += size
        while waiting >= _MIB:
            waiting -= _MIB
            next(shown, None)

    try:
        yield done
    finally:
        # A bar that was drawn goes.
        if isinstance(shown, Generator):
            shown.close()


def usable_cores() -> int:
    """Return how many processors this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    else:  # noqa: RET505 - for type checkers
        return os.cpu_count() or 1


def in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int
) -> Iterator[Result]:
    """Yield ``work(item)`` for each item, in order.

    Parameters
    ----------
    work
        What is done with an item. Its results can be pickled, and it can be done again: that is
        done here where the process that did it has died.
    items
        The items.
    jobs
        How many processes share them. One process does all where there are few, where the system
        cannot copy a process, or where this one has other threads, which a copy would not have.
    """
    jobs = min(jobs, len(items) // (WORTH_SHARING // 2))
    if sys.platform == "linux" and jobs > 1 and threading.active_count() == 1:
        yield from _in_copies(work, items, jobs)
    else:
        yield from map(work, items)


def ahead(results: Iterator[Result]) -> Iterator[Result]:
    """Let the processes of :func:`in_processes` begin now, and return the same results."""
    # The first result is found here, and the others from when the second one is asked for.
    return chain(list(islice(results, 2)), results)


if sys.platform == "linux":

    def _in_copies(
        work: Callable[[Item], Result], items: Sequence[Item], jobs: int
    ) -> Iterator[Result]:
        # The first item loads what all need, once.
        yield work(items[0])
        items = items[1:]
        children, sources = list[int](), list[IO[bytes]]()
        gc.freeze()  # Looking for garbage would touch, and thereby copy, all memory that is shared.
        try:
            for share in range(jobs):
                receiving, sending = os.pipe()
                child = os.fork()
                if child == 0:
                    _do_share(work, items[share::jobs], sending, [receiving, *_numbers(sources)])
                children.append(child)
                os.close(sending)
                sources.append(os.fdopen(receiving, "rb"))
            for number, item in enumerate(items):
                yield _next(sources[number % jobs], work, item)
        finally:
            for source in sources:
                source.close()
            for child in children:
                with suppress(OSError):
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)
            gc.unfreeze()


def _numbers(files: Iterable[IO[bytes]]) -> list[int]:
    return [file.fileno() for file in files]


def _next(source: IO[bytes], work: Callable[[Item], Result], item: Item) -> Result:
    """Return the next result of a process; do the work here if it has ended."""
    import pickle  # Only here: commands that read model files do without it.

    try:
        result: Result = pickle.load(source)  # noqa: S301 - a copy of this process wrote it
    except (EOFError, pickle.UnpicklingError):
        return work(item)  # Raises what the other process ended by, unless that was killed.
    return result


def _do_share(
    work: Callable[[Item], Any], items: Iterable[Item], sending: int, others: Iterable[int]
) -> NoReturn:
    """Write the results of some items to a pipe, and end; end early where nobody reads them."""
    import pickle

    try:
        # The process that was copied decides on an interrupt; its end closes the pipe.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for other in others:
            os.close(other)
        with os.fdopen(sending, "wb") as file:
            for item in items:
                pickle.dump(work(item), file, pickle.HIGHEST_PROTOCOL)
    finally:
        os._exit(0)
