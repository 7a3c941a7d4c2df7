"""Import the runs of a tracking store as runs of experiments, by the writer that these have.

A run is completed in a hidden folder and then gets its name, so a process that is killed leaves
whole runs, and calling it again adds the others. The tracking store is only read.

Source: specification, section 17.15.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from msgspec import UNSET, to_builtins
from runforge_contracts.codec.strict_yaml import parse_yaml
from runforge_contracts.display import quote, quote_some
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import digest_file, read_file, writing
from runforge_contracts.fs.folders import as_text
from runforge_contracts.run_ids import ExperimentRunId, is_any_run_id, parse_experiment_run_id
from runforge_contracts.shared_work import WorkWatch, unwatched
from runforge_contracts.store import layout
from runforge_contracts.store.experiment_runs import experiment_runs
from runforge_contracts.store.layout import ExperimentLayout, StoreLayout
from runforge_contracts.store.removals import read_removals
from runforge_contracts.system.system_files import rename_new_folder, sync_folder
from runforge_contracts.types import ImportedItem, ImportReportV1, LeftOut, LeftOutSum

from runforge_engine import __version__
from runforge_engine.experiment.record.experiment_record import ExperimentRecord
from runforge_engine.experiment.record.metric_log import Metrics
from runforge_engine.experiment.run.allocate import check_place, next_run_id
from runforge_engine.importing.artifact_folders import Artifact, ArtifactFolders
from runforge_engine.importing.imported_run import (
    EXPORTED,
    TOOL,
    config_of,
    day_of,
    digests_of,
    journal_lines_of,
    origin_of,
    within_bounds,
)
from runforge_engine.importing.left_out import Losses
from runforge_engine.importing.mlflow_database import DatabaseTrackingStore, is_database
from runforge_engine.importing.mlflow_files import FileTrackingStore, is_file_store
from runforge_engine.importing.tracked_run import (
    ENDED,
    Details,
    TrackedRun,
    TrackingStore,
    instant_of,
)
from runforge_engine.runtime.clock import read_clock
from runforge_engine.runtime.folder_lock import holding_alone
from runforge_engine.store.incoming import copy_file, remove_left, staging_folder

_CLIENT = f"runforge-engine@{__version__}"
_DATABASE, _FILES = "mlflow.db", "mlruns"
_FIELD = "imported_from"
_MAX_CONFIG = 2**20
#: How long to wait for another import, in seconds.
_PATIENCE = 10.0
#: Bytes of the journal that are written at once.
_BUFFER = 2**20

Outcome = Literal["added", "present", "changed", "unfinished", "deleted", "removed", "refused"]


class _Known(NamedTuple):
    """A run that was imported before."""

    folder: Path
    digests: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Examined:
    """A run of the tracking store as it is now."""

    run: TrackedRun
    details: Details
    artifacts: list[Artifact]
    losses: Losses
    digests: dict[str, str]


@contextmanager
def open_tracking_store(path: Path) -> Iterator[TrackingStore]:
    """Open a tracking store of MLflow.

    Parameters
    ----------
    path
        A database, a folder with experiments, or one that has ``mlflow.db`` or ``mlruns``.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_FOUND`` if there is none; ``DOCUMENT_INVALID`` for a database of another kind;
        ``FILE_UNSAFE`` if it is a link or a device; ``FILE_UNREADABLE``.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - keeps links, which are refused below
    if path.is_dir():
        path = Path(os.path.realpath(path))
        database, files = path / _DATABASE, path / _FILES
        if os.path.lexists(database):
            others = [folder for folder in (path, files) if is_file_store(folder)]
            notes = [
                f"{quote(folder, 200)} has runs in files, too; they are imported if it is named."
                for folder in others
            ]
            with _closing(DatabaseTrackingStore(database, notes)) as store:
                yield store
            return
        if is_file_store(path):
            yield FileTrackingStore(path)
            return
        if is_file_store(files):
            yield FileTrackingStore(files)
            return
    elif os.path.lexists(path) and is_database(path):
        with _closing(DatabaseTrackingStore(path)) as store:
            yield store
        return
    raise RunForgeError(
        ErrorCode.STORE_NOT_FOUND,
        f"There is no tracking store of MLflow in {quote(path, 200)}.",
        hint=f"Name a folder `{_FILES}`, a database `{_DATABASE}`, or the folder that has it.",
        path=str(path),
    )


