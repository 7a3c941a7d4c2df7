"""The named values of a run in a list: its fields, metrics and hyperparameters.

A run is given by its index entry. A name means a field where there is one of that name, else a
metric where any of the runs has it, else a hyperparameter; ``metric.NAME`` and ``param.NAME`` mean
the metric and the hyperparameter in any case.

Source: specification, section 16.8.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.metrics import find_metric, primary_metric, recorded_name
from runforge_contracts.selection.run_condition import is_number
from runforge_contracts.store.index_form import ADDED

#: The kind of the runs that have no ``kind``: those that RunForge trained.
TRAINED = "trained"
#: State of a listed run whose folder is missing; it counts instead of the status.
MISSING = "missing"
#: Prefixes of metrics and hyperparameters whose name alone means something else.
METRIC_PREFIX, PARAM_PREFIX = "metric.", "param."
#: How an experiment may name one of RunForge's families.
_FAMILY_PREFIX = "runforge/"

#: Names of fields, with the member of the entry that has the value, or of its ``summary``.
FIELDS = {
    "run": "run_id",
    "created": "created_at",
    "status": "status",
    "name": "name",
    "alias": "aliases",
    "kind": "kind",
    "model": "model_family",
    "preset": "preset_id",
    "label": "label_column",
    "seed": "seed",
    "group": "group_id",
    "repeats": "rerun_from",
    "tags": "tags",
    "dataset": "dataset_fingerprint_sha256",
    "duration": "duration_ms",
    "device": "device",
    "metric": "metric",
    "model_sha256": "model_sha256",
    "run_dir": "run_dir",
}
#: Other names of them.
ALIASES = {
    "id": "run",
    "tag": "tags",
    "dataset_sha256": "dataset",
    **{key: name for name, key in FIELDS.items() if key != name},
}
#: Fields of which as many characters count as a condition has.
PREFIXED = frozenset({"created", "dataset", "model_sha256"})
_OF_SUMMARY = frozenset({"duration", "device"})
#: Fields of which a run may have several.
_LISTS = frozenset({"tags", "alias"})
#: Fields that are numbers, in addition to metrics.
_NUMERIC = frozenset({"seed", "duration", "metric"})


class RunColumn(NamedTuple):
    """What a name means: a field, a metric or a hyperparameter."""

    source: Literal["field", "metric", "param"]
    name: str

    @property
    def needs_settings(self) -> bool:
        """Whether entries from before index entries had settings lack the value."""
        return self.source == "param" or (self.source == "field" and FIELDS.get(self.name) in ADDED)

    @property
    def prefix(self) -> bool:
        """Whether conditions compare as many characters as they have."""
        return self.source == "field" and self.name in PREFIXED

    @property
    def is_numeric(self) -> bool:
        """Whether every value is a number."""
        return self.source == "metric" or (self.source == "field" and self.name in _NUMERIC)

    def title(self, metrics: Collection[str] = ()) -> str:
        """Return the name that :func:`column_of` reads back, given the metrics of the runs."""
        if self.source == "field":
            return self.name
        if self.source == "metric":
            taken = is_field(self.name) or self.name.startswith((METRIC_PREFIX, PARAM_PREFIX))
            return f"{METRIC_PREFIX}{self.name}" if taken else self.name
        taken = (
            is_field(self.name)
            or is_metric(self.name, metrics)
            or self.name.startswith((METRIC_PREFIX, PARAM_PREFIX))
        )
        return f"{PARAM_PREFIX}{self.name}" if taken else self.name


def is_field(name: str) -> bool:
    """Return whether a name is that of a field."""
    return name in FIELDS or name in ALIASES


def is_metric(name: str, metrics: Collection[str]) -> bool:
    """Return whether a name is that of a metric, also by its name in ``metrics.v1``."""
    return recorded_name(name, metrics) is not None


def column_of(name: str, metrics: Collection[str]) -> RunColumn:
    """Return what a name means.

    Parameters
    ----------
    name
        The name.
    metrics
        The names of the metrics that the runs have.
    """
    if is_field(name):
        return RunColumn("field", ALIASES.get(name, name))
    if name.startswith(METRIC_PREFIX):
        return RunColumn("metric", name.removeprefix(METRIC_PREFIX))
    if name.startswith(PARAM_PREFIX):
        return RunColumn("param", name.removeprefix(PARAM_PREFIX))
    return RunColumn("metric" if is_metric(name, metrics) else "param", name)


def is_older(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry was written before entries had the settings of their runs."""
    return "kind" not in entry and entry.keys().isdisjoint(ADDED)


def status_in(entry: Mapping[str, Any]) -> str:
    """Return the status of a finished run, or the state of any other one.

    Of a run that was forgotten or archived, that is its status.
    """
    if "removed" in entry:
        return str(entry["removed"])
    state = entry.get("state", "incomplete")
    return str(MISSING if state == MISSING else entry.get("status") or state)


def metrics_in(entry: Mapping[str, Any]) -> dict[str, float]:
    """Return the final metrics of an entry, by name."""
    found = (entry.get("summary") or {}).get("final_metrics")
    return found if isinstance(found, dict) else {}


