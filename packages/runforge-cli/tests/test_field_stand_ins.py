"""The stand-ins for the editor extension are true: its rules over what its own engine writes."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import editor_rules as rules
import pytest
from field_data import table
from field_editor import GRACEFUL, THEIRS, FieldEditor

FAMILIES = rules.FAMILIES


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a workspace for each family, with one run of three classes by its own engine."""
    made = {}
    for family in FAMILIES:
        workspace = tmp_path_factory.mktemp(family)
        dataset = table(workspace / "data.csv", classes=3, missing=2)
        training = FieldEditor(workspace, THEIRS).train(dataset, model=family, name="A first run")
        assert training.process.returncode == 0
        assert training.progress.errors == []
        made[family] = workspace
    return made


@pytest.mark.parametrize("family", FAMILIES)
def test_the_extension_reads_what_its_own_engine_wrote(
    stores: dict[str, Path], family: str
) -> None:
    lacking = "viewFeatureImportance" if family != "random_forest" else "viewLinearCoefficients"
    for name, command in rules.READING.items():
        shown = command(stores[family])
        if name == lacking:
            assert shown.notice
        elif name == "exportRunMarkdown":
            assert shown.holes == []
        else:
            shown.sound()
    assert rules.recover_index(stores[family]).recovered == []


def test_the_extension_makes_its_index_anew(stores: dict[str, Path], tmp_path: Path) -> None:
    workspace = shutil.copytree(stores["linear_svc"], tmp_path / "copy")
    (workspace / rules.INDEX).unlink()
    report = FieldEditor(workspace, THEIRS).recover_index()
    assert len(report.recovered) == 1
    rules.browse_runs(workspace).sound()


def test_a_cancelled_and_a_failed_run_of_its_own_engine(tmp_path: Path) -> None:
    slow = FieldEditor(tmp_path, THEIRS, {"FIELD_ENGINE_TRAINS": "600"})
    training = slow.start(table(tmp_path / "data.csv"), preset="hq-train")
    assert training.heard("train_started")
    training.cancel()
    assert training.wait()["error"] == GRACEFUL
    assert list(training.progress.names())[-2:] == ["cancelling", "run_cancelled"]
    failed = FieldEditor(tmp_path, THEIRS).train(table(tmp_path / "text.csv", text=True))
    assert "non-numeric values" in json.loads((failed.folder / "result.json").read_text())["error"]
    report = rules.recover_index(tmp_path)
    assert len(report.cancelled_excluded) == len(report.skipped) == 1


# --- what happens without each member -------------------------------------------------------------

DIES, HOLE, NOTHING = "dies", "hole", "nothing"


def _without(document: Any, path: tuple[str | int, ...]) -> Any:
    document = copy.deepcopy(document)
    above = rules.member(document, *path[:-1])
    del above[path[-1]]
    return document


def _outcome(command: Callable[[Path], rules.Shown], workspace: Path) -> str:
    try:
        return HOLE if command(workspace).holes else NOTHING
    except rules.CommandError:
        return DIES


_RUN = "run.json"
_METRICS = "metrics.v1.json"
_FOREST = "artifacts/feature_importance.v1.json"
_LINEAR = "artifacts/linear_coefficients.v1.json"
_PARTS = "artifacts/interpretability.index.v1.json"

