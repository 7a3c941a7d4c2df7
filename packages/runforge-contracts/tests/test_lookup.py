"""Runs of both kinds found by what people call them, and runs of experiments as a list."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from runforge_contracts.codec.strict_yaml import encode_yaml
from runforge_contracts.comparison import compare_runs
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.metrics import lower_is_better
from runforge_contracts.run_ids import started
from runforge_contracts.store.experiment_list import describe_experiment, newest_experiments
from runforge_contracts.store.experiment_runs import ExperimentRun
from runforge_contracts.store.layout import ExperimentLayout, Place, StoreLayout, find_workspace
from runforge_contracts.store.lookup import find_any_run
from runforge_contracts.validation import validate

TRAINED = "20260201-120000-abc12345"


def write(root: Path, run_id: str, **values: Any) -> Path:
    """Write the run of an experiment: what it must have, and more if it is named."""
    folder = root / "runs" / run_id
    folder.mkdir(parents=True)
    metrics = values.pop("metrics", None)
    config = {"run_id": run_id, "experiment": "e", "model": "m", "dataset": "d", **values}
    (folder / "config.yaml").write_bytes(encode_yaml(config))
    if metrics is not None:
        (folder / "metrics.json").write_text(json.dumps(metrics), "utf-8")
    return folder


def train(root: Path, run_id: str = TRAINED) -> Path:
    """Write a folder that a training has begun in."""
    folder = root / ".runforge/runs" / run_id
    folder.mkdir(parents=True)
    return folder


def places(root: Path) -> list[Place]:
    return [StoreLayout(root), ExperimentLayout(root)]


def found(reference: str, root: Path) -> str:
    return find_any_run(reference, places(root)).path.relative_to(root).as_posix()


def test_places_are_equal_if_they_are_the_same_folder(tmp_path: Path) -> None:
    store, experiments = places(tmp_path)
    assert places(tmp_path) == [store, experiments]
    others = [StoreLayout(tmp_path, ".ml"), StoreLayout(tmp_path / "a"), *places(tmp_path / "b")]
    assert not {store, experiments} & {*others}
    assert len({store, experiments, *others, *places(tmp_path)}) == 6
    assert repr(store) == f"StoreLayout({tmp_path!r}, '.runforge')"


def test_runs_are_in_the_order_of_their_ids(tmp_path: Path) -> None:
    for run_id in ("run-2026-02-01-1000", "run-2026-02-01-002", "run-2025-12-31-999"):
        write(tmp_path, run_id)
    (tmp_path / "runs/run-2026-02-30-001").mkdir()  # no day
    (tmp_path / "runs/run-2026-02-01-01").mkdir()
    (tmp_path / "runs/notes").mkdir()
    (tmp_path / "runs/run-2026-02-01-003").write_text("a file", "utf-8")
    (tmp_path / "runs/run-2026-02-01-004").symlink_to(tmp_path / "runs/run-2026-02-01-002")
    place = ExperimentLayout(tmp_path)
    ids = ["run-2025-12-31-999", "run-2026-02-01-002", "run-2026-02-01-1000"]
    assert list(map(str, place.ids())) == ids
    entries, total, _ = newest_experiments(place, 2)
    assert ([entry["run_id"] for entry in entries], total) == (ids[1:], 3)
    assert [entry["run_id"] for entry in newest_experiments(place).entries] == ids


def test_the_newest_are_read_without_the_others(tmp_path: Path) -> None:
    write(tmp_path, "run-2026-02-01-002")
    unreadable = write(tmp_path, "run-2026-02-01-001") / "config.yaml"
    unreadable.write_text("a: [", "utf-8")
    place = ExperimentLayout(tmp_path)
    [entry] = newest_experiments(place, 1).entries
    assert "status" not in entry
    assert entry["state"] == "unknown"
    assert newest_experiments(place, 2).entries[0] == {
        "kind": "experiment",
        "run_id": "run-2026-02-01-001",
        "created_at": "2026-02-01T00:00:00Z",
        "run_dir": "runs/run-2026-02-01-001",
        "summary": {"final_metrics": {}},
        "state": "unreadable",
    }


def test_a_run_is_described_as_the_index_describes_one(tmp_path: Path) -> None:
    digest = "a" * 64
    folder = write(
        tmp_path,
        "run-2026-02-01-001",
        status="succeeded",
        started_at="2026-02-01T12:00:00Z",
        duration_ms=1500,
        references={"dataset": {"path": "d.csv", "sha256": digest}},
        metrics={"summary": {"loss": 0.5}},
    )
    entry = describe_experiment(ExperimentRun(folder), ExperimentLayout(tmp_path))
    assert entry == {
        "kind": "experiment",
        "run_id": "run-2026-02-01-001",
        "created_at": "2026-02-01T12:00:00Z",
        "name": "e",
        "model_family": "m",
        "dataset": "d",
        "status": "succeeded",
        "summary": {"final_metrics": {"loss": 0.5}, "duration_ms": 1500},
        "run_dir": "runs/run-2026-02-01-001",
        "dataset_fingerprint_sha256": digest,
    }
    index = {"schema_version": "index.v1", "runs": [], "experiments": [entry]}
    validate(index, "index.v1")


def test_metrics_that_are_wrong_are_none(tmp_path: Path) -> None:
    folder = write(tmp_path, "run-2026-02-01-001", status="failed", failure={"message": "No."})
    (folder / "metrics.json").write_text("{", "utf-8")
    entry = describe_experiment(ExperimentRun(folder), ExperimentLayout(tmp_path))
    assert (entry["status"], entry["summary"]) == ("failed", {"final_metrics": {}})


def test_a_running_run_has_no_status_yet(tmp_path: Path) -> None:
    running = write(tmp_path, "run-2026-02-01-001", status="running")
    empty = tmp_path / "runs/run-2026-02-01-002"
    empty.mkdir()
    for folder in (running, empty):
        entry = describe_experiment(ExperimentRun(folder), ExperimentLayout(tmp_path))
        assert not {"status", "state"} & entry.keys()


def test_a_run_began_on_the_day_of_its_id() -> None:
    entry = {"run_id": "run-2026-02-01-001", "created_at": "2026-02-01T12:30:15.25Z"}
    assert started(entry) == "20260201-123015"
    assert started({**entry, "created_at": "2026-11-21T12:30:15Z"}) == "20260201-000000"
    assert started({"run_id": "run-2026-02-01-001"}) == "20260201-000000"


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("run-2026-02-01-001", "runs/run-2026-02-01-001"),
        ("run-2026-02", "runs/run-2026-02-01-001"),
        ("2026", f".runforge/runs/{TRAINED}"),
        (TRAINED, f".runforge/runs/{TRAINED}"),
    ],
)
def test_a_run_of_either_kind_is_found_by_its_id(reference: str, path: str, tmp_path: Path) -> None:
    train(tmp_path)
    write(tmp_path, "run-2026-02-01-001")
    write(tmp_path, "run-2026-01-01-001")
    assert found(reference, tmp_path) == path


def test_a_path_tells_its_kind(tmp_path: Path) -> None:
    write(tmp_path, "run-2026-02-01-001").rename(tmp_path / "copy")
    assert isinstance(find_any_run(str(tmp_path / "copy"), places(tmp_path)), ExperimentRun)
    trained = train(tmp_path)
    assert not isinstance(find_any_run(str(trained), places(tmp_path)), ExperimentRun)


@pytest.mark.parametrize(
    ("began", "path"),
    [
        ("2026-02-01T11:59:59Z", f".runforge/runs/{TRAINED}"),
        ("2026-02-01T12:00:01Z", "runs/run-2026-02-01-001"),
    ],
)
def test_the_latest_is_the_newest_of_both(began: str, path: str, tmp_path: Path) -> None:
    train(tmp_path)
    write(tmp_path, "run-2026-01-31-999")
    write(tmp_path, "run-2026-02-01-001", started_at=began)
    assert found("latest", tmp_path) == path


def test_the_latest_is_that_of_the_only_kind(tmp_path: Path) -> None:
    with pytest.raises(RunForgeError) as caught:
        found("latest", tmp_path)
    assert caught.value.code is ErrorCode.RUN_NOT_FOUND
    write(tmp_path, "run-2026-02-01-001")
    assert found("latest", tmp_path) == "runs/run-2026-02-01-001"


def test_what_fits_several_runs_is_ambiguous(tmp_path: Path) -> None:
    write(tmp_path, "run-2026-02-01-001")
    write(tmp_path, "run-2026-02-01-002")
    with pytest.raises(RunForgeError) as caught:
        found("run-", tmp_path)
    assert caught.value.code is ErrorCode.RUN_AMBIGUOUS


def test_runs_of_experiments_make_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "deep/er").mkdir(parents=True)
    (tmp_path / "runs/tensorboard").mkdir(parents=True)
    assert find_workspace(tmp_path / "deep/er") == tmp_path / "deep/er"
    write(tmp_path, "run-2026-02-01-001")
    assert find_workspace(tmp_path / "deep/er") == tmp_path
    # Where one store is looked for, other runs do not count.
    assert find_workspace(tmp_path / "deep/er", ".ml") == tmp_path / "deep/er"


def test_a_folder_of_runs_that_leads_elsewhere_is_none(tmp_path: Path) -> None:
    write(tmp_path / "there", "run-2026-02-01-001")
    (tmp_path / "here").mkdir()
    (tmp_path / "here/runs").symlink_to(tmp_path / "there/runs")
    place = ExperimentLayout(tmp_path / "here")
    assert (place.ids(), place.has_runs()) == ([], False)


def test_minimal_runs_can_be_compared(tmp_path: Path) -> None:
    folders = [
        ExperimentRun(write(tmp_path, f"run-2026-02-01-00{number}", seed=number))
        for number in (1, 2)
    ]
    comparison = compare_runs(folders, StoreLayout(tmp_path))
    validate(comparison, "comparison.v1")
    assert [run["status"] for run in comparison["runs"]] == ["incomplete", "incomplete"]
    assert comparison["conclusions"][0]["results"] == "unknown"


def test_any_name_can_be_configured(tmp_path: Path) -> None:
    names = {"self": 1, "value": 2, "model_family": 3, "values": {"self": None, "": [1]}}
    folders = [
        ExperimentRun(
            write(
                tmp_path,
                f"run-2026-02-01-00{number}",
                **{name: value for name, value in names.items() if name != "self"},
                parameters=names,
            )
        )
        for number in (1, 2)
    ]
    comparison = compare_runs(folders, StoreLayout(tmp_path))
    validate(comparison, "comparison.v1")
    fields = {field["name"]: field["values"][0] for field in comparison["configuration"]}
    assert fields["values.self"] == {"value": None}
    assert fields["model_family"] == {"value": 3}
    assert {field["name"] for field in comparison["hyperparameters"]} == set(names)


@pytest.mark.parametrize(
    ("metric", "lower"),
    [
        ("loss", True),
        ("log_loss", True),
        ("val_loss", True),
        ("train/loss", True),
        ("RMSE", True),
        ("accuracy", False),
        ("glossiness", False),
        ("f1", False),
    ],
)
def test_less_of_a_loss_is_better(metric: str, lower: bool) -> None:
    assert lower_is_better(metric) is lower
