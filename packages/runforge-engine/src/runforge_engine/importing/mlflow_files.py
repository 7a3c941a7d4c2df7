"""Read a tracking store that consists of files: ``mlruns`` of MLflow.

Nothing is written, no symbolic link in the store is followed, and what cannot be read is counted.

Source: MLflow documentation, "Backend Stores".
"""

from __future__ import annotations

import contextlib
import io
import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_yaml import MAX_YAML_BYTES, parse_yaml
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError
from runforge_contracts.fs.files import open_file, read_file, reading
from runforge_contracts.fs.folders import as_text, list_folder, walk_folder

from runforge_engine.importing.left_out import Losses, What
from runforge_engine.importing.tracked_run import (
    MAX_VALUE,
    Details,
    TrackedDataset,
    TrackedModel,
    TrackedRun,
    TrackedValue,
    is_id,
    keeps,
    numbered,
    plain,
    status_of,
)

_META = "meta.yaml"
#: The folder of deleted experiments.
_TRASH = ".trash"
#: Longest line of a metric, in bytes: a time, a value, a step, and a dataset with its digest.
_MAX_LINE = 2**12
#: Names of metrics, parameters and tags may have slashes.
_MAX_DEPTH = 32
_STEPS = range(-(2**63), 2**63)


class FileTrackingStore:
    """A tracking store in a folder, which has a folder for each experiment."""

    def __init__(self, path: Path, notes: Iterable[str] = ()) -> None:
        self.path = path
        self.folder = path
        self.notes = list(notes)
        #: The logged models of an experiment, by the run that logged them.
        self._models: dict[Path, dict[str, list[TrackedModel]]] = {}

    def runs(self) -> Iterator[TrackedRun]:
        """Yield every run; those of deleted experiments count as deleted."""
        for parent, in_trash in ((self.path, False), (self.path / _TRASH, True)):
            for experiment in _folders(parent):
                meta = self._meta(experiment)
                if meta is None or "experiment_id" not in meta:
                    continue
                deleted = in_trash or meta.get("lifecycle_stage") == "deleted"
                name = plain(meta.get("name")) or experiment.name
                for folder in _folders(experiment):
                    if (folder / _META).exists() and folder.name not in ("models", "datasets"):
                        yield self._run(folder, experiment.name, name, deleted=deleted)

    def _run(
        self, folder: Path, experiment_id: str, experiment: str, *, deleted: bool
    ) -> TrackedRun:
        problem, meta = None, dict[str, Any]()
        try:
            meta = _object(parse_yaml(self._read(folder / _META, MAX_YAML_BYTES)))
        except RunForgeError as error:
            problem = f"Its {_META} cannot be read: {error.message}"
        if problem is None and not is_id(folder.name):
            problem = "The name of its folder is not the id of a run."
        found = meta.get("run_id", meta.get("run_uuid", folder.name))
        if problem is None and found != folder.name:
            problem = f"Its {_META} has another id than its folder: {quote(found)}."
        return TrackedRun(
            run_id=as_text(folder.name),
            experiment_id=as_text(experiment_id),
            experiment=experiment,
            name=plain(meta.get("run_name")) or None,
            status=status_of(meta.get("status")),
            deleted=deleted or meta.get("lifecycle_stage") == "deleted",
            started_at=meta.get("start_time"),
            finished_at=meta.get("end_time"),
            user=plain(meta.get("user_id")) or None,
            program=plain(meta.get("source_name")) or None,
            artifacts=plain(meta.get("artifact_uri")) or str(folder / "artifacts"),
            problem=problem,
            folder=folder,
        )

    def details(self, run: TrackedRun, losses: Losses) -> Details:
        """Return parameters, tags, datasets and logged models of a run."""
        folder = _folder_of(run)
        return Details(
            parameters=self._values(folder / "params", "parameters", losses),
            tags=self._values(folder / "tags", "tags", losses),
            datasets=list(self._datasets(folder, losses)),
            models=self._models_of(folder.parent).get(run.run_id, []),
        )

    def points(self, run: TrackedRun, losses: Losses) -> Iterator[TrackedValue]:
        """Yield the metrics of a run, sorted on the disk: a file may be larger than the memory."""
        with contextlib.closing(sqlite3.connect("")) as scratch:  # a file that only this one sees
            scratch.execute(
                "CREATE TABLE points (name, step, time, value,"
                " PRIMARY KEY (name, step, time, value)) WITHOUT ROWID"
            )
            # MLflow 3 writes a value again for each model that is logged after it.
            scratch.executemany(
                "INSERT OR IGNORE INTO points VALUES (?, ?, ?, ?)",
                self._lines(_folder_of(run) / "metrics", losses),
            )
            rows = scratch.execute(
                "SELECT name, step, value FROM points ORDER BY name, step, time, value"
            )
            yield from numbered(_finite(rows, losses), losses)

    def _lines(self, folder: Path, losses: Losses) -> Iterator[tuple[str, int, int, float | str]]:
        """Yield name, step, time and value of each line; SQLite has no NaN, which is a string."""
        for name, path in self._files(folder, "metrics", losses):
            if not keeps("Metrics", name, losses):
                continue
            try:
                file = open_file(path, below=self.path)
            except RunForgeError as error:
                losses.add("metrics", "Metrics that cannot be read are left out", error.message)
                continue
            with io.BufferedReader(file) as lines, reading(path):
                while line := lines.readline(_MAX_LINE):
                    if not line.endswith(b"\n") and len(line) == _MAX_LINE:
                        while line and not line.endswith(b"\n"):
                            line = lines.readline(_MAX_LINE)
                        line = b"?"
                    point = _parsed(line)
                    if point is None:
                        if line.strip():
                            losses.add("metrics", "Lines that are no metrics are left out", name)
                    else:
                        time, step, value = point
                        yield name, step, time, value if math.isfinite(value) else str(value)

    def _values(self, folder: Path, what: What, losses: Losses) -> dict[str, str]:
        """Return the contents of the files of a folder, by their paths below it."""
        found: dict[str, str] = {}
        for name, path in self._files(folder, what, losses):
            if not keeps(what.capitalize(), name, losses):
                continue
            try:
                found[name] = self._read(path, MAX_VALUE).decode("utf-8")
            except UnicodeDecodeError:
                losses.add(what, f"{what.capitalize()} that are not UTF-8 are left out", name)
            except RunForgeError as error:
                losses.add(
                    what, f"{what.capitalize()} that cannot be read are left out", error.message
                )
        return found

    def _files(self, folder: Path, what: What, losses: Losses) -> Iterator[tuple[str, Path]]:
        if folder.is_symlink():
            losses.add(what, f"Folders of {what} that are links are left out", folder)
            return
        if not folder.is_dir():
            return

        def complain(place: str, error: OSError) -> None:
            losses.add(what, f"Folders of {what} that cannot be read are left out", place or folder)

        for item in walk_folder(folder, max_depth=_MAX_DEPTH, unreadable=complain):
            if item.kind == "file":
                yield item.place, item.path
            elif item.kind != "folder":
                losses.add(
                    what, f"{what.capitalize()} that are links or no files are left out", item.place
                )

    def _datasets(self, folder: Path, losses: Losses) -> Iterator[TrackedDataset]:
        for entry in _folders(folder / "inputs"):
            named = self._meta(entry) or {}
            source_id = named.get("source_id")
            if named.get("source_type") != "DATASET" or not is_id(source_id):
                continue
            meta = self._meta(folder.parent / "datasets" / str(source_id))
            if meta is None or not isinstance(meta.get("name"), str):
                losses.add("datasets", "Datasets that cannot be read are left out", source_id)
                continue
            tags = named.get("tags")
            context = tags.get("mlflow.data.context") if isinstance(tags, dict) else None
            yield TrackedDataset(
                meta["name"], plain(meta.get("digest")), plain(meta.get("source")), plain(context)
            )

    def _models_of(self, experiment: Path) -> Mapping[str, list[TrackedModel]]:
        if experiment not in self._models:
            found = self._models[experiment] = dict[str, list[TrackedModel]]()
            for folder in _folders(experiment / "models"):
                meta = self._meta(folder) or {}
                run_id = meta.get("source_run_id")
                if isinstance(run_id, str) and is_id(folder.name):
                    name = plain(meta.get("name")) or folder.name
                    place = plain(meta.get("artifact_location")) or str(folder / "artifacts")
                    found.setdefault(run_id, []).append(TrackedModel(folder.name, name, place))
        return self._models[experiment]

    def _meta(self, folder: Path) -> dict[str, Any] | None:
        """Return the description in a folder; None if it has none that can be read."""
        try:
            return _object(parse_yaml(self._read(folder / _META, MAX_YAML_BYTES)))
        except RunForgeError as error:
            if not isinstance(error, NotFoundError):
                note = f"{quote(folder.name)} is left out: its {_META} cannot be read."
                if note not in self.notes:
                    self.notes.append(note)
            return None

    def _read(self, path: Path, most: int) -> bytes:
        return read_file(path, max_bytes=most, below=self.path)


