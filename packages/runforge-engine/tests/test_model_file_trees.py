from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from model_files import joblib_bytes, model
from runforge_engine.model_file.model_inspection import ModelInspection, inspect_model_bytes
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.tree._tree import Tree

State = dict[str, Any]


class ForgedTree:
    """Pickles as a tree with the given arguments and state, whatever they are."""

    def __init__(self, args: tuple[Any, ...], state: State) -> None:
        self.args = args
        self.state = state

    def __reduce__(self) -> Any:
        return Tree, self.args, self.state


def forge(change: Callable[[tuple[Any, ...], State], Any]) -> ModelInspection:
    """Inspect a forest after ``change`` was made to its last tree."""
    fitted = model("random_forest")
    last = fitted["clf"].estimators_[-1]
    _, args, state = last.tree_.__reduce__()
    state = {key: copy.copy(value) for key, value in state.items()}
    args = change(args, state) or args
    last.tree_ = ForgedTree(args, state)
    inspection = inspect_model_bytes(joblib_bytes(fitted))
    assert inspection.content_sha256 == inspect_model_bytes(pickle.dumps(fitted)).content_sha256
    return inspection


def set_node(field: str, node: int, value: Any) -> Callable[[tuple[Any, ...], State], Any]:
    def change(args: tuple[Any, ...], state: State) -> None:
        inner = np.flatnonzero(state["nodes"]["left_child"] >= 0)
        leaves = np.flatnonzero(state["nodes"]["left_child"] < 0)
        at = leaves[-1] if node < 0 else inner[node]
        state["nodes"][field][at] = value

    return change


def set_state(name: str, make: Callable[[Any], Any]) -> Callable[[tuple[Any, ...], State], Any]:
    def change(args: tuple[Any, ...], state: State) -> None:
        state[name] = make(state[name])

    return change


def set_argument(index: int, value: Any) -> Callable[[tuple[Any, ...], State], Any]:
    def change(args: tuple[Any, ...], state: State) -> Any:
        return (*args[:index], value, *args[index + 1 :])

    return change


def drop_field(nodes: Any) -> Any:
    import numpy.lib.recfunctions as records

    return records.drop_fields(nodes, "threshold")


def retype(nodes: Any) -> Any:
    dtype = [(name, "f8" if name == "left_child" else kind) for name, kind in nodes.dtype.descr[:8]]
    return nodes.astype(dtype)


def poison(values: Any) -> Any:
    values = values.copy()
    values[3, 0, 1] = np.inf
    return values


WRONG = {
    "a child beyond the end": set_node("left_child", 0, 10_000),
    "a child far beyond the end": set_node("right_child", 1, 2**62),
    "a child below zero": set_node("left_child", 0, -5),
    "a child that is its parent": set_node("left_child", 1, 1),
    "a child that is the root": set_node("right_child", 2, 0),
    "two children that are one": set_node("left_child", 0, 2),
    "a leaf with a child": set_node("right_child", -1, 1),
    "a leaf with a feature": set_node("feature", -1, 3),
    "a missing left child": set_node("left_child", 0, -1),
    "a feature beyond the end": set_node("feature", 0, 4),
    "a feature below zero": set_node("feature", 0, -2),
    "a threshold that is no number": set_node("threshold", 0, np.nan),
    "a threshold without end": set_node("threshold", 0, np.inf),
    "values that are not finite": set_state("values", poison),
    "values of another shape": set_state("values", lambda values: values[:, :, :2].copy()),
    "values of another type": set_state("values", lambda values: values.astype("f4")),
    "values that are none": set_state("values", lambda values: None),
    "more nodes than there are": set_state("node_count", lambda count: count + 1000),
    "fewer nodes than there are": set_state("node_count", lambda count: count - 1),
    "nodes that are cut": set_state("nodes", lambda nodes: nodes[:-1].copy()),
    "no nodes": set_state("nodes", lambda nodes: nodes[:0].copy()),
    "nodes without a threshold": set_state("nodes", drop_field),
    "nodes of other types": set_state("nodes", retype),
    "nodes that are none": set_state("nodes", lambda nodes: [1, 2, 3]),
    "a depth that is too small": set_state("max_depth", lambda depth: 1),
    "a depth that is too large": set_state("max_depth", lambda depth: 2**31),
    "an unknown attribute": lambda args, state: state.update(more=1),
    "more features than the forest checks": set_argument(0, 100),
    "fewer classes": set_argument(1, np.array([2])),
    "no classes": set_argument(1, np.array([0])),
    "classes of no number": set_argument(1, np.array([1.5])),
    "two outputs": set_argument(2, 2),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_an_inconsistent_tree_is_reported(
    change: Callable[[tuple[Any, ...], State], Any],
) -> None:
    inspection = forge(change)
    (finding,) = inspection.findings
    assert finding.code.value == "TREE_INVALID"
    assert finding.severity == "error"
    assert "`clf.estimators_[4].tree_`" in finding.message
    assert len(inspection.trees) == 4
    assert inspection.content_sha256 is None


def test_a_forged_tree_without_a_change_is_clean() -> None:
    inspection = forge(lambda args, state: None)
    original = inspect_model_bytes(joblib_bytes(model("random_forest")))
    assert inspection.is_clean
    assert inspection.content_sha256 == original.content_sha256


@pytest.mark.parametrize("count", [3, None])
def test_a_forest_that_checks_for_other_features_than_its_trees_is_named(count: Any) -> None:
    fitted = model("random_forest")
    if count:
        fitted["clf"].n_features_in_ = count
    else:
        del fitted["clf"].n_features_in_
    inspection = inspect_model_bytes(joblib_bytes(fitted))
    assert {finding.code.value for finding in inspection.findings} == {"TREE_INVALID"}
    assert len(inspection.findings) == 5


def test_a_tree_that_two_forests_share_is_checked_against_both() -> None:
    fitted = model("random_forest")
    other = copy.copy(fitted["clf"])
    other.n_features_in_ = 2
    fitted.steps.insert(1, ("other", other))
    inspection = inspect_model_bytes(joblib_bytes(fitted))
    assert {finding.code.value for finding in inspection.findings} == {"TREE_INVALID"}


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_leaf_nodes": 7},
        {"ccp_alpha": 0.02},
        {"max_depth": 1},
        {"min_samples_leaf": 100},
        {"bootstrap": False, "max_features": None},
        {"criterion": "log_loss"},
    ],
    ids=str,
)
def test_every_way_to_build_trees_passes(parameters: dict[str, Any]) -> None:
    X, y = load_iris(return_X_y=True)
    forest = RandomForestClassifier(10, random_state=0, **parameters).fit(X, y)
    inspection = inspect_model_bytes(joblib_bytes(Pipeline([("clf", forest)])))
    assert inspection.findings == ()
    assert len(inspection.trees) == 10
    assert inspection.has_preprocessing is False


def test_trees_of_two_outputs_are_none_of_ours() -> None:
    X, y = load_iris(return_X_y=True)
    forest = RandomForestClassifier(3, random_state=0).fit(X, np.column_stack([y, y % 2]))
    inspection = inspect_model_bytes(joblib_bytes(Pipeline([("clf", forest)])))
    assert {finding.code.value for finding in inspection.findings} == {"ATTRIBUTE_INVALID"}
    assert len(inspection.trees) == 3
