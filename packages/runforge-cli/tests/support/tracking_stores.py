"""Tracking stores of MLflow, written by hand: files, and a database with the same runs."""

from __future__ import annotations

import math
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_yaml import encode_yaml

#: 2026-01-15T12:00:00.250Z.
START = 1_768_478_400_250
STATUSES = {"RUNNING": 1, "SCHEDULED": 2, "FINISHED": 3, "FAILED": 4, "KILLED": 5}
EXPERIMENT = ("7", "penguins")

#: The tables as MLflow 2 makes them, as far as they matter.
TABLES = """
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name VARCHAR(256),
  artifact_location VARCHAR(256), lifecycle_stage VARCHAR(32));
CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name VARCHAR(250), source_type VARCHAR(20),
  source_name VARCHAR(500), entry_point_name VARCHAR(50), user_id VARCHAR(256), status VARCHAR(9),
  start_time BIGINT, end_time BIGINT, source_version VARCHAR(50), lifecycle_stage VARCHAR(20),
  artifact_uri VARCHAR(200), experiment_id INTEGER);
CREATE TABLE metrics (key VARCHAR(250), value FLOAT NOT NULL, timestamp BIGINT,
  run_uuid VARCHAR(32), step BIGINT, is_nan BOOLEAN,
  PRIMARY KEY (key, timestamp, step, run_uuid, value, is_nan));
CREATE TABLE params (key VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32));
CREATE TABLE tags (key VARCHAR(250), value VARCHAR(5000), run_uuid VARCHAR(32));
CREATE TABLE datasets (dataset_uuid VARCHAR(36), experiment_id INTEGER, name VARCHAR(500),
  digest VARCHAR(36), dataset_source_type VARCHAR(36), dataset_source TEXT);
CREATE TABLE inputs (input_uuid VARCHAR(36), source_type VARCHAR(36), source_id VARCHAR(36),
  destination_type VARCHAR(36), destination_id VARCHAR(36));
CREATE TABLE input_tags (input_uuid VARCHAR(36), name VARCHAR(255), value VARCHAR(500));
CREATE TABLE logged_models (model_id VARCHAR(36), experiment_id INTEGER, name VARCHAR(500),
  artifact_location VARCHAR(1000), lifecycle_stage VARCHAR(32), source_run_id VARCHAR(32));
"""


@dataclass
class Run:
    """A run as a user of MLflow sees it."""

    run_id: str
    name: str = "first"
    status: str = "FINISHED"
    stage: str = "active"
    start: Any = START
    end: Any = START + 1500
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    #: Time, step and value of each point, by metric.
    metrics: Mapping[str, Sequence[tuple[int, int, float]]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    #: Files of logged models, by their names.
    models: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    dataset: str | None = None
    #: Where the store says that the artifacts are, if it is another place than usual.
    artifact_uri: str | None = None


def write_files(
    folder: Path, runs: Sequence[Run], experiment: tuple[str, str] = EXPERIMENT
) -> Path:
    """Write a store that consists of files, and return it."""
    root = folder / "mlruns"
    number, name = experiment
    meta = {"experiment_id": number, "name": name, "lifecycle_stage": "active"}
    put(root / number / "meta.yaml", encode_yaml(meta))
    for run in runs:
        own = root / number / run.run_id
        put(
            own / "meta.yaml",
            encode_yaml(
                {
                    "artifact_uri": run.artifact_uri or (own / "artifacts").as_uri(),
                    "end_time": run.end,
                    "experiment_id": number,
                    "lifecycle_stage": run.stage,
                    "run_id": run.run_id,
                    "run_name": run.name,
                    "source_name": "",
                    "start_time": run.start,
                    "status": STATUSES[run.status],
                    "user_id": "ada",
                }
            ),
        )
        (own / "artifacts").mkdir()
        for kind, values in (("params", run.params), ("tags", run.tags)):
            for key, value in values.items():
                put(own / kind / key, value.encode())
        for key, points in run.metrics.items():
            lines = [f"{time} {value} {step}\n" for time, step, value in points]
            put(own / "metrics" / key, "".join(lines).encode())
        write_artifacts(root / number, run)
        for model in run.models:
            meta = {
                "artifact_location": (root / number / "models" / f"m-{model}/artifacts").as_uri(),
                "name": model,
                "source_run_id": run.run_id,
            }
            put(root / number / "models" / f"m-{model}" / "meta.yaml", encode_yaml(meta))
        if run.dataset is not None:
            put(
                root / number / "datasets/d1/meta.yaml",
                encode_yaml({"name": run.dataset, "digest": "2981c147", "source": "{}"}),
            )
            tags = {"mlflow.data.context": "training"}
            named = {"source_type": "DATASET", "source_id": "d1", "tags": tags}
            put(own / "inputs/i1/meta.yaml", encode_yaml(named))
    return root


def write_database(
    folder: Path, runs: Sequence[Run], experiment: tuple[str, str] = EXPERIMENT
) -> Path:
    """Write a store in a database, with the artifacts beside it, and return it."""
    path = folder / "mlflow.db"
    number, name = experiment
    root = folder / "mlruns" / number
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(TABLES)
        database.execute("INSERT INTO experiments VALUES (?, ?, '', 'active')", (number, name))
        for run in runs:
            uri = run.artifact_uri or str(root / run.run_id / "artifacts")
            database.execute(
                "INSERT INTO runs VALUES (?, ?, 'LOCAL', '', '', 'ada', ?, ?, ?, '', ?, ?, ?)",
                (run.run_id, run.name, run.status, run.start, run.end, run.stage, uri, number),
            )
            for table, values in (("params", run.params), ("tags", run.tags)):
                database.executemany(
                    f"INSERT INTO {table} VALUES (?, ?, ?)",
                    [(key, value, run.run_id) for key, value in values.items()],
                )
            database.executemany(
                "INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (key, stored(value), time, run.run_id, step, math.isnan(value))
                    for key, points in run.metrics.items()
                    for time, step, value in points
                ],
            )
            for model in run.models:
                place = str(root / "models" / f"m-{model}" / "artifacts")
                database.execute(
                    "INSERT INTO logged_models VALUES (?, ?, ?, ?, 'active', ?)",
                    (f"m-{model}", number, model, place, run.run_id),
                )
            if run.dataset is not None:
                database.execute(
                    "INSERT INTO datasets VALUES ('d1', ?, ?, '2981c147', 'local', '{}')",
                    (number, run.dataset),
                )
                database.execute(
                    "INSERT INTO inputs VALUES ('i1', 'DATASET', 'd1', 'RUN', ?)", (run.run_id,)
                )
                database.execute(
                    "INSERT INTO input_tags VALUES ('i1', 'mlflow.data.context', 'training')"
                )
            write_artifacts(root, run)
    return path


def write_artifacts(experiment: Path, run: Run) -> None:
    for place, data in run.files.items():
        put(experiment / run.run_id / "artifacts" / place, data)
    for model, files in run.models.items():
        for place, data in files.items():
            put(experiment / "models" / f"m-{model}" / "artifacts" / place, data)


def stored(value: float) -> float:
    """Return a value as MLflow writes it into a database."""
    if math.isnan(value):
        return 0.0
    return math.copysign(sys.float_info.max, value) if math.isinf(value) else value


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
