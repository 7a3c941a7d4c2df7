"""From a request to a recorded run: the order of the steps, and what becomes of each outcome.

What can be refused is refused before anything is written. From the moment the run has a folder,
every end - success, failure, cancellation - is recorded in ``result.json`` and in the index.

Source: run store contract, section 1; result.json contract; RunForge guarantees, "Lifecycle of a
Run".
"""

from __future__ import annotations

import math
import os
import time
import traceback
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from runforge_contracts.diagnostics import (
    Diagnostic,
    DiagnosticCode,
    diagnostic,
    error_diagnostic,
)
from runforge_contracts.display import quote
from runforge_contracts.documents import Document
from runforge_contracts.errors import CancelledError, ErrorCode, RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import describe
from runforge_contracts.store.run import Run
from runforge_contracts.store.run_ids import is_run_id, run_id_candidates
from runforge_contracts.types import DiagnosticsV1, RequestV1

from runforge_engine.pipeline.cancel import stoppable
from runforge_engine.pipeline.event_log import Journal
from runforge_engine.pipeline.observer import Observer
from runforge_engine.pipeline.plan import Plan, Start, make_plan
from runforge_engine.pipeline.run_writer import RunRecord
from runforge_engine.provenance.collect import collect_provenance
from runforge_engine.provenance.privacy import Shortening, is_wanted
from runforge_engine.runtime.background import run_aside
from runforge_engine.runtime.cancellation import Cancellation
from runforge_engine.runtime.folder_lock import holding
from runforge_engine.store.writer import (
    accept_id,
    append_entry,
    claim_folder,
    claim_id,
    release,
    take_folder,
)

if TYPE_CHECKING:
    from runforge_engine.pipeline.stages import Completed

#: A run is called by what it learns from, so it has no folder before.
_NOTHING_YET = "The dataset had not been read yet, so there is no run and nothing on record."
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
    private: bool | None = None,
    notes: Sequence[Diagnostic] = (),
    observer: Observer | None = None,
    cancellation: Cancellation | None = None,
) -> Outcome:
    """Train as ``request`` asks, in a new run folder, and return how it ended.

    For results that are equal on every machine, call
    :func:`runforge_engine.runtime.numeric_environment.pin_environment` before numpy is imported.

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
    private
        Whether what identifies a person or a machine is left out of the record; where it is None,
        ``RUNFORGE_PRIVATE`` says so.
    notes
        What there is to say about the request, to be recorded among the diagnostics.
    observer
        Told of every event and diagnostic.
    cancellation
        Ends the run early; see :class:`~runforge_engine.runtime.cancellation.Cancellation`.

    Raises
    ------
    RunForgeError
        For what is wrong before the run has a folder: the configuration, the dataset's path, the
        store. What goes wrong later is in the outcome.
    """
    cancellation = cancellation or Cancellation()
    start = Start.now()
    try:
        plan = run_aside(
            lambda _: make_plan(request, store, start, cli_parameters, notes), cancellation.check
        )
    except CancelledError as refusal:
        refusal.hint = _NOTHING_YET
        raise
    shortening = None
    if is_wanted(private):
        shortening = Shortening(request, store)
        request = shortening.request()
        plan = replace(plan, request=request)
    candidates = run_id_candidates(plan.start.at, request.raw, plan.source.sha256)
    claim = None
    if folder is None:
        folder = claim_folder(store, candidates)
        run_id = folder.name
    else:
        folder = _placed(folder, store)
        if folder.parent == store.runs and is_run_id(folder.name):
            # Clients make ids of their own; among the runs of a store the folder's name is the id.
            accept_id(store, folder.name)
            take_folder(folder, store)
            run_id = folder.name
        else:
            take_folder(folder, store)
            claim = claim_folder(store, candidates)
            run_id = claim.name
    with holding(folder) as hold:
        record = RunRecord(hold, shortening=shortening)
        try:
            record.write_bytes(layout.REQUEST, request.encode())
        except BaseException:
            for made in (folder, claim):
                if made is not None:
                    release(made)  # Nothing has begun, so nothing is left.
            raise
        with stoppable(folder, cancellation):
            outcome = _run(plan, run_id, record, observer or Observer(), cancellation)
    if claim is not None:
        release(claim)
    return outcome


