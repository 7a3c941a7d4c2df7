"""What a model holds is what will be used: anything else is named, and nothing of it is loaded."""

from __future__ import annotations

import copy
import hashlib
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_files import joblib_bytes, model, model_bytes, text
from real_data import FAMILIES
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_engine.model_file.loading import load_model
from runforge_engine.model_file.model_inspection import inspect_model_bytes
from runforge_engine.model_file.scan_findings import FindingCode
from sklearn.pipeline import Pipeline
from use_models import ForgedTree, _reordered, _swapped

NODE_FIELDS = (
    "left_child",
    "right_child",
    "feature",
    "threshold",
    "impurity",
    "n_node_samples",
    "weighted_n_node_samples",
    "missing_go_to_left",
)


def codes(fitted: Any) -> set[str]:
    data = fitted if isinstance(fitted, bytes) else joblib_bytes(fitted)
    return {finding.code.value for finding in inspect_model_bytes(data).findings}


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value, value]
    return value


def with_nodes(change: Callable[[Any], Any]) -> Any:
    fitted = model("random_forest")
    last = fitted["clf"].estimators_[-1]
    _, args, state = last.tree_.__reduce__()
    last.tree_ = ForgedTree(args, {**state, "nodes": change(state["nodes"])})
    return fitted


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("left_child", "n_node_samples"),
        ("feature", "left_child"),
        ("right_child", "feature"),
        ("threshold", "impurity"),
        ("impurity", "weighted_n_node_samples"),
        ("threshold", "n_node_samples"),
        ("missing_go_to_left", "left_child"),
    ],
)
def test_nodes_with_two_fields_in_each_others_place_are_named(one: str, other: str) -> None:
    fitted = with_nodes(lambda nodes: _reordered(nodes, _swapped(NODE_FIELDS, one, other)))
    assert codes(fitted) == {"TREE_INVALID"}


@pytest.mark.parametrize(
    "change",
    [
        lambda nodes: nodes.astype(
            [(name, nodes.dtype.fields[name][0]) for name in nodes.dtype.names]
        ),
        lambda nodes: nodes.astype(
            [
                (name, ">i8" if name == "feature" else nodes.dtype.fields[name][0])
                for name in nodes.dtype.names
            ]
        ),
        lambda nodes: np.zeros(len(nodes), [("more", "i8"), *nodes.dtype.descr[:8]]),
        lambda nodes: nodes[list(NODE_FIELDS[:-1])].copy(),
    ],
    ids=["packed", "two orders of bytes", "one field more", "one field less"],
)
def test_nodes_of_another_layout_are_named(change: Callable[[Any], Any]) -> None:
    assert codes(with_nodes(change)) == {"TREE_INVALID"}


def test_nodes_in_the_other_order_of_bytes_are_clean() -> None:
    assert codes(with_nodes(lambda nodes: nodes.astype(nodes.dtype.newbyteorder(">")))) == set()


@pytest.mark.parametrize("name", ["impurity", "n_node_samples", "missing_go_to_left"])
def test_nodes_with_an_impossible_value_are_named(name: str) -> None:
    def change(nodes: Any) -> Any:
        nodes = nodes.copy()
        nodes[name][0] = {"impurity": np.inf, "n_node_samples": 0, "missing_go_to_left": 9}[name]
        return nodes

    assert codes(with_nodes(change)) == {"TREE_INVALID"}


def set_on(step: str, name: str, value: Any) -> Callable[[Any], None]:
    return lambda fitted: setattr(fitted[step], name, value)


