"""Messages for the most likely mistakes in a request."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from runforge_contracts.codec.pointers import remove_at, set_at
from runforge_contracts.documents import REMOVE
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.validation import MAX_PROBLEMS, validate

FULL = json.loads(
    (Path(__file__).parents[3] / "docs/test-vectors/request.v1.full.json").read_text("utf-8")
)

#: Pointer, wrong value, and what the message and the hint say.
MISTAKES: list[tuple[str, Any, str, str | None]] = [
    (
        "/model/family",
        "random-forest",
        (
            "`/model/family` is `random-forest`; expected one of `logistic_regression`,"
            " `random_forest`, `linear_svc`."
        ),
        "Did you mean `random_forest`?",
    ),
    (
        "/model/family",
        "LogisticRegression",
        (
            "`/model/family` is `LogisticRegression`; expected one of `logistic_regression`,"
            " `random_forest`, `linear_svc`."
        ),
        "Did you mean `logistic_regression`?",
    ),
    ("/model/family", "xgboost", "`/model/family` is `xgboost`; expected one of", None),
    ("/model/family", REMOVE, "`/model` lacks the required field `family`.", None),
    (
        "/preset",
        "Balanced",
        "`/preset` is `Balanced`; expected one of `fast`, `balanced`, `thorough`, `custom`.",
        "Did you mean `balanced`?",
    ),
    ("/preset", None, "`/preset` is null; expected one of `fast`", None),
    ("/preset", REMOVE, "the document lacks the required field `preset`.", None),
    ("/version", "1", "`/version` is `1`; expected 1.", None),
    ("/version", REMOVE, "the document lacks the required field `version`.", None),
    ("/dataset", "data/iris.csv", "`/dataset` is `data/iris.csv`; expected an object.", None),
    (
        "/dataset/path",
        "",
        "`/dataset/path` is ``; expected a path without control characters.",
        None,
    ),
    (
        "/dataset/label_column",
        "",
        "`/dataset/label_column` is too short; expected at least 1.",
        None,
    ),
    ("/dataset/path", None, "`/dataset/path` is null; expected a string.", None),
    ("/dataset/label_column", 4, "`/dataset/label_column` is 4; expected a string.", None),
    (
        "/dataset/exclude_columns",
        "id",
        "`/dataset/exclude_columns` is `id`; expected an array or null.",
        None,
    ),
    ("/device/type", "cuda", "`/device/type` is `cuda`; expected one of `cpu`, `gpu`.", None),
    ("/device", "cpu", "`/device` is `cpu`; expected an object.", None),
    ("/seed", "42", "`/seed` is `42`; expected an integer or null.", None),
    ("/seed", 4.5, "`/seed` is 4.5; expected an integer or null.", None),
    ("/seed", -1, "`/seed` is -1; expected at least 0.", None),
    (
        "/created_at",
        "2026-02-01 12:00",
        "`/created_at` is `2026-02-01 12:00`; expected a UTC time such as 2026-02-01T12:00:00Z.",
        None,
    ),
    (
        "/created_by",
        "my-tool",
        "`/created_by` is `my-tool`; expected <client>@<version>, such as my-tool@1.0.",
        None,
    ),
    ("/tags", "iris", "`/tags` is `iris`; expected an array or null.", None),
    ("/tags/0", None, "`/tags/0` is null; expected a string.", None),
    (
        "/model/hyperparameters",
        [],
        "`/model/hyperparameters` is an array; expected an object or null.",
        None,
    ),
]


def refused(raw: Any) -> RunForgeError:
    with pytest.raises(RunForgeError) as caught:
        validate(raw, "request.v1", path="request.json")
    assert caught.value.code is ErrorCode.DOCUMENT_INVALID
    return caught.value


@pytest.mark.parametrize(
    ("pointer", "value", "message", "hint"),
    MISTAKES,
    ids=[f"{pointer} {'removed' if value is REMOVE else value}" for pointer, value, *_ in MISTAKES],
)
def test_likely_mistakes_are_explained(
    pointer: str, value: Any, message: str, hint: str | None
) -> None:
    raw = copy.deepcopy(FULL)
    if value is REMOVE:
        remove_at(raw, pointer)
    else:
        set_at(raw, pointer, value)
    error = refused(raw)
    assert error.message.startswith(f"The document is not a valid request.v1: {message[:60]}")
    assert message in error.message
    assert error.location.pointer == pointer
    assert error.hint == hint
    assert error.location.path == "request.json"


def test_a_misspelt_field_is_offered() -> None:
    raw = copy.deepcopy(FULL)
    raw["presets"] = raw.pop("preset")
    assert refused(raw).hint == "Did you mean `preset` where it says `presets`?"


def test_several_mistakes_are_reported_together() -> None:
    raw = {**FULL, "preset": "slow", "seed": -1, "tags": [1, "x", None]}
    error = refused(raw)
    assert "(4 mistakes)" in error.message
    assert {problem.location.pointer for problem in error.problems} == {
        "/preset",
        "/seed",
        "/tags/0",
        "/tags/2",
    }


@pytest.mark.parametrize("count", [20_000, pytest.param(1_000_000, marks=pytest.mark.scale)])
def test_many_mistakes_are_not_all_reported(count: int) -> None:
    error = refused({**FULL, "tags": [1] * count})
    assert len(error.problems) == MAX_PROBLEMS


def test_hostile_values_are_shortened_and_printable() -> None:
    error = refused({**FULL, "preset": "\x1b[2J" + "x" * 10_000, "a" * 10_000: 1})
    assert len(error.message) < 300
    assert error.message.isprintable()


def test_an_alternative_is_explained_by_the_branch_that_was_meant() -> None:
    with pytest.raises(RunForgeError) as caught:
        validate(
            {"version": 1, "status": "failed", "duration_ms": 1, "error": {"message": 1}},
            "result.v1",
        )
    pointers = {problem.location.pointer for problem in caught.value.problems}
    assert pointers == {"/error/message", "/error/type"}


def test_a_closed_document_names_what_does_not_belong() -> None:
    metrics = {"accuracy": 0.5, "num_samples": 1, "num_features": 1, "f1": 0.5}
    with pytest.raises(RunForgeError) as caught:
        validate(metrics, "metrics.phase2")
    assert "fields that do not belong there: `f1`" in caught.value.message
    assert caught.value.location.pointer == "/f1"


@pytest.mark.parametrize("key", ["0", "1", "01", "007", "9" * 5000, "-1", "1.0", "a"])
def test_a_key_of_digits_is_a_key_and_not_an_index(key: str) -> None:
    with pytest.raises(RunForgeError) as caught:
        validate({"summary": {}, "history": {key: 5}}, "tfc.metrics.v1")
    assert caught.value.location.pointer == f"/history/{key}"
