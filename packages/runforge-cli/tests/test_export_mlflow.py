"""``runforge export --to mlflow``, read back with MLflow itself."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from calls import TRAIN, Call
from real_experiments import HOSTILE, SCRIPT, Repository
from real_store import training
from runforge_contracts.codec.strict_yaml import load_yaml
from sweep_store import change_group, make_sweeps

pytestmark = [
    # The library is large: it has an environment of its own.
    pytest.mark.needs(package="mlflow"),
    # Its warnings are about its own dependencies.
    pytest.mark.filterwarnings("ignore"),
]


def client_of(folder: Path) -> Any:
    import mlflow

    uri = f"sqlite:///{folder.absolute() / 'mlflow.db'}"
    return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


def runs_of(folder: Path) -> dict[str, Any]:
    """Return what MLflow reads from a store, by run id."""
    client = client_of(folder)
    experiments = [item.experiment_id for item in client.search_experiments()]
    found = client.search_runs(experiments)
    runs = {run.data.tags["runforge.run_id"]: run for run in found}
    assert len(runs) == len(found)
    return runs


def exported(runforge: Call, *arguments: str) -> Any:
    result = runforge("export", *arguments, "--to", "mlflow", "-o", "ml", "--json", "--quiet")
    assert (result.code, result.err) == (0, "")
    return result.json


def transactions(database: Path) -> int:
    """Return the file change counter of SQLite, which each transaction that writes adds one to."""
    return int.from_bytes(database.read_bytes()[24:28], "big")


def milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def test_mlflow_reads_what_every_run_records(runforge: Call, filled: Path) -> None:
    listed = {entry["run_id"]: entry for entry in runforge("runs", "--json").json["runs"]}
    reported = exported(runforge)
    assert sorted(reported["exported"]) == sorted(listed)
    assert (reported["present"], reported["left_out"]) == ([], {})
    runs = runs_of(filled / "ml")
    assert runs.keys() == listed.keys()
    client = client_of(filled / "ml")
    statuses = {"succeeded": "FINISHED", "failed": "FAILED", "cancelled": "KILLED"}
    for run_id, entry in listed.items():
        run, document = runs[run_id], result_of(filled, entry)
        assert run.info.status == statuses[entry["status"]]
        assert run.info.run_name == entry["name"]
        assert run.info.end_time == milliseconds(document["finished_at"])
        assert run.info.end_time - run.info.start_time == document["duration_ms"]
        assert run.data.params["model_family"] == entry["model_family"]
        assert run.data.tags["runforge.dataset_sha256"] == entry["dataset_fingerprint_sha256"]
        assert len(run.data.tags["mlflow.source.git.commit"]) == 40
        assert run.data.tags.get("runforge.model_sha256") == entry.get("model_sha256")
        [used] = run.inputs.dataset_inputs
        assert used.dataset.name == "penguins.csv"
        if entry["status"] == "succeeded":
            columns = json.loads(used.dataset.schema)["mlflow_colspec"]
            assert columns[-1] == {"type": "string", "name": "species", "required": True}
        assert entry["dataset_fingerprint_sha256"].startswith(used.dataset.digest)
        assert client.get_experiment(run.info.experiment_id).name == filled.name
    failed = next(run for run in runs.values() if run.info.status == "FAILED")
    assert failed.data.tags["runforge.error_code"] == "FEATURE_NOT_NUMERIC"
    assert failed.data.metrics == {}


def result_of(workspace: Path, entry: dict[str, Any]) -> Any:
    return json.loads((workspace / entry["run_dir"] / "result.json").read_text("utf-8"))


def test_mlflow_has_parameters_metrics_and_files_of_a_model(
    runforge: Call, filled: Path, tmp_path: Path
) -> None:
    exported(runforge, "latest")
    [(run_id, run)] = runs_of(filled / "ml").items()
    folder = filled / ".runforge/runs" / run_id
    record = json.loads((folder / "run.json").read_text("utf-8"))
    for item in record["hyperparameters"]:
        assert run.data.params[item["name"]] == str(item["value"])
        assert run.data.tags[f"runforge.source.{item['name']}"] == item["source"]
    assert (run.data.params["seed"], run.data.params["label_column"]) == ("7", "species")
    metrics = json.loads((folder / "metrics.v1.json").read_text("utf-8"))
    assert run.data.metrics["f1_macro"] == metrics["f1_macro"]
    [point] = client_of(filled / "ml").get_metric_history(run.info.run_id, "accuracy")
    assert (point.value, point.timestamp) == (metrics["accuracy"], run.info.end_time)
    from mlflow.artifacts import download_artifacts

    copies = download_artifacts(
        run_id=run.info.run_id,
        tracking_uri=f"sqlite:///{filled / 'ml/mlflow.db'}",
        dst_path=str(tmp_path / "copies"),
    )
    found = files_of(Path(copies))
    model = {name: found.pop(name) for name in list(found) if name.startswith("model/")}
    assert found == {f"run/{name}": data for name, data in files_of(folder).items()}
    assert model["model/model.pkl"] == found["run/artifacts/model.pkl"]
    assert runforge("verify", f"{copies}/run").code == 0


def test_mlflow_loads_the_model_of_a_run(runforge: Call, filled: Path) -> None:
    import mlflow
    import numpy as np
    import pandas as pd

    exported(runforge)
    runs = runs_of(filled / "ml")
    run_id = runforge("show", "latest", "--json", "--quiet").json["run_id"]
    record = json.loads((filled / ".runforge/runs" / run_id / "run.json").read_bytes())
    rows = pd.read_csv(filled / "penguins.csv").dropna(subset=record["feature_names"])
    rows = rows[record["feature_names"]].astype(float)
    predicted = runforge("predict", "latest", "penguins.csv", "--json").json["predictions"]
    expected = [row["prediction"] for row in predicted if "prediction" in row]
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{filled / 'ml/mlflow.db'}")
    try:
        address = f"runs:/{runs[run_id].info.run_id}/model"
        loaded = mlflow.sklearn.load_model(address).predict(rows.to_numpy())
        through_signature = mlflow.pyfunc.load_model(address)
        signature = through_signature.metadata.signature
        assert signature.inputs.input_names() == record["feature_names"]
        assert list(through_signature.predict(rows)) == list(loaded)
        example = through_signature.metadata.load_input_example()
        assert list(example.columns) == record["feature_names"]
        assert not example.isin(rows).any(axis=None)
        assert np.allclose(example.iloc[0], rows.mean(), rtol=0.05)
        assert through_signature.predict(example)[0] in record["classes"]
        written = mlflow.artifacts.download_artifacts(f"{address}/serving_input_example.json")
        served = mlflow.models.convert_input_example_to_serving_input(example)
        assert json.loads(served) == json.loads(Path(written).read_bytes())
        assert len(mlflow.models.validate_serving_input(address, served)) == 1
    finally:
        mlflow.set_tracking_uri(before)
    assert np.array_equal(loaded, expected)
    failed = next(run for run in runs.values() if run.info.status == "FAILED")
    assert not (Path(failed.info.artifact_uri.removeprefix("file://")) / "model").exists()


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_call_again_adds_what_is_new(runforge: Call, filled: Path) -> None:
    first = exported(runforge, "latest")["exported"]
    written = transactions(filled / "ml/mlflow.db")
    reported = exported(runforge)
    assert reported["present"] == first
    assert len(reported["exported"]) == 3
    # What the runs record, and that they are complete: each transaction waits for the disk.
    assert transactions(filled / "ml/mlflow.db") == written + 2
    before = (filled / "ml/mlflow.db").read_bytes()
    again = exported(runforge)
    assert (again["exported"], len(again["present"])) == ([], 4)
    assert (filled / "ml/mlflow.db").read_bytes() == before


def test_a_run_whose_export_was_ended_is_exported_anew(runforge: Call, filled: Path) -> None:
    exported(runforge, "latest")
    client = client_of(filled / "ml")
    [(run_id, run)] = runs_of(filled / "ml").items()
    client.update_run(run.info.run_id, status="RUNNING")
    assert exported(runforge, "latest")["exported"] == [run_id]
    [again] = runs_of(filled / "ml").values()
    assert again.info.status == "FINISHED"
    assert again.info.run_id != run.info.run_id


#: Exports four runs at a time, their files in two processes, and is killed at a moment.
KILLED_EXPORT = """
import contextlib, itertools, os, signal, sys
from runforge_contracts import shared_work
from runforge_cli.__main__ import main
from runforge_cli.export import mlflow_store
from sqlalchemy import event
from sqlalchemy.engine import Engine

