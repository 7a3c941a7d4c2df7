"""Export runs to an MLflow tracking store: a database and a folder with the files.

Both have the default names of MLflow, so that ``mlflow ui`` shows the runs when it is started in
the folder. MLflow is imported only here.

Source: MLflow documentation, "Backend Stores", "Artifact Stores" and "Tracking Concepts".
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import quote, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import writing
from runforge_contracts.shared_work import in_processes, usable_cores
from runforge_contracts.store.lookup import AnyRun
from runforge_contracts.store.run import Run
from runforge_engine.runtime.extras import install_extra

from runforge_cli.export.mlflow_model import MODEL, dataset_schema, model_files
from runforge_cli.export.mlflow_names import Names
from runforge_cli.export.mlflow_record import (
    ExportOutcome,
    Record,
    record_of,
    sweep_record,
)
from runforge_cli.listing.run_list import ListedRun
from runforge_cli.shell.output_paths import make_folder

if TYPE_CHECKING:
    from runforge_engine.store.sweep_table import SweepTable

#: Where the files of a run are in MLflow, beside its model; a crate has the same name for them.
FOLDER = "run"
#: MLflow's default names of the database and the artifact folder.
DATABASE, ARTIFACTS = "mlflow.db", "mlruns"
#: The packages that are needed.
_LIBRARY = ("mlflow", "sqlalchemy", "alembic")
_STATUS = {
    "succeeded": "FINISHED",
    "unknown": "FINISHED",
    "failed": "FAILED",
    "cancelled": "KILLED",
    "interrupted": "KILLED",
    "running": "RUNNING",
}
#: The tag with the identity of a run, so that no run is added twice.
_IDENTITY = "runforge.identity"
#: The tag that nests a run in another.
_PARENT = "mlflow.parentRunId"
#: Characters with a special meaning in the database URLs of MLflow.
_RESERVED = frozenset("%?#")
#: Maximum numbers of metrics and of parameters in one MLflow call, which takes 1,000.
_METRICS, _PARAMS = 800, 100
#: How many runs are added in one transaction, which no other program can write to the database in.
_TOGETHER = 100
#: Maximum lengths of a run name, a parameter, a tag, a dataset name and a digest in MLflow.
_RUN, _PARAM, _TAG, _DATASET, _DIGEST = 250, 6000, 5000, 500, 36
#: Prefix of a final metric that differs from the last value of its history.
_SUMMARY = "summary/"


def export(
    folder: Path, runs: Sequence[ListedRun], sweep: SweepTable | None = None
) -> ExportOutcome:
    """Add runs to the tracking store in a folder.

    Parameters
    ----------
    folder
        The output folder; created if it is missing.
    runs
        The runs. Those that have not finished, or cannot be read, are skipped.
    sweep
        The sweep that they are the members of; it becomes their parent run.

    Raises
    ------
    RunForgeError
        ``EXTRA_MISSING`` if MLflow is not installed, ``USAGE_INVALID`` if the path of the folder
        is not possible in a database URL, ``STORE_NOT_WRITABLE``.
    """
    _check_installed()
    if set(str(folder.resolve())) & _RESERVED:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"MLflow cannot keep a database in {quote(folder.resolve(), 200)}.",
            hint="Choose a folder with -o whose path does not contain `%`, `?` or `#`.",
            path=str(folder),
        )
    make_folder(folder)
    store = _TrackingStore(folder)
    outcome = ExportOutcome("Run `mlflow ui` in that folder to view them.")
    parent = None
    if sweep is not None and runs:
        parent = store.add_sweep(sweep_record(sweep, runs[0].store))
    store.add(runs, parent, outcome)
    return outcome


def _check_installed() -> None:
    """Check that MLflow is installed before anything is written."""
    if not all(map(find_spec, _LIBRARY)):
        raise RunForgeError(
            ErrorCode.EXTRA_MISSING,
            "MLflow, or a package that it needs for a database, is not installed.",
            hint=f"Install it with `{install_extra('runforge-cli', 'mlflow')}`, or export with"
            " `--to csv`.",
        )


@dataclass(frozen=True, slots=True)
class _AddedRun:
    """A run that was added without its files, and so is still running for MLflow."""

    mlflow_id: str
    artifact_uri: str
    #: As the list of runs has it.
    run_id: str
    #: Milliseconds since 1970.
    ended: int
    record: Record
    folder: AnyRun | None


class _TrackingStore:
    """The tracking store in an existing folder; created if it does not exist."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        with _coded_errors(self._folder):
            # Disable telemetry; MLflow reads these variables when it is imported.
            os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true")
            from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

            # Not through the MLflow client, which writes files to the current folder.
            self._store = SqlAlchemyStore(
                f"sqlite:///{self._folder / DATABASE}", (self._folder / ARTIFACTS).as_uri()
            )
            self._exported = self._read_exported()
        #: Ids of the experiments that were looked for, by name.
        self._experiments: dict[str, str] = {}

    def _read_exported(self) -> dict[str, tuple[str, str]]:
        """Return id and status of every exported run, by its identity."""
        found: dict[str, tuple[str, str]] = {}
        experiments = [item.experiment_id for item in _pages(self._store.search_experiments)]
        from mlflow.entities import ViewType

        ours = {
            "experiment_ids": experiments,
            "filter_string": f"tags.`{_IDENTITY}` != ''",
            "run_view_type": ViewType.ACTIVE_ONLY,
        }
        for run in _pages(self._store.search_runs, **ours):
            found[run.data.tags[_IDENTITY]] = run.info.run_id, run.info.status
        return found

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """Make the calls of MLflow in one transaction.

        Each call has some of its own, and every one of those waits for the disk.

        Source: SQLAlchemy documentation, "Joining a Session into an External Transaction".
        """
        from sqlalchemy.orm import Session

        store, sessions = self._store, self._store.ManagedSessionMaker
        with store.engine.connect() as connection:
            # As MLflow sets it, for each of its sessions.
            connection.exec_driver_sql("PRAGMA busy_timeout = 20000")
            connection.commit()

            session = Session(
                connection, join_transaction_mode="rollback_only", expire_on_commit=False
            )

            @contextlib.contextmanager
            def joined(**_: bool) -> Iterator[Session]:
                yield session
                session.commit()

            store.ManagedSessionMaker = joined
            try:
                with connection.begin():
                    yield
            finally:
                store.ManagedSessionMaker = sessions

    def add_sweep(self, record: Record) -> str:
        """Return the MLflow id of the run for a sweep; the status of an older one is updated."""
        before, status = self._exported.get(record.identity, ("", ""))
        with _coded_errors(self._folder):
            if not before:
                with self._transaction():
                    self._finish(self._begin(record, None))
            elif status != _STATUS[record.status]:
                from mlflow.entities import RunStatus

                now = RunStatus.from_string(_STATUS[record.status])
                self._store.update_run_info(before, now, record.finished_at, None)
        return self._exported[record.identity][0]

    def add(self, runs: Sequence[ListedRun], parent: str | None, outcome: ExportOutcome) -> None:
        """Add runs, except those that were exported before.

        A run whose export was interrupted is deleted and added again. The files of some runs are
        copied while the next ones are added.

        Parameters
        ----------
        runs
            The runs.
        parent
            The MLflow id of the run for their sweep.
        outcome
            Where it is noted what became of each run.
        """
        before, copies = list[_AddedRun](), iter(())
        for start in range(0, len(runs), _TOGETHER):
            try:
                begun = self._begin_some(runs[start : start + _TOGETHER], parent, outcome)
            except RunForgeError:
                self._finish_some(before, copies, outcome)
                raise
            self._finish_some(before, copies, outcome)
            before, copies = begun, in_processes(_copy_files, begun, usable_cores())
            with _coded_errors(self._folder):
                next(copies, None)  # Starts the processes.
        self._finish_some(before, copies, outcome)

    def _begin_some(
        self, runs: Sequence[ListedRun], parent: str | None, outcome: ExportOutcome
    ) -> list[_AddedRun]:
        """Add runs that were not exported before, without their files."""
        begun = list[_AddedRun]()
        with _coded_errors(self._folder), self._transaction():
            for run in runs:
                run_id, folder = run.entry["run_id"], run.folder()
                try:
                    record = record_of(folder, run.store)
                except RunForgeError as error:
                    outcome.left_out[run_id] = error.message
                    continue
                if record is None:
                    outcome.left_out[run_id] = "The run has not finished."
                    continue
                before, status = self._exported.get(record.identity, ("", ""))
                if before and status != "RUNNING":
                    outcome.present.append(run_id)
                    continue
                if before:
                    self._store.delete_run(before)
                begun.append(self._begin(record, parent, run_id, folder))
        return begun

    def _finish_some(
        self, begun: Sequence[_AddedRun], copies: Iterator[None], outcome: ExportOutcome
    ) -> None:
        """Wait until the files of some runs are copied, and set their status.

        That is done last: a run with the status RUNNING was not exported completely.
        """
        with _coded_errors(self._folder):
            for _ in copies:
                pass
            with self._transaction():
                for item in begun:
                    self._finish(item)
        outcome.exported += [item.run_id for item in begun]

    def _begin(
        self, record: Record, parent: str | None, run_id: str = "", folder: AnyRun | None = None
    ) -> _AddedRun:
        """Add everything of a run but its files and how it ended."""
        from mlflow.entities import Metric, Param, RunTag

        ended = record.finished_at or record.started_at or 0
        names = {"metrics": Names(), "params": Names(), "tags": Names()}
        metrics = [
            Metric(called, value, ended + again, step)
            for name, points in _metrics(record)
            for called in [names["metrics"](name)]
            for step, again, value in points
        ]
        params = [
            Param(names["params"](name), shorten(_text(value), _PARAM))
            for name, value in record.params.items()
        ]
        tags = [RunTag(names["tags"](name), shorten(text, _TAG)) for name, text in _tags(record)]
        changed = {kind: group.changed for kind, group in names.items() if group.changed}
        if changed:
            tags.append(RunTag("runforge.names", shorten(json.dumps(changed), _TAG)))
        tags.append(RunTag(_IDENTITY, record.identity))
        if parent is not None:
            tags.append(RunTag(_PARENT, parent))
        run = self._store.create_run(
            experiment_id=self._experiment(record.experiment),
            user_id="",
            start_time=ended if record.started_at is None else record.started_at,
            tags=tags,
            run_name=shorten(record.name, _RUN),
        ).info
        # Together: each call looks for the run.
        while metrics or params:
            self._store.log_batch(run.run_id, metrics[:_METRICS], params[:_PARAMS], [])
            del metrics[:_METRICS], params[:_PARAMS]
        self._log_dataset(run.run_id, record, folder if isinstance(folder, Run) else None)
        self._exported[record.identity] = run.run_id, _STATUS[record.status]
        return _AddedRun(run.run_id, run.artifact_uri, run_id, ended, record, folder)

    def _finish(self, begun: _AddedRun) -> None:
        from mlflow.entities import RunStatus

        status = RunStatus.from_string(_STATUS[begun.record.status])
        self._store.update_run_info(begun.mlflow_id, status, begun.ended, None)

    def _experiment(self, name: str) -> str:
        name = shorten(name, _DATASET)
        if name not in self._experiments:
            self._experiments[name] = self._find_experiment(name)
        return self._experiments[name]

    def _find_experiment(self, name: str) -> str:
        """Return the id of the experiment with a name, which is made if it is missing."""
        found = self._store.get_experiment_by_name(name)
        if found is None:
            return str(self._store.create_experiment(name))
        if found.lifecycle_stage != "active":
            raise RunForgeError(
                ErrorCode.STORE_NOT_WRITABLE,
                f"The experiment {quote(name)} was deleted in MLflow.",
                hint="Restore it there, or choose another folder with -o.",
            )
        return str(found.experiment_id)

    def _log_dataset(self, run_id: str, record: Record, trained: Run | None) -> None:
        from mlflow.entities import Dataset, DatasetInput

        if record.dataset is not None:
            name = record.dataset.path.rpartition("/")[2] or "dataset"
            dataset = Dataset(
                name=shorten(name, _DATASET),
                digest=record.dataset.sha256[:_DIGEST],
                source_type="local",
                source=json.dumps({"uri": record.dataset.path}),
                schema=None if trained is None else dataset_schema(trained),
            )
            self._store.log_inputs(run_id, [DatasetInput(dataset=dataset, tags=[])])