CASES: list[tuple[str, str, str, tuple[str | int, ...], str]] = [
    ("openRuns", "linear_svc", "index", ("run_dir",), DIES),
    ("openRuns", "linear_svc", "index", ("summary",), DIES),
    ("openRuns", "linear_svc", "index", ("summary", "final_metrics"), DIES),
    ("openRuns", "linear_svc", "index", ("summary", "duration_ms"), HOLE),
    ("openRuns", "linear_svc", "index", ("run_id",), HOLE),
    ("openRuns", "linear_svc", "index", ("preset_id",), HOLE),
    ("openRuns", "linear_svc", "index", ("name",), NOTHING),
    ("openRuns", "linear_svc", "index", ("status",), NOTHING),
    ("openRuns", "linear_svc", "index", ("summary", "device"), NOTHING),
    ("browseRuns", "linear_svc", "index", ("run_dir",), DIES),
    ("browseRuns", "linear_svc", "index", ("dataset_fingerprint_sha256",), DIES),
    ("browseRuns", "linear_svc", "index", ("created_at",), HOLE),
    ("browseRuns", "linear_svc", "index", ("label_column",), HOLE),
    ("openLatestMetadata", "linear_svc", "index", ("run_dir",), DIES),
    ("browseRuns", "linear_svc", _RUN, ("dataset",), DIES),
    ("exportRunMarkdown", "linear_svc", _RUN, ("dataset", "fingerprint_sha256"), DIES),
    *(
        ("browseRuns", "linear_svc", _RUN, path, HOLE)
        for path in (
            ("created_at",),
            ("dataset", "path"),
            ("dataset", "fingerprint_sha256"),
            ("label_column",),
            ("num_samples",),
            ("num_features",),
            ("dropped_rows_missing_values",),
            ("runforge_version",),
            ("metrics", "accuracy"),
            ("metrics", "num_samples"),
            ("metrics", "num_features"),
        )
    ),
    *(
        ("browseRuns", "linear_svc", _RUN, (name,), NOTHING)
        for name in ("metrics_v1", "model_family", "schema_version")
    ),
    *(
        ("viewMetricsV1", "linear_svc", _METRICS, (name,), HOLE)
        for name in (
            "schema_version",
            "metrics_profile",
            "num_classes",
            "accuracy",
            "precision_macro",
            "recall_macro",
            "f1_macro",
        )
    ),
    *(
        ("viewMetricsV1", "linear_svc", _METRICS, (name,), NOTHING)
        for name in ("confusion_matrix", "per_class_f1", "class_labels")
    ),
    *(
        ("viewFeatureImportance", "random_forest", _FOREST, path, outcome)
        for path, outcome in (
            (("features_by_importance",), DIES),
            (("features_by_importance", 0, "name"), DIES),
            (("features_by_original_order",), DIES),
            (("features_by_original_order", 0, "name"), DIES),
            (("features_by_importance", 0, "importance"), HOLE),
            (("importance_type",), HOLE),
            (("model_family",), HOLE),
            (("num_features",), HOLE),
            (("schema_version",), HOLE),
        )
    ),
    *(
        ("viewLinearCoefficients", "linear_svc", _LINEAR, path, outcome)
        for path, outcome in (
            (("classes",), DIES),
            (("intercepts",), DIES),
            (("intercepts", 0, "intercept"), DIES),
            (("coefficients_by_class",), DIES),
            (("coefficients_by_class", 0, "features"), DIES),
            (("coefficients_by_class", 0, "features", 0, "name"), DIES),
            (("coefficients_by_class", 0, "features", 0, "coefficient"), DIES),
            (("coefficients_by_class", 0, "features", 0, "rank"), DIES),
            (("coefficients_by_class", 0, "class"), HOLE),
            (("coefficient_space",), HOLE),
            (("model_family",), HOLE),
            (("num_classes",), HOLE),
            (("num_features",), HOLE),
            (("schema_version",), HOLE),
            (("top_k_by_class",), NOTHING),
        )
    ),
    *(
        ("viewInterpretabilityIndex", family, _PARTS, path, outcome)
        for family, path, outcome in (
            ("linear_svc", ("available_artifacts",), DIES),
            ("linear_svc", ("available_artifacts", "metrics_v1", "path"), DIES),
            ("linear_svc", ("available_artifacts", "metrics_v1", "summary"), DIES),
            (
                "random_forest",
                ("available_artifacts", "feature_importance_v1", "summary", "top_k"),
                DIES,
            ),
            (
                "linear_svc",
                ("available_artifacts", "linear_coefficients_v1", "summary", "top_k_by_class"),
                DIES,
            ),
            ("linear_svc", ("created_at",), HOLE),
            ("linear_svc", ("run_id",), HOLE),
            ("linear_svc", ("runforge_version",), HOLE),
            ("linear_svc", ("schema_version",), HOLE),
            (
                "linear_svc",
                ("available_artifacts", "metrics_v1", "summary", "metrics_profile"),
                HOLE,
            ),
        )
    ),
]


@pytest.mark.parametrize(
    ("command", "family", "file", "path", "outcome"),
    CASES,
    ids=[f"{case[0]}-{case[2]}-{'.'.join(map(str, case[3]))}" for case in CASES],
)
def test_what_the_extension_does_without_a_member(
    stores: dict[str, Path],
    tmp_path: Path,
    command: str,
    family: str,
    file: str,
    path: tuple[str | int, ...],
    outcome: str,
) -> None:
    workspace = shutil.copytree(stores[family], tmp_path / "copy")
    [folder] = (workspace / rules.RUNS).iterdir()
    if file == "index":
        place, path = workspace / rules.INDEX, ("runs", 0, *path)
    else:
        place = folder / file
    place.write_text(json.dumps(_without(json.loads(place.read_text()), path)))
    assert _outcome(rules.READING[command], workspace) == outcome


@pytest.mark.parametrize("text", ["{", "", "\ufeff[]", '{"schema_version": "1.0.0", "runs": NaN}'])
def test_an_index_that_the_extension_would_put_aside_is_shown(tmp_path: Path, text: str) -> None:
    place = tmp_path / rules.INDEX
    place.parent.mkdir(parents=True)
    place.write_text(text, "utf-8")
    with pytest.raises(rules.CommandError):
        rules.index(tmp_path)


@pytest.mark.parametrize(
    "event",
    [
        {"event": "run_start", "preset_id": "balanced", "model_family": "linear_svc"},
        {"event": "train_started"},
        {"event": "train_progress", "epoch": 1, "total_epochs": 0},
        {"event": "cancelling", "seconds_remaining": 61},
        {"event": "run_failed", "message": "x"},
    ],
)
def test_events_that_the_extension_passes_over(event: dict[str, Any]) -> None:
    whole = {"timestamp": "2026-01-01T00:00:00Z", "run_id": "r", **event}
    assert rules.event(json.dumps(whole)) is None
    assert rules.event("no JSON at all") is None


def test_an_event_with_members_that_are_not_known_is_taken() -> None:
    whole = {"event": "train_started", "timestamp": "t", "run_id": "r"}
    assert rules.event(json.dumps({**whole, "model_family": "linear_svc", "more": 1}))
