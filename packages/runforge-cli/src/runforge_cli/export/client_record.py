"""The facts of a run that other clients show, in no client's form yet."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import open_file, read_all, reading
from runforge_contracts.run_ids import id_time
from runforge_contracts.store import layout
from runforge_contracts.store.layout import Place
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import RunSummary, summary_of
from runforge_engine.modeling.configuration import PRESET_ALIASES

from runforge_cli import CLIENT
from runforge_cli.export.mlflow_record import Record, milliseconds, record_of

#: How much of a log is read, in bytes: its end.
_LOG_BYTES = 4 * 2**20
#: The longest duration, in milliseconds, which is 24 days: clients have 32 bits for it.
_LONGEST = 2**31 - 1
_PRESETS = ("fast", "balanced", "thorough", "custom")
#: Logs of a run, the first of which counts: ours, and those of other clients.
_LOGS = (layout.TRAIN_LOG, "logs.txt", "stdout.log")
#: What is said of a run that ended without a word of its own.
_ENDINGS = {
    "failed": "The run failed.",
    "cancelled": "The run was cancelled.",
    "interrupted": "The run was interrupted: its process ended without a result.",
}


@dataclass(frozen=True, slots=True)
class ClientRecord:
    """A trained run that has ended, of any client and version."""

    run: Run
    #: ``succeeded``, ``failed``, ``cancelled``, ``interrupted`` or ``unknown``.
    status: str
    #: Milliseconds since 1970; both are the same if only one is known.
    started_at: int
    finished_at: int
    duration_ms: int
    #: The name that was given, or the id.
    name: str
    #: How the run ended, if it did not succeed: a message and the kind of error.
    error: tuple[str, str] | None
    summary: RunSummary
    #: The dataset, as an absolute path where it is found.
    dataset: str
    #: Finite final metrics by name.
    metrics: Mapping[str, float]
    request: Mapping[str, Any]
    tags: Sequence[str]
    notes: str

    @property
    def succeeded(self) -> bool:
        """Whether training completed; clients that record no end kept complete runs only."""
        return self.status in ("succeeded", "unknown")

    @property
    def private(self) -> bool:
        """Whether the run leaves out what identifies the user and the machine."""
        return is_private(self.summary)

    @property
    def preset(self) -> str:
        """The preset; ``custom`` where none is recorded, or one that only its client has."""
        preset = self.summary.model.preset or "custom"
        preset = PRESET_ALIASES.get(preset, preset)
        return preset if preset in _PRESETS else "custom"

    @property
    def client(self) -> str:
        """The client that wrote the request, or else the run; this one if none is recorded."""
        return self.summary.origin.client or CLIENT

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """Hyperparameters by name; recorded values, or else those of the request."""
        used = {name: value for name, (value, _) in self.summary.model.hyperparameters.items()}
        return used or dict((self.request.get("model") or {}).get("hyperparameters") or {})

    def document(self, file: str) -> dict[str, Any] | None:
        """Return the content of a document, or None if it is missing or cannot be read."""
        try:
            return self.run.content(file)
        except RunForgeError:
            return None

    def form(self, file: str) -> str | None:
        """Return the name of the schema of a document, or None if there is none to read."""
        try:
            document = self.run.document(file)
        except RunForgeError:
            return None
        return None if document is None else document.name

    def lines(self) -> list[str]:
        """Return the lines of the run's log, without the beginning of a very long one."""
        for name in _LOGS:
            try:
                with open_file(self.run.path / name) as file, reading(self.run.path / name):
                    size = os.fstat(file.fileno()).st_size
                    file.seek(max(0, size - _LOG_BYTES))
                    text = read_all(file, _LOG_BYTES).decode("utf-8", "replace")
            except RunForgeError:
                continue
            lines = re.split(r"\r\n|\r|\n", text)
            return [line for line in lines[size > _LOG_BYTES :] if line.strip()]
        return []

    def epochs(self) -> int:
        """Return the number of epochs of the training, or 0 if it is not known."""
        try:
            with open_file(self.run.path / layout.EVENTS) as file:
                text = read_all(file, _LOG_BYTES)
        except (RunForgeError, OSError):
            return 0
        total = 0
        for line in text.splitlines():
            try:
                event = parse_json(line)
            except RunForgeError:
                continue
            if isinstance(event, dict) and event.get("event") == "train_progress":
                epochs = event.get("total_epochs")
                total = epochs if type(epochs) is int and epochs > total else total
        return total


def client_record(run: Run, place: Place) -> ClientRecord | None:
    """Return the facts of ``run`` for other clients, or None if it has not ended.

    Raises
    ------
    RunForgeError
        If one of its documents cannot be read; ``FILE_UNSAFE`` if one of its folders is a link.
    """
    for folder in (layout.ARTIFACTS, layout.TRAIN_LOG.partition("/")[0]):
        if (run.path / folder).is_symlink():
            raise RunForgeError(
                ErrorCode.FILE_UNSAFE,
                f"Its folder {quote(folder)} is a symbolic link, which could lead anywhere.",
                path=str(run.path / folder),
            )
    record = record_of(run, place)
    if record is None:
        return None
    summary, result = summary_of(run), run.result or {}
    # The recorded times come before those that the list of runs calculates from the duration.
    finished = _first(milliseconds(result.get("finished_at")), record.finished_at)
    started = _first(milliseconds(result.get("started_at")), record.started_at, finished)
    recorded = summary.data.path or ""
    started = _from_id(run.id) if started is None else started
    finished = started if finished is None else finished
    duration = summary.outcome.duration_ms
    return ClientRecord(
        run=run,
        status=record.status,
        started_at=started,
        finished_at=finished,
        duration_ms=_within(int(duration) if duration is not None else finished - started),
        name=record.name,
        error=_error(record, summary),
        summary=summary,
        dataset=recorded if is_private(summary) else _found(recorded, place.workspace),
        metrics={name: value for name, value in run.metrics.items() if math.isfinite(value)},
        request=run.request or {},
        tags=record.tags,
        notes=record.notes,
    )


def is_private(summary: RunSummary) -> bool:
    """Return whether a run was asked to leave out what identifies the user and the machine."""
    return bool(summary.origin.provenance.get("left_out"))


def iso_time(milliseconds: int) -> str:
    """Return a time as whole seconds in UTC, ISO 8601 with ``Z``."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _within(duration: int) -> int:
    return min(max(duration, 0), _LONGEST)


def _first(*times: int | None) -> int | None:
    return next((time for time in times if time is not None), None)


def _from_id(run_id: str) -> int:
    """Return the start time in a run id, or 0."""
    time = id_time(run_id)
    return 0 if time is None else int(time.timestamp()) * 1000


def _error(record: Record, summary: RunSummary) -> tuple[str, str] | None:
    if record.status not in _ENDINGS:
        return None
    error = summary.outcome.error or {}
    kind = error.get("code") or error.get("type") or record.status.capitalize()
    return str(error.get("message") or _ENDINGS[record.status]), str(kind)


def _found(recorded: str, workspace: Path) -> str:
    """Return the absolute path of a dataset that is found, otherwise the recorded path."""
    try:
        path = workspace / recorded
        found = bool(recorded) and path.is_file()
    except (OSError, ValueError):
        return recorded
    return str(Path(os.path.abspath(path))) if found else recorded  # noqa: PTH100