def execute_folder(
    folder: Path,
    store: StoreLayout,
    *,
    private: bool | None = None,
    observer: Observer | None = None,
    cancellation: Cancellation | None = None,
) -> Outcome:
    """Train as the ``request.json`` in ``folder`` asks, there, and return how it ended.

    The folder's name is the run id, and the request stays as its client wrote it. As
    :func:`execute` otherwise.

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
    start, observer = Start.now(), observer or Observer()
    cancellation = cancellation or Cancellation()
    shortening = Shortening(request, store, keeps_request=True) if is_wanted(private) else None
    folder = _placed(folder, store)
    claim = None
    if folder.parent == store.runs:
        accept_id(store, folder.name)
    else:
        claim = claim_id(store, folder.name)
    with holding(folder) as hold, stoppable(folder, cancellation):
        record = RunRecord(hold, shortening=shortening)
        try:
            plan = run_aside(lambda _: make_plan(request, store, start), cancellation.check)
        except RunForgeError as refusal:
            # The folder is there already, and whoever made it waits for a result.
            outcome = _refuse(refusal, request, store, start, record, observer)
        else:
            outcome = _run(plan, folder.name, record, observer, cancellation)
    if claim is not None:
        release(claim)
    return outcome


def _placed(folder: Path, store: StoreLayout) -> Path:
    """Return the path of a run folder as documents name it: without ``..``, and by the store's."""
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - keeps links
    among = os.path.realpath(folder.parent) == os.path.realpath(store.runs)
    return store.run_folder(folder.name) if among else folder


def _refuse(
    refusal: RunForgeError,
    request: Document[RequestV1],
    store: StoreLayout,
    start: Start,
    record: RunRecord,
    observer: Observer,
) -> Outcome:
    """Record that a request cannot be executed, in the folder that holds it."""
    run_id = record.folder.name
    with Journal(record.folder, run_id, start.clock, observer, record.shortening) as journal:
        asked = request.view
        _tell_beginning(journal, record, asked.preset, asked.model.family)
        _tell_end(journal, refusal, store)
    result = _result(request, store, start, run_id, refusal)
    _write_end(run_id, record, journal.diagnostics, result)
    _list(store, record)
    return Outcome(run_id, record.folder, _status(refusal), result, refusal)


def _run(
    plan: Plan, run_id: str, record: RunRecord, observer: Observer, cancellation: Cancellation
) -> Outcome:
    """Train in the claimed folder and record the end, whichever it is."""
    error: RunForgeError | None = None
    completed: Completed | None = None
    interrupt: KeyboardInterrupt | None = None
    with Journal(record.folder, run_id, plan.start.clock, observer, record.shortening) as journal:
        try:
            configuration = plan.configuration
            _tell_beginning(journal, record, configuration.preset, configuration.family)
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
        if record.hold.moved_from is not None:
            journal.diagnose([_moved(record, plan.store)])
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
    from runforge_engine.pipeline.stages import complete

    return complete


def _caused(code: ErrorCode, message: str, cause: BaseException) -> RunForgeError:
    error = RunForgeError(code, message)
    error.__cause__ = cause
    return error


def _moved(record: RunRecord, store: StoreLayout) -> Diagnostic:
    """Return what is to be said where somebody renamed the run's folder, or one around it."""
    paths = [record.hold.moved_from or record.folder, record.folder]
    before, now = (store.relative(path) for path in paths)
    return diagnostic(
        DiagnosticCode.RUN_FOLDER_MOVED,
        f"The run's folder was moved while the run was at work: from {quote(before, 200)} to"
        f" {quote(now, 200)}, where everything of the run is.",
        moved_from=before,
        moved_to=now,
    )


def _list(store: StoreLayout, record: RunRecord) -> None:
    """Append the run to the index; where that fails, the run is complete all the same."""
    folder = record.folder
    try:
        store = _store_of(folder, record.hold.moved_from, store)
        append_entry(store, describe(Run(folder), store))
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
    """Return the store that a run belongs to, which may have been renamed with the run in it."""
    if moved_from is None or moved_from.parent != store.runs or folder.parent.name != "runs":
        return store
    root = folder.parents[1]
    return StoreLayout(root.parent, root.name)


def _status(error: RunForgeError | None) -> Literal["succeeded", "failed", "cancelled"]:
    if error is None:
        return "succeeded"
    return "cancelled" if isinstance(error, CancelledError) else "failed"


def _tell_beginning(journal: Journal, record: RunRecord, preset: str, family: str) -> None:
    journal.event("run_start", preset_id=preset, model_family=family)
    if record.shortening is not None:
        journal.diagnose([record.shortening.notice()])


def _tell_end(journal: Journal, error: RunForgeError, store: StoreLayout) -> None:
    if isinstance(error, CancelledError):
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
        provenance = _provenance(request, store, hurry=isinstance(error, CancelledError))
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
