"""Observe a sweep: one object receives what happens, run by run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.diagnostics import Diagnostic
from runforge_contracts.errors import RunForgeError

if TYPE_CHECKING:
    from runforge_engine.sweeps.group_record import MemberState


class SweepObserver:
    """Observe a sweep; this class ignores everything, a subclass overrides what it needs.

    The methods are called in the thread that runs
    :func:`~runforge_engine.sweeps.run_sweep.run_sweep`.
    """

    def on_sweep(self, group_id: str, folder: Path, *, total: int, waiting: int, jobs: int) -> None:
        """Receive the group before its first run: its members, and those that are to be run."""

    def on_run_started(self, member: int, run_id: str) -> None:
        """Receive that the run of a member has its folder."""

    def on_event(self, member: int, event: dict[str, Any]) -> None:
        """Receive an object of the schema ``events.v1`` of the run of a member."""

    def on_diagnostic(self, member: int, diagnostic: Diagnostic) -> None:
        """Receive a diagnostic of the run of a member."""

    def on_run_ended(
        self, state: MemberState, result: dict[str, Any] | None, error: RunForgeError | None
    ) -> None:
        """Receive how the run of a member ended.

        A member that could not be run has no result, and is pending.
        """

    def on_notice(self, text: str) -> None:
        """Receive a sentence on something unusual, such as a worker that died."""

    def on_stopping(self, reason: str) -> None:
        """Receive that the sweep ends before all members were run, and why."""
