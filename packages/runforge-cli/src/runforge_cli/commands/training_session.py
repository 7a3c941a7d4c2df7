"""The shared parts of `train`, `run` and `rerun`: options, signals, progress, and the result."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click
from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, ExitCode, RunForgeError
from runforge_contracts.store.run import Run

from runforge_cli.shell.click_group import is_text
from runforge_cli.shell.completion import (
    complete_column,
    complete_family,
    complete_hyperparameter,
    complete_preset,
    complete_profile,
    complete_tag,
)
from runforge_cli.shell.settings import Function, Settings
from runforge_cli.terminal.output import error_lines, print_errors, write_json, write_lines

if TYPE_CHECKING:
    from runforge_contracts.gates import Gate
    from runforge_contracts.store.layout import StoreLayout
    from runforge_engine.pipeline.execute import ExecutionResult
    from runforge_engine.pipeline.observer import Observer
    from runforge_engine.runtime.cancellation import Cancellation


#: Defaults of a new training, in the words of the help page; a repetition has those of its run.
_DEFAULTS = {
    "--model": "that of the profile, else logistic_regression",
    "--preset": "balanced",
    "--seed": "42",
    "--device": "cpu",
}


def training_options(function: Function, defaults: Mapping[str, str] = _DEFAULTS) -> Function:
    """Add the options of a training; an option that is not given is None.

    ``defaults`` are shown and not applied.
    """

    def option(*names: str, **attributes: Any) -> Callable[[Function], Function]:
        return click.option(*names, show_default=defaults.get(names[0]), **attributes)

    for add in reversed(
        (
            option(
                "--model",
                metavar="FAMILY",
                help="Model family; see below.",
                shell_complete=complete_family,
            ),
            option(
                "--preset",
                metavar="P",
                help="Settings for a fast, balanced or thorough training; see below.",
                shell_complete=complete_preset,
            ),
            option(
                "--profile",
                metavar="P",
                help="Named settings, which win over those of the preset; see below.",
                shell_complete=complete_profile,
            ),
            option(
                "--param",
                "params",
                multiple=True,
                metavar="NAME=VALUE",
                help="Hyperparameter of the model, such as C=0.5; see below.",
                shell_complete=complete_hyperparameter,
            ),
            option(
                "--seed",
                type=click.IntRange(0, 2**32 - 1),
                metavar="N",
                help="Random seed of the split and the model.",
            ),
            option("--device", type=click.Choice(["cpu", "gpu"]), help="Device to train on."),
            option(
                "--exclude",
                multiple=True,
                metavar="COLUMN",
                help="Column that is not a feature.",
                shell_complete=complete_column,
            ),
            option("--name", metavar="S", help="Display name."),
            option(
                "--tag",
                "tags",
                multiple=True,
                metavar="T",
                help="Tag to find the run by.",
                shell_complete=complete_tag,
            ),
            option("--notes", metavar="S", help="Free text."),
        )
    ):
        function = add(function)
    return function


def changing_options(function: Function) -> Function:
    """Add the options of a training that repeats a run, whose values are their defaults."""
    return training_options(function, {})


#: Signals within this many seconds count as one: a program such as `timeout` signals both its
#: child and the process group.
_SAME_REQUEST = 0.5


def train_and_report(
    settings: Settings,
    execute: Callable[[Observer, Cancellation], ExecutionResult],
    gates: Sequence[Gate] = (),
    notes: Callable[[Run], dict[str, Any]] = lambda _: {},
) -> int:
    """Run ``execute`` with signal handling and progress output, and print the result.

    ``notes`` prints what else there is to say about the run, and returns it for ``--json``.

    Returns the exit code: 0 for succeeded, 5 for cancelled, 8 where the run succeeded and a gate is
    not met, otherwise that of the error.
    """
    from runforge_cli.commands.gate_options import (
        as_json,
        gate_results,
        note_other_rows,
        report_gates,
    )
    from runforge_cli.render.progress import watching

    with cancelled_by_signals() as cancellation, watching(settings) as observer:
        outcome = execute(observer, cancellation)
    run = Run(outcome.run_dir)
    results = gate_results(gates, run) if outcome.error is None else []
    more = {**notes(run), **as_json(results)}
    if settings.json:
        write_json({**outcome_document(outcome, settings.target()), **more})
    else:
        _report(settings, outcome)
    if outcome.error is None:
        if not settings.quiet:
            note_other_rows(settings, gates, run)
        return report_gates(settings, results)
    return outcome.error.exit_code


def outcome_document(outcome: ExecutionResult, store: StoreLayout) -> dict[str, Any]:
    """Return what ``--json`` prints of a run that has ended."""
    return {
        "run_id": outcome.run_id,
        "run_dir": store.relative(outcome.run_dir),
        "status": outcome.status,
        "result": outcome.result,
    }


def _report(settings: Settings, outcome: ExecutionResult) -> None:
    from runforge_cli.render.run_summary import summary_lines

    where = settings.shown(outcome.run_dir)
    if outcome.error is not None:
        print_errors(error_lines(outcome.error))
        print_errors([f"The run is recorded as {outcome.status} in {printable(where)}"])
        if outcome.error.code is ErrorCode.INTERNAL:
            sys.stderr.write(outcome.result["error"]["traceback"])
        return
    write_lines(summary_lines(Run(outcome.run_dir), settings, brief=True))


@contextmanager
def cancelled_by_signals() -> Iterator[Cancellation]:
    """Yield a cancellation that SIGINT, SIGTERM and SIGHUP set; a second one exits at once."""
    import os
    import time

    from runforge_contracts.system.system_processes import END_REQUESTS
    from runforge_engine.runtime.cancellation import Cancellation

    cancellation, received = Cancellation(), list[float]()

    def handle(number: int, frame: FrameType | None) -> None:
        received.append(time.monotonic())
        if received[-1] - received[0] > _SAME_REQUEST:
            cancellation.abandon()
            os._exit(ExitCode.CANCELLED)
        name = signal.Signals(number).name
        cancellation.cancel(f"The run was cancelled by {name}.", number)

    numbers = [signal.SIGINT, *END_REQUESTS]
    hang_up = getattr(signal, "SIGHUP", None)  # Windows has none
    # A run that was started with nohup continues after the terminal is closed.
    if hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN:
        numbers.append(hang_up)
    previous = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield cancellation
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def require_label(label: str | None, recipe: str | None) -> str:
    """Return the label column: that of an option, else of a recipe.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if neither names it; the errors of reading the recipe.
    """
    if recipe is not None and label is None:
        from runforge_engine.preparation.recipe_rules import read_recipe

        label = read_recipe(Path(recipe))["label"]
    return require(label, "--label", "Name the label column with --label; it is never guessed.")


def require(value: str | None, what: str, hint: str) -> str:
    """Return a value that must be given on the command line or in the environment."""
    if not value:
        raise RunForgeError(ErrorCode.USAGE_INVALID, f"{quote(what)} is missing.", hint=hint)
    if not is_text(value):
        raise RunForgeError(ErrorCode.USAGE_INVALID, f"{quote(what)} is not UTF-8.", hint=hint)
    return value
