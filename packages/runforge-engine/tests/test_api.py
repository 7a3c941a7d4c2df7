"""RunForge as a library: the names of the package, runs and stores as values, frames as data."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import runforge_engine
from real_data import write_dataset
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError, UsageError
from runforge_contracts.invariants.run_invariants import check_run
from runforge_contracts.store.layout import StoreLayout
from runforge_engine import (
    Cancellation,
    Observer,
    Run,
    Store,
    execute,
    new_request,
    predict,
    reproduce,
    train,
    verify,
)
from runforge_engine.experiment.run.resolve import materialise
from runforge_engine.experiment.run.run_experiment import run_experiment
from runforge_engine.runtime.folder_lock import holding
from runforge_engine.store.alias_writer import set_alias


@pytest.fixture
def iris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path, _, _ = write_dataset("iris", tmp_path)
    monkeypatch.chdir(tmp_path)
    return path


class Text(HTMLParser):
    """The texts of a page, and the elements that it is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_importing_loads_no_numeric_library() -> None:
    program = (
        "import sys\n"
        "import runforge_engine\n"
        "assert not {'numpy', 'msgspec', 'runforge_contracts'} & set(sys.modules)\n"
        "from runforge_engine import *\n"
        "Store(); assert callable(train)\n"
        "heavy = {'numpy', 'pandas', 'sklearn', 'scipy', 'pyarrow', 'joblib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert {'train', 'Store', 'Run'} <= set(dir(runforge_engine))\n"
        "try:\n"
        "    runforge_engine.nothing\n"
        "except AttributeError:\n"
        "    sys.exit(0)\n"
        "sys.exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_run_is_trained_and_read(iris: Path, tmp_path: Path) -> None:
    run = train(
        "iris.csv",
        label="target",
        model="random_forest",
        hyperparameters={"n_estimators": 5},
        name="first",
        tags=["a"],
    )
    assert (run.status, run.name, run.path.parent) == (
        "succeeded",
        "first",
        tmp_path / ".runforge/runs",
    )
    assert run.metrics["accuracy"] == run.detailed_metrics["accuracy"] > 0.8  # type: ignore[index]
    assert run.hyperparameters["n_estimators"] == 5
    assert run.request["created_by"].startswith("runforge-engine@")  # type: ignore[index]
    assert run.importance is not None
    assert run.coefficients is None
    assert check_run(run.path) == []
    assert repr(run) == f"<Run {run.id}: succeeded, accuracy={run.metrics['accuracy']:.4f}>"
    features = pd.read_csv(iris).drop(columns="target")
    assert run.load_model().predict(features).shape == (150,)
    assert run == Store().run() == Run(run.path)
    assert len({run, Store().run(run.id)}) == 1


def test_a_run_that_fails_raises_and_says_where_it_is_recorded(iris: Path) -> None:
    with pytest.raises(RunForgeError) as caught:
        train(iris, label="petal length (cm)")
    assert caught.value.code is ErrorCode.LABEL_TYPE_INVALID
    [run] = Store().runs()
    assert (run.status, run.metrics, run.record) == ("failed", {}, None)
    assert caught.value.__notes__ == [
        f"The run is recorded as failed in `.runforge/runs/{run.id}`.",
        f"Code: LABEL_TYPE_INVALID, at {caught.value.location.text}",
        f"Hint: {caught.value.hint}",
    ]
    assert "error" in Text(run._repr_html_()).texts
    with pytest.raises(RunForgeError) as caught:
        run.load_model()
    assert caught.value.code is ErrorCode.ARTIFACT_NOT_FOUND


def test_a_run_can_be_watched_and_cancelled(iris: Path) -> None:
    cancellation = Cancellation()

    class Watch(Observer):
        def on_event(self, event: dict[str, Any]) -> None:
            if event["event"] == "train_progress":
                cancellation.cancel()

    with pytest.raises(RunForgeError) as caught:
        train(
            iris,
            label="target",
            model="random_forest",
            hyperparameters={"n_estimators": 1_000_000},
            observer=Watch(),
            cancellation=cancellation,
        )
    assert caught.value.code is ErrorCode.CANCELLED
    [run] = Store().runs(status="cancelled")
    assert repr(run) == f"<Run {run.id}: cancelled>"


def test_wrong_use_is_a_coded_error(iris: Path, tmp_path: Path) -> None:
    for call, code in (
        (lambda: train([[1, 2]], label="y"), ErrorCode.USAGE_INVALID),  # type: ignore[arg-type]
        (lambda: train("no.csv", label="y"), ErrorCode.DATASET_NOT_FOUND),
        (lambda: train(iris, label="target", model="svm"), ErrorCode.MODEL_FAMILY_UNKNOWN),
        (lambda: train(iris, label="target", workspace="no"), ErrorCode.FILE_NOT_FOUND),
        (lambda: train(pd.DataFrame({0: [1]}), label="0"), ErrorCode.USAGE_INVALID),
        (lambda: Store("no"), ErrorCode.FILE_NOT_FOUND),
        (lambda: Store().run(), ErrorCode.RUN_NOT_FOUND),
    ):
        with pytest.raises(RunForgeError) as caught:
            call()
        assert caught.value.code is code
    assert not (tmp_path / ".runforge").exists()


def test_a_frame_is_a_dataset_with_every_bit(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    chance = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "wide": chance.normal(size=60),
            "narrow": chance.normal(size=60).astype("float32"),
            "whole": chance.integers(0, 9, 60),
            "kind, or\nclass": pd.Categorical(["=a", 'b"c'] * 30),
        }
    )
    frame.loc[7, "wide"] = np.nan
    before = frame.copy(deep=True)
    run = train(frame, label="kind, or\nclass")
    pd.testing.assert_frame_equal(frame, before)
    assert run.record is not None
    assert (run.record["num_samples"], run.record["dropped_rows_missing_values"]) == (59, 1)
    assert run.record["classes"] == ["=a", 'b"c']
    path = tmp_path / run.record["dataset"]["path"]
    assert path.parent == tmp_path / ".runforge/datasets"
    assert path.stem == run.record["dataset"]["fingerprint_sha256"]
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for name in ("wide", "narrow", "whole"):
        read = np.array([float(row[name] or "nan") for row in rows])
        assert np.array_equal(read, frame[name].astype("float64"), equal_nan=True), name
    written = path.stat().st_mtime_ns
    again = train(frame.copy(), label="kind, or\nclass")
    assert again.record is not None
    assert again.record["dataset"] == run.record["dataset"]
    # The frame's library is loaded here, and no part of what makes the model from the file.
    of_file = train(path, label="kind, or\nclass").record
    assert of_file is not None
    assert of_file["provenance"]["packages"] == run.record["provenance"]["packages"]
    assert path.stat().st_mtime_ns == written
    path.write_text("changed")
    assert train(frame, label="kind, or\nclass").status == "succeeded"


