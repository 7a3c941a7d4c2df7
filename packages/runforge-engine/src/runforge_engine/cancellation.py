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

    def cancel(self, reason: str = "The run was cancelled.") -> None:
        """Ask for the end; the first reason stays."""
        self._reason = self._reason or reason
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

    def check(self) -> None:
        """Raise ``CANCELLED`` if the end was asked for."""
        reason = None if self.requested else self._listen()
        if reason is not None:
            self.cancel(reason)
        if self.requested:
            raise RunForgeError(ErrorCode.CANCELLED, self._reason or "The run was cancelled.")
