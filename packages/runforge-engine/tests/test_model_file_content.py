from __future__ import annotations

import copy
import io
import pickle
import pickletools
from typing import Any

import joblib
import numpy as np
import pytest
from model_files import joblib_bytes, model, model_bytes, pickled
from real_data import FAMILIES
from runforge_engine.model_file.byte_source import BytesSource, Cursor
from runforge_engine.model_file.content import content_sha256 as digest_of_content
from runforge_engine.model_file.limits import InspectionLimits, Watch
from runforge_engine.model_file.model_inspection import content_sha256, inspect_model_bytes
from runforge_engine.model_file.pickle_machine import Machine
from runforge_engine.model_file.scan_findings import Findings
from runforge_engine.model_file.session import Reading


def digest(value: Any, protocol: int = 4) -> str:
    """Return the digest of a model, or of what a model may not hold all the same."""
    data = value if isinstance(value, bytes) else joblib_bytes(value, protocol)
    found = digest_of_stream(data)
    inspection = inspect_model_bytes(data)
    assert content_sha256(inspection) == (found if inspection.is_clean else None)
    return found


def digest_of_stream(data: bytes) -> str:
    """Return the digest by the rules alone, whatever attributes the classes have."""
    watch, findings = Watch(InspectionLimits()), Findings(10)
    root = Machine(Cursor(BytesSource(data)), Reading(watch, findings, size=len(data))).run()
    assert not findings.has_errors
    return digest_of_content(root, watch)


def arrays_of(estimator: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(estimator).items() if isinstance(value, np.ndarray)}


@pytest.mark.parametrize("family", FAMILIES)
def test_loading_and_dumping_again_changes_the_bytes_but_not_the_content(family: str) -> None:
    data = model_bytes(family)
    again = data
    for _ in range(3):
        again = joblib_bytes(joblib.load(io.BytesIO(again)))
        assert digest(again) == digest(data)
    assert again != data


def test_pickletools_optimised_models_have_the_same_content() -> None:
    fitted = model("random_forest")
    for protocol in range(6):
        optimised = pickletools.optimize(pickle.dumps(fitted, protocol))
        assert digest(optimised) == digest(fitted)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dump", [joblib_bytes, pickle.dumps])
def test_column_major_and_big_endian_arrays_have_the_same_content(family: str, dump: Any) -> None:
    fitted = model(family)
    expected = digest(fitted)
    for estimator in (fitted["scaler"], fitted["clf"]):
        for name, array in arrays_of(estimator).items():
            if array.dtype.kind != "O":
                swapped = np.asfortranarray(array).astype(array.dtype.newbyteorder(">"))
                setattr(estimator, name, swapped)
    for protocol in (2, 5):
        assert digest(dump(fitted, protocol)) == expected


def test_arrays_of_many_axes_and_types_are_read_row_by_row() -> None:
    rng = np.random.default_rng(0)
    for dtype in ("f8", "f4", "f2", "i2", "u1", "?", "c16", "c8", "U3", "S5"):
        array = rng.integers(0, 100, (3, 4, 2, 5)).astype(dtype)
        fitted = model("linear_svc")
        found = set()
        forms = [array, np.asfortranarray(array), array.astype(array.dtype.newbyteorder(">"))]
        for form in [*forms, np.asfortranarray(forms[2])]:
            fitted["clf"].coef_ = form
            found |= {digest(fitted, 4), digest(pickle.dumps(fitted, 5))}
        assert len(found) == 1, dtype
        fitted["clf"].coef_ = array.transpose()
        assert digest(fitted) not in found


def test_the_bytes_between_the_fields_of_a_record_do_not_count() -> None:
    fitted = model("random_forest")
    data = bytearray(pickle.dumps(fitted, 4))
    nodes = fitted["clf"].estimators_[0].tree_.__getstate__()["nodes"]
    at = bytes(data).index(nodes.tobytes())
    expected = digest(bytes(data))
    for padding in range(57, 64):
        data[at + 64 + padding] ^= 0xFF
        assert digest(bytes(data)) == expected
    data[at + 64 + 40] ^= 1
    assert digest(bytes(data)) != expected