def test_frames_that_no_file_could_be_are_refused_as_files_are(
    tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    twice = pd.DataFrame([[1.0, 2.0, "a"]] * 20, columns=["x", "x", "y"])
    for frame, code in (
        (twice, ErrorCode.COLUMN_DUPLICATE),
        (twice.astype({"x": "float32"}), ErrorCode.COLUMN_DUPLICATE),
        (pd.DataFrame({"x": [np.inf, 1.0] * 9, "y": [0, 1] * 9}), ErrorCode.FEATURE_NOT_FINITE),
        (pd.DataFrame({"x": ["u", "v"] * 9, "y": [0, 1] * 9}), ErrorCode.FEATURE_NOT_NUMERIC),
        (pd.DataFrame({"y": []}), ErrorCode.LABEL_ONLY_DATASET),
    ):
        with pytest.raises(RunForgeError) as caught:
            train(frame, label="y")
        assert caught.value.code is code


def test_hints_for_python_users_are_in_python(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"x": [1.0, 2.0] * 9, "it's": ["u", "v"] * 9, "y": [0, 1] * 9})
    frame.to_csv("data.csv")
    for data, hint in ((frame, '`exclude=["it\'s"]`'), ("data.csv", "`exclude=['']`")):
        with pytest.raises(RunForgeError) as caught:
            train(data, label="y")
        assert hint in (caught.value.hint or "")
        # What only the command does is named as the command.
        assert "--" not in re.sub("`runforge [^`]*`", "", caught.value.hint or "")


def test_a_profile_brings_its_family(iris: Path) -> None:
    run = train(iris, label="target", profile="thorough", hyperparameters={"n_estimators": 2})
    assert run.request is not None
    assert run.request["model"]["family"] == "random_forest"
    with pytest.raises(RunForgeError) as caught:
        train(iris, label="target", profile="thorough", model="linear_svc")
    assert caught.value.code is ErrorCode.PROFILE_FAMILY_MISMATCH


def test_all_runs_are_a_frame(iris: Path) -> None:
    empty = Store().frame()
    runs = [train(iris, label="target", seed=seed) for seed in (1, 2)]
    with pytest.raises(RunForgeError):
        train(iris, label="petal length (cm)", name="wrong")
    frame = Store().frame()
    assert frame.index.name == empty.index.name == "run_id"
    assert set(empty.columns) <= set(frame.columns)
    assert (len(empty), list(frame.index[1:])) == (0, [run.id for run in reversed(runs)])
    for run in runs:
        for name, value in run.metrics.items():
            assert frame.loc[run.id, name] == value
    assert frame["status"].tolist() == ["failed", "succeeded", "succeeded"]
    assert frame["name"].fillna("").tolist() == ["wrong", "", ""]
    assert np.isnan(frame["accuracy"].iloc[0])
    assert frame["created_at"].dt.tz is not None
    assert frame["duration"].gt(pd.Timedelta(0)).all()
    assert frame.sort_values("accuracy").groupby("model")["accuracy"].max().notna().all()