@contextmanager
def _closing(store: DatabaseTrackingStore) -> Iterator[TrackingStore]:
    try:
        yield store
    finally:
        store.close()


def import_runs(
    source: TrackingStore,
    store: StoreLayout,
    *,
    experiments: Sequence[str] = (),
    artifact_folders: Iterable[Path] = (),
    dry_run: bool = False,
    watch: WorkWatch = unwatched,
) -> ImportReportV1:
    """Import the runs of a tracking store that have ended, and report on all of them.

    Parameters
    ----------
    source
        The tracking store.
    store
        The store of the workspace, whose folder of runs of experiments gets the runs.
    experiments
        Names or ids of experiments in MLflow; all if there is none.
    artifact_folders
        Folders below which artifacts are read, besides that of the tracking store.
    dry_run
        Whether to read everything and write nothing.
    watch
        Shows how far it is.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for an experiment that is not there; ``FILE_UNSAFE`` where the folder of
        runs is a link; ``STORE_BUSY`` if another process imports; ``STORE_NOT_WRITABLE``; the
        errors of the tracking store.
    """
    runs = _chosen(list(source.runs()), experiments)
    artifacts = ArtifactFolders(source.folder, artifact_folders)
    check_place(store.workspace)
    with nullcontext() if dry_run else _alone(store):
        if not dry_run:
            remove_left(ExperimentLayout(store.workspace).runs)
        work = _Import(source, store, artifacts, dry_run=dry_run)
        stage = "Reading runs" if dry_run else "Importing runs"
        items = list(watch(stage, map(work.item, runs), len(runs)))
    added = any(item.outcome == "added" for item in items)
    return ImportReportV1(
        schema_version="import_report.v1",
        tool="mlflow",
        source=as_text(source.path),
        outcome="imported" if added else "present",
        dry_run=dry_run,
        items=items,
        left_out=_sum(items),
        notes=list(source.notes),
    )


def _chosen(runs: list[TrackedRun], experiments: Sequence[str]) -> list[TrackedRun]:
    """Return the runs of some experiments in the order in which they started."""
    for named in experiments:
        if not any(named in (run.experiment, run.experiment_id) for run in runs):
            known = sorted({run.experiment for run in runs})
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"There is no run of an experiment {quote(named)} in the tracking store.",
                hint=f"There are runs of {quote_some(known)}." if known else None,
            )
    chosen = [
        run
        for run in runs
        if not experiments or run.experiment in experiments or run.experiment_id in experiments
    ]
    return sorted(chosen, key=lambda run: (instant_of(run.started_at) or 0, run.run_id))


@contextmanager
def _alone(store: StoreLayout) -> Iterator[None]:
    """Keep other imports out, which would add the same runs."""
    folder = ExperimentLayout(store.workspace).runs
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        with holding_alone(folder, "The import", patience=_PATIENCE):
            yield
    except RunForgeError as error:
        if error.code != ErrorCode.GROUP_BUSY:
            raise
        raise RunForgeError(
            ErrorCode.STORE_BUSY,
            f"Another process imports runs into {quote(folder, 200)}.",
            hint="Try again when it has ended.",
            path=str(folder),
        ) from None