def is_file_store(path: Path) -> bool:
    """Return whether a folder has an experiment of MLflow."""
    return any((folder / _META).is_file() for folder in _folders(path))


def _folders(parent: Path) -> list[Path]:
    """Return the folders in a folder, by name, without links."""
    if parent.is_symlink() or not parent.is_dir():
        return []
    return [
        Path(entry.path) for entry in list_folder(parent) if entry.is_dir(follow_symlinks=False)
    ]


def _folder_of(run: TrackedRun) -> Path:
    assert run.folder is not None, run  # noqa: S101 - every run of a file store has one
    return run.folder


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise RunForgeError(ErrorCode.DOCUMENT_INVALID, "It is not a mapping.")


def _finite(rows: Iterable[tuple[str, int, Any]], losses: Losses) -> Iterator[tuple[Any, Any, Any]]:
    for name, step, value in rows:
        if isinstance(value, str):
            losses.add("metrics", "NaN and infinite values are left out", name)
        else:
            yield name, step, value


def _parsed(line: bytes) -> tuple[int, int, float] | None:
    """Return time, step and value of a line of a metric; None if it is none."""
    words = line.split()
    try:
        time, value = int(words[0]), float(words[1])
        step = int(words[2]) if len(words) > 2 else 0
    except (IndexError, ValueError):
        return None
    return (time, step, value) if time in _STEPS and step in _STEPS else None
