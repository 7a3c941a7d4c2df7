"""Cancel a run: a token that one side sets and the other checks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runforge_contracts.errors import ErrorCode, RunForgeError


class Cancellation:
    """A request to end a run early; safe to set from a signal handler or another thread."""

    def __init__(self) -> None:
        self._reason: str | None = None
        self._requested = threading.Event()
        self._listen: Callable[[], str | None] = lambda: None
        self._last: list[Callable[[], None]] = []
        #: The signal that requested the end, if any; it is passed on to other processes.
        self.signal: int | None = None

    def cancel(self, reason: str = "The run was cancelled.", signal: int | None = None) -> None:
        """Request the end; the first reason is kept."""
        if self._reason is None:
            self._reason, self.signal = reason, signal
        self._requested.set()

    @property
    def requested(self) -> bool:
        """Whether the end was requested."""
        return self._requested.is_set()

    @contextmanager
    def listening(self, listen: Callable[[], str | None]) -> Iterator[None]:
        """Call ``listen`` at each check, too: it returns the reason to end the run, or None."""
        before, self._listen = self._listen, listen
        try:
            yield
        finally:
            self._listen = before

    @contextmanager
    def at_once(self, work: Callable[[], None]) -> Iterator[None]:
        """Also call ``work`` when the process is about to end at once; see :meth:`abandon`."""
        self._last.append(work)
        try:
            yield
        finally:
            self._last.remove(work)

    def abandon(self) -> None:
        """Call the functions of :meth:`at_once`, before the process ends at once."""
        for work in self._last:
            work()

    def look(self) -> str | None:
        """Return the reason to end the run if there is one, also of the functions listened to."""
        reason = None if self.requested else self._listen()
        if reason is not None:
            self.cancel(reason)
        return self._reason if self.requested else None

    def check(self) -> None:
        """Raise ``CANCELLED`` if the end was requested."""
        reason = self.look()
        if reason is not None:
            raise RunForgeError(ErrorCode.CANCELLED, reason)