def test_a_run_is_running_until_it_finishes(iris: Path, tmp_path: Path) -> None:
    done = train(iris, label="target")
    folder = tmp_path / ".runforge/runs/20270101-000000-0000000a"
    (folder / "logs").mkdir(parents=True)
    (folder / "request.json").write_bytes((done.path / "request.json").read_bytes())
    assert Run(folder).status == "incomplete"
    (folder / "logs/events.jsonl").touch()
    with holding(folder):
        run = Run(folder)
        assert run.status == "running"
        assert [item.id for item in Store().runs(status="running")] == [folder.name]
    assert run.status == "interrupted"


def test_a_notebook_shows_hostile_names_as_text(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    hostile = "<script>alert(1)</script>\x1b[2J&amp;\n\"'"
    frame = pd.DataFrame({"x": [0.0, 1.0] * 20, hostile: ["<b>", "</table>"] * 20})
    run = train(frame, label=hostile, name=hostile)
    for page in (run._repr_html_(), Store()._repr_html_()):
        assert "<script" not in page
        assert "\x1b" not in page
        text = Text(page)
        drawn = {"div", "figure", "figcaption", "svg", "rect", "polyline", "line", "text"}
        table = {"table", "caption", "thead", "tbody", "tr", "th", "td"}
        assert text.tags <= table | drawn
        assert any("<script>alert(1)</script>" in piece for piece in text.texts)


SCRIPT = """
from runforge_engine.experiment import current_run

run = current_run()
for step in range(5):
    run.log_metric("loss", 1 / (step + 1), step=step)
run.log_summary("status", 0.5)
run.log_parameter("<b>rate", 0.1)
run.log_artifact(b"weights", "model/weights.bin")
"""


@pytest.fixture
def mixed(iris: Path) -> Path:
    """Return a workspace with a trained run and two runs of an experiment."""
    root = iris.parent
    (root / "train.py").write_text(SCRIPT, "utf-8")
    (root / "exp.yaml").write_text(
        "experiment: <i>one\nmodel: tiny:v1\ndataset: d:v1\nrun: {script: train.py}\n", "utf-8"
    )
    train(iris, label="target", preset="fast")
    for _ in range(2):
        outcome = run_experiment(materialise(root / "exp.yaml", root))
        assert outcome.status == "succeeded"
    return root


def test_a_store_has_runs_of_experiments_too(mixed: Path) -> None:
    store = Store(mixed)
    runs = store.experiments()
    assert [run.id[-3:] for run in runs] == ["002", "001"]
    assert store.experiments(status="failed") == []
    assert store.experiment() == runs[0] == store.experiment(runs[0].path)
    assert store.experiment(runs[1].id) == runs[1]
    run = runs[0]
    assert (run.name, run.status, run.parameters) == ("<i>one", "succeeded", {"<b>rate": 0.1})
    assert run.metrics == {"loss": 0.2, "status": 0.5}
    assert run.config is not None
    assert run.config["model"] == "tiny:v1"
    assert [path.name for path in run.artifacts] == ["weights.bin"]
    history = run.history()
    assert history["metric"].tolist() == ["loss"] * 5
    assert history["step"].tolist() == [0, 1, 2, 3, 4]
    assert history["value"].tolist() == [1 / (step + 1) for step in range(5)]
    assert repr(run) == f"<ExperimentRun {run.id}: succeeded, loss=0.2000>"
    shown = Text(run._repr_html_())
    assert not {"i", "b"} & shown.tags
    assert "<i>one" in shown.texts
    [trained] = store.runs()
    for reference in (trained.id, str(trained.path)):
        with pytest.raises(RunForgeError) as caught:
            store.experiment(reference)
        assert caught.value.code is ErrorCode.RUN_NOT_FOUND


def test_a_frame_has_runs_of_both_kinds(mixed: Path) -> None:
    store = Store(mixed)
    frame = store.frame()
    assert frame["kind"].tolist() == ["experiment", "experiment", "trained"]
    assert frame["model"].tolist() == ["tiny:v1", "tiny:v1", "logistic_regression"]
    assert frame["status"].tolist() == ["succeeded"] * 3
    assert frame["metric.status"].tolist()[:2] == [0.5, 0.5]
    assert frame["loss"].isna().tolist() == [False, False, True]
    assert frame["accuracy"].isna().tolist() == [True, True, False]
    assert len(Text(store._repr_html_()).texts) > 10
    assert "kind" not in Store(mixed, ".runforge").frame()
    assert len(Store(mixed, ".runforge").frame()) == 1


def test_the_exports_are_the_reviewed_ones() -> None:
    assert set(runforge_engine.__all__) == {
        *("prepare", "train", "new_request", "execute", "predict", "verify", "reproduce"),
        *("Store", "Run", "ExperimentRun", "RunForgeError"),
        *("sweep", "Sweep", "SweepObserver"),
        *("Observer", "Cancellation", "pin_environment", "__version__"),
    }
    assert all(getattr(runforge_engine, name) is not None for name in runforge_engine.__all__)


def test_a_request_is_made_saved_executed_applied_and_verified(iris: Path, tmp_path: Path) -> None:
    request = new_request("iris.csv", label="target", name="By hand", workspace=tmp_path)
    request.save(tmp_path / "request.json")
    run = execute(tmp_path / "request.json", workspace=tmp_path)
    assert (type(run), run.status, run.name) == (Run, "succeeded", "By hand")
    assert verify(run).holds
    assert verify(run.id).holds
    prediction = predict(run, tmp_path / "iris.csv")
    assert prediction.run_id == run.id
    assert prediction.predicted == len(prediction.values) > 0
    (run.path / "result.json").write_bytes(b"{}")
    assert not verify(run).holds


def test_a_run_is_reproduced(iris: Path) -> None:
    run = train("iris.csv", label="target")
    report = reproduce(run, numerics="here")
    assert report.verdict is not None
    assert report.to_dict()["run_id"] == run.id
    with pytest.raises(NotFoundError):
        reproduce("20200101-000000-00000000")


def test_training_resolves_the_configuration_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runforge_engine.modeling import configuration
    from runforge_engine.pipeline import request as pipeline_request

    resolved = []

    def counted(**options: Any) -> configuration.Configuration:
        resolved.append(configuration.resolve(**options))
        return resolved[-1]

    monkeypatch.setattr(pipeline_request, "resolve", counted)
    path, label, excluded = write_dataset("iris", tmp_path)
    run = train(path, label=label, exclude=excluded, seed=7, workspace=tmp_path)
    assert len(resolved) == 1
    assert run.result is not None
    assert run.result["effective_config"]["seed"] == 7


def test_a_store_finds_runs_by_time_tag_name_and_value(iris: Path, tmp_path: Path) -> None:
    forest = {"label": "target", "model": "random_forest"}
    weak = train("iris.csv", **forest, hyperparameters={"max_depth": 1, "n_estimators": 1})
    strong = train("iris.csv", **forest, hyperparameters={"n_estimators": 9}, tags=["a"])
    again = train("iris.csv", **forest, hyperparameters={"n_estimators": 9}, name="again")
    store = Store()
    assert (store.best(), store.best().tied) == (strong, 1)
    assert store.best("f1_macro") == strong
    assert store.runs(tag="a") == [strong]
    assert store.runs(name="again") == [again]
    everything = [again, strong, weak]
    assert store.runs(since="1d") == everything
    assert store.runs(since=datetime.now(UTC) - timedelta(hours=1)) == everything
    assert store.runs(before=datetime.now(UTC) - timedelta(hours=1)) == []
    bound = strong.metrics["accuracy"]
    assert store.runs(min={"accuracy": bound}) == everything[:2]
    assert store.runs(max={"accuracy": bound}, min={"f1_macro": 2}) == []
    assert store.runs(sort="accuracy", min={"accuracy": 0.0}) == [strong, again, weak]
    with pytest.raises(UsageError, match="is not a time"):
        store.runs(since="soon")
    with pytest.raises(NotFoundError):
        store.best("beauty")
    set_alias(StoreLayout(tmp_path), "production", weak.id)
    assert (store.aliases(), store.run("production")) == ({"production": weak.id}, weak)


def test_numbers_of_numpy_and_single_names_are_taken(iris: Path) -> None:
    asked = {"C": np.float32(0.5), "max_iter": np.int64(101)}
    run = train(iris, label="target", seed=np.int64(3), hyperparameters=asked, tags="first try")  # type: ignore[arg-type]
    assert run.request is not None
    assert (run.request["seed"], run.request["tags"]) == (3, ["first try"])
    assert run.request["model"]["hyperparameters"] == {"C": 0.5, "max_iter": 101}
    again = run.rerun(seed=np.int32(4), hyperparameters={"max_iter": np.int64(102)})  # type: ignore[arg-type]
    assert again.request is not None
    assert again.request["seed"] == 4
    assert again.request["model"]["hyperparameters"] == {"C": 0.5, "max_iter": 102}
    today = datetime.now(UTC).date() - timedelta(days=1)
    assert len(Store().runs(min={"accuracy": np.float32(0.1)}, since=today)) == 2
