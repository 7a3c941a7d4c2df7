from __future__ import annotations

import hashlib
import io
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from model_files import (
    COMPRESSIONS,
    PROTOCOLS,
    Payload,
    joblib_bytes,
    model,
    model_bytes,
    payload,
)
from real_data import FAMILIES
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_engine.model_file import loading
from runforge_engine.model_file.allowlist import ALLOWED
from runforge_engine.model_file.loading import find_allowed, load_model
from sklearn.datasets import load_iris
from sklearn.preprocessing import LabelEncoder
from use_models import ForgedTree


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "model.pkl"
    path.write_bytes(data)
    return path


def predict(pipeline: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # The model knows column names.
        X = load_iris().data
        if hasattr(pipeline, "predict_proba"):
            return pipeline.predict_proba(X)
        return pipeline.decision_function(X)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("labels", ["int", "text"])
@pytest.mark.parametrize("compress", [0, *((name, 3) for name in COMPRESSIONS)], ids=str)
def test_a_loaded_model_predicts_as_it_did(
    family: str, labels: str, compress: Any, tmp_path: Path
) -> None:
    expected = predict(model(family, labels))
    for protocol in PROTOCOLS:
        path = write(tmp_path, joblib_bytes(model(family, labels), protocol, compress))
        assert np.array_equal(predict(load_model(path, sha256(path))), expected)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_plain_pickle_is_loaded_too(protocol: int, tmp_path: Path) -> None:
    path = write(tmp_path, pickle.dumps(model("random_forest", "text"), protocol))
    expected = predict(model("random_forest", "text"))
    assert np.array_equal(predict(load_model(path, sha256(path))), expected)


def refusal(path: Path, digest: str) -> RunForgeError:
    with pytest.raises(RunForgeError) as caught:
        load_model(path, digest)
    assert caught.value.location.path == str(path)
    return caught.value


def test_a_file_of_another_digest_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, model_bytes("linear_svc"))
    digest = sha256(path)
    assert load_model(path, digest.upper())
    changed = bytearray(path.read_bytes())
    changed[-200] ^= 1
    path.write_bytes(changed)
    assert refusal(path, digest).code is ErrorCode.FILE_UNSAFE
    assert refusal(path, "").code is ErrorCode.FILE_UNSAFE
    assert refusal(path, "é").code is ErrorCode.FILE_UNSAFE


@pytest.mark.parametrize("place", ["attribute", "object array"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_hostile_model_is_refused_even_with_its_digest(
    place: str, protocol: int, tmp_path: Path
) -> None:
    trace, fitted = tmp_path / "executed", model("linear_svc")
    if place == "attribute":
        fitted.evil = Payload(trace)
    else:
        fitted["scaler"].feature_names_in_ = np.array([Payload(trace)], dtype=object)
    path = write(tmp_path, joblib_bytes(fitted, protocol))
    error = refusal(path, sha256(path))
    assert error.code is ErrorCode.FILE_UNSAFE
    assert "posix.mkdir" in error.message
    assert [problem.message.split(":")[0] for problem in error.problems] == ["GLOBAL_NOT_ALLOWED"]
    assert not trace.exists()


@pytest.mark.parametrize("place", ["attribute", "object array"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_loader_refuses_by_itself_what_the_reader_refuses(
    place: str, protocol: int, tmp_path: Path
) -> None:
    trace, fitted = tmp_path / "executed", model("linear_svc")
    if place == "attribute":
        fitted.evil = Payload(trace)
    else:
        fitted["scaler"].feature_names_in_ = np.array([Payload(trace)], dtype=object)
    with pytest.raises(RunForgeError, match=r"posix\.mkdir"):
        loading.unpickle(joblib_bytes(fitted, protocol))
    assert not trace.exists()


def test_a_model_that_is_no_pipeline_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, joblib_bytes(model("linear_svc")["clf"]))
    assert refusal(path, sha256(path)).code is ErrorCode.FILE_UNSAFE


def test_a_model_that_the_libraries_cannot_take_is_an_error(tmp_path: Path) -> None:
    # The reader knows this order of the values, the library refuses it.
    fitted = model("random_forest")
    tree = fitted["clf"].estimators_[0].tree_
    _, args, state = tree.__reduce__()
    state["values"] = np.asfortranarray(np.repeat(state["values"], 1, axis=1))
    fitted["clf"].estimators_[0].tree_ = ForgedTree(args, state)
    path = write(tmp_path, joblib_bytes(fitted))
    error = refusal(path, sha256(path))
    assert error.code is ErrorCode.FILE_UNREADABLE
    assert error.hint


@pytest.mark.parametrize(
    "make",
    [lambda path: path.symlink_to(__file__), lambda path: path.mkdir()],
    ids=["symbolic link", "folder"],
)
def test_what_is_no_regular_file_is_refused(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    make(path)
    assert refusal(path, "0" * 64).code is ErrorCode.FILE_UNSAFE


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    with path.open("wb") as file:
        file.truncate(2**40)
    assert refusal(path, "0" * 64).code is ErrorCode.FILE_UNSAFE


def test_only_names_on_the_list_are_found() -> None:
    for module, name in ALLOWED:
        assert find_allowed(module, name) is not None
    for module, name in (("os", "system"), ("numpy", "dtype.type"), ("builtins", "eval")):
        with pytest.raises(RunForgeError):
            find_allowed(module, name)


def test_every_name_on_the_list_is_needed_by_a_model() -> None:
    asked: set[tuple[str, str]] = set()

    class Recorder(joblib.numpy_pickle.NumpyUnpickler):
        def find_class(self, module: str, name: str) -> Any:
            asked.add((module, name))
            return super().find_class(module, name)

    class PlainRecorder(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            asked.add((module, name))
            return super().find_class(module, name)

    for family in FAMILIES:
        for protocol in PROTOCOLS:
            fitted = model(family, "text")
            stream = io.BytesIO(joblib_bytes(fitted, protocol))
            Recorder("", stream, ensure_native_byte_order=True).load()
            PlainRecorder(io.BytesIO(pickle.dumps(fitted, protocol))).load()
    # Beside a model, another client leaves the encoder of its labels.
    PlainRecorder(io.BytesIO(pickle.dumps(LabelEncoder().fit(["a", "b"])))).load()
    # The names of numpy 1 are asked for by the models of old releases, in test_artifact_releases.
    assert asked == {pair for pair in ALLOWED if not pair[0].startswith("numpy.core.")}


def test_a_dropped_payload_is_refused(tmp_path: Path) -> None:
    trace = tmp_path / "executed"
    data = joblib_bytes(model("linear_svc"), 2)
    path = write(tmp_path, data[:-1] + payload(trace) + b".")
    assert refusal(path, sha256(path)).code is ErrorCode.FILE_UNSAFE
    assert not trace.exists()