place, number = sys.argv.pop(1), int(sys.argv.pop(1))
mlflow_store._TOGETHER = shared_work.WORTH_SHARING = 4
mlflow_store.usable_cores = lambda: 2
store, copy, own = mlflow_store._TrackingStore, mlflow_store._copy_files, os.getpid()
transaction, counter = store._transaction, itertools.count(1)

def reach(name):
    if name == place and next(counter) == number:
        os.kill(own, signal.SIGKILL)

@contextlib.contextmanager
def killed_in_transaction(self):
    with transaction(self) as session:
        yield session
        reach("transaction")

def killed_while_copying(begun):
    copy(begun)
    reach("files")

@event.listens_for(Engine, "after_cursor_execute")
def killed_while_making_tables(connection, cursor, statement, *others):
    if statement.lstrip().startswith("CREATE TABLE"):
        reach("tables")

store._transaction, mlflow_store._copy_files = killed_in_transaction, killed_while_copying
sys.argv[0] = "runforge"
main()
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_an_export_that_is_killed_anywhere_is_completed_by_the_next(
    runforge: Call, workspace: Path
) -> None:
    assert runforge("sweep", *TRAIN[1:], "--seeds", "1..9", "--quiet").code == 0
    listed = {entry["run_id"] for entry in runforge("runs", "--json").json["runs"]}
    assert len(listed) == 9
    complete = set[str]()

    def kill(place: str, number: int) -> None:
        command = ["export", "--to", "mlflow", "-o", "ml", "--quiet"]
        killed = subprocess.run(
            [sys.executable, "-P", "-c", KILLED_EXPORT, place, str(number), *command]
        )
        assert killed.returncode == -signal.SIGKILL

    for number in (2, 20):  # MLflow makes its tables.
        kill("tables", number)
        assert not (workspace / "ml/mlflow.db").exists()
    # With the rows of the first runs, in a process that copies files, with how the first runs
    # ended, and with the rows of the last one.
    for place, number in (("transaction", 2), ("files", 2), ("transaction", 4), ("transaction", 5)):
        kill(place, number)
        check_database(workspace / "ml/mlflow.db")
        assert complete <= complete_runs(workspace)
        complete = complete_runs(workspace)
    assert set() < complete < listed
    reported = exported(runforge)
    assert {*reported["exported"], *reported["present"]} == listed
    assert set(reported["present"]) == complete
    assert complete_runs(workspace) == runs_of(workspace / "ml").keys() == listed
    check_database(workspace / "ml/mlflow.db")


