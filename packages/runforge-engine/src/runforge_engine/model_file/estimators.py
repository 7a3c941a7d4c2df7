"""The attributes of each allowed class, with type, shape and size.

The libraries do not validate attributes: they compare with, multiply by and index with any value.
An attribute must therefore be in this list and of the kind that scikit-learn writes, and the
numbers of features, classes and trees must be consistent.

Source: scikit-learn 1.3 to 1.9, ``fit``, ``predict``, ``predict_proba`` and ``transform`` of each
class.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from runforge_contracts.display import quote

from runforge_engine.model_file.allowlist import ENCODER, PIPELINE
from runforge_engine.model_file.arrays import elements, is_finite, scalar_value
from runforge_engine.model_file.values import Array, Instance, Scalar
from runforge_engine.model_file.values import Mapping as Pairs

SCALER = ("sklearn.preprocessing._data", "StandardScaler")
LOGISTIC = ("sklearn.linear_model._logistic", "LogisticRegression")
SVC = ("sklearn.svm._classes", "LinearSVC")
FOREST = ("sklearn.ensemble._forest", "RandomForestClassifier")
TREE = ("sklearn.tree._classes", "DecisionTreeClassifier")
_TREE_STRUCTURE = ("sklearn.tree._tree", "Tree")
_CLASSIFIERS = (LOGISTIC, SVC, FOREST, TREE)

#: The newest scikit-learn whose attributes are known. A newer one may have more.
_NEWEST = (1, 9)
#: Maximum number of characters of a string, a version, and a label or column name; of steps; of
#: entries of a dict; of parameters by name.
_TEXT, _VERSION, _NAME, _STEPS, _WEIGHTS, _NAMES = 100, 40, 100_000, 8, 1000, 50

#: Kinds of a parameter: ``n`` None, ``b`` bool, ``i`` an integer, ``f`` any number, ``s`` a
#: string, ``w`` the weights of classes.
_GROWTH = {
    "ccp_alpha": "f",
    "class_weight": "w",
    "criterion": "s",
    "max_depth": "ni",
    "max_features": "nsf",
    "max_leaf_nodes": "ni",
    "min_impurity_decrease": "f",
    "min_samples_leaf": "f",
    "min_samples_split": "f",
    "min_weight_fraction_leaf": "f",
    "monotonic_cst": "n",
    "random_state": "ni",
}
_LINEAR = {
    "C": "f",
    "class_weight": "w",
    "dual": "bs",
    "fit_intercept": "b",
    "intercept_scaling": "f",
    "max_iter": "i",
    "multi_class": "s",
    "penalty": "ns",
    "random_state": "ni",
    "tol": "f",
    "verbose": "bi",
}
_PARAMETERS: Mapping[tuple[str, str], Mapping[str, str]] = MappingProxyType(
    {
        PIPELINE: {"memory": "n", "transform_input": "n", "verbose": "bi"},
        SCALER: {"copy": "b", "with_mean": "b", "with_std": "b"},
        LOGISTIC: {
            **_LINEAR,
            "l1_ratio": "nf",
            "n_jobs": "ni",
            "solver": "s",
            "warm_start": "b",
        },
        SVC: {**_LINEAR, "loss": "s"},
        FOREST: {
            **_GROWTH,
            "base_estimator": "s",
            "bootstrap": "b",
            "max_samples": "nf",
            "n_estimators": "i",
            "n_jobs": "ni",
            "oob_score": "b",
            "verbose": "bi",
            "warm_start": "b",
            # Internal attributes of a fit.
            "_n_samples": "i",
            "_n_samples_bootstrap": "ni",
            "_sample_weight": "n",
            "oob_score_": "f",
        },
        TREE: {**_GROWTH, "splitter": "s", "max_features_": "i"},
        ENCODER: {},
    }
)
#: Fitted attributes, which are checked one by one.
_LEARNED: Mapping[tuple[str, str], frozenset[str]] = MappingProxyType(
    {
        PIPELINE: frozenset({"steps"}),
        SCALER: frozenset({"mean_", "n_features_in_", "n_samples_seen_", "scale_", "var_"}),
        LOGISTIC: frozenset({"classes_", "coef_", "intercept_", "n_features_in_", "n_iter_"}),
        SVC: frozenset({"classes_", "coef_", "intercept_", "n_features_in_", "n_iter_"}),
        FOREST: frozenset(
            {"classes_", "estimator", "estimator_", "estimator_params", "estimators_"}
            | {"n_classes_", "n_features_in_", "n_outputs_"}
        ),
        TREE: frozenset({"classes_", "n_classes_", "n_features_in_", "n_outputs_", "tree_"}),
        ENCODER: frozenset({"classes_"}),
    }
)
#: Parameters that not every version has, and attributes that not every fit sets.
_OPTIONAL = frozenset(
    {"base_estimator", "l1_ratio", "max_features_", "monotonic_cst", "multi_class", "n_jobs"}
    | {"oob_score_", "penalty", "transform_input", "_n_samples", "_n_samples_bootstrap"}
    | {"_sample_weight"}
)
#: Further attributes that any estimator may have.
_COMMON = frozenset({"_sklearn_version", "feature_names_in_"})


def check_estimator(value: Instance) -> Iterator[str]:
    """Yield the problems of an estimator as sentence endings that follow its path.

    Nested estimators are checked when they are visited.
    """
    kind, state = value.cls.pair, value.state
    if state is None:
        yield "has no attributes"
        return
    parameters, learned = _PARAMETERS[kind], _LEARNED[kind]
    for name, item in state.items():
        letters = parameters.get(name)
        if letters is not None:
            if not _fits(item, letters):
                yield f"has a {quote(name)} of an unknown kind"
        elif name not in learned and name not in _COMMON and not _is_newer(state, item):
            yield f"has the attribute {quote(name)}, which no model needs"
    version = state.get("_sklearn_version", "")
    if not isinstance(version, str) or not re.fullmatch(
        rf"[0-9A-Za-z.+-]{{0,{_VERSION}}}", version
    ):
        yield "has a `_sklearn_version` that is none"
    wanted = parameters.keys() - _OPTIONAL
    if not is_template(value):
        wanted |= learned
    missing = sorted(wanted - state.keys())
    if missing:
        yield f"has no {quote(missing[0])}"
        return
    if not is_template(value):
        yield from _CHECKS[kind](state)


def is_template(value: Instance) -> bool:
    """Return whether an estimator is an unfitted tree, which a forest keeps as a template."""
    return value.cls.pair == TREE and not _LEARNED[TREE] & (value.state or {}).keys()


def _is_newer(state: Mapping[str, object], value: object) -> bool:
    """Return whether an unknown attribute is a plain value of a newer scikit-learn."""
    version = state.get("_sklearn_version")
    if not isinstance(version, str) or not _fits(value, "nbfs"):
        return False
    found = re.match(r"(\d{1,4})\.(\d{1,4})(\D|$)", version)
    return found is not None and (int(found[1]), int(found[2])) > _NEWEST


def _fits(value: object, letters: str) -> bool:
    """Return whether a value is of one of the kinds given by the letters."""
    if isinstance(value, Scalar):
        if value.dtype.kind not in "biuf":
            return False
        value = scalar_value(value)
    if value is None:
        return "n" in letters or "w" in letters
    if isinstance(value, bool):
        return "b" in letters
    if isinstance(value, int):
        return ("i" in letters or "f" in letters) and abs(value) < 2**63
    if isinstance(value, float):
        return "f" in letters
    if isinstance(value, str):
        return ("s" in letters or "w" in letters) and len(value) <= _TEXT
    if isinstance(value, Pairs) and "w" in letters and len(value.pairs) <= _WEIGHTS:
        return all(_is_label(key) and _fits(item, "f") for key, item in value.pairs)
    return False


def _is_label(value: object) -> bool:
    return _fits(value, "bf") or (isinstance(value, str) and len(value) <= _NAME)


def _whole(value: object) -> int:
    """Return a count, or -1 for anything else."""
    if isinstance(value, Scalar) and value.dtype.kind in "iu":
        value = scalar_value(value)
    return value if type(value) is int and 0 < value < 2**31 else -1


def _check_pipeline(state: Mapping[str, object]) -> Iterator[str]:
    steps = state["steps"]
    if not isinstance(steps, list) or not 1 <= len(steps) <= _STEPS:
        yield "has no list of a few steps"
        return
    named = [step for step in steps if isinstance(step, tuple) and len(step) == 2]
    if len(named) < len(steps) or not all(_fits(name, "s") for name, _ in named):
        yield "has a step that is no pair of a name and an estimator"
        return
    *before, last = [estimator for _, estimator in named]
    if not isinstance(last, Instance) or last.cls.pair not in _CLASSIFIERS:
        yield "does not end with a classifier"
    for estimator in before:
        idle = estimator is None or estimator == "passthrough"
        if not idle and not (isinstance(estimator, Instance) and estimator.cls.pair == SCALER):
            yield "has a step before the classifier that is no scaler"
    counts = {
        _whole((estimator.state or {}).get("n_features_in_"))
        for estimator in (*before, last)
        if isinstance(estimator, Instance)
    }
    if len(counts) > 1:
        yield "has steps for different numbers of features"


def _check_inputs(state: Mapping[str, object]) -> Iterator[str]:
    count, names = _whole(state["n_features_in_"]), state.get("feature_names_in_")
    if count < 0:
        yield "has a number of features that is none"
    if names is not None and (
        not _is_array(names, (count,), "OU") or not _are_names(names, only_text=True)
    ):
        yield f"has no {count} different names of features"


def _check_scaler(state: Mapping[str, object]) -> Iterator[str]:
    yield from _check_inputs(state)
    count = _whole(state["n_features_in_"])
    for name, needed in (
        ("mean_", state["with_mean"]),
        ("scale_", state["with_std"]),
        ("var_", state["with_std"]),
    ):
        if (state[name] is None and needed is False) or _is_finite_array(state[name], (count,)):
            continue
        yield f"has a {quote(name)} that is not one finite number for each feature"
    seen = state["n_samples_seen_"]
    if not _fits(seen, "f") and not _is_array(seen, (count,), "i"):
        yield "has a `n_samples_seen_` that is no number"


def _check_linear(state: Mapping[str, object]) -> Iterator[str]:
    yield from _check_inputs(state)
    yield from _check_classes(state["classes_"])
    features, classes = _whole(state["n_features_in_"]), _length(state["classes_"])
    rows = 1 if classes == 2 else classes
    if not _is_finite_array(state["coef_"], (rows, features)):
        yield f"has no finite coefficients of shape ({rows}, {features})"
    intercept = state["intercept_"]
    if not _is_finite_array(intercept, (rows,)) and not _fits(intercept, "f"):
        yield f"has no finite intercepts of shape ({rows},)"
    count = state["n_iter_"]
    if not _fits(count, "i") and not any(_is_array(count, (n,), "i") for n in (1, rows)):
        yield "has a `n_iter_` that is no number"


def _check_forest(state: Mapping[str, object]) -> Iterator[str]:
    yield from _check_inputs(state)
    yield from _check_classes(state["classes_"])
    yield from _check_outputs(state)
    features, classes = _whole(state["n_features_in_"]), _length(state["classes_"])
    trees, names = state["estimators_"], state["estimator_params"]
    if not isinstance(trees, list) or not trees or _whole(state["n_estimators"]) != len(trees):
        yield "has another number of trees than it says"
        return
    if not isinstance(names, tuple) or len(names) > _NAMES or not all(_fits(n, "s") for n in names):
        yield "has no names of parameters"
    for name in ("estimator", "estimator_"):
        template = state[name]
        if not isinstance(template, Instance) or template.cls.pair != TREE:
            yield f"has a {quote(name)} that is no tree"
        elif not is_template(template):
            yield f"has a {quote(name)} that was grown"
    for tree in trees:
        if not isinstance(tree, Instance) or tree.cls.pair != TREE or is_template(tree):
            yield "has a tree that is none"
            return
        own = tree.state or {}
        if _whole(own.get("n_features_in_")) != features:
            yield "has a tree for another number of features"
            return
        if _length(own.get("classes_")) != classes:
            yield "has a tree for another number of classes"
            return
    if len({id(tree) for tree in trees}) < len(trees):
        yield "has one tree twice"


def _check_tree(state: Mapping[str, object]) -> Iterator[str]:
    yield from _check_inputs(state)
    yield from _check_classes(state["classes_"])
    yield from _check_outputs(state)
    tree = state["tree_"]
    if not isinstance(tree, Instance) or tree.cls.pair != _TREE_STRUCTURE:
        yield "has a `tree_` that is none"
        return
    counts = tree.args[1]
    if not isinstance(counts, Array) or counts.dtype.kind != "i" or counts.shape != (1,):
        yield "has a tree of several outputs"
    elif elements(counts) != [_length(state["classes_"])]:
        yield "has a tree for another number of classes"


def _check_outputs(state: Mapping[str, object]) -> Iterator[str]:
    if _whole(state["n_outputs_"]) != 1:
        yield "has another number of outputs than one"
    if _whole(state["n_classes_"]) != _length(state["classes_"]):
        yield "has another number of classes than it says"


def _check_encoder(state: Mapping[str, object]) -> Iterator[str]:
    yield from _check_classes(state["classes_"])


def _check_classes(value: object) -> Iterator[str]:
    if _length(value) < 1 or not _is_array(value, None, "biufUO") or not _are_names(value):
        yield "has no different labels of classes"


def _are_names(value: object, *, only_text: bool = False) -> bool:
    """Return whether an array has strings or numbers, none too long and none repeated."""
    if not isinstance(value, Array):
        return False
    found = elements(value)
    if isinstance(value.elements, list):
        found = [scalar_value(item) if isinstance(item, Scalar) else item for item in found]
    if any(not _is_label(item) or (only_text and not isinstance(item, str)) for item in found):
        return False
    return len(set(found)) == len(found)


def _length(value: object) -> int:
    """Return the length of an array of one dimension, or -1 for anything else."""
    return value.shape[0] if isinstance(value, Array) and len(value.shape) == 1 else -1


def _is_array(value: object, shape: tuple[int, ...] | None, kinds: str) -> bool:
    if not isinstance(value, Array) or not value.built or value.dtype.kind not in kinds:
        return False
    return shape is None or value.shape == shape


def _is_finite_array(value: object, shape: tuple[int, ...]) -> bool:
    if not isinstance(value, Array) or not _is_array(value, shape, "f"):
        return False
    return value.dtype.itemsize == 8 and is_finite(value)


_CHECKS = MappingProxyType(
    {
        PIPELINE: _check_pipeline,
        SCALER: _check_scaler,
        LOGISTIC: _check_linear,
        SVC: _check_linear,
        FOREST: _check_forest,
        TREE: _check_tree,
        ENCODER: _check_encoder,
    }
)
