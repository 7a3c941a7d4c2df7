"""Gates: bounds that the metrics of a run must keep, for builds that fail where they do not.

Source: specification, section 16.7.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, Problem, RunForgeError
from runforge_contracts.metrics import Metric, find_metric, lower_is_better


class Gate(NamedTuple):
    """A bound of one metric."""

    metric: str
    bound: float
    #: Whether the metric must be at least the bound; otherwise it must be at most the bound.
    at_least: bool
    #: The run that the bound was taken from.
    baseline: str | None = None

    def is_met(self, value: float | None) -> bool:
        """Return whether a value keeps to the bound; a missing value and NaN do not."""
        if value is None or math.isnan(value):
            return False
        return value >= self.bound if self.at_least else value <= self.bound

    def violation(self, value: float | None) -> str:
        """Return the sentence about a value that does not keep to the bound."""
        name = printable(self.metric)
        origin = f" of {quote(self.baseline)}" if self.baseline else ""
        if value is None:
            return f"The run has no metric {name}, which must be {self._bound_text()}{origin}."
        relation = "below" if self.at_least else "above"
        if math.isnan(value):
            return f"{name} is not a number; it must be {self._bound_text()}{origin}."
        return f"{name} is {value:g}, {relation} {self.bound:g}{origin}."

    def fulfilment(self, value: float) -> str:
        """Return what is said of a value that keeps to the bound."""
        origin = f" of {self.baseline}" if self.baseline else ""
        return f"{self.metric} is {value:g}, {self._bound_text()}{origin}"

    def _bound_text(self) -> str:
        return f"at {'least' if self.at_least else 'most'} {self.bound:g}"


class GateResult(NamedTuple):
    """A gate, and the value that it was judged by."""

    gate: Gate
    value: float | None

    @property
    def met(self) -> bool:
        """Whether the value keeps to the bound."""
        return self.gate.is_met(self.value)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as it is printed with ``--json``."""
        gate = self.gate
        known = self.value is not None and math.isfinite(self.value)
        return {
            "metric": gate.metric,
            "at_least" if gate.at_least else "at_most": gate.bound,
            **({} if gate.baseline is None else {"baseline": gate.baseline}),
            **({"value": self.value} if known else {}),
            "met": self.met,
        }


def parse_gate(text: str, *, at_least: bool) -> Gate:
    """Return the gate of ``METRIC=VALUE``.

    Parameters
    ----------
    text
        Name and bound.
    at_least
        Whether lower values fail; otherwise higher ones do.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for another form, and for a metric of which lower values are better where
        ``at_least`` is True: such a gate would pass the worse runs.
    """
    option = "--fail-under" if at_least else "--fail-over"
    name, separator, number = text.partition("=")
    try:
        bound = float(number)
    except ValueError:
        bound = math.nan
    if not name or not separator or not math.isfinite(bound):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(text)} is not a metric and a number.",
            hint=f"Such as `{option} {'accuracy=0.9' if at_least else 'log_loss=0.3'}`.",
        )
    if lower_is_better(name) is at_least:
        other = "--fail-over" if at_least else "--fail-under"
        better = "Lower" if at_least else "Higher"
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{better} values of {quote(name)} are better, so `{option}` would pass worse runs.",
            hint=f"Use `{other} {printable(text)}`.",
        )
    return Gate(name, bound, at_least)


def baseline_gate(run_id: str, metric: Metric) -> Gate:
    """Return the gate that a run no worse than another one passes."""
    return Gate(metric.name, metric.value, not lower_is_better(metric.name), run_id)


def judge(gates: Iterable[Gate], metrics: Mapping[str, float]) -> list[GateResult]:
    """Judge metrics by gates.

    Parameters
    ----------
    gates
        The gates; a metric may have the name that it has in ``metrics.v1``.
    metrics
        The metrics of a run by name.
    """
    found = [(gate, find_metric(metrics, gate.metric)) for gate in gates]
    return [GateResult(gate, None if metric is None else metric.value) for gate, metric in found]


def violation_of(results: Iterable[GateResult]) -> RunForgeError | None:
    """Return the error that names every gate that is not met, or None."""
    problems = [
        Problem(result.gate.violation(result.value)) for result in results if not result.met
    ]
    if not problems:
        return None
    if len(problems) == 1:
        return RunForgeError(ErrorCode.GATE_NOT_MET, problems[0].message)
    return RunForgeError(
        ErrorCode.GATE_NOT_MET, f"{len(problems)} gates are not met.", problems=problems
    )
