"""``runforge import mlflow`` on stores that MLflow itself has written, of both kinds."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from calls import Call
from real_experiments import Repository
from runforge_contracts.codec.strict_yaml import load_yaml

pytestmark = [
    pytest.mark.needs(package="mlflow"),
    pytest.mark.filterwarnings("ignore"),
]

STATUSES = {"FINISHED": "succeeded", "FAILED": "failed", "KILLED": "cancelled"}


@pytest.fixture(params=["files", "database"])
def tracked(
    request: pytest.FixtureRequest, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Return the client of a store with runs of each kind, in the folder `ml`."""
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    import mlflow

    folder = workspace / "ml"
    folder.mkdir()
    in_files = request.param == "files"
    uri = (folder / "mlruns").as_uri() if in_files else f"sqlite:///{folder / 'mlflow.db'}"
    before = mlflow.get_tracking_uri()
    monkeypatch.chdir(folder)
    mlflow.set_tracking_uri(uri)
    fill()
    mlflow.set_tracking_uri(before)
    monkeypatch.chdir(workspace)
    return mlflow.MlflowClient(tracking_uri=uri)


def fill() -> None:
    """Make runs in the usual ways: nested, failed, with a model, elsewhere, open, and deleted."""
    import mlflow
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    mlflow.set_experiment("penguins")
    with mlflow.start_run(run_name="first", tags={"team": "blue"}):
        mlflow.log_params({"C": 0.1, "depth": 5, "on": True, "a/b": "x y", "none": None})
        for step in range(5):
            mlflow.log_metrics({"loss": 1 / (step + 1), "val/acc": step / 7}, step=step)
        mlflow.log_metric("loss", 0.75, step=4)
        mlflow.log_metric("odd", math.nan)
        mlflow.log_metric("odd", -math.inf, step=1)
        mlflow.set_tag("mlflow.note.content", "two\nlines")
        mlflow.log_text("hello", "notes/a.txt")
        table = pd.DataFrame({"a": [1.0, 2.0]})
        mlflow.log_input(mlflow.data.from_pandas(table, name="pen"), context="training")
        model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
        mlflow.sklearn.log_model(
            model, name="model", pip_requirements=[], serialization_format="pickle"
        )
        with mlflow.start_run(run_name="child", nested=True):
            mlflow.log_metric("loss", 2)
    with pytest.raises(ZeroDivisionError), mlflow.start_run(run_name="failed"):
        raise ZeroDivisionError
    client = mlflow.MlflowClient()
    far = client.create_experiment("far", artifact_location="s3://bucket/x")
    client.set_terminated(client.create_run(far, run_name="far").info.run_id, "KILLED")
    client.create_run("0", run_name="open")
    gone = client.create_run("0", run_name="gone").info.run_id
    client.set_terminated(gone)
    client.delete_run(gone)


def test_every_run_has_what_mlflow_reads(
    tracked: Any, runforge: Call, workspace: Path, tmp_path: Path
) -> None:
    report = runforge("import", "mlflow", "ml", "--json").json
    items = {item["name"]: item for item in report["items"]}
    outcomes = {name: item["outcome"] for name, item in items.items()}
    ended = ("first", "child", "failed", "far")
    assert outcomes == {**dict.fromkeys(ended, "added"), "open": "unfinished", "gone": "deleted"}
    assert {part["what"] for part in report["left_out"]} == {"metrics", "artifacts"}
    for name in ended:
        run = tracked.get_run(items[name]["source_id"])
        folder = workspace / items[name]["path"]
        config = load_yaml(folder / "config.yaml")
        assert config["status"] == STATUSES[run.info.status]
        parameters = config.get("parameters", {})
        assert {key: str(value) for key, value in parameters.items()} == run.data.params
        assert config["imported_from"]["tags"] == run.data.tags
        assert config["duration_ms"] == run.info.end_time - run.info.start_time
        finite = {key for key, value in run.data.metrics.items() if key != "odd"}
        metrics = {"summary": {}, "history": {}}
        if finite:
            metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
        assert metrics["summary"] == {key: run.data.metrics[key] for key in finite}
        for key, points in metrics["history"].items():
            history = {
                (point.step, point.timestamp, point.value)
                for point in tracked.get_metric_history(run.info.run_id, key)
            }
            assert [(point["step"], point["value"]) for point in points] == [
                (step, value) for step, _, value in sorted(history)
            ]
    folder = workspace / items["first"]["path"]
    from mlflow.artifacts import download_artifacts

    place = download_artifacts(
        run_id=items["first"]["source_id"],
        tracking_uri=tracked.tracking_uri,
        dst_path=str(tmp_path / "copies"),
    )
    for path in (path for path in Path(place).rglob("*") if path.is_file()):
        copy = folder / "artifacts" / path.relative_to(place)
        assert copy.read_bytes() == path.read_bytes()
    assert (folder / "artifacts/notes/a.txt").read_text("utf-8") == "hello"
    assert (folder / "artifacts/model/model.pkl").is_file()
    config = load_yaml(folder / "config.yaml")
    assert (config["model"], config["dataset"], config["notes"]) == ("model", "pen", "two\nlines")
    child = load_yaml(workspace / items["child"]["path"] / "config.yaml")
    assert child["imported_from"]["parent_run_id"] == items["first"]["source_id"]
    assert runforge("verify", "--all").code == 0
    again = runforge("import", "mlflow", "ml", "--json").json
    assert (again["outcome"], again["left_out"]) == ("present", [])
    tracked.set_tag(items["child"]["source_id"], "team", "red")
    [changed] = [
        item
        for item in runforge("import", "mlflow", "ml", "--json").json["items"]
        if item["outcome"] == "changed"
    ]
    assert (changed["name"], changed["differences"]) == ("child", ["record"])


def test_runs_come_back_from_an_export(runforge: Call, repository: Repository) -> None:
    exported = runforge("export", "--to", "mlflow", "-o", "ml", "--json", "--quiet").json
    here = runforge("import", "mlflow", "ml", "--json").json
    assert {item["outcome"] for item in here["items"]} == {"present"}
    elsewhere = repository.root / "elsewhere"
    elsewhere.mkdir()
    place = ("--workspace", str(elsewhere))
    report = runforge("import", "mlflow", "ml", "--json", *place).json
    assert [item["outcome"] for item in report["items"]].count("added") == len(exported["exported"])
    listed = runforge("runs", "--json").json
    known = {entry["run_id"]: entry for entry in [*listed["runs"], *listed["experiments"]]}
    for item in report["items"]:
        config = load_yaml(elsewhere / item["path"] / "config.yaml")
        former = known[config["imported_from"]["tags"]["runforge.run_id"]]
        copies = elsewhere / item["path"] / "artifacts/run"
        original = repository.root / former["run_dir"]
        for path in (path for path in original.rglob("*") if path.is_file()):
            assert (copies / path.relative_to(original)).read_bytes() == path.read_bytes()
        status = config["imported_from"]["tags"]["runforge.status"]
        assert config["status"] == {"interrupted": "cancelled", "unknown": "succeeded"}.get(
            status, status
        )
        document = elsewhere / item["path"] / "metrics.json"
        summary = json.loads(document.read_bytes())["summary"] if document.exists() else {}
        expected = former["summary"]["final_metrics"]
        assert {name: summary[name] for name in summary.keys() & expected.keys()} == {
            name: expected[name] for name in summary.keys() & expected.keys()
        }
        assert bool(summary) == bool(expected)
    assert runforge("verify", "--all", *place).code == 0
