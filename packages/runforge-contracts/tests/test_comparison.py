"""Comparisons of recorded runs, apart from how they are shown."""

from __future__ import annotations

import json
import shutil
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from runforge_contracts.comparison import compare_runs
from runforge_contracts.comparison.agreement import agreement, same
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_contracts.validation import validate

VECTORS = Path(__file__).parents[3] / "docs/test-vectors/runs"
FOLDERS = sorted(path for path in VECTORS.glob("[vl]*/.*/runs/*") if path.is_dir())


def compared(*folders: Path) -> dict[str, Any]:
    comparison = compare_runs([Run(path) for path in folders], StoreLayout(VECTORS))
    validate(comparison, "comparison.v1")
    return comparison


def changed(folder: Path, target: Path, change: Any) -> Path:
    shutil.copytree(folder, target)
    run = json.loads((target / "run.json").read_bytes())
    change(run)
    (target / "run.json").write_text(json.dumps(run), "utf-8")
    return target


@pytest.fixture
def newest() -> Path:
    return next((VECTORS / "v0.4.0/.runforge/runs").glob("20260223*"))


def test_every_pair_of_recorded_runs_is_compared() -> None:
    assert len(FOLDERS) >= 9
    for one, other in permutations(FOLDERS, 2):
        comparison = compared(one, other)
        (conclusion,) = comparison["conclusions"]
        if conclusion["results"] == "different":
            assert conclusion["reasons"]
        assert conclusion["text"].endswith(".")


def test_a_comparison_turned_round_differs_in_the_same_things() -> None:
    for one, other in permutations(FOLDERS, 2):
        forth, back = compared(one, other), compared(other, one)
        assert forth["conclusions"][0]["reasons"] == back["conclusions"][0]["reasons"]
        assert forth["conclusions"][0]["results"] == back["conclusions"][0]["results"]
        deltas = {m["name"]: m["values"][1].get("delta") for m in forth["metrics"]}
        for metric in back["metrics"]:
            delta = metric["values"][1].get("delta")
            assert (delta is None) == (deltas[metric["name"]] is None)
            assert delta is None or delta == -deltas[metric["name"]]


def test_equal_metrics_and_bytes_are_the_same_whatever_the_environment(
    newest: Path, tmp_path: Path
) -> None:
    def other_numpy(run: dict[str, Any]) -> None:
        run["provenance"]["packages"]["numpy"] = "9.9"

    (conclusion,) = compared(newest, changed(newest, tmp_path / "a", other_numpy))["conclusions"]
    assert (conclusion["results"], conclusion["model"]) == ("equal", "equal")
    assert conclusion["reasons"] == ["environment"]
    assert "although the environment differs (`packages.numpy`)" in conclusion["text"]


def test_models_with_the_same_content_are_the_same_in_other_bytes(
    newest: Path, tmp_path: Path
) -> None:
    def content(digest: str) -> Any:
        def change(run: dict[str, Any]) -> None:
            run["model_content_sha256"] = "c" * 64
            run["artifact_digests"]["artifacts/model.pkl"]["sha256"] = digest

        return change

    one = changed(newest, tmp_path / "a", content("a" * 64))
    two = changed(newest, tmp_path / "b", content("b" * 64))
    comparison = compared(one, two)
    assert comparison["conclusions"][0]["model"] == "equal"
    assert comparison["model_content"]["agreement"] == "equal"
    file = next(item for item in comparison["artifacts"] if item["name"] == "artifacts/model.pkl")
    assert file["agreement"] == "different"


def test_what_one_run_lacks_is_incomplete_not_different() -> None:
    assert agreement([{"value": 1}, {}]) == "incomplete"
    assert agreement([{}, {}]) == "incomplete"
    assert agreement([{"value": None}, {"value": None}]) == "equal"
    assert agreement([{"value": 1}, {"value": 2}, {}]) == "different"


def test_true_is_not_one_but_a_whole_float_is_an_integer() -> None:
    assert not same(True, 1)
    assert same(1, 1.0)
    assert not same([True], [1.5])
    assert same({"a": [1]}, {"a": [1]})


def test_less_is_better_for_losses(newest: Path, tmp_path: Path) -> None:
    folder = changed(newest, tmp_path / "a", lambda run: None)
    metrics = json.loads((folder / "metrics.v1.json").read_bytes())
    metrics["log_loss"] /= 2
    metrics["accuracy"] /= 2
    (folder / "metrics.v1.json").write_text(json.dumps(metrics), "utf-8")
    verdicts = {
        metric["name"]: metric["values"][1]["verdict"]
        for metric in compared(newest, folder)["metrics"]
    }
    assert (verdicts["log_loss"], verdicts["accuracy"]) == ("better", "worse")
    assert verdicts["recall_macro"] == "equal"
