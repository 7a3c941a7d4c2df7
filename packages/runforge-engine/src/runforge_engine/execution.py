"""From a request to a recorded run: the order of the steps, and what becomes of each outcome.

What can be refused is refused before anything is written. From the moment the run has a folder,
every end - success, failure, cancellation - is recorded in ``result.json`` and in the index.

Source: run store contract, section 1; result.json contract; RunForge guarantees, "Lifecycle of a
Run".
"""

from __future__ import annotations

import contextlib
import math
import time
import traceback
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from runforge_contracts import layout
from runforge_contracts._generated.diagnostics_v1 import DiagnosticsV1
from runforge_contracts._generated.request_v1 import RequestV1
from runforge_contracts.diagnostics import Diagnostic, error_diagnostic
from runforge_contracts.documents import Document
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.layout import StoreLayout
from runforge_contracts.reading import RunFolder, describe
from runforge_contracts.run_ids import is_run_id, run_id_candidates
from runforge_contracts.text import quote

from runforge_engine.aside import run_aside
from runforge_engine.cancellation import Cancellation
from runforge_engine.holding import holding
from runforge_engine.journal import Journal
from runforge_engine.observer import Observer
from runforge_engine.plan import Plan, Start, make_plan
from runforge_engine.provenance import collect_provenance
from runforge_engine.record import RunRecord
from runforge_engine.stopping import stoppable
from runforge_engine.store import append_entry, claim_folder, take_folder

if TYPE_CHECKING:
    from runforge_engine.stages import Completed

#: Within how many seconds a cancelled run has ended.
CANCEL_WITHIN = 2.0
#: How long the origin of a cancelled run is looked for, in seconds.
PROVENANCE_WITHIN = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    run_id: str
    run_dir: Path
    status: Literal["succeeded", "failed", "cancelled"]
    #: The raw ``result.json``.
    result: dict[str, Any]
    #: Why the run failed or was cancelled.
    error: RunForgeError | None = None


def execute(
    request: Document[RequestV1],
    store: StoreLayout,
    *,
    folder: Path | None = None,
    cli_parameters: Collection[str] = (),
    notes: Sequence[Diagnostic] = (),
    observer: Observer | None = None,
    cancellation: Cancellation | None = None,
) -> Outcome:
    """Train as ``request`` asks, in a new run folder, and return how it ended.

    For results that are equal on every machine, call
    :func:`runforge_engine.numerics.pin_environment` before numpy is imported.

    Parameters
    ----------
    request
        A valid request.
    store
        The store that the run belongs to.
    folder
        A folder to put the run into instead of a new one of the store's; missing or empty. Where
        it is one of the store's and has the form of a run id, that is the id.
    cli_parameters
        Names of the hyperparameters that a person typed, to be recorded as such.
    notes
        What there is to say about the request, to be recorded among the diagnostics.
    observer
        Told of every event and diagnostic.
    cancellation
        Ends the run early; see :class:`~runforge_engine.cancellation.Cancellation`.

    Raises
    ------
    RunForgeError
        For what is wrong before the run has a folder: the configuration, the dataset's path, the
        store. What goes wrong later is in the outcome.
    """
    cancellation = cancellation or Cancellation()
    start = Start.now()
    plan = run_aside(
        lambda _: make_plan(request, store, start, cli_parameters, notes), cancellation.check
    )
    candidates = run_id_candidates(plan.start.at, request.raw, plan.source.sha256)
    if folder is None:
        folder = claim_folder(store, candidates)
        run_id = folder.name
    else:
        take_folder(folder)
        # Clients make ids of their own; among the runs of a store the folder's name is the id.
        chosen = folder.absolute().parent == store.runs and is_run_id(folder.name)
        run_id = folder.name if chosen else next(candidates)
    record = RunRecord(folder)
    with holding(folder):
        try:
            record.write_bytes(layout.REQUEST, request.encode())
        except BaseException:
            with contextlib.suppress(OSError):
                folder.rmdir()  # Nothing has begun, so nothing is left.
            raise
        with stoppable(folder, cancellation):
            return _run(plan, run_id, record, observer or Observer(), cancellation)


def execute_folder(
    folder: Path,
    store: StoreLayout,
    *,
    observer: Observer | None = None,
    cancellation: Cancellation | None = None,
) -> Outcome:
    """Train as the ``request.json`` in ``folder`` asks, there, and return how it ended.

    The folder's name is the run id. As :func:`execute` otherwise.

    Raises
    ------
    RunForgeError
        Also ``RUN_ID_INVALID``, and ``RUN_ALREADY_COMPLETE`` where a run was started before.
    """
    if not is_run_id(folder.name):
        raise RunForgeError(
            ErrorCode.RUN_ID_INVALID,
            f"The folder's name {quote(folder.name)} is not a run id.",
            hint="A run id looks like 20260201-120000-abc12345.",
            path=str(folder),
        )
    request = Document.load(folder / layout.REQUEST, RequestV1)
    for file in (layout.RESULT, layout.RUN, layout.STATEMENT, layout.MANIFEST):
        if (folder / file).exists():
            raise RunForgeError(
                ErrorCode.RUN_ALREADY_COMPLETE,
                f"The run in {quote(folder, 200)} has ended: there is a {file}.",
                hint="`runforge rerun` repeats a run in a new folder.",
                path=str(folder / file),
            )
    start, record, observer = Start.now(), RunRecord(folder), observer or Observer()
    cancellation = cancellation or Cancellation()
    with holding(folder), stoppable(folder, cancellation):
        try:
            plan = run_aside(lambda _: make_plan(request, store, start), cancellation.check)
        except RunForgeError as refusal:
            # The folder is there already, and whoever made it waits for a result.
            with Journal(folder, folder.name, start.clock, observer) as journal:
                asked = request.view
                journal.event("run_start", preset_id=asked.preset, model_family=asked.model.family)
                _tell_end(journal, refusal, store)
            result = _result(request, store, start, folder.name, refusal)
            _write_end(folder.name, record, journal.diagnostics, result)
            _list(store, record)
            return Outcome(folder.name, folder, _status(refusal), result, refusal)
        return _run(plan, folder.name, record, observer, cancellation)