LINEAR_CHANGES: dict[str, Callable[[Any], None]] = {
    "nested lists as parameter": set_on("clf", "C", nested(60)),
    "an unknown attribute": set_on("clf", "note", "x"),
    "a method's name": set_on("clf", "predict", "x"),
    "coefficients of another shape": set_on("clf", "coef_", np.ones((3, 7))),
    "coefficients of another type": set_on("clf", "coef_", np.ones((3, 4), "f4")),
    "coefficients of one axis more": set_on("clf", "coef_", np.ones((3, 4, 1))),
    "coefficients that are objects": set_on("clf", "coef_", np.ones((3, 4), object)),
    "coefficients that are not finite": set_on("clf", "coef_", np.full((3, 4), np.nan)),
    "too many intercepts": set_on("clf", "intercept_", np.ones(300)),
    "a mean of another shape": set_on("scaler", "mean_", np.ones((4, 1))),
    "a scale of text": set_on("scaler", "scale_", np.array(["a"] * 4)),
    "no scale": set_on("scaler", "scale_", None),
    "labels twice": set_on("clf", "classes_", np.array([0, 0, 1])),
    "labels in rows": set_on("clf", "classes_", np.array([[0, 1, 2]])),
    "labels that are lists": set_on("clf", "classes_", np.array([[], [1], None], object)),
    "too few labels": set_on("clf", "classes_", np.array([0, 1])),
    "no feature": set_on("scaler", "n_features_in_", 0),
    "features beyond all": set_on("scaler", "n_features_in_", 2**40),
    "other features than the scaler's": set_on("clf", "n_features_in_", 5),
    "names of features twice": set_on("scaler", "feature_names_in_", np.array(["a"] * 4, object)),
    "names that are numbers": set_on("scaler", "feature_names_in_", np.arange(4).astype(object)),
    "a string of another length": set_on("clf", "penalty", "x" * 5000),
    "a dict of dicts": set_on("clf", "class_weight", {0: {1: 2}}),
    "a cache for the pipeline": lambda fitted: setattr(fitted, "memory", "/somewhere"),
    "steps in another order": lambda fitted: fitted.steps.reverse(),
    "a step twice": lambda fitted: fitted.steps.append(fitted.steps[1]),
    "no steps": lambda fitted: fitted.steps.clear(),
    "a missing attribute": lambda fitted: delattr(fitted["scaler"], "with_mean"),
    "an attribute that was not learned": lambda fitted: delattr(fitted["clf"], "coef_"),
}


@pytest.mark.parametrize("family", ["linear_svc", "logistic_regression"])
@pytest.mark.parametrize("change", LINEAR_CHANGES.values(), ids=LINEAR_CHANGES)
def test_an_attribute_that_no_model_has_is_named(
    change: Callable[[Any], None], family: str
) -> None:
    fitted = model(family)
    change(fitted)
    assert codes(fitted) - {"NOT_A_PIPELINE"} == {"ATTRIBUTE_INVALID"}


def test_lists_as_the_version_of_the_library_are_named() -> None:
    data = pickle.dumps(model("linear_svc"), 2)
    version = str(inspect_model_bytes(data).library_version)
    forged = data.replace(text(version), b"]](]]ea", 1)
    assert forged != data
    assert codes(forged) == {"ATTRIBUTE_INVALID"}


FOREST_CHANGES: dict[str, Callable[[Any], None]] = {
    "no trees": lambda forest: forest.estimators_.clear(),
    "one tree twice": lambda forest: forest.estimators_.__setitem__(0, forest.estimators_[1]),
    "another number of trees": lambda forest: setattr(forest, "n_estimators", 3),
    "too many classes": lambda forest: setattr(forest, "n_classes_", 10**9),
    "two outputs": lambda forest: setattr(forest, "n_outputs_", 2),
    "a tree of other classes": lambda forest: setattr(
        forest.estimators_[0], "classes_", np.arange(2.0)
    ),
    "a tree that was not grown": lambda forest: forest.estimators_.__setitem__(0, forest.estimator),
    "a template that was grown": lambda forest: setattr(
        forest, "estimator_", copy.copy(forest.estimators_[0])
    ),
    "a tree that is none": lambda forest: setattr(forest.estimators_[0], "tree_", None),
}


@pytest.mark.parametrize("change", FOREST_CHANGES.values(), ids=FOREST_CHANGES)
def test_an_inconsistent_forest_is_reported(change: Callable[[Any], None]) -> None:
    fitted = model("random_forest")
    change(fitted["clf"])
    assert codes(fitted) & {"ATTRIBUTE_INVALID", "TREE_INVALID"}


def test_a_tree_of_two_estimators_is_named() -> None:
    fitted = model("random_forest")
    trees = fitted["clf"].estimators_
    trees[0].tree_ = trees[1].tree_
    assert codes(fitted) == {"TREE_INVALID"}


def test_pipelines_within_each_other_are_named() -> None:
    fitted = model("linear_svc")
    for _ in range(18):
        fitted = Pipeline([("scaler", model("linear_svc")["scaler"]), ("clf", fitted)])
    assert "ATTRIBUTE_INVALID" in codes(fitted)


def test_what_is_made_and_thrown_away_is_named() -> None:
    data = pickle.dumps(model("linear_svc"), 2)
    hidden = b"csklearn.preprocessing._data\nStandardScaler\n)\x81}b0"
    assert codes(data) == set()
    assert codes(data[:2] + hidden + data[2:]) == {"OPERATION_NOT_ALLOWED"}


