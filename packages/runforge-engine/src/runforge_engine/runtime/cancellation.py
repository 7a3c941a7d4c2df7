"""Cancelling a run: a token that is set by one side and looked at by the other."""

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
        #: The signal that asked for the end, if it was one; other processes are told by the same.
        self.signal: int | None = None

    def cancel(self, reason: str = "The run was cancelled.", signal: int | None = None) -> None:
        """Ask for the end; the first reason stays."""
        if self._reason is None:
            self._reason, self.signal = reason, signal
        self._requested.set()

    @property
    def requested(self) -> bool:
        """Whether the end was asked for."""
        return self._requested.is_set()

    @contextmanager
    def listening(self, listen: Callable[[], str | None]) -> Iterator[None]:
        """Ask ``listen`` at each check, too: it returns the reason to end the run, or None."""
        before, self._listen = self._listen, listen
        try:
            yield
        finally:
            self._listen = before

    @contextmanager
    def at_once(self, work: Callable[[], None]) -> Iterator[None]:
        """Do ``work``, too, where the process ends without further ado; see :meth:`abandon`."""
        self._last.append(work)
        try:
            yield
        finally:
            self._last.remove(work)

    def abandon(self) -> None:
        """Do what must not be left undone before the process ends at once."""
        for work in self._last:
            work()

    def look(self) -> str | None:
        """Return the reason to end the run if there is one, also from whoever is listened to."""
        reason = None if self.requested else self._listen()
        if reason is not None:
            self.cancel(reason)
        return self._reason if self.requested else None

    def check(self) -> None:
        """Raise ``CANCELLED`` if the end was asked for."""
        reason = self.look()
        if reason is not None:
            raise RunForgeError(ErrorCode.CANCELLED, reason)
