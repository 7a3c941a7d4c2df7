"""Runs that are chosen by the lines of the index are those that the whole index gives."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.index.index_filter import skim_runs
from runforge_contracts.metrics import lower_is_better
from runforge_contracts.run_ids import started
from runforge_contracts.store.layout import StoreLayout, stores_in
from runforge_contracts.store.reading import list_runs

VECTORS = Path(__file__).parents[3] / "docs/test-vectors/runs"
FAMILIES = ("logistic_regression", "random_forest", "linear_svc")
STATUSES = ("succeeded", "failed", "cancelled", "succeeded", "succeeded")


def entry(number: int, **more: Any) -> dict[str, Any]:
    # Two begin in each second.
    run_id = f"20260101-{number // 120 % 24:02}{number // 2 % 60:02}00-{number:08x}"
    metrics = {"accuracy": number * 37 % 100 / 100, "loss": 10.0 ** -(number % 9)}
    return {
        "run_id": run_id,
        "created_at": "2026-01-01T00:00:00Z",
        # What looks like the lines of other entries, and is none.
        "name": f'"model_family": "{FAMILIES[number % 3]}"\n      "status": "failed"',
        "status": STATUSES[number % 5],
        "summary": {
            "duration_ms": number,
            "final_metrics": metrics if number % 4 else {},
            "future": {"accuracy": 7, "deeper": {"accuracy": 8}},
        },
        "run_dir": f".runforge/runs/{run_id}",
        "dataset_fingerprint_sha256": f"{number % 2}" * 64,
        "model_family": FAMILIES[number % 3],
        **more,
    }


def make(folder: Path, entries: list[dict[str, Any]]) -> StoreLayout:
    store = StoreLayout(folder)
    store.runs.mkdir(parents=True)
    store.index.write_bytes(encode_json({"schema_version": "index.v1", "runs": entries}))
    for item in entries:
        store.run_folder(item["run_id"]).mkdir()
    return store


def expected(
    store: StoreLayout, said: dict[str, str], metric: str | None
) -> tuple[list[dict[str, Any]], int]:
    """Return what reading everything gives, first things first."""
    fitting = [
        item
        for item in list_runs(store)
        if all(item.get(name) == text for name, text in said.items())
    ]
    fitting = sorted(fitting, key=started)[::-1]
    if metric is not None:
        sign = 1 if lower_is_better(metric) else -1
        fitting.sort(
            key=lambda item: (
                metric not in item["summary"]["final_metrics"],
                sign * item["summary"]["final_metrics"].get(metric, 0),
            )
        )
    return fitting, len(fitting)


@pytest.mark.parametrize("metric", [None, "accuracy", "loss"])
@pytest.mark.parametrize(
    "said",
    [
        {},
        {"model_family": "random_forest"},
        {"status": "failed"},
        {"model_family": "linear_svc", "status": "succeeded"},
        {"dataset_fingerprint_sha256": "1" * 64},
        {"model_family": "random"},
        {"model_family": "a \U0001f427 and \ud800"},
    ],
)
def test_the_first_runs_are_those_of_the_whole_index(
    said: dict[str, str], metric: str | None, tmp_path: Path
) -> None:
    store = make(tmp_path, [entry(number) for number in range(200)])
    runs, total = expected(store, said, metric)
    listed = list_runs(store)
    for count in (1, 7, 1000):
        page = skim_runs(store, count, said, metric)
        if not runs and metric is not None:
            assert page is None  # which metrics there are is for the whole index to say
            continue
        assert page is not None
        assert (page.entries, page.total) == (sorted(runs[:count], key=listed.index), total)


def test_runs_that_are_not_listed_are_looked_at(tmp_path: Path) -> None:
    shutil.copytree(VECTORS / "v0.4.0", tmp_path, dirs_exist_ok=True)
    (store,) = stores_in(tmp_path)
    index = json.loads(store.index.read_text("utf-8"))
    dropped = index["runs"].pop(0)
    store.index.write_bytes(encode_json(index))
    for said in ({}, {"status": "succeeded"}, {"model_family": dropped["model_family"]}):
        page = skim_runs(store, 20, said)
        assert page is not None
        assert sorted(page.entries, key=started)[::-1] == expected(store, said, None)[0]
        assert dropped["run_id"] in {item["run_id"] for item in page.entries}


@pytest.mark.parametrize(
    "text",
    [
        lambda index: json.dumps(index),
        lambda index: json.dumps(index, indent=4),
        lambda index: encode_json(index).decode().replace("random_forest", "random\\u005fforest"),
        lambda index: encode_json(index).decode()[:-3],
        lambda index: encode_json(index).decode().replace('      "status": "failed",\n', ""),
        lambda index: encode_json(index).decode().replace('"accuracy": 0.', '"accuracy": x0.'),
        lambda index: "",
        lambda index: json.dumps({"schema_version": "index.v1", "runs": []}, indent=2),
    ],
)
def test_what_is_written_otherwise_is_left_to_the_whole_index(text: Any, tmp_path: Path) -> None:
    entries = [entry(number) for number in range(20)]
    store = make(tmp_path, entries)
    assert skim_runs(store, 5, {}, "accuracy") is not None
    store.index.write_text(text({"schema_version": "index.v1", "runs": entries}), "utf-8")
    assert skim_runs(store, 5, {}, "accuracy") is None


def test_ids_of_other_clients_are_left_to_the_whole_index(tmp_path: Path) -> None:
    store = make(tmp_path, [entry(1), {**entry(2), "run_id": "run-2"}])
    assert skim_runs(store, 5, {}) is None