def check_database(path: Path) -> None:
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    database.close()


def complete_runs(workspace: Path) -> set[str]:
    """Return the ids of the runs that MLflow shows as finished; nothing of those is missing."""
    client = client_of(workspace / "ml")
    found = client.search_runs(
        [item.experiment_id for item in client.search_experiments()], "status = 'FINISHED'"
    )
    for run in found:
        copies = Path(run.info.artifact_uri.removeprefix("file://"))
        folder = workspace / ".runforge/runs" / run.data.tags["runforge.run_id"]
        assert files_of(copies / "run") == files_of(folder)
        assert (copies / "model/MLmodel").is_file()
        record = json.loads((folder / "run.json").read_bytes())
        assert run.data.params["seed"] == str(record["seed"])
        assert run.data.metrics["accuracy"] == record["metrics"]["accuracy"]
        assert len(run.inputs.dataset_inputs) == 1
    return {run.data.tags["runforge.run_id"] for run in found}


def test_runs_in_progress_are_left_out_and_killed_ones_are_not(
    runforge: Call, filled: Path
) -> None:
    with training(filled) as (process, folder):
        shown = runforge("export", "latest", "--to", "mlflow", "-o", "ml")
        assert shown.code == 0
        assert "Exported 0 runs to `ml`." in shown.out
        assert shown.err.endswith(f"note: {folder.name} was left out. The run has not finished.\n")
        process.kill()
        process.wait()
    assert exported(runforge, "latest")["exported"] == [folder.name]
    [run] = runs_of(filled / "ml").values()
    assert (run.info.status, run.data.tags["runforge.status"]) == ("KILLED", "interrupted")


def test_any_name_is_stored_as_a_string(runforge: Call, workspace: Path) -> None:
    hostile = ["<script>a\nb\x1b[31m/../c", "mlflow.runName", "a/b", "a//b", "../x", "é" * 300]
    tags = [part for tag in hostile for part in ("--tag", tag)]
    names = {"name": "<b>\x1b]0;x\x07" * 50, "notes": "# a\n<script>b\n" * 800}
    assert runforge(*TRAIN, "--name", names["name"], "--notes", names["notes"], *tags).code == 0
    exported(runforge)
    [run] = runs_of(workspace / "ml").values()
    tags = {name for name, value in run.data.tags.items() if value == "true"}
    assert len(tags) == len(hostile)
    assert {"tag.mlflow.runName", "tag.a/b"} < tags
    assert run.info.run_name == names["name"][:249] + "…"
    assert run.data.tags["mlflow.note.content"].startswith("# a\n<script>b\n")
    changed = json.loads(run.data.tags["runforge.names"])["tags"]
    assert {f"tag.{tag}" for tag in hostile} - tags == set(changed.values())


