"""Validation predictions computed again from real runs, and the curves that they give."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import list_runs
from runforge_contracts.store.run import Run
from runforge_engine.modeling.curves import (
    Curve,
    calibration,
    mean_curve,
    precision_recall_curves,
    roc_curves,
)
from runforge_engine.modeling.revalidate import Replay, replay
from runforge_engine.pipeline.execute import execute
from runforge_engine.pipeline.request import new_request
from sklearn.metrics import auc, brier_score_loss, log_loss

FAMILIES = ("logistic_regression", "random_forest", "linear_svc")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Path]:
    """Return the folders of real runs by family and number of classes; one workspace has all."""
    workspace = tmp_path_factory.mktemp("replay")
    store = StoreLayout(workspace)
    penguins = (ROOT / "examples/penguins.csv").read_text("utf-8").splitlines()
    kept = {3: penguins, 2: [line for line in penguins if not line.startswith("Gentoo")]}
    found = {}
    for classes, lines in kept.items():
        path = workspace / f"{classes}.csv"
        path.write_text("\n".join(lines) + "\n", "utf-8")
        for family in FAMILIES:
            request = new_request(
                store=store,
                dataset=path,
                label_column="species",
                exclude_columns=["island", "sex", "year"],
                model_family=family,
                preset="fast",
                created_by="test@1",
            )
            outcome = execute(request, store)
            assert outcome.status == "succeeded"
            found[family, classes] = outcome.run_dir
    return found


def again(folder: Path) -> Replay:
    store = StoreLayout(folder.parents[2])
    listed = [(entry, store) for entry in list_runs(store)]
    return replay(Run(folder), store.workspace, listed)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("family", FAMILIES)
def test_predictions_give_the_metrics_of_the_record(
    family: str, classes: int, runs: dict[tuple[str, int], Path]
) -> None:
    folder = runs[family, classes]
    replayed = again(folder)
    metrics = json.loads((folder / layout.METRICS_V1).read_bytes())
    assert replayed.kind == ("decision" if family == "linear_svc" else "probability")
    assert replayed.scores.shape == (len(replayed.truth), classes)
    assert np.mean(replayed.truth == replayed.predicted) == metrics["accuracy"]
    assert list(replayed.classes) == metrics["class_labels"]
    if "log_loss" in metrics:
        assert log_loss(replayed.truth, replayed.scores) == metrics["log_loss"]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("family", FAMILIES)
def test_curves_have_the_area_that_they_tell(
    family: str, classes: int, runs: dict[tuple[str, int], Path]
) -> None:
    folder = runs[family, classes]
    replayed = again(folder)
    curves = roc_curves(replayed)
    assert [curve.label for curve in curves] == list(replayed.classes)[-len(curves) :]
    assert len(curves) == (1 if classes == 2 else 3)
    for curve in curves:
        assert auc(curve.x, curve.y) == pytest.approx(curve.area)
        assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    if classes == 2:
        recorded = json.loads((folder / layout.METRICS_V1).read_bytes())["roc_auc"]
        assert curves[0].area == recorded
    for curve in precision_recall_curves(replayed):
        assert list(curve.x) == sorted(curve.x)
        steps = np.diff(curve.x) * np.array(curve.y[1:])
        assert float(steps.sum()) == pytest.approx(curve.area)


@pytest.mark.parametrize("classes", [2, 3])
def test_calibration_counts_every_row_once(classes: int, runs: dict[tuple[str, int], Path]) -> None:
    assert calibration(again(runs["linear_svc", classes])) is None
    replayed = again(runs["random_forest", classes])
    found = calibration(replayed)
    assert found is not None
    assert sum(item.rows for item in found.bins) == len(replayed.truth)
    assert all(item.lower <= item.expected <= item.upper + 1e-12 for item in found.bins)
    observed = sum(item.rows * item.observed for item in found.bins)
    if classes == 2:
        assert found.label == "Chinstrap"
        assert observed == pytest.approx((replayed.truth == 1).sum())
        assert found.brier == pytest.approx(brier_score_loss(replayed.truth, replayed.scores[:, 1]))
    else:
        assert found.label is None
        assert observed == pytest.approx((replayed.truth == replayed.predicted).sum())


def test_a_class_without_rows_has_no_curve() -> None:
    scores = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1]])
    truth = np.array([0, 1, 0])
    replayed = Replay(("a", "b", "c"), truth, scores.argmax(axis=1), scores, "probability")
    assert [curve.label for curve in roc_curves(replayed)] == ["a", "b"]
    nobody = Replay(("a", "b"), np.zeros(3, int), np.zeros(3, int), scores[:, :2], "probability")
    assert roc_curves(nobody) == ()
    assert precision_recall_curves(nobody) == ()


def test_a_curve_of_many_rows_keeps_its_ends_and_its_area() -> None:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 2, 20_000)
    score = np.clip(truth * 0.2 + generator.random(20_000) * 0.8, 0, 1)
    scores = np.column_stack([1 - score, score])
    replayed = Replay((0, 1), truth, (score > 0.5).astype(int), scores, "probability")
    for curve in (*roc_curves(replayed), *precision_recall_curves(replayed)):
        assert len(curve.x) <= 200
        assert curve.x[0] == 0
        assert curve.x[-1] == 1
    (roc,) = roc_curves(replayed)
    assert auc(roc.x, roc.y) == pytest.approx(roc.area, abs=1e-3)


def without(name: str) -> Any:
    def change(folder: Path) -> None:
        run = json.loads((folder / layout.RUN).read_bytes())
        run["schema_version"] = "run.v0.3.6"
        del run[name]
        (folder / layout.RUN).write_text(json.dumps(run), "utf-8")

    return change


def other_dataset(folder: Path) -> None:
    path = folder.parents[2] / "2.csv"
    path.write_bytes(path.read_bytes() + b"\n")


def other_model(folder: Path) -> None:
    (folder / layout.MODEL).write_bytes(b"\x80\x04N.")


def other_seed(folder: Path) -> None:
    run = json.loads((folder / layout.RUN).read_bytes())
    run["seed"] = 43
    (folder / layout.RUN).write_text(json.dumps(run), "utf-8")


def other_rows(folder: Path) -> None:
    run = json.loads((folder / layout.RUN).read_bytes())
    run["num_samples"] += 1
    (folder / layout.RUN).write_text(json.dumps(run), "utf-8")


def climbing_dataset(folder: Path) -> None:
    run = json.loads((folder / layout.RUN).read_bytes())
    run["dataset"]["path"] = "../2.csv"
    (folder / layout.RUN).write_text(json.dumps(run), "utf-8")


def no_metrics(folder: Path) -> None:
    (folder / layout.METRICS_V1).unlink()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (without("seed"), ErrorCode.ARTIFACT_NOT_FOUND),
        (without("classes"), ErrorCode.ARTIFACT_NOT_FOUND),
        (no_metrics, ErrorCode.ARTIFACT_NOT_FOUND),
        (other_dataset, ErrorCode.FILE_UNSAFE),
        (other_model, ErrorCode.FILE_UNSAFE),
        (other_seed, ErrorCode.FILE_UNSAFE),
        (other_rows, ErrorCode.FILE_UNSAFE),
        (climbing_dataset, ErrorCode.PATH_OUTSIDE_ROOT),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_what_is_not_of_the_record_is_refused(
    change: Any, code: ErrorCode, runs: dict[tuple[str, int], Path], tmp_path: Path
) -> None:
    original = runs["random_forest", 2]
    shutil.copytree(original.parents[2], tmp_path / "copy")
    folder = tmp_path / "copy" / original.relative_to(original.parents[2])
    change(folder)
    with pytest.raises(RunForgeError) as error:
        again(folder)
    assert error.value.code is code


def test_one_more_column_in_a_recorded_model_is_refused(
    runs: dict[tuple[str, int], Path], tmp_path: Path
) -> None:
    original = runs["random_forest", 2]
    shutil.copytree(original.parents[2], tmp_path / "copy")
    folder = tmp_path / "copy" / original.relative_to(original.parents[2])
    run = json.loads((folder / layout.RUN).read_bytes())
    run["feature_names"] = run["feature_names"][:-1]
    (folder / layout.RUN).write_text(json.dumps(run), "utf-8")
    with pytest.raises(RunForgeError, match="cannot predict") as error:
        again(folder)
    assert error.value.code is ErrorCode.FILE_UNSAFE


def test_mean_curve_averages_at_equal_false_positive_rates() -> None:
    perfect = Curve("a", (0.0, 0.0, 1.0), (0.0, 1.0, 1.0), 1.0, 0.2)
    guesses = Curve("b", (0.0, 1.0), (0.0, 1.0), 0.5, 0.4)
    mean = mean_curve([perfect, guesses])
    assert (mean.x[0], mean.y[0]) == (0.0, 0.0)
    assert (mean.x[-1], mean.y[-1]) == (1.0, 1.0)
    for x, y in zip(mean.x[1:], mean.y[1:], strict=True):
        assert y == pytest.approx((1 + x) / 2)
    assert mean.area == 0.75
