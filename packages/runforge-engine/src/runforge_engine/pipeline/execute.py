"""Execute a request: plan, claim a run folder, train, and record how the run finished.

What can be refused is refused before anything is written. Once the run has a folder, every run
is recorded in ``result.json`` and in the index, whether it succeeded, failed or was cancelled.

Source: specification, sections 5.3, 6.1, 7.2 and 12.1.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runforge_contracts.diagnostics import (
    Diagnostic,
    DiagnosticCode,
    diagnostic,
)
from runforge_contracts.display import quote
from runforge_contracts.documents import Document
from runforge_contracts.errors import CancelledError, ErrorCode, RunForgeError
from runforge_contracts.run_ids import is_run_id, run_id_candidates
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.types import RequestV1, ResultSummary

from runforge_engine.pipeline.cancel import stoppable
from runforge_engine.pipeline.event_log import EventLog
from runforge_engine.pipeline.finish import FinalStatus, finish_run, log_end, status_of
from runforge_engine.pipeline.observer import Observer
from runforge_engine.pipeline.plan import Plan, Start, choose_table, make_plan
from runforge_engine.pipeline.request import PreparedRequest, prepare
from runforge_engine.pipeline.run_inputs import RunInputs
from runforge_engine.pipeline.run_writer import RunWriter
from runforge_engine.provenance.privacy import Shortening, is_wanted
from runforge_engine.runtime.background import run_in_background, run_soon
from runforge_engine.runtime.cancellation import Cancellation
from runforge_engine.runtime.folder_lock import holding
from runforge_engine.store.run_folders import (
    accept_id,
    claim_folder,
    claim_id,
    release,
    take_folder,
)

#: A run id depends on the dataset, so a run has no folder before the dataset was read.
_NOTHING_YET = "The dataset had not been read yet, so no run was recorded."


_TRAINING = "runforge_engine.pipeline.training"


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """How a run finished."""

    run_id: str
    run_dir: Path
    status: FinalStatus
    #: The raw ``result.json``.
    result: dict[str, Any]
    #: Why the run failed or was cancelled.
    error: RunForgeError | None = None


def execute(
    request: PreparedRequest,
    store: StoreLayout,
    *,
    folder: Path | None = None,
    private: bool | None = None,
    notes: Sequence[Diagnostic] = (),
    observer: Observer | None = None,
    cancellation: Cancellation | None = None,
    inputs: RunInputs | None = None,
) -> ExecutionResult:
    """Train as ``request`` asks, in a new run folder, and return how it finished.

    For results that are equal on every machine, call
    :func:`runforge_engine.runtime.numeric_environment.pin_environment` before numpy is imported.

    Parameters
    ----------
    request
        The request, with its resolved configuration.
    store
        The store that the run belongs to.
    folder
        A folder to put the run into instead of a new one of the store's; missing or empty. Where
        it is one of the store's and has the form of a run id, that is the id.
    private
        Whether to leave out of the record what identifies a person or a machine; None reads
        ``RUNFORGE_PRIVATE``.
    notes
        Diagnostics about the request, to be recorded with the others.
    observer
        Receives every event and diagnostic.
    cancellation
        Ends the run early; see :class:`~runforge_engine.runtime.cancellation.Cancellation`.
    inputs
        Where the run takes its dataset from; by default it shares nothing with other runs.

    Raises
    ------
    RunForgeError
        For errors before the run has a folder: the dataset's path, the memory, the store.
        Later errors are in the returned value.
    """
    cancellation, inputs = cancellation or Cancellation(), inputs or RunInputs()
    start, check = Start.now(), cancellation.check
    try:
        plan = run_soon(
            lambda: make_plan(request, store, start, inputs, check, notes),
            check,
            quick=inputs.has(choose_table(request, store, inputs.files)),
        )
    except CancelledError as refusal:
        refusal.hint = _NOTHING_YET
        raise
    try:
        return _execute(plan, store, folder, private, observer, cancellation)
    finally:
        inputs.release(plan.source)


def _execute(
    plan: Plan,
    store: StoreLayout,
    folder: Path | None,
    private: bool | None,
    observer: Observer | None,
    cancellation: Cancellation,
) -> ExecutionResult:
    """Claim a run folder and train in it."""
    shortening = None
    if is_wanted(private):
        shortening = Shortening(plan.request, store)
        plan = replace(plan, request=shortening.request())
    candidates = run_id_candidates(plan.start.at, plan.request.raw, plan.source.sha256)
    claim = None
    if folder is None:
        folder = claim_folder(store, candidates)
        run_id = folder.name
    else:
        folder = _placed(folder, store)
        if folder.parent == store.runs and is_run_id(folder.name):
            # Clients may choose an id: in a store's folder of runs, the folder's name is the id.
            accept_id(store, folder.name)
            take_folder(folder, store)
            run_id = folder.name
        else:
            take_folder(folder, store)
            claim = claim_folder(store, candidates)
            run_id = claim.name
    with holding(folder) as hold:
        writer = RunWriter(hold, shortening=shortening)
        try:
            writer.write_request(plan.request)
        except BaseException:
            for made in (folder, claim):
                if made is not None:
                    release(made)  # The run has not started, so no folder is left behind.
            raise
        with stoppable(folder, cancellation):
            finished = _run(plan, run_id, writer, observer or Observer(), cancellation)
    if claim is not None:
        release(claim)
    return finished


def execute_folder(
    folder: Path,
    store: StoreLayout,
    *,
    private: bool | None = None,
    observer: Observer | None = None,
    cancellation: Cancellation | None = None,
) -> ExecutionResult:
    """Train as the ``request.json`` in ``folder`` asks, there, and return how it finished.

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
                f"The run in {quote(folder, 200)} has finished: it has a {file}.",
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
        writer = RunWriter(hold, shortening=shortening)
        writer.keep_request(request)
        try:
            plan = run_in_background(
                lambda: make_plan(prepare(request), store, start, RunInputs(), cancellation.check),
                cancellation.check,
            )
        except RunForgeError as refusal:
            # The folder exists already, and the client that created it waits for a result.
            finished = _refuse(refusal, request, store, start, writer, observer)
        else:
            finished = _run(plan, folder.name, writer, observer, cancellation)
    if claim is not None:
        release(claim)
    return finished


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
    writer: RunWriter,
    observer: Observer,
) -> ExecutionResult:
    """Record that a request cannot be executed, in the folder that contains it."""
    run_id = writer.folder.name
    with EventLog(writer.folder, run_id, start.clock, observer, writer.shortening) as log:
        requested = request.view
        _log_start(log, writer, requested.preset, requested.model.family)
        log_end(log, refusal, store)
    result = finish_run(writer, request, store, start, log, refusal)
    return ExecutionResult(run_id, writer.folder, status_of(refusal), result, refusal)


