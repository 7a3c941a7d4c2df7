"""Sweeps from Python: in scripts and notebooks, with frames, and interrupted."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from real_data import write_dataset
from runforge_contracts.errors import CancelledError, ErrorCode, RunForgeError
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import read_index
from runforge_engine import Cancellation, Store, SweepObserver, sweep

GRID = {"C": [0.01, 1.0], "max_iter": [100, 200]}


@pytest.fixture
def iris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_dataset("iris", tmp_path)[0]


def plan(iris: Path, **changes: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "kind": "sweep_plan",
        "base_request": {
            "version": 1,
            "preset": "balanced",
            "dataset": {"path": iris.name, "label_column": "target"},
            "model": {"family": "logistic_regression", "hyperparameters": {}},
            "device": {"type": "cpu"},
        },
        "strategy": {"type": "list", "runs": [{"/seed": 1}, {"/seed": 2}]},
        **changes,
    }


def test_a_sweep_has_its_runs_and_a_frame(iris: Path) -> None:
    seen: list[str] = []

    class Watcher(SweepObserver):
        def on_sweep(self, group_id: str, folder: Path, **counts: int) -> None:
            seen.append(f"{group_id} {counts['total']} {counts['waiting']} {counts['jobs']}")

        def on_run_ended(self, state: Any, result: Any, error: Any) -> None:
            seen.append(state.status)

    made = sweep(
        iris, label="target", grid=GRID, seeds=range(1, 3), jobs=2, name="x", observer=Watcher()
    )
    assert seen == [f"{made.group_id} 8 8 2", *["succeeded"] * 8]
    assert made.status == "succeeded"
    assert [run.request["sweep_member"] for run in made.runs() if run.request] == list(range(1, 9))
    frame = made.frame()
    assert list(frame.index) == list(range(1, 9))
    assert list(frame.columns)[:3] == ["C", "max_iter", "seed"]
    assert list(frame["C"]) == [0.01] * 4 + [1.0] * 4
    assert list(frame["max_iter"]) == [100, 100, 200, 200] * 2
    assert list(frame["seed"]) == [1, 2] * 4
    assert set(frame["status"]) == {"succeeded"}
    assert list(frame["run_id"]) == [run.id for run in made.runs()]
    best = made.best()
    assert best is not None
    assert best.metrics["accuracy"] == frame["accuracy"].max()
    ties = frame.index[frame["accuracy"] == frame["accuracy"].max()]
    assert [frame["run_id"][member] for member in ties] == [run.id for run in made.best_runs()]
    assert best.id == frame["run_id"][ties[0]]
    assert best.load_model().named_steps
    assert made.group_id in repr(made)
    assert "<table>" in made._repr_html_()
    again = Store().open_sweep("x")
    assert (again.path, [one.path for one in Store().sweeps()]) == (made.path, [made.path])
    assert {run.id for run in Store().runs()} == {run.id for run in made.runs()}


def test_a_plan_is_an_object_or_a_file(iris: Path, tmp_path: Path) -> None:
    import json

    made = Store().sweep(plan(iris))
    assert [run.status for run in made.runs()] == ["succeeded"] * 2
    (tmp_path / "plan.json").write_text(json.dumps(plan(iris)), "utf-8")
    other = sweep("plan.json", jobs=1)
    assert other.group_id != made.group_id
    assert (other.path / "plan.json").is_file()
    with pytest.raises(RunForgeError, match="has all settings"):
        sweep("plan.json", grid={"C": [1]})


def test_none_is_a_value_of_a_hyperparameter(iris: Path) -> None:
    made = sweep(
        iris,
        label="target",
        model="random_forest",
        preset="fast",
        grid={"max_depth": [None, 1]},
        hyperparameters={"n_estimators": 5},
    )
    assert [run.hyperparameters["max_depth"] for run in made.runs()] == [None, 1]
    assert [run.hyperparameters["n_estimators"] for run in made.runs()] == [5, 5]


def test_values_and_seeds_of_numpy_are_taken(iris: Path) -> None:
    made = sweep(
        iris,
        label="target",
        grid={"max_iter": np.arange(50, 150, 50)},
        seeds=np.arange(1, 3),  # type: ignore[arg-type]
        jobs=1,
    )
    found = [(run.hyperparameters["max_iter"], run.request["seed"]) for run in made.runs()]
    assert found == [(50, 1), (50, 2), (100, 1), (100, 2)]


def test_mistakes_are_raised_before_anything_is_written(iris: Path, tmp_path: Path) -> None:
    for code, arguments in (
        (ErrorCode.USAGE_INVALID, {"grid": {"C": [1]}}),
        (ErrorCode.USAGE_INVALID, {"label": "target"}),
        (ErrorCode.USAGE_INVALID, {"label": "target", "grid": {"C": []}}),
        (ErrorCode.USAGE_INVALID, {"label": "target", "grid": {"C": 1}}),
        (ErrorCode.USAGE_INVALID, {"label": "target", "grid": {"C": np.array(1)}}),
        (ErrorCode.USAGE_INVALID, {"label": "target", "grid": {"model": 1}}),
        (ErrorCode.PLAN_INVALID, {"label": "target", "grid": {"C": np.ones((2, 2))}}),
        (ErrorCode.USAGE_INVALID, {"label": "target", "grid": {"solver": "lbfgs"}}),
        (ErrorCode.USAGE_INVALID, {"label": "target", "grid": {"model": "linear_svc"}}),
        (ErrorCode.PLAN_INVALID, {"label": "target", "grid": {"C": [0]}}),
        (ErrorCode.PLAN_INVALID, {"label": "target", "grid": {"C": [None]}}),
    ):
        with pytest.raises(RunForgeError) as raised:
            sweep(iris, **arguments)  # type: ignore[arg-type]
        assert raised.value.code is code
    with pytest.raises(RunForgeError) as raised:
        sweep(plan(iris, strategy={"type": "list", "runs": [{"/seed": -1}]}))
    assert raised.value.code is ErrorCode.PLAN_INVALID
    assert not (tmp_path / ".runforge").exists()


def test_a_cancelled_sweep_is_resumed(iris: Path) -> None:
    cancellation = Cancellation()

    class Impatient(SweepObserver):
        def on_run_ended(self, state: Any, result: Any, error: Any) -> None:
            cancellation.cancel("Enough.")

    with pytest.raises(CancelledError, match="Enough") as raised:
        sweep(
            iris,
            label="target",
            grid=GRID,
            seeds=range(20),
            jobs=1,
            observer=Impatient(),
            cancellation=cancellation,
        )
    made = Store().open_sweep()
    assert made.group_id in "".join(raised.value.__notes__)
    assert made.status == "canceled"
    before = {run.id for run in made.runs(status="succeeded")}
    assert 1 <= len(before) < 80
    assert made.resume(jobs=2).status == "succeeded"
    assert len(made.runs(status="succeeded")) == 80
    assert before < {run.id for run in made.runs()}
    entries = [entry["run_id"] for entry in read_index(StoreLayout(iris.parent))]
    assert len(entries) == len(set(entries))


SCRIPT = """
import sys
from runforge_engine import sweep
try:
    made = sweep("iris.csv", label="target", model="random_forest", jobs=2,
                 grid={"n_estimators": [10**6, 10**6 + 1, 10**6 + 2]})
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_a_script_without_a_main_guard_is_interrupted(iris: Path, tmp_path: Path) -> None:
    import signal

    (tmp_path / "script.py").write_text(SCRIPT, "utf-8")
    process = subprocess.Popen(
        [sys.executable, "script.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    end = time.monotonic() + 60
    while sum("train_started" in log.read_text() for log in tmp_path.glob("**/train.log")) < 2:
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert process.communicate(timeout=20)[0] == "interrupted\n"
    assert time.monotonic() - began < 3
    made = Store().open_sweep()
    assert made.status == "canceled"
    assert [run.status for run in made.runs()] == ["cancelled"] * 2
