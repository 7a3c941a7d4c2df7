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
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from runforge_contracts.display import quote, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import rename_new, writing
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
    from mlflow.entities import Experiment
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from runforge_engine.store.sweep_table import SweepTable
    from sqlalchemy.orm import Session

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
#: The tags that nest a run in another, and that name it.
_PARENT, _NAME = "mlflow.parentRunId", "mlflow.runName"
#: Characters with a special meaning in the database URLs of MLflow.
_RESERVED = frozenset("%?#")
#: How many runs are added in one transaction, which no other program can write to the database in.
_TOGETHER = 100
#: Maximum lengths of a run name, a parameter, a tag, a dataset name and a digest in MLflow.
_RUN, _PARAM, _TAG, _DATASET, _DIGEST = 250, 6000, 5000, 500, 36
#: Prefix of a final metric that differs from the last value of its history.
_SUMMARY = "summary/"

#: Rows to add to the tables of MLflow, by the class of their table.
_Rows = dict[Any, list[dict[str, Any]]]


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
            database = self._folder / DATABASE
            if not database.exists():
                self._make(database)
            self._store = self._open(database)
            self._exported = self._read_exported()
        #: The experiments that were looked for, by name.
        self._experiments: dict[str, Experiment] = {}
        #: Ids of their datasets, by name and digest.
        self._known_datasets: dict[str, dict[tuple[str, str], str]] = {}

    def _open(self, database: Path) -> SqlAlchemyStore:
        # Not through the MLflow client, which writes files to the current folder.
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        return SqlAlchemyStore(f"sqlite:///{database}", (self._folder / ARTIFACTS).as_uri())

    def _make(self, database: Path) -> None:
        """Make a database, which has its name when all tables are there.

        MLflow makes them one after the other, and cannot use a database that has only some.
        """
        unfinished = database.with_name(f".{database.name}.{os.urandom(8).hex()}.tmp")
        try:
            self._open(unfinished).engine.dispose()
            with contextlib.suppress(FileExistsError):
                rename_new(unfinished, database)
        finally:
            unfinished.unlink(missing_ok=True)

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
    def _transaction(self) -> Iterator[Session]:
        """Give a session that writes to the database at once."""
        from sqlalchemy import text
        from sqlalchemy.orm import Session

        with Session(self._store.engine) as session, session.begin():
            # As MLflow sets it, for each of its sessions.
            session.execute(text("PRAGMA busy_timeout = 20000"))
            yield session

    def _insert(self, rows: _Rows) -> None:
        """Add the rows of some runs.

        MLflow itself has a call for each part of a run, which looks for the run and waits for the
        disk.

        Source: SQLAlchemy documentation, "ORM Bulk INSERT Statements".
        """
        from sqlalchemy import insert

        with self._transaction() as session:
            for table, values in rows.items():
                session.execute(insert(table), values)

    def add_sweep(self, record: Record) -> str:
        """Return the MLflow id of the run for a sweep; the status of an older one is updated."""
        before, status = self._exported.get(record.identity, ("", ""))
        with _coded_errors(self._folder):
            if not before:
                rows: _Rows = defaultdict(list)
                begun = self._begin(rows, record, None)
                self._insert(rows)
                self._finish([begun])
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
        before = list[_AddedRun]()
        copies: Iterator[None] = iter(())
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
        rows: _Rows = defaultdict(list)
        with _coded_errors(self._folder):
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
                begun.append(self._begin(rows, record, parent, run_id, folder))
            self._insert(rows)
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
            self._finish(begun)
        outcome.exported += [item.run_id for item in begun]

    def _begin(
        self,
        rows: _Rows,
        record: Record,
        parent: str | None,
        run_id: str = "",
        folder: AnyRun | None = None,
    ) -> _AddedRun:
        """Add the rows of a run, all but how it ended."""
        from mlflow.store.tracking.dbmodels.models import SqlParam, SqlRun, SqlTag
        from mlflow.utils.uri import append_to_uri_path

        experiment, mlflow_id = self._experiment(record.experiment), uuid4().hex
        artifact_uri = append_to_uri_path(experiment.artifact_location, mlflow_id, "artifacts")
        ended = record.finished_at or record.started_at or 0
        name = shorten(record.name, _RUN)
        rows[SqlRun].append(
            {
                "run_uuid": mlflow_id,
                "experiment_id": int(experiment.experiment_id),
                "name": name,
                "artifact_uri": artifact_uri,
                "status": "RUNNING",
                "lifecycle_stage": "active",
                "start_time": ended if record.started_at is None else record.started_at,
                "source_type": "UNKNOWN",
                **dict.fromkeys(("user_id", "source_name", "source_version"), ""),
                "entry_point_name": "",
            }
        )
        names = {"metrics": Names(), "params": Names(), "tags": Names()}
        self._add_metrics(rows, mlflow_id, record, ended, names["metrics"])
        params = {
            names["params"](name): shorten(_text(value), _PARAM)
            for name, value in record.params.items()
        }
        tags = {names["tags"](name): shorten(text, _TAG) for name, text in _tags(record)}
        changed = {kind: group.changed for kind, group in names.items() if group.changed}
        if changed:
            tags["runforge.names"] = shorten(json.dumps(changed), _TAG)
        tags |= {_IDENTITY: record.identity, _NAME: name}
        if parent is not None:
            tags[_PARENT] = parent
        for table, texts in ((SqlParam, params), (SqlTag, tags)):
            rows[table] += [
                {"run_uuid": mlflow_id, "key": key, "value": value} for key, value in texts.items()
            ]
        trained = folder if isinstance(folder, Run) else None
        self._add_dataset(rows, mlflow_id, experiment.experiment_id, record, trained)
        self._exported[record.identity] = mlflow_id, _STATUS[record.status]
        return _AddedRun(mlflow_id, artifact_uri, run_id, ended, record, folder)

    def _add_metrics(
        self, rows: _Rows, mlflow_id: str, record: Record, ended: int, names: Names
    ) -> None:
        from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric

        for name, points in _metrics(record):
            key, values = names(name), list[dict[str, Any]]()
            for step, again, value in points:
                is_nan, stored = self._store.sanitize_metric_value(value)
                at = {"step": step, "timestamp": ended + again}
                values.append(
                    {"run_uuid": mlflow_id, "key": key, **at, "value": stored, "is_nan": is_nan}
                )
            rows[SqlMetric] += values
            rows[SqlLatestMetric].append(
                max(values, key=lambda row: (row["step"], row["timestamp"], row["value"]))
            )

    def _add_dataset(
        self,
        rows: _Rows,
        mlflow_id: str,
        experiment_id: str,
        record: Record,
        trained: Run | None,
    ) -> None:
        from mlflow.store.tracking.dbmodels.models import SqlDataset, SqlInput

        if record.dataset is None:
            return
        name = shorten(record.dataset.path.rpartition("/")[2] or "dataset", _DATASET)
        digest, known = record.dataset.sha256[:_DIGEST], self._datasets(experiment_id)
        if (name, digest) not in known:
            known[name, digest] = uuid4().hex
            rows[SqlDataset].append(
                {
                    "dataset_uuid": known[name, digest],
                    "experiment_id": int(experiment_id),
                    "name": name,
                    "digest": digest,
                    "dataset_source_type": "local",
                    "dataset_source": json.dumps({"uri": record.dataset.path}),
                    "dataset_schema": None if trained is None else dataset_schema(trained),
                }
            )
        rows[SqlInput].append(
            {
                "input_uuid": uuid4().hex,
                "source_type": "DATASET",
                "source_id": known[name, digest],
                "destination_type": "RUN",
                "destination_id": mlflow_id,
            }
        )

    def _datasets(self, experiment_id: str) -> dict[tuple[str, str], str]:
        """Return the ids of the datasets of an experiment, by name and digest."""
        from mlflow.store.tracking.dbmodels.models import SqlDataset
        from sqlalchemy import select

        if experiment_id not in self._known_datasets:
            columns = SqlDataset.name, SqlDataset.digest, SqlDataset.dataset_uuid
            found: Any = select(*columns).where(SqlDataset.experiment_id == int(experiment_id))
            with self._transaction() as session:
                self._known_datasets[experiment_id] = {
                    (name, digest): dataset_id
                    for name, digest, dataset_id in session.execute(found)
                }
        return self._known_datasets[experiment_id]

    def _finish(self, begun: Sequence[_AddedRun]) -> None:
        """Set how some runs ended.

        Source: SQLAlchemy documentation, "ORM Bulk UPDATE by Primary Key".
        """
        from mlflow.store.tracking.dbmodels.models import SqlRun
        from sqlalchemy import update

        ends = [
            {
                "run_uuid": item.mlflow_id,
                "status": _STATUS[item.record.status],
                "end_time": item.ended,
            }
            for item in begun
        ]
        if ends:
            with self._transaction() as session:
                session.execute(update(SqlRun), ends)

    def _experiment(self, name: str) -> Experiment:
        name = shorten(name, _DATASET)
        if name not in self._experiments:
            self._experiments[name] = self._find_experiment(name)
        return self._experiments[name]

    def _find_experiment(self, name: str) -> Experiment:
        """Return the experiment with a name, which is made if it is missing."""
        found = self._store.get_experiment_by_name(name)
        if found is None:
            return self._store.get_experiment(self._store.create_experiment(name))
        if found.lifecycle_stage != "active":
            raise RunForgeError(
                ErrorCode.STORE_NOT_WRITABLE,
                f"The experiment {quote(name)} was deleted in MLflow.",
                hint="Restore it there, or choose another folder with -o.",
            )
        return found


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