def hyperparameters_in(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hyperparameters of an entry, by name."""
    found = entry.get("hyperparameters")
    return found if isinstance(found, dict) else {}


def metric_names(entries: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the names of all metrics that the runs have."""
    return {name for entry in entries for name in metrics_in(entry)}


def values_of(entry: Mapping[str, Any], column: RunColumn) -> Sequence[Any]:
    """Return the value that a run has: none if it is missing, several of tags, aliases, models."""
    if column.source == "param":
        found = hyperparameters_in(entry)
        return (found[column.name],) if column.name in found else ()
    if column.source == "metric":
        measured = find_metric(metrics_in(entry), column.name)
        return () if measured is None else (measured.value,)
    return _field(entry, column.name)


def _field(entry: Mapping[str, Any], name: str) -> Sequence[Any]:
    if name == "status":
        return (status_in(entry),)
    if name == "kind":
        return (entry.get("kind", TRAINED),)
    if name == "metric":
        chosen = primary_metric({"metrics": metrics_in(entry)})
        return () if chosen is None else (chosen.value,)
    if name == "dataset":
        # An experiment names its dataset, too.
        named = (entry.get("dataset_fingerprint_sha256"), entry.get("dataset"))
        return tuple(value for value in named if isinstance(value, str))
    part = entry.get("summary") or {} if name in _OF_SUMMARY else entry
    value = part.get(FIELDS[name])
    if value is None:
        return ()
    if name in _LISTS:
        return tuple(value) if isinstance(value, list) else ()
    if name == "model" and isinstance(value, str) and value.startswith(_FAMILY_PREFIX):
        return (value, value.removeprefix(_FAMILY_PREFIX))
    return (value,)


def varying(entries: Iterable[Mapping[str, Any]]) -> list[RunColumn]:
    """Return the hyperparameters, and the seed, of which two of the runs have different values.

    A run that does not have one does not count, since runs of different models have different
    hyperparameters. A configured value that experiments also log by its last name is left out.
    Those that most runs have come first, then in the order in which the runs have them; the seed is
    the last.
    """
    entries = list(entries)
    count: dict[str, int] = {}
    seen: dict[str, set[str]] = {}
    for entry in entries:
        for name, value in hyperparameters_in(entry).items():
            count[name] = count.get(name, 0) + 1
            seen.setdefault(name, set()).add(_identity(value))
    found = [
        name
        for name, values in seen.items()
        if len(values) > 1 and not (name.rpartition(".")[2] in seen and _is_logged(name, entries))
    ]
    found.sort(key=lambda name: -count[name])
    columns = [RunColumn("param", name) for name in found]
    if len({_identity(entry["seed"]) for entry in entries if entry.get("seed") is not None}) > 1:
        columns.append(RunColumn("field", "seed"))
    return columns


def _is_logged(name: str, entries: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether runs that have a dotted name have its last part, too, with the same value."""
    short = name.rpartition(".")[2]
    pairs = [
        (values[name], values[short])
        for values in map(hyperparameters_in, entries)
        if short != name and name in values and short in values
    ]
    return bool(pairs) and all(_identity(one) == _identity(other) for one, other in pairs)


def _identity(value: Any) -> str:
    """Return a string that two values share if they are equal in JSON, where 1 is 1.0."""
    if is_number(value):
        try:
            return f"number {float(value)!r}" if float(value) == value else f"integer {value}"
        except OverflowError:
            return f"integer {value}"
    return json.dumps(value, sort_keys=True)


def sort_key(values: Sequence[Any]) -> tuple[int, Any]:
    """Return a key that sorts values of any type: numbers, then strings, then others."""
    value = values[0]
    if is_number(value):
        return 0, value
    if isinstance(value, str):
        return 1, value.casefold()
    return 2, _identity(value)


def unknown_name(name: str, entries: Iterable[Mapping[str, Any]], what: str) -> RunForgeError:
    """Return the error on a name that no run has a value of.

    Parameters
    ----------
    name
        The name.
    entries
        The runs, whose names the hint has.
    what
        What the name was given for, such as ``The condition `C<1```, for the message.
    """
    import difflib

    entries = list(entries)
    metrics = metric_names(entries)
    params = {key for entry in entries for key in hyperparameters_in(entry)}
    known = {
        "fields": list(FIELDS),
        "hyperparameters": sorted(RunColumn("param", key).title(metrics) for key in params),
        "metrics": sorted(RunColumn("metric", key).title() for key in metrics),
    }
    flat = [title for titles in known.values() for title in titles]
    close = difflib.get_close_matches(name[:100], [title[:100] for title in flat], 1)
    hint = f"Did you mean {quote(close[0])}? " if close else ""
    hint += " ".join(
        f"Known {kind}: {', '.join(quote(title, 40) for title in titles[:20])}"
        + (f" and {len(titles) - 20:,} more." if len(titles) > 20 else ".")
        for kind, titles in known.items()
        if titles
    )
    return RunForgeError(
        ErrorCode.USAGE_INVALID, f"{what}: no run has a value named {quote(name)}.", hint=hint
    )
