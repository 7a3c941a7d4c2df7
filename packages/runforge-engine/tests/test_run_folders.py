"""Whole runs on real data: every document is valid, and the documents agree with each other.

Nothing of the packages' own reading code is used here: the documents are read with ``json`` and
validated with the ``jsonschema`` library, which the packages do not use.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from real_data import DATASETS, FAMILIES, ROOT, read, write_dataset
from referencing import Registry, Resource
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_engine.pipeline.execute import ExecutionResult, execute
from runforge_engine.pipeline.request import new_request
from runforge_engine.provenance.slsa import statement_of

SCHEMAS = {
    path.stem: json.loads(path.read_text("utf-8")) for path in (ROOT / "schemas").glob("*.json")
}
REGISTRY: Registry[Any] = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values()
)
#: Every file that a run of a family leaves, and the schema that it follows.
COMMON = {
    "request.json": "request.v1",
    "run.json": "run.v0.4.0",
    "result.json": "result.v1",
    "metrics.json": "metrics.phase2",
    "metrics.v1.json": "metrics.v1",
    "diagnostics.json": "diagnostics.v1",
    "manifest.json": "manifest.v1",
    "artifacts/interpretability.index.v1.json": "interpretability.index.v1",
}
LINEAR = {"artifacts/linear_coefficients.v1.json": "linear_coefficients.v1"}
FOREST = {"artifacts/feature_importance.v1.json": "feature_importance.v1"}
UNCHECKED = {
    "artifacts/model.pkl",
    "logs/train.log",
    "logs/events.jsonl",
    "provenance.intoto.json",
}


def assert_valid(document: Any, schema: str) -> None:
    validator = jsonschema.Draft202012Validator(SCHEMAS[schema], registry=REGISTRY)
    assert [error.message for error in validator.iter_errors(document)] == []


@pytest.fixture(
    scope="module", params=[(data, family) for data in DATASETS for family in FAMILIES], ids=str
)
def outcome(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> ExecutionResult:
    dataset, family = request.param
    workspace = tmp_path_factory.mktemp("workspace")
    path, label, excluded = write_dataset(dataset, workspace)
    store = StoreLayout(workspace)
    prepared = new_request(
        dataset=path,
        label_column=label,
        exclude_columns=excluded,
        model_family=family,
        store=store,
        created_by="tests@1",
    )
    return execute(prepared, store)


def test_a_run_leaves_exactly_the_documents_of_its_family(outcome: ExecutionResult) -> None:
    family = read(outcome.run_dir, "run.json")["model_family"]
    expected = {*COMMON, *(FOREST if family == "random_forest" else LINEAR), *UNCHECKED}
    found = {
        path.relative_to(outcome.run_dir).as_posix()
        for path in outcome.run_dir.rglob("*")
        if path.is_file()
    }
    assert found == expected
    assert outcome.status == "succeeded"


def test_every_document_is_valid_by_an_independent_validator(outcome: ExecutionResult) -> None:
    family = read(outcome.run_dir, "run.json")["model_family"]
    for file, schema in {**COMMON, **(FOREST if family == "random_forest" else LINEAR)}.items():
        assert_valid(read(outcome.run_dir, file), schema)
    for line in (outcome.run_dir / "logs/events.jsonl").read_text("utf-8").splitlines():
        assert_valid(json.loads(line), "events.v1")
    assert_valid(read(outcome.run_dir.parents[1], "index.json"), "index.v1")


def test_the_new_record_is_the_old_record_and_more(outcome: ExecutionResult) -> None:
    run = read(outcome.run_dir, "run.json")
    known = SCHEMAS["run.v0.3.6"]["properties"]
    old = {key: value for key, value in run.items() if key in known}
    assert_valid({**old, "schema_version": "run.v0.3.6"}, "run.v0.3.6")
    assert set(known) <= set(SCHEMAS["run.v0.4.0"]["properties"])


def test_one_run_id_stands_everywhere(outcome: ExecutionResult) -> None:
    folder = outcome.run_dir
    ids = {
        outcome.run_id,
        folder.name,
        *(
            read(folder, file)["run_id"]
            for file in (
                "run.json",
                "result.json",
                "diagnostics.json",
                "manifest.json",
                "artifacts/interpretability.index.v1.json",
            )
        ),
        *(
            json.loads(line)["run_id"]
            for line in (folder / "logs/events.jsonl").read_text("utf-8").splitlines()
        ),
        *(entry["run_id"] for entry in read(folder.parents[1], "index.json")["runs"]),
    }
    assert len(ids) == 1


def test_the_metrics_agree_with_the_confusion_matrix(outcome: ExecutionResult) -> None:
    run, metrics = read(outcome.run_dir, "run.json"), read(outcome.run_dir, "metrics.v1.json")
    matrix = np.array(metrics["confusion_matrix"])
    assert matrix.sum() == run["split"]["validation_rows"]
    assert np.trace(matrix) / matrix.sum() == metrics["accuracy"]
    assert run["split"]["train_rows"] + run["split"]["validation_rows"] == run["num_samples"]
    assert metrics["class_labels"] == run["classes"]
    assert matrix.shape == (len(run["classes"]),) * 2
    phase2 = read(outcome.run_dir, "metrics.json")
    assert phase2 == run["metrics"]
    assert phase2["accuracy"] == metrics["accuracy"]
    summary = read(outcome.run_dir, "result.json")["summary"]
    assert summary["primary_metric"] == {"name": "accuracy", "value": metrics["accuracy"]}
    assert metrics["class_labels"] == run["classes"]
    if len(run["classes"]) > 2:
        for name in ("precision", "recall", "f1"):
            assert len(metrics[f"per_class_{name}"]) == len(run["classes"])


def test_the_top_lists_are_the_first_names(outcome: ExecutionResult) -> None:
    folder = outcome.run_dir
    run, index = (
        read(folder, "run.json"),
        read(folder, "artifacts/interpretability.index.v1.json")["available_artifacts"],
    )
    if run["model_family"] == "random_forest":
        importance = read(folder, run["feature_importance_artifact"])
        names = [item["name"] for item in importance["features_by_importance"]]
        assert importance["top_k"] == names[: len(importance["top_k"])]
        assert index["feature_importance_v1"]["summary"]["top_k"] == names[:5]
        original = [item["name"] for item in importance["features_by_original_order"]]
        assert original == run["feature_names"]
        return
    coefficients = read(folder, run["linear_coefficients_artifact"])
    assert coefficients["classes"] == run["classes"]
    for ranked, top, short in zip(
        coefficients["coefficients_by_class"],
        coefficients["top_k_by_class"],
        index["linear_coefficients_v1"]["summary"]["top_k_by_class"],
        strict=True,
    ):
        names = [item["name"] for item in ranked["features"]]
        assert sorted(names) == sorted(run["feature_names"])
        assert ranked["class"] == top["class"] == short["class"]
        assert top["top_features"] == names[: len(top["top_features"])]
        assert short["top_features"] == names[:5]


def test_pointers_exist_and_digests_match(outcome: ExecutionResult) -> None:
    folder = outcome.run_dir
    run, manifest = read(folder, "run.json"), read(folder, "manifest.json")
    pointers = [value for key, value in run.items() if key.endswith("_artifact")]
    pointers += [*run["artifacts"].values(), run["metrics_v1"]["artifact_path"]]
    assert all((folder / file).is_file() for file in pointers)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(manifest["files"]) == files - {"manifest.json"}
    for file, digest in {**run["artifact_digests"], **manifest["files"]}.items():
        data = (folder / file).read_bytes()
        assert digest == {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    for artifact in read(folder, "result.json")["artifacts"]:
        assert (folder / artifact["path"]).stat().st_size == artifact["bytes"]
    [entry] = read(folder.parents[1], "index.json")["runs"]
    assert entry["model_sha256"] == manifest["files"]["artifacts/model.pkl"]["sha256"]
    assert folder.parents[2] / entry["run_dir"] == folder
    dataset = (folder.parents[2] / run["dataset"]["path"]).read_bytes()
    assert run["dataset"]["fingerprint_sha256"] == hashlib.sha256(dataset).hexdigest()


def test_the_statement_follows_from_the_documents(outcome: ExecutionResult) -> None:
    listed = read(outcome.run_dir, "manifest.json")["files"]
    written = (outcome.run_dir / "provenance.intoto.json").read_bytes()
    assert statement_of(Run(outcome.run_dir), listed) == written


def test_events_come_in_the_order_of_the_contract(outcome: ExecutionResult) -> None:
    lines = (outcome.run_dir / "logs/events.jsonl").read_text("utf-8").splitlines()
    names = [json.loads(line)["event"] for line in lines]
    assert [name for name in names if name != "train_progress"] == [
        "run_start",
        "dataset_loaded",
        "train_started",
        "train_finished",
        "metrics_computed",
        "artifacts_written",
    ]


def test_documents_are_written_in_canonical_form(outcome: ExecutionResult) -> None:
    for path in outcome.run_dir.rglob("*.json"):
        text = path.read_text("utf-8")
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


def test_penguins_are_distinguished(train: Any) -> None:
    outcome = train("penguins")
    run = read(outcome.run_dir, "run.json")
    assert run["metrics"] == {
        "accuracy": run["metrics"]["accuracy"],
        "num_samples": 342,
        "num_features": 4,
    }
    assert run["metrics"]["accuracy"] > 0.95
    assert run["dropped_rows_missing_values"] == 2
    assert run["classes"] == ["Adelie", "Chinstrap", "Gentoo"]


def test_the_metrics_are_those_of_a_plain_script(train: Any, tmp_path: Path) -> None:
    outcome = train("breast_cancer", preset="balanced")
    metrics = read(outcome.run_dir, "metrics.v1.json")

    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss, roc_auc_score
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y = load_breast_cancer(return_X_y=True)
    X_train, X_val, y_train, y_val = train_test_split(
        X, y, test_size=0.2, stratify=y, random_state=42
    )
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200, random_state=42))
    model.fit(X_train, y_train)
    predicted, probabilities = model.predict(X_val), model.predict_proba(X_val)
    assert metrics["accuracy"] == accuracy_score(y_val, predicted)
    assert metrics["f1_macro"] == f1_score(y_val, predicted, average="macro")
    assert metrics["confusion_matrix"] == confusion_matrix(y_val, predicted).tolist()
    assert metrics["roc_auc"] == roc_auc_score(y_val, probabilities[:, 1])
    assert metrics["log_loss"] == log_loss(y_val, probabilities)
