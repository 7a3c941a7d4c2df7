"""Cancelling a run: a token that is set by one side and looked at by the other."""

from __future__ import annotations

import threading

from runforge_contracts.errors import ErrorCode, RunForgeError


class Cancellation:
    """A request to end a run early; safe to set from a signal handler or another thread."""

    def __init__(self) -> None:
        self._reason: str | None = None
        self._requested = threading.Event()

    def cancel(self, reason: str = "The run was cancelled.") -> None:
        """Ask for the end; the first reason stays."""
        self._reason = self._reason or reason
        self._requested.set()

    @property
    def requested(self) -> bool:
        """Whether the end was asked for."""
        return self._requested.is_set()

    def check(self) -> None:
        """Raise ``CANCELLED`` if the end was asked for."""
        if self.requested:
            raise RunForgeError(ErrorCode.CANCELLED, self._reason or "The run was cancelled.")
