"""The model families, with every parameter of their estimators.

A new scikit-learn cannot change a default silently, because each estimator is built with its full
parameter set.

Source: specification, section 12.3; scikit-learn 1.8 and 1.9, estimator documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

Kind = Literal["float", "int", "int_or_none", "bool", "choice"]


#: Bounds of a float: liblinear multiplies it with squares of the data, and never ends beyond them.
SMALLEST, LARGEST = 1e-100, 1e100
#: Largest value of an integer: the estimators have 32 bits for it.
LARGEST_INTEGER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """A hyperparameter that a user may set: its type, its bound and its model default."""

    kind: Kind
    default: Any
    #: Smallest allowed value of an integer; for that of a float see ``SMALLEST``.
    minimum: int = 1
    choices: tuple[str, ...] = ()

    @property
    def expects(self) -> str:
        """The description of valid values, for messages."""
        if self.kind == "float":
            return f"a number from {SMALLEST:g} to {LARGEST:g}"
        if self.kind == "bool":
            return "true or false"
        if self.kind == "choice":
            return "one of " + ", ".join(f"`{choice}`" for choice in self.choices)
        return f"an integer of at least {self.minimum}" + (
            " or none" if self.kind == "int_or_none" else ""
        )

    def range(self) -> dict[str, Any]:
        """Return the type, the default and the bounds as JSON values."""
        bounds: dict[str, Any] = {}
        if self.kind == "float":
            bounds = {"minimum": SMALLEST, "maximum": LARGEST}
        elif self.kind in ("int", "int_or_none"):
            bounds = {"minimum": self.minimum, "maximum": LARGEST_INTEGER}
        elif self.kind == "choice":
            bounds = {"choices": list(self.choices)}
        return {"kind": self.kind, "default": self.default, **bounds}

    def accept(self, value: Any) -> Any:
        """Return ``value`` in its own type, or raise ``ValueError`` where it is not allowed."""
        if self.kind == "int_or_none" and value is None:
            return None
        if self.kind == "bool" and isinstance(value, bool):
            return value
        if self.kind == "choice" and value in self.choices:
            # The table's own object: another equal string would change the pickle's bytes.
            return self.choices[self.choices.index(value)]
        if isinstance(value, int | float) and not isinstance(value, bool):
            # Bounds first: an integer of any size can be compared, but not converted.
            if self.kind == "float" and SMALLEST <= value <= LARGEST:
                return float(value)
            whole = self.kind in ("int", "int_or_none") and self.minimum <= value <= LARGEST_INTEGER
            if whole and float(value).is_integer():
                return int(value)
        raise ValueError(self.expects)


@dataclass(frozen=True, slots=True)
class Family:
    """A model family: its estimator, what a user may set, and everything else."""

    #: Module and class of the estimator.
    module: str
    estimator: str
    hyperparameters: Mapping[str, Hyperparameter]
    #: Every other parameter of the estimator except the seed, with its frozen value.
    fixed: Mapping[str, Any]
    #: What each preset sets.
    presets: Mapping[str, Mapping[str, Any]]


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "logistic_regression": Family(
            module="sklearn.linear_model",
            estimator="LogisticRegression",
            hyperparameters={
                "C": Hyperparameter("float", 1.0),
                "max_iter": Hyperparameter("int", 100),
                "solver": Hyperparameter(
                    "choice",
                    "lbfgs",
                    choices=("lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"),
                ),
                "warm_start": Hyperparameter("bool", default=False),
            },
            fixed={
                "class_weight": None,
                "dual": False,
                "fit_intercept": True,
                "intercept_scaling": 1,
                "l1_ratio": 0.0,
                "n_jobs": None,
                "tol": 1e-4,
                "verbose": 0,
            },
            presets={
                "fast": {"max_iter": 50},
                "balanced": {"max_iter": 200},
                "thorough": {"max_iter": 2000},
                "custom": {},
            },
        ),
        "random_forest": Family(
            module="sklearn.ensemble",
            estimator="RandomForestClassifier",
            hyperparameters={
                "n_estimators": Hyperparameter("int", 100),
                "max_depth": Hyperparameter("int_or_none", None),
                "min_samples_split": Hyperparameter("int", 2, minimum=2),
                "min_samples_leaf": Hyperparameter("int", 1),
            },
            fixed={
                "bootstrap": True,
                "ccp_alpha": 0.0,
                "class_weight": None,
                "criterion": "gini",
                "max_features": "sqrt",
                "max_leaf_nodes": None,
                "max_samples": None,
                "min_impurity_decrease": 0.0,
                "min_weight_fraction_leaf": 0.0,
                "monotonic_cst": None,
                "n_jobs": None,
                "oob_score": False,
                "verbose": 0,
                "warm_start": False,
            },
            presets={
                "fast": {"n_estimators": 50, "max_depth": 10},
                "balanced": {},
                "thorough": {"n_estimators": 300},
                "custom": {},
            },
        ),
        "linear_svc": Family(
            module="sklearn.svm",
            estimator="LinearSVC",
            hyperparameters={
                "C": Hyperparameter("float", 1.0),
                "max_iter": Hyperparameter("int", 1000),
            },
            fixed={
                "class_weight": None,
                "dual": "auto",
                "fit_intercept": True,
                "intercept_scaling": 1,
                "loss": "squared_hinge",
                "multi_class": "ovr",
                "penalty": "l2",
                "tol": 1e-4,
                "verbose": 0,
            },
            presets={
                "fast": {"max_iter": 200},
                "balanced": {},
                "thorough": {"max_iter": 10000},
                "custom": {},
            },
        ),
    }
)