def _run(
    plan: Plan, run_id: str, record: RunRecord, observer: Observer, cancellation: Cancellation
) -> Outcome:
    """Train in the claimed folder and record the end, whichever it is."""
    error: RunForgeError | None = None
    completed: Completed | None = None
    interrupt: KeyboardInterrupt | None = None
    with Journal(record.folder, run_id, plan.start.clock, observer) as journal:
        try:
            configuration = plan.configuration
            journal.event(
                "run_start", preset_id=configuration.preset, model_family=configuration.family
            )
            complete = run_aside(lambda _: _stages(), cancellation.check)
            completed = complete(plan, run_id, record, journal, cancellation)
        except RunForgeError as raised:
            error = raised
        except KeyboardInterrupt as raised:
            interrupt = raised
            error = _caused(ErrorCode.CANCELLED, "The run was interrupted.", raised)
        except MemoryError as raised:
            error = _caused(
                ErrorCode.MEMORY_INSUFFICIENT, "There was not enough memory for the run.", raised
            )
        except Exception as raised:  # noqa: BLE001 - every end of a run is recorded
            error = _caused(
                ErrorCode.INTERNAL, f"RunForge failed: {type(raised).__name__}: {raised}", raised
            )
        if error is not None:
            _tell_end(journal, error, plan.store)
    result = _result(
        plan.request, plan.store, plan.start, run_id, error, plan.effective_config(), completed
    )
    _write_end(run_id, record, journal.diagnostics, result)
    _list(plan.store, record)
    if interrupt is not None:
        raise interrupt
    return Outcome(run_id, record.folder, _status(error), result, error)


def _stages() -> Callable[..., Completed]:
    from runforge_engine.stages import complete

    return complete


def _caused(code: ErrorCode, message: str, cause: BaseException) -> RunForgeError:
    error = RunForgeError(code, message)
    error.__cause__ = cause
    return error


def _list(store: StoreLayout, record: RunRecord) -> None:
    """Append the run to the index; where that fails, the run is complete all the same."""
    try:
        append_entry(store, describe(RunFolder(record.folder), store))
    except RunForgeError as problem:
        raise RunForgeError(
            problem.code,
            f"The run is complete in {quote(store.relative(record.folder), 200)}, but it"
            f" could not be listed: {problem.message}",
            hint=problem.hint,
            path=problem.place.path,
        ) from problem


def _status(error: RunForgeError | None) -> Literal["succeeded", "failed", "cancelled"]:
    if error is None:
        return "succeeded"
    return "cancelled" if error.code is ErrorCode.CANCELLED else "failed"


def _tell_end(journal: Journal, error: RunForgeError, store: StoreLayout) -> None:
    if error.code is ErrorCode.CANCELLED:
        journal.event("cancelling", seconds_remaining=CANCEL_WITHIN)
        journal.event("run_cancelled", step=journal.step)
        return
    journal.diagnose([error_diagnostic(error, store.workspace)])
    journal.event("run_failed", code=error.code.value, message=error.message)


def _result(
    request: Document[RequestV1],
    store: StoreLayout,
    start: Start,
    run_id: str,
    error: RunForgeError | None,
    config: dict[str, Any] | None = None,
    completed: Completed | None = None,
) -> dict[str, Any]:
    """Return the raw ``result.json``, without the list of artifacts."""
    result: dict[str, Any] = {
        "version": 1,
        "run_id": run_id,
        "status": _status(error),
        "started_at": start.at,
        "finished_at": start.clock.now(),
        "duration_ms": start.clock.monotonic_ms() - start.milliseconds,
        "error": None,
    }
    if config is not None:
        result["effective_config"] = config
    if completed is not None:
        result["summary"] = completed.summary()
    if error is not None:
        provenance = _provenance(request, store, hurry=error.code is ErrorCode.CANCELLED)
        if provenance is not None:
            result["provenance"] = provenance
        result["error"] = {
            "message": error.message,
            "type": type(error.__cause__ or error).__name__,
            "code": error.code.value,
            **({"hint": error.hint} if error.hint else {}),
            "traceback": "".join(traceback.format_exception(error)),
        }
    return result


def _provenance(
    request: Document[RequestV1], store: StoreLayout, *, hurry: bool
) -> dict[str, Any] | None:
    """Return where the run comes from; None where that takes too long for somebody in a hurry."""
    deadline = time.monotonic() + (PROVENANCE_WITHIN if hurry else math.inf)

    def check() -> None:
        if time.monotonic() > deadline:
            raise TimeoutError

    client = request.raw["created_by"]
    try:
        return run_aside(lambda _: collect_provenance(store.workspace, store.name, client), check)
    except TimeoutError:
        return None


def _write_end(
    run_id: str, record: RunRecord, diagnostics: list[Diagnostic], result: dict[str, Any]
) -> None:
    """Write what every run leaves, however it ended: diagnostics, manifest, result."""
    record.write_struct(
        layout.DIAGNOSTICS,
        DiagnosticsV1(schema_version="diagnostics.v1", run_id=run_id, diagnostics=diagnostics),
    )
    record.add_logs()
    result["artifacts"] = record.artifacts()
    record.finish(run_id, result)
