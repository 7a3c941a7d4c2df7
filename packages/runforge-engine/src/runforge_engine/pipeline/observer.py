"""Observe a run: one object receives its events and diagnostics as they happen."""

from __future__ import annotations

from typing import Any

from runforge_contracts.diagnostics import Diagnostic


class Observer:
    """Observe a run; this class ignores everything, a subclass overrides what it needs.

    The methods are called in the thread that runs
    :func:`~runforge_engine.pipeline.execute.execute`.
    """

    def on_event(self, event: dict[str, Any]) -> None:
        """Receive an object of the schema ``events.v1``, in the order of the contract."""

    def on_diagnostic(self, diagnostic: Diagnostic) -> None:
        """Receive a diagnostic of the run."""
