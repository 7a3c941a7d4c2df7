"""Describe a model: steps, hyperparameters, arrays, names, classes and trees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from runforge_contracts.display import quote

from runforge_engine.model_file.allowlist import ALLOWED, PIPELINE, Role
from runforge_engine.model_file.arrays import is_finite, plain_numbers
from runforge_engine.model_file.estimators import check_estimator
from runforge_engine.model_file.limits import Watch
from runforge_engine.model_file.rendering import Renderer
from runforge_engine.model_file.scan_findings import FindingCode, Findings, ReadingStopped, Refused
from runforge_engine.model_file.trees import TreeFacts, check_tree
from runforge_engine.model_file.values import (
    Array,
    Descriptor,
    Global,
    Instance,
    Mapping,
    Opaque,
    Scalar,
    Set,
)

#: Attributes of a forest that look like hyperparameters but are not.
_NOT_PARAMETERS = frozenset({"estimator", "estimator_params"})
_TREE_ARGUMENTS = ("n_features", "n_classes", "n_outputs")
_PASSTHROUGH = "passthrough"
#: Types without parts to visit.
_ATOMS = (type(None), str, int, float, Scalar, Descriptor)
#: Marks an estimator that does not check its number of features; no tree has this number.
_UNCHECKED = -1


class Step(NamedTuple):
    """A step of the pipeline."""

    name: str
    #: Class and module; for a step that does nothing, ``passthrough`` and an empty string.
    type: str
    module: str
    #: Hyperparameters of the estimator as JSON values, by name.
    hyperparameters: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the step in its document form."""
        return {
            "name": self.name,
            "type": self.type,
            "module": self.module,
            "hyperparameters": self.hyperparameters,
        }


class ArrayFacts(NamedTuple):
    """An array of the model."""

    #: Path in the model, such as ``clf.coef_``.
    path: str
    dtype: str
    shape: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the array in its document form."""
        return {"path": self.path, "dtype": self.dtype, "shape": list(self.shape)}


class Description:
    """The contents of a model, as far as the file could be read."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.arrays: list[ArrayFacts] = []
        #: Columns that the model was fitted on, if stored.
        self.feature_names: list[str] | None = None
        self.n_features: int | None = None
        #: Labels in the order of the classes, if stored.
        self.classes: list[Any] | None = None
        #: Mean of each column on the training rows, if a scaler stores finite ones.
        self.means: list[float] | None = None
        self.library_version: str | None = None
        self.trees: list[TreeFacts] = []


def describe(
    root: object, watch: Watch, findings: Findings, made: Iterable[Instance] = ()
) -> Description:
    """Return the description of a model, and add its problems to the findings.

    ``made`` has all objects that reading the file creates: each must be a part of the model.
    """
    description = Description()
    renderer = Renderer(watch.limits)
    steps = _pipeline_steps(root)
    if steps is None:
        findings.add(FindingCode.NOT_A_PIPELINE, "The model is no pipeline.", severity="warning")
    for name, estimator in steps or ():
        watch.check_time()
        description.steps.append(_step(name, estimator, renderer))
    for estimator in [*(estimator for _, estimator in steps or ()), root]:
        watch.check_time()
        if isinstance(estimator, Instance):
            _read_attributes(estimator, description, renderer)
    walk = _Walk(description, watch, findings, renderer)
    for name, estimator in steps or ():
        walk.visit(renderer.text(name), estimator)
    walk.visit("", root)
    if not findings.has_errors:
        walk.check_parts(made)
    return description


def _pipeline_steps(root: object) -> list[tuple[str, object]] | None:
    if not isinstance(root, Instance) or root.cls.pair != PIPELINE:
        return None
    steps = (root.state or {}).get("steps")
    if not isinstance(steps, list) or not steps:
        return None
    pairs = [step for step in steps if isinstance(step, tuple) and len(step) == 2]
    named = [(name, estimator) for name, estimator in pairs if isinstance(name, str)]
    return named if len(named) == len(steps) else None


def _step(name: str, estimator: object, renderer: Renderer) -> Step:
    shown = renderer.text(name)
    if isinstance(estimator, Instance):
        cls: Global | None = estimator.cls
    else:
        cls = estimator.origin if isinstance(estimator, Opaque) else None
    if cls is None:
        what = _PASSTHROUGH if estimator in (None, _PASSTHROUGH) else "unknown"
        return Step(shown, what, "", {})
    state = (estimator.state or {}) if isinstance(estimator, Instance) else {}
    parameters = {
        renderer.text(key): renderer.value(value)
        for key, value in state.items()
        if not key.startswith("_") and not key.endswith("_") and key not in _NOT_PARAMETERS
    }
    return Step(shown, renderer.text(cls.name), renderer.text(cls.module), parameters)


def _read_attributes(estimator: Instance, description: Description, renderer: Renderer) -> None:
    """Read the attributes on input and output that scikit-learn's estimators store."""
    state = estimator.state or {}
    names, classes, means = map(state.get, ("feature_names_in_", "classes_", "mean_"))
    if description.feature_names is None and isinstance(names, Array):
        found = renderer.elements(names)
        if found is not None and all(isinstance(name, str) for name in found):
            description.feature_names = found
    if isinstance(classes, Array):
        description.classes = renderer.elements(classes)
    if isinstance(means, Array) and means.dtype.name == "float64" and is_finite(means):
        description.means = [*plain_numbers(means)]
    count, version = state.get("n_features_in_"), state.get("_sklearn_version")
    if description.n_features is None and type(count) is int and 0 <= count < 2**53:
        description.n_features = count
    if isinstance(version, str):
        description.library_version = renderer.text(version)