@pytest.mark.parametrize("kind", ["dict", "set"])
def test_keys_that_collide_are_named(kind: str) -> None:
    keys = b"".join(
        b"\x8a\x12" + (index * (2**61 - 1)).to_bytes(18, "little") + b"N" * (kind == "dict")
        for index in range(20_000)
    )
    data = b"\x80\x04}(" + keys + b"u." if kind == "dict" else b"\x80\x04\x8f(" + keys + b"\x90."
    assert codes(data) == {"OPERATION_LIMIT"}


def test_bytes_that_are_made_into_arrays_over_and_over_are_named() -> None:
    make = b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tC\x01btR"
    dtype = b"cnumpy\ndtype\n(" + text("f8") + b"\x89\x88tR(K\x03" + text("<") + b"NNN"
    dtype += b"J\xff\xff\xff\xff" * 2 + b"K\x00tb"
    shared = b"(K\x01M\x10\x27\x85" + dtype + b"\x89"
    raw = b"B" + (80_000).to_bytes(4, "little") + bytes(80_000)
    body = shared + raw + b"tq\x010"
    data = b"\x80\x04" + body + b"](" + (make + b"h\x01b") * 500 + b"e."
    assert codes(data) == {"ARRAY_LIMIT"}


@pytest.mark.parametrize("family", FAMILIES)
def test_attributes_of_a_newer_release_are_no_error(family: str) -> None:
    fitted = model(family)
    fitted["clf"].unheard_of = 3
    data = pickle.dumps(fitted, 4)
    assert codes(data) == {"ATTRIBUTE_INVALID"}
    version = inspect_model_bytes(model_bytes(family)).library_version
    assert version is not None
    newer = data.replace(version.encode(), b"9" + version[1:].encode())
    assert codes(newer) == set()


def test_a_small_file_does_not_unfold_to_a_large_one() -> None:
    assert codes(zlib.compress(bytes(100 * 2**20), 9)) == {"DECOMPRESSION_LIMIT"}


def test_a_pipeline_of_other_steps_is_not_loaded(tmp_path: Path) -> None:
    fitted = model("linear_svc")
    for steps in ([("clf", fitted["clf"])], [("scale", fitted["scaler"]), ("clf", fitted["clf"])]):
        data = joblib_bytes(Pipeline(steps))
        assert codes(data) == set()
        path = tmp_path / "model.pkl"
        path.write_bytes(data)
        with pytest.raises(RunForgeError) as caught:
            load_model(path, hashlib.sha256(data).hexdigest())
        assert caught.value.code is ErrorCode.FILE_UNSAFE


KINDS = {
    "a NumPy array": b"\x93NUMPY\x01\x00v\x00",
    "a PyTorch file (ZIP": b"PK\x03\x04" + bytes(26) + b"archive/data.pkl" + bytes(40),
    "a file of NumPy arrays": b"PK\x03\x04" + bytes(26) + b"a.npy" + bytes(40),
    "a Keras model": b"PK\x03\x04" + bytes(26) + b"model.weights.h5" + bytes(40),
    "a ZIP archive": b"PK\x03\x04" + bytes(26) + b"readme" + bytes(40),
    "a PyTorch file (before": b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.",
    "an HDF5 file": b"\x89HDF\r\n\x1a\n" + bytes(20),
    "an ONNX model": b"\x08\x08\x12\x07skl2onnx",
    "a safetensors file": (64).to_bytes(8, "little") + b'{"weight":{}}',
    "a JSON text": b'{"learner": {}}\n',
    "an XML": b"<?xml version='1.0'?><PMML/>",
    "plain text": b"hello\nthere\n",
    "perhaps a table": b"a,b,y\n1,2,3\n",
    "text in UTF-16": "hello".encode("utf-16"),
    "a Parquet file": b"PAR1" + bytes(20),
    "a pointer of Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    "a GGUF model": b"GGUF\x03\x00\x00\x00",
    "Zstandard": b"\x28\xb5\x2f\xfd" + bytes(20),
    "empty": b"",
}


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(("kind", "data"), KINDS.items(), ids=KINDS)
def test_a_file_that_is_no_model_is_described(kind: str, data: bytes, compressed: bool) -> None:
    inspection = inspect_model_bytes(zlib.compress(data) if compressed else data)
    (finding,) = inspection.findings
    assert finding.code is FindingCode.NOT_A_PICKLE
    assert kind in finding.message
    assert finding.message.startswith("The zlib stream holds" if compressed else "The file is")
