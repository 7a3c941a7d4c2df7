"""Precedence, tables and checks of the configuration."""

from __future__ import annotations

import hashlib
import importlib
from typing import Any

import pytest
from real_data import FAMILIES
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_engine.modeling.configuration import (
    Configuration,
    check_classes,
    family_for_editor,
    family_of,
    parse_parameters,
    resolve,
)
from runforge_engine.modeling.families import FAMILIES as TABLES


def configure(family: str = "logistic_regression", **options: Any) -> Configuration:
    defaults: dict[str, Any] = {"preset": "balanced", "profile": None, "hyperparameters": {}}
    return resolve(family=family, **{**defaults, "seed": 42, **options})


def used(configuration: Configuration) -> dict[str, tuple[Any, str]]:
    return {item.name: (item.value, item.source) for item in configuration.hyperparameters}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_parameter_of_the_estimator_is_frozen_at_todays_default(family: str) -> None:
    table = TABLES[family]
    estimator = getattr(importlib.import_module(table.module), table.estimator)()
    defaults = estimator.get_params()
    ours = configure(family, preset="custom").estimator_parameters()
    assert ours.pop("random_state") == 42
    del defaults["random_state"]
    if family == "logistic_regression":
        del defaults["penalty"]  # Deprecated: l1_ratio says the same.
    assert ours == defaults


PRESETS = {
    ("logistic_regression", "fast"): {"max_iter": 50},
    ("logistic_regression", "balanced"): {"max_iter": 200},
    ("logistic_regression", "std-train"): {"max_iter": 200},
    ("logistic_regression", "thorough"): {"max_iter": 2000},
    ("logistic_regression", "hq-train"): {"max_iter": 2000},
    ("logistic_regression", "custom"): {},
    ("random_forest", "fast"): {"n_estimators": 50, "max_depth": 10},
    ("random_forest", "balanced"): {},
    ("random_forest", "thorough"): {"n_estimators": 300},
    ("linear_svc", "fast"): {"max_iter": 200},
    ("linear_svc", "balanced"): {},
    ("linear_svc", "thorough"): {"max_iter": 10000},
}


@pytest.mark.parametrize(("name", "values"), PRESETS.items(), ids=str)
def test_presets_set_what_the_contract_says(name: tuple[str, str], values: dict[str, Any]) -> None:
    family, preset = name
    found = used(configure(family, preset=preset))
    assert {key: value for key, (value, source) in found.items() if source == "preset"} == values
    assert {source for _, source in found.values()} <= {"preset", "model_default"}


def test_precedence_is_override_then_profile_then_preset_then_default() -> None:
    configuration = configure(
        "random_forest",
        preset="fast",
        profile="thorough",
        hyperparameters={"max_depth": 5, "min_samples_leaf": 3},
        cli_names={"max_depth"},
    )
    assert used(configuration) == {
        "n_estimators": (200, "profile"),
        "max_depth": (5, "cli"),
        "min_samples_split": (2, "model_default"),
        "min_samples_leaf": (3, "request"),
    }
    assert configuration.profile is not None
    assert configuration.profile.expanded_parameters_hash == (
        hashlib.sha256(b'{"max_depth":10,"n_estimators":200}').hexdigest()
    )


def test_the_default_profile_fits_every_family_and_changes_nothing() -> None:
    for family in FAMILIES:
        assert used(configure(family, profile="default")) == used(configure(family))


REFUSED: dict[str, tuple[str, dict[str, Any], ErrorCode]] = {
    "family": ("svm", {}, ErrorCode.MODEL_FAMILY_UNKNOWN),
    "preset": ("linear_svc", {"preset": "quick"}, ErrorCode.PRESET_UNKNOWN),
    "profile": ("linear_svc", {"profile": "quick"}, ErrorCode.PROFILE_UNKNOWN),
    "foreign profile": ("linear_svc", {"profile": "fast"}, ErrorCode.PROFILE_FAMILY_MISMATCH),
}


@pytest.mark.parametrize(("family", "options", "code"), REFUSED.values(), ids=REFUSED)
def test_unknown_names_are_refused_with_what_there_is(
    family: str, options: dict[str, Any], code: ErrorCode
) -> None:
    with pytest.raises(RunForgeError) as caught:
        configure(family, **options)
    assert caught.value.code is code
    assert caught.value.hint