class _Walk:
    """Visit each part of the model once."""

    def __init__(
        self, description: Description, watch: Watch, findings: Findings, renderer: Renderer
    ) -> None:
        self._description = description
        self._watch = watch
        self._findings = findings
        self._renderer = renderer
        self._seen: set[tuple[int, int | None]] = set()
        #: Estimators and trees by identity, each with the path where it was first found.
        self._parts: dict[int, tuple[str, Instance]] = {}

    def visit(self, path: str, value: object, depth: int = 0, features: int | None = None) -> None:
        """Visit ``value`` at ``path``.

        ``features`` is the number of input features that the enclosing estimator checks: ``None``
        outside of an estimator, :data:`_UNCHECKED` if it does not check this number.
        """
        if isinstance(value, _ATOMS) or (id(value), features) in self._seen:
            return
        self._seen.add((id(value), features))
        if depth > self._watch.limits.depth:
            raise ReadingStopped(FindingCode.DEPTH_LIMIT, "The model is nested too deeply.")
        self._watch.check_time()
        if isinstance(value, Global) or (isinstance(value, Array) and not value.built):
            self._findings.add(
                FindingCode.STATE_NOT_ALLOWED,
                f"{quote(path or 'The model', 120)} holds something unfinished.",
                value.offset,
            )
        elif isinstance(value, Instance):
            self._visit_instance(path, value, depth, features)
        elif isinstance(value, Array):
            facts = ArrayFacts(self._renderer.text(path), value.dtype.name, value.shape)
            self._description.arrays.append(facts)
            if isinstance(value.elements, list):
                self._visit_all(path, value.elements, depth, features)
        elif isinstance(value, tuple | list):
            self._visit_all(path, value, depth, features)
        elif isinstance(value, Mapping):
            for key, item in value.pairs:
                self.visit(f"{path}[{self._renderer.key(key)}]", item, depth + 1, features)
        elif isinstance(value, Set):
            self._visit_all(path, value.items, depth, features)

    def _visit_all(
        self, path: str, items: list[object] | tuple[object, ...], depth: int, features: int | None
    ) -> None:
        for index, item in enumerate(items):
            if not isinstance(item, _ATOMS):
                self.visit(f"{path}[{index}]", item, depth + 1, features)

    def _visit_instance(self, path: str, value: Instance, depth: int, features: int | None) -> None:
        role, state = ALLOWED.get(value.cls.pair), value.state or {}
        if role is Role.WRAPPER:
            self._findings.add(
                FindingCode.ARRAY_INVALID,
                f"{quote(path, 120)} is joblib's stand-in for an array instead of the array.",
                value.offset,
            )
            return
        self._parts.setdefault(id(value), (path, value))
        if role is Role.TREE:
            self._check_tree(path, value, features)
        elif value.cls.pair == PIPELINE:
            features = None  # Its steps make the check.
        else:
            own = state.get("n_features_in_")
            agrees = features in (None, own)
            features = own if agrees and isinstance(own, int) else _UNCHECKED
        for name, item in _members(value):
            if not isinstance(item, _ATOMS):
                shown = self._renderer.text(name)
                self.visit(f"{path}.{shown}" if path else shown, item, depth + 1, features)

    def check_parts(self, made: Iterable[Instance]) -> None:
        """Check the estimators, and that no object is unused or shared.

        ``made`` has all estimators and trees that reading the file creates, including those that a
        reader discards.
        """
        owned: set[int] = set()
        for path, value in self._parts.values():
            self._watch.check_time()
            shown, state = quote(path, 120) if path else "The model", value.state or {}
            if ALLOWED.get(value.cls.pair) is Role.ESTIMATOR:
                for what in check_estimator(value):
                    self._findings.add(
                        FindingCode.ATTRIBUTE_INVALID, f"{shown} {what}.", value.offset
                    )
            # Each owner would copy or traverse it, which a small file can repeat many times.
            for part in (state.get("tree_"), state.get("nodes"), state.get("values")):
                if isinstance(part, Instance | Array) and id(part) in owned:
                    self._findings.add(
                        FindingCode.TREE_INVALID,
                        f"{shown} is a decision tree that is shared with another.",
                        value.offset,
                    )
                owned.add(id(part))
        for value in made:
            if id(value) not in self._parts:
                self._findings.add(
                    FindingCode.OPERATION_NOT_ALLOWED,
                    f"{quote(f'{value.cls.module}.{value.cls.name}', 120)} is made and is no part"
                    " of the model.",
                    value.offset,
                )

    def _check_tree(self, path: str, tree: Instance, features: int | None) -> None:
        try:
            facts = check_tree(tree, self._watch.limits.tree_nodes)
            if facts.n_features != features:
                raise Refused(
                    FindingCode.TREE_INVALID,
                    "A decision tree takes another number of features than what is around it.",
                )
        except Refused as refused:
            message = f"{quote(path, 120)}: {refused.message}"
            self._findings.add(refused.code, message, tree.offset)
        else:
            self._description.trees.append(facts)


def _members(value: Instance) -> Iterator[tuple[str, object]]:
    if len(value.args) == len(_TREE_ARGUMENTS):
        yield from zip(_TREE_ARGUMENTS, value.args, strict=True)
    yield from (value.state or {}).items()
