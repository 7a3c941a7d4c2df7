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
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import quote, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import writing
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
#: Maximum numbers of metrics, and of parameters or tags, in one MLflow call, which takes 1,000.
_METRICS, _OTHERS = 800, 100
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
    for run in runs:
        run_id = run.entry["run_id"]
        try:
            record = record_of(run.folder(), run.store)
        except RunForgeError as error:
            outcome.left_out[run_id] = error.message
            continue
        if record is None:
            outcome.left_out[run_id] = "The run has not finished."
        elif store.add(record, parent, run.folder()):
            outcome.exported.append(run_id)
        else:
            outcome.present.append(run_id)
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

    def add_sweep(self, record: Record) -> str:
        """Return the MLflow id of the run for a sweep; the status of an older one is updated."""
        before, status = self._exported.get(record.identity, ("", ""))
        with _coded_errors(self._folder):
            if not before:
                self._add(record, None, ())
            elif status != _STATUS[record.status]:
                from mlflow.entities import RunStatus

                now = RunStatus.from_string(_STATUS[record.status])
                self._store.update_run_info(before, now, record.finished_at, None)
        return self._exported[record.identity][0]

    def add(self, record: Record, parent: str | None, run: AnyRun) -> bool:
        """Add a run, or return False if it was exported before.

        A run whose export was interrupted is deleted and added again.

        Parameters
        ----------
        record
            The run.
        parent
            The MLflow id of the run for its sweep.
        run
            Its folder, which may have a model.
        """
        before, status = self._exported.get(record.identity, ("", ""))
        if before and status != "RUNNING":
            return False
        with _coded_errors(self._folder):
            if before:
                self._store.delete_run(before)
            self._add(record, parent, _files(record.folder, FOLDER), run)
        return True

    def _add(
        self,
        record: Record,
        parent: str | None,
        files: Iterable[tuple[Path, str]],
        folder: AnyRun | None = None,
    ) -> None:
        from mlflow.entities import RunStatus, RunTag
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        finished = record.finished_at or record.started_at or 0
        run = self._store.create_run(
            experiment_id=self._experiment(record.experiment),
            user_id="",
            start_time=finished if record.started_at is None else record.started_at,
            tags=[
                RunTag(_IDENTITY, record.identity),
                *([] if parent is None else [RunTag(_PARENT, parent)]),
            ],
            run_name=shorten(record.name, _RUN),
        ).info
        self._log(run.run_id, record, finished)
        trained = folder if isinstance(folder, Run) else None
        self._log_dataset(run.run_id, record, trained)
        artifacts = get_artifact_repository(run.artifact_uri)
        for path, place in files:
            artifacts.log_artifact(str(path), place)
        if trained is not None:
            _log_model(artifacts, trained, run.run_id)
        # The status is set last: a run with the status RUNNING was not exported completely.
        status = RunStatus.from_string(_STATUS[record.status])
        self._store.update_run_info(run.run_id, status, finished, None)
        self._exported[record.identity] = run.run_id, RunStatus.to_string(status)

    def _experiment(self, name: str) -> str:
        name = shorten(name, _DATASET)
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

    def _log(self, run_id: str, record: Record, moment: int) -> None:
        """Log metrics, parameters and tags."""
        from mlflow.entities import Metric, Param, RunTag

        names = {"metrics": Names(), "params": Names(), "tags": Names()}
        metrics = [
            Metric(called, value, moment + again, step)
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
        # Together: each call looks for the run, and commits several times.
        while metrics or params or tags:
            self._store.log_batch(run_id, metrics[:_METRICS], params[:_OTHERS], tags[:_OTHERS])
            del metrics[:_METRICS], params[:_OTHERS], tags[:_OTHERS]

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
