"""The document of an inspection follows its schema, whatever the file holds."""

from __future__ import annotations

import json
import pickle
from typing import Any

import jsonschema
import numpy as np
import pytest
from fuzz_models import mutants
from model_files import joblib_bytes, model, model_bytes
from real_data import FAMILIES, ROOT
from referencing import Registry, Resource
from runforge_contracts.codec.strict_json import encode_json, parse_json
from runforge_contracts.schemas import in_schema_order
from runforge_engine.model_file.model_inspection import inspect_model_bytes

NAME = "artifact_inspection.v0.2.2.2"
SCHEMAS = [json.loads(path.read_bytes()) for path in (ROOT / "schemas").glob("*.json")]
REGISTRY: Registry[Any] = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS
)
VALIDATOR = jsonschema.Draft202012Validator(
    next(schema for schema in SCHEMAS if schema["$id"].endswith(f"{NAME}.json")), registry=REGISTRY
)


def document_of(data: bytes) -> dict[str, Any]:
    """Return the document as a client reads it, after checking it with another library."""
    document = inspect_model_bytes(data).to_dict()
    read = parse_json(encode_json(document))
    assert [error.message for error in VALIDATOR.iter_errors(read)] == []
    assert encode_json(in_schema_order(document, NAME)) == encode_json(document)
    assert isinstance(read, dict)
    return read


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("labels", ["int", "text"])
def test_a_model_of_ours_has_every_field(family: str, labels: str) -> None:
    document = document_of(model_bytes(family, labels))
    known = json.loads((ROOT / f"schemas/{NAME}.json").read_bytes())["properties"].keys()
    assert known - document.keys() == (set() if family == "random_forest" else {"trees"})
    assert document["clean"]
    assert all("hyperparameters" in step for step in document["pipeline_steps"])


@pytest.mark.parametrize("count", [200, pytest.param(1500, marks=pytest.mark.storm)])
def test_the_documents_of_mutated_models_follow_the_schema(count: int) -> None:
    judged = [document_of(data)["clean"] for data in mutants(count, seed=11)]
    assert {True, False} == set(judged)


@pytest.mark.parametrize("count", [-1, 2**53, 2**200, True, 4.0, "4", None])
def test_a_number_of_features_that_is_none_is_absent(count: object) -> None:
    fitted = model("linear_svc")
    for step in (fitted["scaler"], fitted["clf"]):
        step.n_features_in_ = count
    assert "n_features" not in document_of(joblib_bytes(fitted))


def test_values_that_json_lacks_are_described() -> None:
    fitted = model("logistic_regression")
    clf = fitted["clf"]
    clf.C, clf.tol, clf.max_iter = float("nan"), float("inf"), 2**80
    clf.class_weight = {0: 1.0, 1: np.float64(2.5), "\ud800": None}
    clf.solver, clf.l1_ratio = [fitted["scaler"]], np.arange(3)
    clf.classes_ = np.array([0.5, float("nan"), 2.0])
    document = document_of(pickle.dumps(fitted))
    values = document["pipeline_steps"][1]["hyperparameters"]
    assert values["C"] == {"text": "nan"}
    assert values["tol"] == {"text": "inf"}
    assert values["max_iter"] == {"text": str(2**80)}
    assert values["class_weight"] == {"0": 1.0, "1": 2.5, "\\ud800": None}
    assert values["l1_ratio"] == {"text": "array of int64"}
    assert document["classes"] == [0.5, {"text": "nan"}, 2.0]


def test_what_is_no_pipeline_and_what_is_no_model_has_a_document() -> None:
    for data in (b"", b"\x80", b"row,prediction\n", pickle.dumps({"a": 1}), pickle.dumps(None)):
        document = document_of(data)
        assert document["pipeline_steps"] == []
        assert document["step_count"] == 0
        assert document["findings"]
