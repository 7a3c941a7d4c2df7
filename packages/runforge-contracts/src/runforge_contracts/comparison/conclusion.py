"""A short conclusion on why the results of two runs differ, drawn only from their records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from runforge_contracts.comparison.agreement import agreement
from runforge_contracts.display import quote
from runforge_contracts.store import layout

State = Literal["equal", "different", "unknown"]

#: Fields that identify a run without influence on the result.
_INNOCENT = {
    "data": {"path", "dataset", "model.path", "recipe"},
    # A preset or profile acts only through the hyperparameters that it sets, which are compared.
    "configuration": {"preset", "profile"},
    "environment": {"client"},
}
_WORDS = {
    "data": "the data differ",
    "environment": "the environment differs",
    "code": "the state of the code around the workspace differs",
}
_CODE = "the code differs"
#: Fields of the data that are equal where only the recipe makes other data.
_BEFORE_RECIPE = ("fingerprint_sha256", "label_column", "exclude_columns")
#: Fields that only a run with a recipe has.
_RECIPE = ("recipe", "recipe_sha256")
#: Prefixes of names that are about code.
_CODES = ("git.", "code.")
#: Most names of differing fields that are shown.
_SHOWN = 4
#: Fields for how and on which machine a run was computed; older clients record none of them.
_TELLING = ("packages.", "platform.", "numerics.")


def conclude(comparison: dict[str, Any], position: int) -> dict[str, Any]:
    """Return the conclusion for the run at ``position``, compared with the first one.

    Parameters
    ----------
    comparison
        A ``comparison.v1`` that is complete except for its conclusions.
    position
        Index of the run.
    """
    pair = _Pair(comparison, position)
    results, model = pair.results(), pair.model()
    reasons: list[str] = [group for group, names in pair.differing.items() if names]
    if results == "different" and not reasons:
        reasons = ["unrecorded"]
    conclusion: dict[str, Any] = {
        "run_id": comparison["runs"][position]["run_id"],
        "results": results,
        "model": model,
    }
    rows = pair.same_validation_rows()
    if rows is not None:
        conclusion["same_validation_rows"] = rows
    sentences = _sentences(pair, results, model, rows)
    return {**conclusion, "reasons": reasons, "text": " ".join(sentences)}


class _Pair:
    """The first run and another one, from a comparison."""

    def __init__(self, comparison: dict[str, Any], position: int) -> None:
        self.runs = [comparison["runs"][index] for index in (0, position)]
        self._comparison = comparison
        self._position = position
        #: Names of fields that differ and can change a result, by reason.
        self.differing = {
            group: [*self._differing(group)]
            for group in ("data", "configuration", "environment", "code")
        }
        #: Whether code from the workspace was run.
        self.runs_code = any(run.get("kind") == "experiment" for run in self.runs)
        others = any(self.differing[group] for group in ("data", "configuration", "environment"))
        if others and not self.runs_code:
            # RunForge runs no code of the workspace: its commit counts only without other reasons.
            self.differing["code"] = []

    def values(self, field: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the values of a field for both runs."""
        return [field["values"][index] for index in (0, self._position)]

    def _differing(self, group: str) -> Iterator[str]:
        fields = self._comparison["environment" if group == "code" else group]
        if group == "configuration":
            fields = [*fields, *self._comparison["hyperparameters"]]
        for field in fields:
            name = field["name"]
            if name in _INNOCENT.get(group, ()):
                continue
            if group in ("environment", "code") and name.startswith(_CODES) != (group == "code"):
                continue
            if agreement(self.values(field)) == "different":
                yield name

    def recipes(self) -> str | None:
        """Return how the recipes differ if the data differ by them alone; None otherwise."""
        fields = {field["name"]: self.values(field) for field in self._comparison["data"]}
        if any(agreement(fields.get(name, [{}])) != "equal" for name in _BEFORE_RECIPE):
            return None
        if agreement(fields.get("recipe_sha256", ())) == "different":
            return "the recipe differs"
        return self.only_recipe()

    def only_recipe(self) -> str | None:
        """Return which of two trained models has a recipe; None if both have one, or none."""
        # A run that failed has no digest of its recipe, only the path in its request.
        fields = [field for field in self._comparison["data"] if field["name"] in _RECIPE]
        has = [any("value" in self.values(field)[index] for field in fields) for index in (0, 1)]
        if self.runs_code or has[0] == has[1]:
            return None
        return f"only {'the first' if has[0] else 'this'} run has a recipe"

    def unrecorded(self) -> bool:
        """Return whether one of the runs lacks the environment that the other records."""
        return any(
            agreement(self.values(field)) == "incomplete"
            for field in self._comparison["environment"]
            if field["name"].startswith(_TELLING)
        ) or not any(
            field["name"].startswith(_TELLING) for field in self._comparison["environment"]
        )

    def has_results(self) -> list[bool]:
        """Return for both runs whether training recorded any results."""
        return [
            any("value" in field["values"][index] for field in self._comparison["metrics"])
            for index in (0, self._position)
        ]

    def has_common_metric(self) -> bool:
        """Return whether there is a metric that both runs have."""
        return any(
            all("value" in entry for entry in self.values(metric))
            for metric in self._comparison["metrics"]
        )

    def results(self) -> State:
        """Compare metrics, weights and model together."""
        if not all(self.has_results()) or not (
            self.has_common_metric() or self.model() != "unknown"
        ):
            return "unknown"
        if self.model() == "different" or self.metrics_differ() or self._weights_differ():
            return "different"
        return "equal"

    def metrics_differ(self) -> bool:
        """Return whether a metric that both have differs."""
        return any(
            agreement(self.values(metric)) == "different" for metric in self._comparison["metrics"]
        )

    def _weights_differ(self) -> bool:
        return any(
            agreement(values) != "equal"
            for group in self._comparison["weights"]
            for values in map(self.values, group["moved"])
            if any("value" in entry for entry in values)
        )

    def model(self) -> State:
        """Compare the models by the digests of their content, or else of their files."""
        files = (f for f in self._comparison["artifacts"] if f["name"] == layout.MODEL)
        for field in (self._comparison.get("model_content"), next(files, None)):
            if field is not None:
                values = self.values(field)
                if all("value" in entry for entry in values):
                    return "different" if agreement(values) == "different" else "equal"
        return "unknown"

    def same_validation_rows(self) -> bool | None:
        """Return whether both held back the same rows; None if the records do not show it."""
        fields = {field["name"]: self.values(field) for field in self._comparison["data"]}
        seeds = [f for f in self._comparison["configuration"] if f["name"] == "seed"]
        deciding = [
            fields.get(name, [{}, {}])
            for name in ("fingerprint_sha256", "label_column", "num_samples", "validation_rows")
        ]
        states = {agreement(values) for values in [*deciding, *map(self.values, seeds)]}
        dropped = fields.get("dropped_rows_missing_values", [{}, {}])
        if any(entry.get("value") for entry in dropped):
            # Other columns may lack values in other rows.
            states.add(agreement(fields.get("feature_names", [{}, {}])))
        if "different" in states:
            return False
        return True if states == {"equal"} and seeds else None


