"""The event log of a run: events and diagnostics, written to the logs and sent to the observer.

Source: specification, sections 15.1 to 15.3.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from runforge_contracts.codec.strict_json import encode_json_line
from runforge_contracts.diagnostics import Diagnostic, raw_diagnostic
from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import writing
from runforge_contracts.recorded_diagnostics import placed_message
from runforge_contracts.store import layout

from runforge_engine.pipeline.observer import Observer
from runforge_engine.provenance.privacy import Shortening
from runforge_engine.runtime.clock import Clock


class EventLog:
    """Events and diagnostics of one run, in the order in which they happen.

    Opening it claims the run: of two processes only one can create the event log.
    """

    def __init__(
        self,
        folder: Path,
        run_id: str,
        clock: Clock,
        observer: Observer,
        shortening: Shortening | None = None,
    ) -> None:
        #: Removes what a private run does not record; the observer receives everything.
        self._shortening = shortening
        self.run_id = run_id
        self._clock = clock
        self._observer = observer
        #: The current step of the run, which a cancellation records.
        self.step = "start"
        #: The diagnostics recorded so far.
        self.diagnostics: list[Diagnostic] = []
        events = folder / layout.EVENTS
        with writing(events):
            events.parent.mkdir(exist_ok=True)
            try:
                self._events = events.open("xb", buffering=0)
            except FileExistsError:
                raise RunForgeError(
                    ErrorCode.RUN_ALREADY_COMPLETE,
                    f"A run was started in {quote(folder, 200)} before.",
                    hint="A run folder is used once; `runforge rerun` repeats a run in a new one.",
                    path=str(folder),
                ) from None
            self._log = (folder / layout.TRAIN_LOG).open("xb", buffering=0)
        self._folder = folder

    def event(self, name: str, **fields: Any) -> None:
        """Record that something happened; ``fields`` are those of the schema ``events.v1``."""
        event = {
            "event": name,
            "timestamp": self._clock.now_for_event(),
            "run_id": self.run_id,
            **fields,
        }
        if self._shortening is not None and "message" in fields:
            fields["message"] = self._shortening.text(fields["message"])
        self._write(self._events, encode_json_line({**event, **fields}))
        details = " ".join(f"{key}={json.dumps(value)}" for key, value in fields.items())
        self._write_line(f"{name} {details}".rstrip())
        self._observer.on_event(event)

    def diagnose(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Record diagnostics of the run."""
        for diagnostic in diagnostics:
            recorded = diagnostic
            if self._shortening is not None:
                recorded = self._shortening.diagnostic(diagnostic)
            self.diagnostics.append(recorded)
            message = placed_message(raw_diagnostic(recorded))
            self._write_line(f"{recorded.severity} {recorded.code}: {message}")
            self._observer.on_diagnostic(diagnostic)

    def _write_line(self, text: str) -> None:
        line = f"{self._clock.now_for_event()} {printable(text)}\n"
        self._write(self._log, line.encode("utf-8", "backslashreplace"))

    def _write(self, file: FileIO, data: bytes) -> None:
        # Unbuffered, line by line: everything that happened before a crash or a full disk is
        # in the file.
        with writing(self._folder):
            while data:
                data = data[file.write(data) :]

    def close(self) -> None:
        """Close the logs; nothing can be recorded afterwards."""
        self._events.close()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