VALUES: list[tuple[str, str, Any, Any]] = [
    ("logistic_regression", "C", 1, 1.0),
    ("logistic_regression", "C", 0.5, 0.5),
    ("logistic_regression", "C", 0, ErrorCode.HYPERPARAMETER_INVALID),
    ("logistic_regression", "C", -1, ErrorCode.HYPERPARAMETER_INVALID),
    ("logistic_regression", "C", True, ErrorCode.HYPERPARAMETER_INVALID),
    ("logistic_regression", "C", "1", ErrorCode.HYPERPARAMETER_INVALID),
    ("logistic_regression", "C", float("nan"), ErrorCode.HYPERPARAMETER_INVALID),
    ("logistic_regression", "C", float("inf"), ErrorCode.HYPERPARAMETER_INVALID),
    ("logistic_regression", "C", 1e-300, ErrorCode.HYPERPARAMETER_INVALID),
    ("linear_svc", "C", 1e300, ErrorCode.HYPERPARAMETER_INVALID),
    ("linear_svc", "C", 1e-100, 1e-100),
    ("linear_svc", "C", 1e100, 1e100),
    ("logistic_regression", "C", None, ErrorCode.HYPERPARAMETER_INVALID),
    ("logistic_regression", "C", [1], ErrorCode.HYPERPARAMETER_INVALID),
    ("logistic_regression", "max_iter", 5.0, 5),
    ("logistic_regression", "max_iter", 5.5, ErrorCode.HYPERPARAMETER_INVALID),
    ("logistic_regression", "max_iter", 0, ErrorCode.HYPERPARAMETER_INVALID),
    ("logistic_regression", "max_iter", 10**400, ErrorCode.HYPERPARAMETER_INVALID),
    ("logistic_regression", "solver", "saga", "saga"),
    ("logistic_regression", "solver", "sage", ErrorCode.HYPERPARAMETER_INVALID),
    ("logistic_regression", "solver", ["saga"], ErrorCode.HYPERPARAMETER_INVALID),
    ("logistic_regression", "warm_start", True, True),
    ("logistic_regression", "warm_start", 1, ErrorCode.HYPERPARAMETER_INVALID),
    ("logistic_regression", "c", 1, ErrorCode.HYPERPARAMETER_UNKNOWN),
    ("random_forest", "max_depth", None, None),
    ("random_forest", "max_depth", 3, 3),
    ("random_forest", "max_depth", "none", ErrorCode.HYPERPARAMETER_INVALID),
    ("random_forest", "n_estimators", None, ErrorCode.HYPERPARAMETER_INVALID),
    ("random_forest", "min_samples_split", 1, ErrorCode.HYPERPARAMETER_INVALID),
    ("random_forest", "min_samples_split", 2, 2),
    ("random_forest", "C", 1.0, ErrorCode.HYPERPARAMETER_UNKNOWN),
    ("linear_svc", "solver", "lbfgs", ErrorCode.HYPERPARAMETER_UNKNOWN),
]


@pytest.mark.parametrize(
    ("family", "name", "value", "expected"),
    VALUES,
    ids=[f"{family}-{name}-{str(value)[:10]}" for family, name, value, _ in VALUES],
)
def test_values_are_typed_and_bounded(family: str, name: str, value: Any, expected: Any) -> None:
    if isinstance(expected, ErrorCode):
        with pytest.raises(RunForgeError) as caught:
            configure(family, hyperparameters={name: value})
        assert caught.value.code is expected
        assert caught.value.location.pointer == f"/model/hyperparameters/{name}"
        return
    found = used(configure(family, hyperparameters={name: value}))[name]
    assert found == (expected, "request")
    assert type(found[0]) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C=0.5", {"C": 0.5}),
        ("max_iter=200", {"max_iter": 200}),
        ("max_depth=none", {"max_depth": None}),
        ("warm_start=true", {"warm_start": True}),
        ("solver=saga", {"solver": "saga"}),
        ("x==", {"x": "="}),
    ],
)
def test_typed_parameters_get_their_types(text: str, expected: dict[str, Any]) -> None:
    assert parse_parameters([text]) == expected


def test_a_parameter_that_is_given_twice_is_refused() -> None:
    for texts in (["C=0.1", "C=0.2"], ["C=1", "max_iter=5", "C=1"]):
        with pytest.raises(RunForgeError) as caught:
            parse_parameters(texts)
        assert caught.value.code is ErrorCode.USAGE_INVALID
        assert "`C` is given twice" in caught.value.message
        assert "sweep" in (caught.value.hint or "")
    assert parse_parameters(["C=1", "c=2"]) == {"C": 1, "c": 2}


def test_a_profile_sets_its_family_and_an_editor_gets_a_note() -> None:
    assert [family_of(profile) for profile in (None, "default", "fast", "thorough", "none")] == [
        "logistic_regression",
        "logistic_regression",
        "logistic_regression",
        "random_forest",
        "logistic_regression",
    ]
    assert family_for_editor("linear_svc", None) == ("linear_svc", [])
    assert family_for_editor("linear_svc", "default") == ("linear_svc", [])
    assert family_for_editor("random_forest", "thorough") == ("random_forest", [])
    family, [told] = family_for_editor("logistic_regression", "thorough")
    assert (family, told.code) == ("random_forest", "FAMILY_FROM_PROFILE")
    assert "`logistic_regression`" in told.message


def test_liblinear_tells_two_classes_apart_only() -> None:
    configuration = configure(hyperparameters={"solver": "liblinear"})
    check_classes(configuration, 2)
    with pytest.raises(RunForgeError) as caught:
        check_classes(configuration, 3)
    assert caught.value.code is ErrorCode.HYPERPARAMETER_INVALID
    check_classes(configure(), 3)