def _sentences(pair: _Pair, results: State, model: State, rows: bool | None) -> Iterator[str]:
    words = {**_WORDS, "code": _CODE} if pair.runs_code else _WORDS
    recipes = pair.recipes()
    differing = [
        recipes if group == "data" and recipes is not None else _clause(words, group, names)
        for group, names in pair.differing.items()
        if names
    ]
    if results == "unknown" and not pair.differing["data"]:
        # Without the data of the one that failed, the recipe is what can have repaired it.
        differing = [clause for clause in (pair.only_recipe(), *differing) if clause]
    by = _and(differing)
    if results == "unknown":
        yield from _without_results(pair)
        yield f"{by[0].upper()}{by[1:]}." if by else "Nothing else that both record differs."
    elif results == "equal":
        same = {
            "equal": "The same model with the same metrics",
            "unknown": "The same metrics"
            if pair.runs_code
            else "The same metrics; whether the model is the same is not recorded",
        }[model]
        yield f"{same}, although {by}." if by else f"{same}."
    else:
        yield _difference(pair, by)
        if not by and pair.unrecorded():
            yield "Not both record the environment that they were computed in."
        if rows is False and pair.metrics_differ():
            yield "The metrics were not measured on the same rows."


def _difference(pair: _Pair, by: str) -> str:
    """Return the sentence on two runs with different results."""
    if pair.metrics_differ():
        if by:
            return f"The metrics differ from those of the baseline because {by}."
        return "The metrics differ, but no recorded field explains why."
    if by:
        return f"The model differs from that of the baseline because {by}; the metrics are equal."
    return "The model differs, but no recorded field explains why; the metrics are equal."


def _clause(words: dict[str, str], group: str, names: list[str]) -> str:
    """Return what differs as a clause."""
    if group == "configuration":
        more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
        shown = _and([*map(quote, names[:_SHOWN]), *more])
        return f"{shown} {'differs' if len(names) == 1 else 'differ'}"
    return f"{words[group]} ({_list(names)})"


def _without_results(pair: _Pair) -> Iterator[str]:
    subjects = ("The first run", "This run")
    for subject, run, complete in zip(subjects, pair.runs, pair.has_results(), strict=True):
        if not complete:
            how = {"failed": "failed", "cancelled": "was cancelled"}.get(run["status"])
            code = (run.get("error") or {}).get("code")
            code_text = f" ({quote(code)})" if code and run["status"] == "failed" else ""
            lacking = "records no metrics" if run["status"] == "succeeded" else "has no results yet"
            yield f"{subject} {how}{code_text}." if how else f"{subject} {lacking}."
    if all(pair.has_results()):
        yield "The two have no metric in common."


def _and(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _list(names: Iterable[str]) -> str:
    shown = list(names)
    text = ", ".join(quote(name) for name in shown[:_SHOWN])
    return text + (f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else "")
