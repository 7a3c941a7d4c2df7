"""Run an experiment, from the claim of its folder to its final documents.

The folder is kept and records the outcome, however user code ends. Errors that can be found early
are raised before the folder is created.

Source: specification, sections 17.4 to 17.12.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from runforge_contracts.display import printable, quote
from runforge_contracts.errors import CancelledError, ErrorCode, RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.store.experiment_runs import ExperimentRun

from runforge_engine import __version__
from runforge_engine.experiment.record.experiment_record import ExperimentRecord
from runforge_engine.experiment.record.metric_log import Metrics
from runforge_engine.experiment.run.allocate import claim_run
from runforge_engine.experiment.run.child_process import Ending, run_user_code
from runforge_engine.experiment.run.code_state import describe_code
from runforge_engine.experiment.run.command import command_of, says_config_is_unknown, takes_config
from runforge_engine.experiment.run.copy_files import copy_model
from runforge_engine.experiment.run.output_tee import Show
from runforge_engine.experiment.run.program_file import PROGRAM, program_to_copy
from runforge_engine.experiment.run.resolve import Materialised
from runforge_engine.experiment.run.system_info import describe_system
from runforge_engine.experiment.tracking import ARTIFACTS, CONFIG, METRICS, RUN_DIR, RUN_ID
from runforge_engine.pipeline.cancel import stoppable
from runforge_engine.runtime.background import run_in_background
from runforge_engine.runtime.cancellation import Cancellation
from runforge_engine.runtime.clock import Clock, read_clock
from runforge_engine.runtime.folder_lock import holding
from runforge_engine.runtime.interpreter import own_environment

#: The tool that is recorded in the runs.
_CLIENT = f"runforge-engine@{__version__}"
#: Variables that RunForge's commands also read.
_WORKSPACE = "RUNFORGE_WORKSPACE"
_DATASET = "RUNFORGE_DATASET"
_NO_CONFIG = (
    "Say `config_argument: false` under `run`, or use `run.command`; in `args` and in a command"
    " `{training.lr}` stands for a value."
)
#: Maximum number of characters of the last output line that a reason quotes.
_LONG = 200


@dataclass(frozen=True, slots=True)
class ExperimentOutcome:
    """How a run ended."""

    run_id: str
    folder: Path
    status: Literal["succeeded", "failed", "cancelled"]
    #: The raw ``config.yaml`` in its final form.
    config: dict[str, Any]
    #: The raw ``metrics.json``; None where it is missing or cannot be read.
    metrics: dict[str, Any] | None
    #: Why the run failed or was cancelled.
    error: RunForgeError | None
    #: Further warnings, one sentence each; those of the experiment come first.
    warnings: tuple[str, ...]


def run_experiment(
    experiment: Materialised,
    *,
    show: Show | None = None,
    began: Callable[[Path], None] = lambda _: None,
    cancellation: Cancellation | None = None,
) -> ExperimentOutcome:
    """Run an experiment in a new run folder and return how it ended.

    Parameters
    ----------
    experiment
        The experiment to run.
    show
        Called with each piece of user code's output.
    began
        Called with the folder once it exists.
    cancellation
        Ends the run early.

    Raises
    ------
    RunForgeError
        For errors before the run has a folder, and where the folder cannot be written.
        Failures of user code are in the outcome.
    """
    cancellation = cancellation or Cancellation()
    clock = read_clock().steady()
    root = experiment.root
    code, gaps = run_in_background(lambda: describe_code(root), cancellation.check)
    system = run_in_background(describe_system, cancellation.check)
    cancellation.check()
    folder = claim_run(root, clock.now()[:10], experiment.run_id)
    config = {
        "run_id": folder.name,
        **experiment.config,
        **({} if code is None else {"code": code}),
        "created_by": _CLIENT,
        "started_at": clock.now(),
    }
    record = ExperimentRecord(folder)
    with holding(folder):
        program = config.get("references", {}).get(PROGRAM)
        code_files = {} if program is None else program_to_copy(root / program["path"])
        record.begin({**config, "status": "running"}, system, code_files)
        began(folder)
        run = _Run(experiment, record, config, clock)
        run.warnings += gaps
        return run.execute(show, cancellation)


class _Run:
    """A run in progress in its folder."""

    def __init__(
        self,
        experiment: Materialised,
        record: ExperimentRecord,
        config: dict[str, Any],
        clock: Clock,
    ) -> None:
        self.experiment = experiment
        self.record = record
        self.config = config
        self.clock = clock
        #: Warnings from before user code started, and warnings about its results.
        self.prepared = list(experiment.warnings)
        self.warnings: list[str] = []
        self.metrics = Metrics(
            record.folder / layout.JOURNAL, record.folder / layout.EXPERIMENT_METRICS
        )

    def execute(self, show: Show | None, cancellation: Cancellation) -> ExperimentOutcome:
        """Run user code and record how it ended."""
        start = self.clock.monotonic_ms()
        ending: Ending | None = None
        error: RunForgeError | None = None
        interrupt: BaseException | None = None
        try:
            # Not longer: Windows replaces no file that is open, as the record is at the end.
            with stoppable(self.record.folder, cancellation, layout.CONFIG):
                ending = run_user_code(
                    command_of(
                        self.experiment.run,
                        self.record.config,
                        self.config,
                        self.experiment.secrets,
                    ),
                    folder=self.experiment.root,
                    environment=self._environment(),
                    log=self.record.log,
                    show=show,
                    cancellation=cancellation,
                    meanwhile=self.metrics.follow,
                )
            error = _reason(ending, cancellation)
            if error is not None and self._refuses_config(ending):
                error = RunForgeError(
                    error.code,
                    "User code takes no `--config PATH`, which a script or module gets and"
                    f" `run.command` does not. {error.message}",
                    hint=_NO_CONFIG,
                )
        except RunForgeError as raised:
            error = raised
        except OSError as raised:
            error = RunForgeError(
                ErrorCode.STORE_NOT_WRITABLE,
                f"The output of user code cannot be recorded: {raised.strerror or raised}.",
                path=str(self.record.log),
            )
        except BaseException as raised:  # noqa: BLE001 - raised again after it is recorded
            interrupt = raised
            cancelled = isinstance(raised, KeyboardInterrupt)
            error = RunForgeError(
                ErrorCode.CANCELLED if cancelled else ErrorCode.INTERNAL,
                "The run was interrupted."
                if cancelled
                else f"RunForge failed: {type(raised).__name__}: {raised}",
            )
        self.config |= {
            "finished_at": self.clock.now(),
            "duration_ms": self.clock.monotonic_ms() - start,
        }
        if ending is not None:
            self.config["exit_code"] = ending.returncode
            if ending.signal is not None:
                self.config["signal"] = ending.signal
        outcome = self._finish(error)
        if interrupt is not None:
            raise interrupt
        return outcome

    def _refuses_config(self, ending: Ending) -> bool:
        """Return whether user code failed because it does not accept the added argument."""
        run = self.experiment.run
        return (
            run is not None
            and takes_config(run)
            and ending.returncode > 0
            and says_config_is_unknown(ending.tail.decode("utf-8", "replace"))
        )

    def _environment(self) -> dict[str, str]:
        """Return all environment variables for user code."""
        dataset = self.experiment.dataset
        folder = self.record.folder
        inherited = {name: value for name, value in os.environ.items() if name != _DATASET}
        if self.experiment.run is None:
            inherited = own_environment(inherited, self.experiment.root)
        return {
            **inherited,
            **self.experiment.environment,
            RUN_ID: folder.name,
            RUN_DIR: str(folder),
            CONFIG: str(self.record.config),
            METRICS: str(folder / layout.JOURNAL),
            ARTIFACTS: str(self.record.artifacts),
            _WORKSPACE: str(self.experiment.root),
            **({} if dataset is None else {_DATASET: str(dataset)}),
            "PYTHONUNBUFFERED": "1",
        }

    def _finish(self, error: RunForgeError | None) -> ExperimentOutcome:
        """Finish the folder and return the outcome; a successful run may still fail here."""
        folder = self.record.folder
        try:
            self.metrics.finish()
            self.warnings += self.metrics.warnings
            self._look_at_inputs()
            metrics, problem = self._final_metrics()
            error = self._with_models(error or problem)
            parameters = self.metrics.journal.parameters
            status = _status(error)
            config = {
                **self.config,
                **({"parameters": parameters} if parameters else {}),
                "status": status,
                **({} if error is None else {"failure": _failure(error)}),
            }
            self.warnings += [*self.record.taken_log(config), *self.record.irregular()]
            words = [f"warning: {text}" for text in self.warnings]
            self.record.say(words if error is None else [*words, f"{status}: {error.message}"])
            self.record.finish(config)
        except RunForgeError as problem:
            raise RunForgeError(
                problem.code,
                f"The end of the run {quote(folder.name)} could not be recorded: {problem.message}",
                hint=problem.hint,
                path=problem.location.path,
            ) from problem
        warnings = (*self.prepared, *self.warnings)
        return ExperimentOutcome(folder.name, folder, status, config, metrics, error, warnings)

    def _look_at_inputs(self) -> None:
        """Record which of the input files have changed during the run."""
        references = self.config.get("references")
        if references:
            references, changes = self.experiment.inputs.changes(references)
            self.config["references"] = references
            self.warnings += changes

    def _final_metrics(self) -> tuple[dict[str, Any] | None, RunForgeError | None]:
        """Return the metrics, or the reason why they cannot be read, which fails the run."""
        try:
            return ExperimentRun(self.record.folder).metrics_document, None
        except RunForgeError as problem:
            message = f"User code left an invalid `metrics.json`: {problem.message}"
            self.warnings.append(message)
            return None, RunForgeError(problem.code, message, pointer=problem.location.pointer)

    def _with_models(self, error: RunForgeError | None) -> RunForgeError | None:
        """Copy the models of a successful run; return the reason if that fails."""
        if error is not None:
            return error
        copied = []
        try:
            for copy in self.experiment.copies:
                copied.append(copy_model(copy, self.record.folder, self.experiment.root))
        except RunForgeError as problem:
            error = problem
        if copied:
            self.config["copied_models"] = copied
        return error


def _reason(ending: Ending, cancellation: Cancellation) -> RunForgeError | None:
    """Return why user code did not succeed."""
    if ending.cancelled:
        return RunForgeError(ErrorCode.CANCELLED, cancellation.look() or "The run was cancelled.")
    if ending.returncode == 0:
        return None
    if ending.signal is None:
        how, hint = f"ended with the exit code {ending.returncode}", None
    else:
        how, hint = f"was ended by the signal {ending.signal}", None
        if -ending.returncode == getattr(signal, "SIGKILL", None):
            hint = "The system does so where memory runs out."
    last = _last_line(ending.tail)
    said = f"; the last it said is {quote(last, _LONG)}" if last else ""
    return RunForgeError(
        ErrorCode.EXPERIMENT_FAILED, f"User code {how}{said}.", hint=hint or "See `logs.txt`."
    )


def _last_line(tail: bytes) -> str:
    lines = [line.strip() for line in tail.decode("utf-8", "replace").splitlines()]
    return printable(next((line for line in reversed(lines) if line), ""))


def _status(error: RunForgeError | None) -> Literal["succeeded", "failed", "cancelled"]:
    if error is None:
        return "succeeded"
    return "cancelled" if isinstance(error, CancelledError) else "failed"


def _failure(error: RunForgeError) -> dict[str, Any]:
    body = {"message": error.message, "code": error.code.value}
    return {**body, "hint": error.hint} if error.hint else body