def test_what_is_no_tracking_store_stays_as_it_is(runforge: Call, filled: Path) -> None:
    (filled / "ml").mkdir()
    (filled / "ml/mlflow.db").write_bytes(b"something else" * 100)
    result = runforge("export", "--to", "mlflow", "-o", "ml", "--json")
    assert (result.code, result.json["error"]["code"]) == (1, "STORE_NOT_WRITABLE")
    assert "MLflow cannot use" in result.json["error"]["message"]
    assert (filled / "ml/mlflow.db").read_bytes() == b"something else" * 100
    result = runforge("export", "--to", "mlflow", "-o", "a%20b", "--json")
    assert (result.code, result.json["error"]["code"]) == (2, "USAGE_INVALID")
    assert not (filled / "a%20b").exists()


def test_nothing_is_written_anywhere_else_or_sent(runforge: Call, filled: Path) -> None:
    before = {path for path in filled.rglob("*") if ".git" not in path.parts}
    assert runforge("export", "--to", "mlflow", "-o", "ml").err == ""
    after = {path for path in filled.rglob("*") if ".git" not in path.parts}
    assert all(path.is_relative_to(filled / "ml") for path in after - before)
    assert {path.name for path in (filled / "ml").iterdir()} == {"mlflow.db", "mlruns"}
    telemetry = pytest.importorskip("mlflow.telemetry.utils")  # there was none at first
    assert telemetry.is_telemetry_disabled()


# Runs of experiments


def test_mlflow_reads_the_histories_of_experiments(
    runforge: Call, repository: Repository, tmp_path: Path
) -> None:
    reported = exported(runforge)
    assert sorted(reported["exported"]) == sorted(repository.ids.values())
    assert reported["left_out"] == {}
    runs, client = runs_of(repository.root / "ml"), client_of(repository.root / "ml")
    first, folder = runs[repository.ids["first"]], repository.folder("first")
    config, metrics = (
        load_yaml(folder / "config.yaml"),
        json.loads((folder / "metrics.json").read_bytes()),
    )
    assert client.get_experiment(first.info.experiment_id).name == "exp train"
    assert (first.info.run_name, first.info.status) == (repository.ids["first"], "FINISHED")
    assert first.info.start_time == milliseconds(config["started_at"])
    assert first.info.end_time == milliseconds(config["finished_at"])
    for name, points in metrics["history"].items():
        found = client.get_metric_history(first.info.run_id, name)
        assert [(point.step, point.value) for point in found] == [
            (point["step"], point["value"]) for point in points
        ]
        assert first.data.metrics[name] == metrics["summary"][name]
    assert first.data.metrics["accuracy"] == metrics["summary"]["accuracy"]
    assert {
        "model": "tiny:v1",
        "dataset": "penguins.csv",
        "seed": "3",
        "training.rate": "0.1",
        "training.optimizer": "sgd",
        "rate": "0.1",
    }.items() <= first.data.params.items()
    tags = first.data.tags
    assert tags["mlflow.source.git.commit"] == config["code"]["commit"]
    assert tags["runforge.experiment_file"] == "train.yaml"
    assert runs[repository.ids["faster"]].data.tags["mlflow.note.content"] == "fast"
    from mlflow.artifacts import download_artifacts

    copies = download_artifacts(
        run_id=first.info.run_id,
        tracking_uri=f"sqlite:///{repository.root / 'ml/mlflow.db'}",
        dst_path=str(tmp_path / "copies"),
    )
    assert files_of(Path(copies) / "run") == files_of(folder)
    assert len(list(Path(copies).iterdir())) == 1
    statuses = {name: runs[run_id].info.status for name, run_id in repository.ids.items()}
    assert statuses == {
        **dict.fromkeys(("first", "faster", "bridge", "bridged", "trained"), "FINISHED"),
        **dict.fromkeys(("hostile", "broken"), "FAILED"),
        "killed": "KILLED",
        "other tool": "FINISHED",
    }
    bridge = runs[repository.ids["bridge"]]
    assert bridge.data.tags["runforge.trained_run"] == repository.ids["bridged"]
    assert runs[repository.ids["broken"]].data.metrics == {}


