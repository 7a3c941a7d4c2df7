"""The options that fail a command where the metrics of a run are too bad."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.gates import (
    Gate,
    GateResult,
    baseline_gate,
    judge,
    parse_gate,
    violation_of,
)
from runforge_contracts.metrics import SUMMARY_NAMES, TRAINED_METRICS
from runforge_contracts.store import layout
from runforge_contracts.store.aliases import name_problem
from runforge_contracts.store.evaluations import (
    RecordedEvaluation,
    find_evaluation,
    is_evaluation,
    metric_numbers,
)
from runforge_contracts.store.run import Run

from runforge_cli.shell.completion import complete_metric_bound, complete_recorded
from runforge_cli.shell.settings import Function, Settings
from runforge_cli.terminal.output import error_lines, note, print_errors
from runforge_cli.terminal.text_layout import plural

if TYPE_CHECKING:
    from runforge_contracts.store.lookup import AnyRun


def gate_options(function: Function) -> Function:
    """Add the options; :func:`read_gates` takes their values."""
    for option in reversed(
        (
            click.option(
                "--fail-under",
                multiple=True,
                metavar="METRIC=VALUE",
                help="Exit with 8 if the metric is lower, as in accuracy=0.9.",
                shell_complete=complete_metric_bound,
            ),
            click.option(
                "--fail-over",
                multiple=True,
                metavar="METRIC=VALUE",
                help="Exit with 8 if the metric is higher, as in log_loss=0.3.",
                shell_complete=complete_metric_bound,
            ),
            click.option(
                "--no-worse-than",
                metavar="RUN",
                shell_complete=complete_recorded,
                help="Exit with 8 if the primary metric is worse than that of RUN, which may be"
                " an evaluation too.",
            ),
        )
    ):
        function = option(function)
    return function


def read_gates(
    settings: Settings,
    fail_under: Sequence[str],
    fail_over: Sequence[str],
    no_worse_than: str | None,
    *,
    known: Callable[[], Sequence[str]] = lambda: TRAINED_METRICS,
) -> list[Gate]:
    """Return the gates of the options, before any work is done.

    Parameters
    ----------
    settings
        The global options.
    fail_under, fail_over, no_worse_than
        What the options were given.
    known
        Returns the metrics that there can be, none if any name can be that of one; called only if
        there are gates, since it may read documents that are not as they should be.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for a bound that is none, for a metric that cannot be there, and for a run
        without a metric; the errors of
        :meth:`~runforge_cli.shell.settings.Settings.find_any` and of
        :func:`~runforge_contracts.store.evaluations.find_evaluation`.
    """
    gates = [parse_gate(text, at_least=True) for text in fail_under]
    gates += [parse_gate(text, at_least=False) for text in fail_over]
    metrics = known() if gates else ()
    for gate in gates:
        if metrics and gate.metric not in metrics:
            from difflib import get_close_matches  # late: most bounds name a metric

            near = get_close_matches(gate.metric, metrics, n=1)
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"There is no metric {quote(gate.metric)}.",
                hint=(f"Did you mean {quote(near[0])}? " if near else "")
                + f"There are {', '.join(metrics)}.",
            )
    if no_worse_than is not None and is_evaluation(no_worse_than, settings.stores()):
        evaluation = find_evaluation(no_worse_than, settings.stores())
        gates.append(baseline_gate(evaluation.id, evaluation.accuracy))
    elif no_worse_than is not None:
        baseline = _baseline(settings, no_worse_than)
        metric = baseline.primary_metric
        if metric is None:
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"The run {quote(baseline.id)} has no metrics to compare with.",
                hint="Name a run that succeeded.",
                path=str(baseline.path),
            )
        gates.append(baseline_gate(baseline.id, metric))
    return gates


def _baseline(settings: Settings, reference: str) -> AnyRun:
    """Return the run of ``--no-worse-than``; of an unknown alias say how it begins."""
    try:
        return settings.find_any(reference)
    except RunForgeError as error:
        unknown = error.code is ErrorCode.RUN_NOT_FOUND and not error.problems
        if not unknown or name_problem(reference) is not None:
            raise
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND,
            f"There is no run {quote(reference)} to compare with in {quote(settings.folder, 200)}.",
            hint=f"`runforge alias {reference} RUN` makes the alias; train the first RUN without"
            " --no-worse-than.",
        ) from None


def known_metrics(run: AnyRun) -> Sequence[str]:
    """Return the metrics that a recorded run can have; none if any name can be that of one."""
    own = _all_metrics(run)
    return list(dict.fromkeys([*TRAINED_METRICS, *own] if isinstance(run, Run) else own))


def evaluated_metrics(evaluation: RecordedEvaluation) -> Sequence[str]:
    """Return the metrics that an evaluation can have."""
    return list(dict.fromkeys([*TRAINED_METRICS, *evaluation.numbers]))


def gate_results(gates: Sequence[Gate], run: AnyRun) -> list[GateResult]:
    """Judge a recorded run by gates."""
    return judge(gates, _all_metrics(run)) if gates else []


def evaluation_results(gates: Sequence[Gate], evaluation: RecordedEvaluation) -> list[GateResult]:
    """Judge an evaluation by gates; its metrics may have the names that runs have for them."""
    numbers = evaluation.numbers
    named = {short: numbers[name] for name, short in SUMMARY_NAMES.items() if name in numbers}
    return judge(gates, {**numbers, **named}) if gates else []


def note_other_rows(settings: Settings, gates: Sequence[Gate], run: AnyRun) -> None:
    """Say where the bound of a gate is a value on other validation rows than those of the run."""
    for gate in gates:
        if gate.baseline is None or is_evaluation(gate.baseline, settings.stores()):
            continue
        from runforge_contracts.comparison.compare import compare_runs

        baseline = settings.find_any(gate.baseline, quiet=True)
        [conclusion] = compare_runs([baseline, run], settings.target())["conclusions"]
        if conclusion.get("same_validation_rows") is False:
            note(
                f"the validation rows of {gate.baseline} are not those of {run.id}; evaluate both"
                " on one file, and name the first evaluation in --no-worse-than, to compare on"
                " the same ones"
            )


def report_gates(settings: Settings, results: Sequence[GateResult]) -> int:
    """Print the gates that are not met, unless the output is JSON, and return the exit code."""
    error = violation_of(results)
    if error is None:
        if results and not settings.json and not settings.quiet:
            met = [
                result.gate.fulfilment(result.value)
                for result in results
                if result.value is not None
            ]
            note(f"{plural(len(met), 'gate')} met: {'; '.join(met)}")
        return 0
    if not settings.json:
        print_errors(error_lines(error))
    return error.exit_code


def as_json(results: Sequence[GateResult]) -> dict[str, Any]:
    """Return the member of a JSON document with the results of the gates, if any were given."""
    return {"gates": [result.to_dict() for result in results]} if results else {}


def _all_metrics(run: AnyRun) -> Mapping[str, float]:
    """Return the metrics of a run under all names that they have in its documents."""
    if not isinstance(run, Run):
        return run.metrics
    detailed = run.content(layout.METRICS_V1) or {}
    return {**metric_numbers(detailed), **run.metrics}
