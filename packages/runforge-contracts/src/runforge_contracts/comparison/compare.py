"""Comparison of the records of runs.

Nothing is recomputed, and only the documents are read. A value that only some of the runs record is
never reported as equal.

Source: specification, sections 8.2, 13.1 and 14.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from runforge_contracts.comparison.agreement import agreement
from runforge_contracts.comparison.conclusion import conclude
from runforge_contracts.comparison.environment_difference import by_relevance
from runforge_contracts.comparison.experiment_facets import ExperimentFacets
from runforge_contracts.comparison.facets import Facets, Recorded, Weights
from runforge_contracts.metrics import lower_is_better
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.lookup import AnyRun
from runforge_contracts.store.run import Run

AnyFacets = Facets | ExperimentFacets
_Key = tuple[str, int | str | None]


def facets_of(folder: AnyRun) -> AnyFacets:
    """Return the recorded values of a run of either kind."""
    return Facets(folder) if isinstance(folder, Run) else ExperimentFacets(folder)


def compare_runs(folders: Sequence[AnyRun], store: StoreLayout) -> dict[str, Any]:
    """Return the raw ``comparison.v1`` of two or more runs; the first is the baseline.

    Parameters
    ----------
    folders
        The runs, of either kind, in any supported version and with any status.
    store
        The store, for the workspace that paths are relative to.

    Raises
    ------
    RunForgeError
        If a document of a run exists and cannot be read.
    """
    runs = [facets_of(folder) for folder in folders]
    comparison: dict[str, Any] = {
        "schema_version": "comparison.v1",
        "runs": [{**run.header(), "run_dir": store.relative(run.folder.path)} for run in runs],
        "conclusions": [],
        "configuration": _fields([run.configuration for run in runs]),
        "hyperparameters": _fields([run.hyperparameters for run in runs]),
        "data": _fields([run.data for run in runs]),
        "environment": _environment([run.environment for run in runs]),
        "metrics": _metrics([run.metrics for run in runs]),
        "weights": list(_weights(runs)),
        "artifacts": _fields([run.artifacts for run in runs]),
    }
    content = _fields([run.model_content for run in runs])
    if content:
        comparison["model_content"] = content[0]
    comparison["conclusions"] = [conclude(comparison, position) for position in range(1, len(runs))]
    return comparison


def _fields(recorded: Sequence[dict[str, Recorded]]) -> list[dict[str, Any]]:
    """Return the values of each run for every name that any of them records."""
    fields = []
    for name in _union(recorded):
        values = [run.get(name, {}) for run in recorded]
        fields.append({"name": name, "agreement": agreement(values), "values": values})
    return fields


def _environment(recorded: Sequence[dict[str, Recorded]]) -> list[dict[str, Any]]:
    """Return such fields, starting with those that can explain a different result."""
    fields = {field["name"]: field for field in _fields(recorded)}
    return [fields[name] for name in by_relevance(fields)]


def _union(recorded: Iterable[Iterable[Any]]) -> list[Any]:
    """Return all names, in the order in which they first occur."""
    return list(dict.fromkeys(name for run in recorded for name in run))


def _metrics(recorded: Sequence[dict[_Key, float]]) -> list[dict[str, Any]]:
    # Names of single classes come last, independent of the order of the runs.
    keys = sorted(_union(recorded), key=lambda key: key[1] is not None)
    compared = []
    for name, label in keys:
        lower = lower_is_better(name)
        values = _against([run.get((name, label)) for run in recorded], 0)
        for entry in values:
            if "delta" in entry:
                entry["verdict"] = _verdict(entry["delta"], lower=lower)
        compared.append(
            {
                "name": name,
                **({} if label is None else {"class": label}),
                "lower_is_better": lower,
                "agreement": agreement(values),
                "values": values,
            }
        )
    return compared


def _verdict(delta: float, *, lower: bool) -> str:
    if delta == 0:
        return "equal"
    return "better" if (delta < 0) == lower else "worse"


def _against(values: Sequence[float | None], measure: int) -> list[dict[str, Any]]:
    """Return the values, each except the baseline with its difference to the baseline."""
    first = values[measure]
    return [
        {}
        if value is None
        else {"value": value}
        if index == measure or first is None
        else {"value": value, "delta": value - first}
        for index, value in enumerate(values)
    ]


def _weights(runs: Sequence[AnyFacets]) -> Iterator[dict[str, Any]]:
    """Yield the changed weights, for each model family that two runs share.

    Weights of different families mean different things and are not compared.
    """
    families = _union([(run.weights.family,) for run in runs if run.weights is not None])
    for family in families:
        members = {
            index: run.weights
            for index, run in enumerate(runs)
            if run.weights is not None and run.weights.family == family
        }
        if len(members) > 1:
            yield _family(family, members, runs)


def _family(family: str, members: dict[int, Weights], runs: Sequence[AnyFacets]) -> dict[str, Any]:
    measure, first = next(iter(members.items()))
    moved, unmoved = [], 0
    for key in _union(weights.values for weights in members.values()):
        held = {index: weights.values.get(key) for index, weights in members.items()}
        if all(value == held[measure] for value in held.values()):
            unmoved += 1
            continue
        origin = held[measure] or 0.0
        feature, label = key
        moved.append(
            {
                "feature": feature,
                **({} if label is None else {"class": label}),
                "movement": max(abs((value or 0.0) - origin) for value in held.values()),
                "values": _against([held.get(index) for index in range(len(runs))], measure),
            }
        )
    # A stable sort: features with equal change keep the order of the first run.
    moved.sort(key=lambda item: -float(item["movement"]))
    return {
        "kind": first.kind,
        "model_family": family,
        "against": runs[measure].folder.id,
        "unmoved": unmoved,
        "moved": moved,
    }
