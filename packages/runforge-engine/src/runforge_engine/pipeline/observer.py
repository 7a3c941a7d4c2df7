"""How a run is watched: one object that is told what happens, as it happens."""

from __future__ import annotations

from typing import Any

from runforge_contracts.diagnostics import Diagnostic


class Observer:
    """Watch a run; this one ignores everything, a subclass takes what it wants to see.

    The methods are called in the thread that runs
    :func:`~runforge_engine.pipeline.execute.execute`.
    """

    def on_event(self, event: dict[str, Any]) -> None:
        """Take an object of the schema ``events.v1``, in the order of the contract."""

    def on_diagnostic(self, diagnostic: Diagnostic) -> None:
        """Take a diagnostic of the run."""