def _copy_files(begun: _AddedRun) -> None:
    """Copy the files of a run, and the model that it may have."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    artifacts = get_artifact_repository(begun.artifact_uri)
    for path, place in _files(begun.record.folder, FOLDER):
        artifacts.log_artifact(str(path), place)
    if isinstance(begun.folder, Run):
        _log_model(artifacts, begun.folder, begun.mlflow_id)


def _log_model(artifacts: Any, run: Run, mlflow_run_id: str) -> None:
    """Add the model of a run that has one, so that MLflow loads ``runs:/ID/model``."""
    from mlflow.version import VERSION

    files = model_files(run, mlflow_run_id, VERSION)
    if not files:
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        artifacts.log_artifacts(folder, MODEL)


def _pages(search: Any, **arguments: Any) -> Iterator[Any]:
    """Yield all results of a search, page by page."""
    token = None
    while True:
        page = search(**arguments, max_results=1000, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _metrics(record: Record) -> Iterator[tuple[str, Sequence[tuple[int, int, float]]]]:
    """Yield the names and points of metrics: a step, the index at that step, and a value.

    MLflow treats the last value at the highest step as the final one. A different final value gets
    a separate name and step 0.
    """
    for name, points in record.history.items():
        yield name, list(_numbered(points))
    for name, value in record.metrics.items():
        points = record.history.get(name, ())
        if not points:
            yield name, [(0, 0, value)]
        elif points[-1][1] != value:
            yield f"{_SUMMARY}{name}", [(0, 0, value)]


def _numbered(points: Sequence[tuple[float, float]]) -> Iterator[tuple[int, int, float]]:
    before, again = None, 0
    for step, (_, value) in zip(_steps(points), points, strict=True):
        again = again + 1 if step == before else 0
        before = step
        yield step, again, value


def _steps(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return integer steps, which MLflow requires: the recorded ones, or else their positions."""
    if all(step == int(step) and abs(step) < 2**53 for step, _ in points):
        return [int(step) for step, _ in points]
    return list(range(1, len(points) + 1))