@pytest.mark.parametrize("family", FAMILIES)
def test_one_bit_of_any_array_changes_the_content(family: str) -> None:
    fitted = model(family)
    expected = digest(fitted)
    seen = {expected}
    for estimator in (fitted["scaler"], fitted["clf"]):
        for array in arrays_of(estimator).values():
            if array.dtype.kind == "O":
                continue
            flat = array.ravel(order="K").view(np.uint8)
            for at in {0, len(flat) // 2, len(flat) - 1}:
                flat[at] ^= 1
                changed = digest(fitted)
                flat[at] ^= 1
                assert changed not in seen
                seen.add(changed)
    assert digest(fitted) == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_every_parameter_changes_the_content_but_those_that_change_no_prediction(
    family: str,
) -> None:
    fitted = model(family)
    expected = digest(fitted)
    for estimator in (fitted["scaler"], fitted["clf"]):
        for name in estimator.get_params(deep=False):
            changed = copy.copy(fitted)
            changed.steps = [
                (step, copy.copy(each).set_params(**({name: 7} if each is estimator else {})))
                for step, each in fitted.steps
            ]
            same = digest(changed) == expected
            assert same == (name in ("n_jobs", "verbose")), name


def test_the_order_of_attributes_and_shared_objects_do_not_count() -> None:
    fitted = model("logistic_regression")
    expected = digest(fitted)
    for estimator in (fitted, *fitted.named_steps.values()):
        estimator.__dict__ = dict(reversed(estimator.__dict__.items()))
    assert digest(fitted) == expected
    fitted["scaler"].mean_ = fitted["scaler"].var_
    shared = digest(pickle.dumps(fitted))
    fitted["scaler"].mean_ = fitted["scaler"].var_.copy()
    assert digest(pickle.dumps(fitted)) == shared


def test_the_version_that_wrote_the_file_does_not_count() -> None:
    data = pickle.dumps(model("linear_svc"), 2)
    version = inspect_model_bytes(data).library_version
    assert version is not None
    other = data.replace(version.encode(), b"9" * len(version))
    assert other != data
    assert inspect_model_bytes(other).library_version == "9" * len(version)
    assert digest(other) == digest(data)


def test_values_that_look_alike_are_distinguished() -> None:
    fitted = model("linear_svc")
    values: list[Any] = [
        None,
        0,
        False,
        0.0,
        -0.0,
        "",
        b"",
        (),
        [],
        {},
        set(),
        "0",
        b"0",
        [0],
        (0,),
        [[]],
        [[], []],
        [[[]]],
        ["a", "b"],
        ["ab", ""],
        ["a", ["b"]],
        {"a": "b"},
        {0: 1},
        {"0": 1},
        {1},
        1,
        True,
        1.0,
        float("nan"),
        np.float64(1.0),
        np.float32(1.0),
        np.int64(1),
        np.array(1.0),
        np.array([1.0]),
        np.array([[1.0]]),
        np.array([1], dtype="i8"),
        np.array([1], dtype="u8"),
        np.array(["1"], dtype="U1"),
        np.array(["1"], dtype="U2"),
        np.array(["1"], dtype=object),
        np.array([b"1"], dtype="S1"),
        np.dtype("f8"),
        np.zeros(2, [("a", "f8"), ("b", "f8")]),
        np.zeros(2, [("b", "f8"), ("a", "f8")]),
        10**30,
    ]
    found = []
    for value in values:
        fitted["clf"].class_weight = value
        found.append(digest(fitted))
        assert digest(pickle.dumps(fitted, 5)) == found[-1]
    assert len(set(found)) == len(values)


def test_sets_and_dicts_have_no_order() -> None:
    fitted = model("linear_svc")
    found = set()
    for order in (["a", "b", "c"], ["c", "a", "b"]):
        fitted["clf"].class_weight = {key: {key, "x", "y"} for key in order}
        found |= {digest(pickle.dumps(fitted, protocol)) for protocol in (4, 5)}
    assert len(found) == 1


def test_the_rules_stay_the_same() -> None:
    # Written out by hand: a digest in an old record must still be that of the model.
    state = {"steps": [("scaler", None)], "memory": None, "n": 1, "x": 0.5, "verbose": True}
    data = b"\x80\x04csklearn.pipeline\nPipeline\n)\x81" + pickled(state, 2)[2:] + b"b."
    assert digest_of_stream(data) == (
        "5d134d923ac3815dd800435843bf56c21c1aeddf0cce2fa9197dc4f78f72b65c"
    )
