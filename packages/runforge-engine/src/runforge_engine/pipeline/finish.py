"""Finish a run: build ``result.json``, write the last documents and append the run to the index.

Source: specification, sections 5.5 and 7.1.
"""

from __future__ import annotations

import math
import time
import traceback
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import UNSET
from runforge_contracts.diagnostics import error_diagnostics
from runforge_contracts.display import quote
from runforge_contracts.documents import Document
from runforge_contracts.errors import CancelledError, RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import describe
from runforge_contracts.types import (
    DiagnosticsV1,
    EffectiveConfig,
    Provenance,
    RequestV1,
    ResultError,
    ResultSummary,
    ResultV1,
)

from runforge_engine.pipeline.event_log import EventLog
from runforge_engine.pipeline.plan import Start
from runforge_engine.pipeline.run_writer import RunWriter
from runforge_engine.provenance.collect import RemoteOrigin, collect_provenance
from runforge_engine.runtime.background import run_in_background
from runforge_engine.store.run_folders import append_entry

FinalStatus = Literal["succeeded", "failed", "cancelled"]

#: Within how many seconds a cancelled run finishes.
CANCEL_WITHIN = 2.0
#: How long to collect the provenance of a cancelled run, in seconds.
PROVENANCE_WITHIN = 1.0


def status_of(error: RunForgeError | None) -> FinalStatus:
    """Return the status of a run that finished with ``error``, or without one."""
    if error is None:
        return "succeeded"
    return "cancelled" if isinstance(error, CancelledError) else "failed"


def log_end(log: EventLog, error: RunForgeError, store: StoreLayout) -> None:
    """Log that the run failed or was cancelled."""
    if isinstance(error, CancelledError):
        log.event("cancelling", seconds_remaining=CANCEL_WITHIN)
        log.event("run_cancelled", step=log.step)
        return
    log.diagnose(error_diagnostics(error, store.workspace))
    log.event("run_failed", code=error.code.value, message=error.message)


def finish_run(
    writer: RunWriter,
    request: Document[RequestV1],
    store: StoreLayout,
    start: Start,
    log: EventLog,
    error: RunForgeError | None,
    *,
    config: EffectiveConfig | None = None,
    summary: ResultSummary | None = None,
    origin: RemoteOrigin | None = None,
) -> dict[str, Any]:
    """Write diagnostics, statement, manifest and result, and append the run to the index.

    Parameters
    ----------
    log
        The closed event log.
    error
        Why the run failed or was cancelled.
    config
        The configuration used; None where the request was refused.
    summary
        The metrics of a run that succeeded.
    origin
        The origin of a run whose workspace is not on this machine.

    Returns
    -------
    dict
        The raw ``result.json``, before anything is left out of it on request.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_WRITABLE``; what :func:`~runforge_engine.store.run_folders.append_entry` raises,
        once the run folder is complete.
    """
    result = _result(request, store, start, log.run_id, error, config, summary, origin)
    diagnostics = DiagnosticsV1(
        schema_version="diagnostics.v1", run_id=log.run_id, diagnostics=log.diagnostics
    )
    writer.write_struct(layout.DIAGNOSTICS, diagnostics)
    writer.add_logs()
    result = msgspec.structs.replace(result, artifacts=writer.artifacts())
    writer.finish(log.run_id, result)
    append_run(store, writer)
    raw: dict[str, Any] = msgspec.to_builtins(result)
    return raw


def _result(
    request: Document[RequestV1],
    store: StoreLayout,
    start: Start,
    run_id: str,
    error: RunForgeError | None,
    config: EffectiveConfig | None,
    summary: ResultSummary | None,
    origin: RemoteOrigin | None,
) -> ResultV1:
    """Return ``result.json`` without the list of artifacts."""
    provenance = None
    finished_at, now_ms = start.clock.now(), start.clock.monotonic_ms()
    if error is not None:
        hurry = isinstance(error, CancelledError)
        provenance = _provenance(request, store, origin, hurry=hurry)
    return ResultV1(
        version=1,
        run_id=run_id,
        status=status_of(error),
        started_at=start.at,
        finished_at=finished_at,
        duration_ms=now_ms - start.milliseconds,
        effective_config=config or UNSET,
        summary=summary or UNSET,
        provenance=provenance or UNSET,
        error=None if error is None else _error(error),
    )


def _error(error: RunForgeError) -> ResultError:
    cause = error.__cause__
    return ResultError(
        message=error.message,
        # The category of an error of ours follows from its code.
        type="RunForgeError" if cause is None else type(cause).__name__,
        code=error.code.value,
        hint=error.hint or UNSET,
        traceback="".join(traceback.format_exception(error)),
    )


def _provenance(
    request: Document[RequestV1], store: StoreLayout, origin: RemoteOrigin | None, *, hurry: bool
) -> Provenance | None:
    """Return the run's provenance; None where collecting it takes too long for a cancelled run."""
    deadline = time.monotonic() + (PROVENANCE_WITHIN if hurry else math.inf)

    def check() -> None:
        if time.monotonic() > deadline:
            raise TimeoutError

    client = request.raw["created_by"]
    try:
        raw = run_in_background(
            lambda: collect_provenance(store.workspace, store.name, client, origin=origin), check
        )
    except TimeoutError:
        return None
    return msgspec.convert(raw, Provenance)


def append_run(store: StoreLayout, writer: RunWriter) -> None:
    """Append a complete run to the index of its store; it stays complete where that fails.

    Raises
    ------
    RunForgeError
        What :func:`~runforge_engine.store.run_folders.append_entry` raises.
    """
    folder = writer.folder
    try:
        store = _store_of(folder, writer.hold.moved_from, store)
        append_entry(store, describe(writer.as_folder(), store))
    except RunForgeError as problem:
        hint = problem.hint or ""
        if folder.parent == store.runs and "index rebuild" not in hint:
            hint = f"{hint} `runforge index rebuild` lists the run when that is mended.".lstrip()
        raise RunForgeError(
            problem.code,
            f"The run is complete in {quote(store.relative(folder), 200)}, but it could not be"
            f" listed: {problem.message}",
            hint=hint or None,
            path=problem.location.path,
        ) from problem


def _store_of(folder: Path, moved_from: Path | None, store: StoreLayout) -> StoreLayout:
    """Return the run's store, which may have been renamed together with the run folder."""
    if moved_from is None or moved_from.parent != store.runs or folder.parent.name != "runs":
        return store
    root = folder.parents[1]
    return StoreLayout(root.parent, root.name)