def _tags(record: Record) -> Iterator[tuple[str, str]]:
    """Yield the tags that MLflow displays, the recorded values, and the tags of the run."""
    yield "mlflow.source.type", "LOCAL"
    yield "mlflow.source.name", record.facts.get("client") or "runforge"
    if record.commit:
        yield "mlflow.source.git.commit", record.commit
    if record.notes:
        yield "mlflow.note.content", record.notes
    yield "runforge.run_id", record.run_id
    for name, text in record.facts.items():
        yield f"runforge.{name}", text
    for name, source in record.sources.items():
        yield f"runforge.source.{name}", source
    for tag in record.tags:
        yield f"tag.{tag}", "true"


def _text(value: Any) -> str:
    """Return the value of a parameter in the format of the MLflow client."""
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _files(folder: Path, place: str) -> Iterator[tuple[Path, str]]:
    """Yield every file in a folder with the folder that it gets in MLflow; links are left out.

    Parameters
    ----------
    folder
        The folder.
    place
        The folder that it becomes.
    """
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_file(follow_symlinks=False):
            yield Path(entry.path), place
        elif entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path), f"{place}/{entry.name}")


@contextlib.contextmanager
def _coded_errors(folder: Path) -> Iterator[None]:
    """Convert exceptions of MLflow to coded errors, and suppress its log messages."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), writing(folder):
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in _LIBRARY:
            raise
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise RunForgeError(
            ErrorCode.STORE_NOT_WRITABLE,
            f"MLflow cannot use {quote(folder / DATABASE, 200)}: {shorten(lines[0], 300)}",
            hint="Choose another folder with -o.",
            path=str(folder / DATABASE),
        ) from error
    finally:
        logging.disable(before)