class _Import:
    """An import in progress."""

    def __init__(
        self,
        source: TrackingStore,
        store: StoreLayout,
        artifacts: ArtifactFolders,
        *,
        dry_run: bool,
    ) -> None:
        self.source = source
        self.store = store
        self.place = ExperimentLayout(store.workspace)
        self.artifacts = artifacts
        self.dry_run = dry_run
        self.known = dict(_imported(store.workspace))
        self.removals = read_removals(store).current
        self.clock = read_clock()

    def item(self, run: TrackedRun) -> ImportedItem:
        """Import a run unless it is here, and return what happened to it."""
        known = self.known.get(run.run_id)
        if run.deleted:
            return self._item(run, "deleted", known)
        if run.problem is not None or run.status is None:
            return self._item(run, "refused", known, reason=run.problem or "It has no status.")
        if run.status not in ENDED:
            return self._item(run, "unfinished", known)
        try:
            examined = self._examine(run)
            own = self._exported_from(examined)
            if own is not None:
                return self._item(run, "present", _Known(own, {}))
            if known is None:
                return self._add(examined)
        except RunForgeError as error:
            if error.code in (ErrorCode.STORE_NOT_WRITABLE, ErrorCode.CANCELLED):
                raise
            return self._item(run, "refused", known, reason=error.message)
        differences = [
            name for name, value in examined.digests.items() if value != known.digests.get(name)
        ]
        return self._item(run, "changed" if differences else "present", known, differences)

    def _examine(self, run: TrackedRun) -> _Examined:
        """Read a run, without writing anything."""
        losses = Losses()
        details = within_bounds(self.source.details(run, losses), losses)
        artifacts = self.artifacts.of(run, details.models, losses)
        values = hashlib.sha256()
        for line in journal_lines_of(details, self.source.points(run, losses)):
            values.update(line)
        digests = digests_of(run, details, values.hexdigest(), artifacts)
        return _Examined(run, details, artifacts, losses, digests)

    def _exported_from(self, examined: _Examined) -> Path | None:
        """Return the folder of the run, or the sweep, of this workspace that was exported as this.

        The ids of experiments' runs are those of many workspaces, so the digest of the
        configuration belongs to the identity in an export.
        """
        words = examined.details.tags.get(EXPORTED, "").split(" ")
        if not all(map(is_any_run_id, words)) or len(words) > 2:
            return None
        if words[0] == "group":
            folder = self.store.group_folder(words[-1])
        elif len(words) == 1:
            folder = self.store.run_folder(words[0])
        else:
            folder = self.place.run_folder(words[0])
            try:
                if digest_file(folder / layout.CONFIG).sha256 != words[1]:
                    return None
            except RunForgeError:
                return None
        return folder if folder.is_dir() else None

    def _add(self, examined: _Examined) -> ImportedItem:
        """Record a run, under the next id of its day."""
        run, losses = examined.run, examined.losses
        config = config_of(run, examined.details, losses)
        if self.dry_run:
            return self._item(run, "added", None, losses=losses)
        now = self.clock.now()
        day = day_of(run, now[:10])
        candidate = self._first(day)
        with staging_folder(self.place.runs, run.run_id) as staging:
            folder = staging / str(candidate)
            with writing(folder):
                folder.mkdir()
            record = ExperimentRecord(folder)
            begun = {"run_id": folder.name, **config, "created_by": _CLIENT}
            record.begin({**begun, "status": "running"}, None, {})
            self._copy(examined, record)
            metrics = self._write_values(examined, record)
            warnings = [f"{item.message} ({item.count:,})" for item in losses.items()]
            record.say(
                [
                    f"imported from the run {run.run_id} of MLflow",
                    *(f"warning: {text}" for text in (*warnings, *metrics.warnings)),
                ]
            )
            for reason, number in metrics.journal.left_out.items():
                losses.add("metrics", reason, count=number)
            left_out = list(losses.items())
            origin = origin_of(run, examined.details, examined.digests)
            origin |= {"imported_at": now}
            if left_out:
                origin["left_out"] = to_builtins(left_out)
            parameters = metrics.journal.parameters
            final = {**begun, **({"parameters": parameters} if parameters else {}), _FIELD: origin}
            removed = self._removed_before(record.log)
            if removed is not None:
                return self._item(run, "removed", _Known(self.place.run_folder(removed), {}))
            target = self._finish(folder, final, candidate)
        self.known[run.run_id] = _Known(target, examined.digests)
        return self._item(run, "added", self.known[run.run_id], losses=losses)

    def _copy(self, examined: _Examined, record: ExperimentRecord) -> None:
        for artifact in examined.artifacts:
            try:
                copy_file(artifact.source, record.artifacts / artifact.place)
            except RunForgeError as error:
                if error.code == ErrorCode.STORE_NOT_WRITABLE:
                    raise
                reason = "Artifacts that cannot be read are left out"
                examined.losses.add("artifacts", reason, artifact.place)

    def _write_values(self, examined: _Examined, record: ExperimentRecord) -> Metrics:
        """Write the journal, and the metrics that follow from it."""
        journal = record.folder / layout.JOURNAL
        points = self.source.points(examined.run, Losses())  # they are counted before
        lines = journal_lines_of(examined.details, points)
        with writing(journal), journal.open("xb", buffering=_BUFFER) as file:
            file.writelines(lines)
            empty = not file.tell()
        if empty:
            journal.unlink()
        elif digest_file(journal).sha256 != examined.digests["values"]:
            raise RunForgeError(
                ErrorCode.STORE_BUSY,
                "It was changed while it was read.",
                hint="Import again when nobody writes there.",
            )
        metrics = Metrics(journal, record.folder / layout.EXPERIMENT_METRICS)
        metrics.finish()
        return metrics

    def _removed_before(self, log: Path) -> str | None:
        """Return the removed run that this one would be again: its log names the run of MLflow."""
        digest = digest_file(log).sha256
        for run_id, line in self.removals.items():
            if line.get("files", {}).get(layout.LOGS, {}).get("sha256") == digest:
                return run_id
        return None

    def _finish(self, folder: Path, config: dict[str, Any], candidate: ExperimentRunId) -> Path:
        """Write the final documents, and give the folder its name, which nothing else has."""
        while True:
            target = self.place.run_folder(str(candidate))
            with writing(target):
                folder = folder.rename(folder.with_name(target.name))
            ExperimentRecord(folder).finish({**config, "run_id": target.name})
            try:
                with writing(target):
                    rename_new_folder(folder, target)
                    sync_folder(target.parent)
            except RunForgeError as error:
                if not isinstance(error.__cause__, FileExistsError):
                    raise
                (folder / layout.EXPERIMENT_MANIFEST).unlink()
                candidate = self._next(candidate)
            else:
                return target

    def _first(self, day: str) -> ExperimentRunId:
        """Return the id of the next run of a day, after those of runs that were removed, too."""
        removed = [parse_experiment_run_id(run_id) for run_id in self.removals]
        after = [known for known in removed if known is not None and known.day == day]
        following = [self._next(known) for known in after]
        return max([next_run_id(self.store.workspace, day), *following])

    def _next(self, run_id: ExperimentRunId) -> ExperimentRunId:
        following = run_id._replace(number=run_id.number + 1)
        if parse_experiment_run_id(str(following)) is None:
            raise RunForgeError(
                ErrorCode.RUN_ID_TAKEN, f"No number is left for another run of {run_id.day}."
            )
        return following

    def _item(
        self,
        run: TrackedRun,
        outcome: Outcome,
        known: _Known | None = None,
        differences: Sequence[str] = (),
        *,
        losses: Losses | None = None,
        reason: str | None = None,
    ) -> ImportedItem:
        left_out = [] if losses is None else list(losses.items())
        return ImportedItem(
            source_id=run.run_id,
            experiment=run.experiment,
            name=run.name or UNSET,
            outcome=outcome,
            run_id=UNSET if known is None else known.folder.name,
            path=UNSET if known is None else self.store.relative(known.folder),
            differences=list(differences) or UNSET,  # type: ignore[arg-type]
            reason=reason or UNSET,
            left_out=left_out or UNSET,
        )