def test_any_name_of_an_experiment_is_stored_as_a_string(
    runforge: Call, repository: Repository
) -> None:
    exported(runforge, repository.ids["hostile"])
    [run] = runs_of(repository.root / "ml").values()
    client = client_of(repository.root / "ml")
    assert client.get_experiment(run.info.experiment_id).name == SCRIPT
    changed = json.loads(run.data.tags["runforge.names"])
    assert set(changed["metrics"].values()) == set(HOSTILE)
    for name in run.data.metrics:
        values = [point.value for point in client.get_metric_history(run.info.run_id, name)]
        assert values == [3.0, 1.0, 2.0]
    assert set(HOSTILE) <= set(run.data.params.values())
    assert len(files_of(repository.folder("hostile"))) > 5


def test_steps_between_whole_ones_are_numbered(runforge: Call, repository: Repository) -> None:
    path = repository.folder("other tool") / "metrics.json"
    points = [{"step": 0.5, "value": 2.0}, {"step": 0.75, "value": 1.0}]
    document = {"summary": {"loss": 0.25, "best": 1.0}, "history": {"loss": points}}
    path.write_text(json.dumps(document), "utf-8")
    exported(runforge, path.parent.name)
    [run] = runs_of(repository.root / "ml").values()
    history = client_of(repository.root / "ml").get_metric_history(run.info.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(1, 2.0), (2, 1.0)]
    # A final value that is not the last one has a name of its own.
    assert run.data.metrics == {"loss": 1.0, "summary/loss": 0.25, "best": 1.0}


def test_the_final_value_is_that_of_the_highest_step(
    runforge: Call, repository: Repository
) -> None:
    path = repository.folder("other tool") / "metrics.json"
    history = {
        "unordered": [(1, 0.1), (3, 0.3), (2, 0.2)],
        "between": [(0.5, 1.0), (1.5, 3.0), (1.25, 2.0)],
        "corrected": [(1, 5.0), (2, 9.0), (2, 7.0), (1, 6.0)],
    }
    document = {
        "summary": {"unordered": 0.3, "between": 3.0, "corrected": 7.0},
        "history": {
            name: [{"step": step, "value": value} for step, value in points]
            for name, points in history.items()
        },
    }
    path.write_text(json.dumps(document), "utf-8")
    exported(runforge, path.parent.name)
    [run] = runs_of(repository.root / "ml").values()
    assert run.data.metrics == document["summary"]
    found = client_of(repository.root / "ml").get_metric_history(run.info.run_id, "corrected")
    assert sorted((point.step, point.value) for point in found) == sorted(history["corrected"])


def test_the_same_id_in_another_repository_is_another_run(
    runforge: Call, repository: Repository
) -> None:
    first = repository.ids["first"]
    assert exported(runforge, first)["exported"] == [first]
    assert exported(runforge, first)["present"] == [first]
    config = repository.folder("first") / "config.yaml"
    config.write_text(config.read_text("utf-8") + "repository: another\n", "utf-8")
    assert exported(runforge, first)["exported"] == [first]


def test_a_sweep_is_the_parent_of_its_runs(runforge: Call, workspace: Path) -> None:
    group_id = make_sweeps(workspace, ["two"]).ids["two"]
    document = runforge("sweep", "show", "--json").json
    change_group(workspace / ".runforge/groups" / group_id, status="failed")
    assert len(exported(runforge, "--group", "two")["exported"]) == 6
    runs = runs_of(workspace / "ml")
    parent = runs.pop(group_id)
    assert (parent.info.status, parent.info.run_name) == ("FAILED", "two")
    best = document["runs"][0]
    assert parent.data.metrics == {"accuracy": best["metrics"]["accuracy"]}
    assert parent.data.tags["runforge.best_run_id"] == best["run_id"]
    assert parent.data.params["C"] == "0.001, 0.1, 10"
    for run in document["runs"]:
        tags = runs[run["run_id"]].data.tags
        assert tags["mlflow.parentRunId"] == parent.info.run_id
        assert tags["runforge.sweep_group_id"] == group_id
        assert tags["runforge.sweep_member"] == str(run["member"])
    # Another export changes nothing but the status of the sweep.
    change_group(workspace / ".runforge/groups" / group_id, status="succeeded")
    assert exported(runforge, "--group", "two")["exported"] == []
    assert runs_of(workspace / "ml")[group_id].info.status == "FINISHED"
    before = (workspace / "ml/mlflow.db").read_bytes()
    exported(runforge, "--group", "two")
    assert (workspace / "ml/mlflow.db").read_bytes() == before