def _run(
    plan: Plan, run_id: str, writer: RunWriter, observer: Observer, cancellation: Cancellation
) -> ExecutionResult:
    """Train in the claimed folder and record how the run finished."""
    error: RunForgeError | None = None
    summary: ResultSummary | None = None
    interrupt: KeyboardInterrupt | None = None
    with EventLog(writer.folder, run_id, plan.start.clock, observer, writer.shortening) as log:
        try:
            configuration = plan.configuration
            _log_start(log, writer, configuration.preset, configuration.family)
            if plan.choice.recipe is not None:
                writer.write_bytes(layout.RECIPE, plan.choice.recipe.data)
            complete = run_soon(
                _import_training, cancellation.check, quick=_TRAINING in sys.modules
            )
            summary = complete(plan, run_id, writer, log, cancellation)
        except RunForgeError as raised:
            error = raised
        except KeyboardInterrupt as raised:
            interrupt = raised
            error = _caused(ErrorCode.CANCELLED, "The run was interrupted.", raised)
        except MemoryError as raised:
            error = _caused(
                ErrorCode.MEMORY_INSUFFICIENT, "There was not enough memory for the run.", raised
            )
        except Exception as raised:  # noqa: BLE001 - every run is recorded, regardless of its end
            error = _caused(
                ErrorCode.INTERNAL, f"RunForge failed: {type(raised).__name__}: {raised}", raised
            )
        if writer.hold.moved_from is not None:
            log.diagnose([_moved(writer, plan.store)])
        if error is not None:
            log_end(log, error, plan.store)
    result = finish_run(
        *(writer, plan.request, plan.store, plan.start, log, error),
        config=plan.effective_config(),
        summary=summary,
        origin=plan.inputs.origin,
    )
    if interrupt is not None:
        raise interrupt
    return ExecutionResult(run_id, writer.folder, status_of(error), result, error)


def _import_training() -> Callable[..., ResultSummary]:
    from runforge_engine.pipeline.training import complete

    return complete


def _log_start(log: EventLog, writer: RunWriter, preset: str, family: str) -> None:
    log.event("run_start", preset_id=preset, model_family=family)
    if writer.shortening is not None:
        log.diagnose([writer.shortening.notice()])


def _caused(code: ErrorCode, message: str, cause: BaseException) -> RunForgeError:
    error = RunForgeError(code, message)
    error.__cause__ = cause
    return error


def _moved(writer: RunWriter, store: StoreLayout) -> Diagnostic:
    """Return the diagnostic for a run folder that was renamed, or one of its parents."""
    paths = [writer.hold.moved_from or writer.folder, writer.folder]
    before, now = (store.relative(path) for path in paths)
    return diagnostic(
        DiagnosticCode.RUN_FOLDER_MOVED,
        f"The run's folder was moved while the run was in progress: from {quote(before, 200)} to"
        f" {quote(now, 200)}, which contains all files of the run.",
        moved_from=before,
        moved_to=now,
    )