def _imported(workspace: Path) -> Iterator[tuple[str, _Known]]:
    """Yield the runs in a workspace that were imported from MLflow, by their ids in MLflow.

    A configuration that cannot be read names none.
    """
    for folder in experiment_runs(workspace):
        try:
            data = read_file(folder / layout.CONFIG, max_bytes=_MAX_CONFIG)
            if _FIELD.encode() not in data:  # reading YAML takes a hundred times as long
                continue
            config = parse_yaml(data)
        except RunForgeError:
            continue
        origin: Any = config.get(_FIELD) if isinstance(config, dict) else None
        if isinstance(origin, dict) and origin.get("tool") == TOOL:
            digests = origin.get("digests")
            yield (
                str(origin.get("run_id")),
                _Known(folder, digests if isinstance(digests, dict) else {}),
            )


def _sum(items: Iterable[ImportedItem]) -> list[LeftOutSum]:
    counts, runs = Counter[str](), Counter[str]()
    for item in items:
        left_out: list[LeftOut] = item.left_out or []
        counts.update({part.what: 0 for part in left_out})
        for part in left_out:
            counts[part.what] += part.count
        runs.update({part.what for part in left_out})
    return [
        LeftOutSum(what=what, count=counts[what], runs=runs[what])  # type: ignore[arg-type]
        for what in sorted(counts)
    ]
