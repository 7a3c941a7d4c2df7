"""The events of a run as the editor extension reads them, which has other names for presets.

The record keeps the events as the contract has them. Here, each event has what the extension needs
to accept it: the preset as ``std-train`` or ``hq-train``, the model family in ``train_started``.

Source: specification, section 16.4.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import encode_json_line
from runforge_contracts.diagnostics import Diagnostic
from runforge_engine.pipeline.observer import Observer
from runforge_engine.runtime.cancellation import Cancellation
from runforge_engine.runtime.clock import read_clock
from runforge_engine.store.run_view import editor_preset

from ml_runner.editor_markers import mark_view
from ml_runner.editor_output import say

#: The step that follows each event, by the extension's names.
_STEPS = {
    "run_start": "dataset_loading",
    "dataset_loaded": "training",
    "train_finished": "metrics_computation",
    "metrics_computed": "artifact_writing",
    "artifacts_written": "shutdown",
}


class EditorEvents(Observer):
    """Writes events on standard error, and warnings of the run on standard output.

    Parameters
    ----------
    folder
        The editor's folder for the run.
    run_dir
        That folder as documents name it.
    quiet
        Whether to write nothing on standard output.
    is_view
        Whether the record of the run is elsewhere.
    """

    def __init__(
        self,
        folder: Path,
        run_dir: str,
        cancellation: Cancellation,
        *,
        quiet: bool,
        is_view: bool,
    ) -> None:
        self._is_view = is_view
        self._folder, self._run_dir = folder, run_dir
        self._cancellation, self._quiet = cancellation, quiet
        self._family: str | None = None
        self._made_progress = False
        #: The current step of the run, by the extension's names.
        self.step = _STEPS["run_start"]

    def on_event(self, event: dict[str, Any]) -> None:
        """Write the event as the extension reads it."""
        name, more = event["event"], dict[str, Any]()
        if name == "run_start":
            self._family = event["model_family"]
            if self._is_view:
                mark_view(self._folder, event["run_id"])
            more = {
                "preset_id": editor_preset(event["preset_id"]),
                "out_dir": self._folder.as_posix(),
            }
        elif name == "train_started":
            more = {"model_family": self._family}
        elif name == "train_progress":
            self._made_progress = True
        elif name == "train_finished" and not self._made_progress:
            # A model that is fitted in one go: the extension waits for progress.
            progress = {"event": "train_progress", "epoch": 1, "total_epochs": 1}
            _write({**event, **progress}, without="duration_seconds")
        elif name == "artifacts_written":
            more = {"run_dir": self._run_dir}
        elif name == "cancelling":
            more = {"step": self.step}
        elif name == "run_cancelled":
            more = {"step": self.step, "reason": self._cancellation.look(), "graceful": True}
        elif name == "run_failed":
            return  # The extension does not know it; the error follows as text.
        self.step = _STEPS.get(name, self.step)
        _write({**event, **more})

    def on_diagnostic(self, diagnostic: Diagnostic) -> None:
        """Print warnings, and notes; the error that ends a run is printed at its end."""
        if diagnostic.severity != "error" and not self._quiet:
            with contextlib.suppress(OSError):
                say(f"{diagnostic.severity}: {diagnostic.message}")

    def cancelled_before(self, run_id: str, seconds: float) -> None:
        """Write the events of a run that was cancelled before it had a record."""
        common = {"timestamp": read_clock().now_for_event(), "run_id": run_id}
        self.on_event({"event": "cancelling", **common, "seconds_remaining": seconds})
        self.on_event({"event": "run_cancelled", **common})


def _write(event: dict[str, Any], without: str | None = None) -> None:
    """Write an event as one line; a closed stream does not stop the run."""
    line = {key: value for key, value in event.items() if key != without and value is not None}
    with contextlib.suppress(OSError):
        sys.stderr.write(encode_json_line(line).decode())
        sys.stderr.flush()
