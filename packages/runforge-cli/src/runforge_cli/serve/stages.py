"""The progress of a run, as `progress` notifications have it."""

from __future__ import annotations

import time
from typing import Any

from runforge_contracts.diagnostics import Diagnostic
from runforge_engine.pipeline.observer import Observer

from runforge_cli.serve.call import Call

#: The stage that follows each event, and how it is shown.
_AFTER = {
    "run_start": ("preparing", "Preparing the data"),
    "dataset_loaded": ("preparing", "Preparing the data"),
    "train_started": ("training", "Training"),
    "train_progress": ("training", "Training"),
    "train_finished": ("evaluating", "Evaluating"),
    "metrics_computed": ("writing", "Writing the artifacts"),
    "artifacts_written": ("finishing", "Finishing"),
    "cancelling": ("cancelling", "Cancelling"),
}
#: An estimate from less than this many seconds of work is no better than none.
_TOO_EARLY = 1.0


class Stages:
    """Follows the events of one run."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def after(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """Return the parameters of the notification on an event, without the id of the request."""
        found = _AFTER.get(event["event"])
        if found is None:
            return None  # The answer tells how the run has ended.
        stage, message = found
        params = {"run_id": event["run_id"], "stage": stage, "message": message, "event": event}
        if event["event"] == "train_started":
            self._began = time.monotonic()
        if event["event"] == "train_progress" and event["total_epochs"]:
            done, total = event["epoch"], event["total_epochs"]
            params["fraction"] = min(done / total, 1.0)
            elapsed = time.monotonic() - self._began
            if done and elapsed >= _TOO_EARLY:
                params["seconds_left"] = elapsed * max(total - done, 0) / done
        return params


class CallObserver(Observer):
    """Tells the client of a request about its run."""

    def __init__(self, call: Call) -> None:
        self._call, self._stages = call, Stages()

    def on_event(self, event: dict[str, Any]) -> None:
        """Send the stage that follows an event."""
        params = self._stages.after(event)
        if params is not None:
            self._call.progress(params)

    def on_diagnostic(self, diagnostic: Diagnostic) -> None:
        """Send warnings and notes; errors are in the answer."""
        if diagnostic.severity != "error":
            self._call.warn(diagnostic.message, severity=diagnostic.severity, code=diagnostic.code)
