from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from model_files import (
    COMPRESSIONS,
    FEATURE_NAMES,
    PROTOCOLS,
    joblib_bytes,
    model,
    model_bytes,
)
from real_data import FAMILIES
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_engine.model_file.model_inspection import (
    ModelInspection,
    content_sha256,
    inspect_model,
    inspect_model_bytes,
)


def inspect_clean(data: bytes) -> ModelInspection:
    inspection = inspect_model_bytes(data)
    assert inspection.findings == ()
    assert inspection.is_clean
    assert all(use.allowed for use in inspection.globals)
    return inspection


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_is_described_as_it_was_fitted(family: str, tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(model_bytes(family, "text"))
    inspection = inspect_model(path)
    fitted = model(family, "text")
    document = inspection.to_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["schema_version"] == "0.2.2.2"
    assert document["artifact_path"] == str(path)
    assert document["has_preprocessing"] is True
    assert document["step_count"] == 2
    assert document["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert document["bytes"] == path.stat().st_size
    for step, (name, estimator) in zip(document["pipeline_steps"], fitted.steps, strict=True):
        assert step["name"] == name
        assert step["type"] == type(estimator).__name__
        assert step["module"] == type(estimator).__module__
        assert step["hyperparameters"] == estimator.get_params(deep=False)
    assert inspection.feature_names == FEATURE_NAMES
    assert inspection.n_features == 4
    assert inspection.means == tuple(fitted["scaler"].mean_.tolist())
    assert inspection.classes == ("setosa", "versicolor", "virginica")
    assert document["library_version"] == fitted["scaler"].__getstate__()["_sklearn_version"]


def test_classes_that_are_integers_are_integers() -> None:
    classes = inspect_clean(model_bytes("logistic_regression")).classes
    assert classes == (0, 1, 2)
    assert all(type(label) is int for label in classes)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_array_is_listed_with_type_and_shape(family: str) -> None:
    found = {array.path: array for array in inspect_clean(model_bytes(family)).arrays}
    arrays = dict[str, Any]()
    for name, estimator in model(family).steps:
        state = estimator.__getstate__()
        arrays |= {
            f"{name}.{key}": item for key, item in state.items() if isinstance(item, np.ndarray)
        }
        for index, tree in enumerate(state.get("estimators_", ())):
            path = f"{name}.estimators_[{index}]"
            arrays[f"{path}.classes_"] = tree.classes_
            arrays[f"{path}.tree_.n_classes"] = tree.tree_.n_classes
            arrays[f"{path}.tree_.nodes"] = tree.tree_.__getstate__()["nodes"]
            arrays[f"{path}.tree_.values"] = tree.tree_.value
    assert {path: array.shape for path, array in found.items()} == {
        path: array.shape for path, array in arrays.items()
    }
    for path, array in arrays.items():
        assert found[path].dtype == (array.dtype.name if array.dtype.names is None else "V64")


def test_trees_are_counted() -> None:
    inspection = inspect_clean(model_bytes("random_forest", n_estimators=100))
    trees = [tree.tree_ for tree in model("random_forest", n_estimators=100)["clf"].estimators_]
    assert inspection.to_dict()["trees"] == {
        "count": 100,
        "node_count": sum(tree.node_count for tree in trees),
        "max_depth": max(tree.max_depth for tree in trees),
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_content_is_the_same_however_it_is_written(family: str, protocol: int) -> None:
    fitted = model(family, "text")
    expected = content_sha256(inspect_clean(model_bytes(family, "text")))
    assert expected is not None
    encodings = {
        "joblib": joblib_bytes(fitted, protocol),
        "pickle": pickle.dumps(fitted, protocol),
        **{
            compression: joblib_bytes(fitted, protocol, (compression, 3))
            for compression in COMPRESSIONS
        },
    }
    found = {form: content_sha256(inspect_clean(data)) for form, data in encodings.items()}
    assert found == dict.fromkeys(encodings, expected)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_that_cloudpickle_wrote_has_the_same_content(family: str) -> None:
    # joblib brings it along, in some versions as a part of itself.
    cloudpickle = pytest.importorskip("cloudpickle")
    data = cloudpickle.dumps(model(family, "text"))
    expected = content_sha256(inspect_clean(model_bytes(family, "text")))
    assert content_sha256(inspect_clean(data)) == expected


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_compression_is_named(compression: str) -> None:
    data = joblib_bytes(model("linear_svc"), 4, (compression, 3))
    assert inspect_clean(data).to_dict()["compression"] == compression


def test_a_large_file_is_read_in_pieces(tmp_path: Path) -> None:
    fitted = model("linear_svc")
    scaler, classifier, features = fitted["scaler"], fitted["clf"], 1_000_000
    scaler.n_features_in_ = classifier.n_features_in_ = features
    scaler.mean_ = scaler.scale_ = np.arange(features, dtype=np.float64)
    scaler.var_ = scaler.mean_ + 1
    classifier.coef_ = np.arange(3.0 * features).reshape(3, features)
    del scaler.feature_names_in_
    plain, packed = tmp_path / "model.pkl", tmp_path / "model.pkl.gz"
    joblib.dump(fitted, plain)
    joblib.dump(fitted, packed, compress=("gzip", 1))
    assert plain.stat().st_size > 24_000_000
    one, other = inspect_model(plain), inspect_model(packed)
    assert one.is_clean
    assert one.content_sha256 == other.content_sha256
    assert one.arrays == other.arrays
    assert one.content_sha256 == inspect_model_bytes(plain.read_bytes()).content_sha256


def test_a_model_without_pipeline_is_read_and_said_to_be_none() -> None:
    inspection = inspect_model_bytes(joblib_bytes(model("linear_svc")["clf"]))
    assert [finding.code for finding in inspection.findings] == ["NOT_A_PIPELINE"]
    assert inspection.is_clean
    assert inspection.steps == ()
    assert "coef_" in {array.path for array in inspection.arrays}
    assert inspection.to_dict()["has_preprocessing"] is False


def test_hostile_texts_are_cut_and_can_be_written() -> None:
    fitted = model("linear_svc")
    fitted.steps[0] = ("\ud800\x1b[2J" + "x" * 1000, fitted.steps[0][1])
    step = inspect_model_bytes(joblib_bytes(fitted)).steps[0]
    assert step.name.startswith("\\ud800\x1b[2Jxxx")
    assert len(step.name) < 220
    json.dumps(step.to_dict(), ensure_ascii=False).encode("utf-8")


def test_hyperparameters_that_json_cannot_hold_are_shown_as_text() -> None:
    fitted = model("logistic_regression")
    fitted["clf"].set_params(C=float("nan"), tol=np.float64(0.5), class_weight={0: 1.0, 1: 2.0})
    fitted["clf"].set_params(random_state=2**200)
    inspection = inspect_model_bytes(joblib_bytes(fitted))
    parameters = inspection.steps[1].hyperparameters
    assert parameters["C"] == {"text": "nan"}
    assert parameters["tol"] == 0.5
    assert parameters["class_weight"] == {"0": 1.0, "1": 2.0}
    assert parameters["random_state"] == {"text": str(2**200)}


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda path: None, ErrorCode.FILE_NOT_FOUND),
        (lambda path: path.mkdir(), ErrorCode.FILE_UNSAFE),
        (lambda path: path.symlink_to(__file__), ErrorCode.FILE_UNSAFE),
    ],
    ids=["missing", "folder", "symbolic link"],
)
def test_what_is_no_file_is_an_error(tmp_path: Path, make: Any, code: ErrorCode) -> None:
    path = tmp_path / "model.pkl"
    make(path)
    with pytest.raises(RunForgeError) as caught:
        inspect_model(path)
    assert caught.value.code is code
