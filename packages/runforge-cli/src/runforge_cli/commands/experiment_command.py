"""``runforge experiment``: run any training script as a recorded run."""

from __future__ import annotations

import contextlib
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, ExitCode, RunForgeError

from runforge_cli.shell.click_group import CommandGroup
from runforge_cli.shell.completion import complete_file, complete_folder, complete_run
from runforge_cli.shell.settings import Settings, global_options, pass_settings, private_option
from runforge_cli.terminal.output import error_lines, print_errors, warn, write_json, write_lines

if TYPE_CHECKING:
    from runforge_engine.experiment.run.resolve import Materialised
    from runforge_engine.experiment.run.run_experiment import ExperimentOutcome


@click.group(
    "experiment",
    cls=CommandGroup,
    short_help="Run any training script as a recorded run.",
    examples=(
        "runforge experiment init",
        "runforge experiment run experiments/exp-001.yaml",
        "runforge experiment check",
    ),
)
@global_options
def command() -> None:
    """Run any training script as a recorded run, in a repository of experiments.

    Runs are stored in `runs/run-YYYY-MM-DD-NNN/`. --workspace sets the repository; the default is
    the Git repository that contains the current folder, or else the current folder.
    """


@command.command(
    "run",
    short_help="Run an experiment.",
    examples=(
        "runforge experiment run experiments/exp-001.yaml",
        "runforge experiment run experiments/exp-002.yaml --set training.epochs=3",
    ),
)
@click.argument("file", metavar="[FILE]", required=False, shell_complete=complete_file)
@click.option("--experiment", metavar="FILE", help="Experiment file.", shell_complete=complete_file)
@click.option("--run-id", metavar="ID", show_default="from the date", help="Id of the run.")
@click.option(
    "--dry-run", is_flag=True, help="Only print the resolved configuration and its warnings."
)
@click.option("--notes", metavar="S", help="Free text.")
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="Set a value.")
@private_option
@global_options
@pass_settings
def run(
    settings: Settings,
    file: str | None,
    experiment: str | None,
    run_id: str | None,
    dry_run: bool,
    notes: str | None,
    assignments: tuple[str, ...],
) -> int:
    """Run an experiment and record it, even if it fails or is cancelled.

    FILE is an experiment file, or the config.yaml of a run to repeat; --experiment FILE is
    equivalent. The output of the script is shown (on standard error with --json) and recorded.
    With --set, VALUE is YAML: `--set training.epochs=3`; `--set +NAME=VALUE` adds a new name.
    """
    from runforge_cli.commands.training_session import cancelled_by_signals

    if settings.private:
        # Also for a training that the script starts, which runs in a separate process.
        os.environ["RUNFORGE_PRIVATE"] = "1"
    with cancelled_by_signals() as cancellation:
        from runforge_engine.experiment.run.resolve import materialise
        from runforge_engine.experiment.run.run_experiment import run_experiment

        root = _repository(settings)
        prepared = materialise(
            _experiment_file(file, experiment, root),
            root,
            settings=assignments,
            notes=notes,
            run_id=run_id,
        )
        if dry_run:
            _print_plan(settings, prepared)
            return ExitCode.OK
        if not settings.json:  # before the training, which may take a day
            for warning in prepared.warnings:
                warn(warning)
        outcome = run_experiment(
            prepared,
            show=None if settings.quiet else _show_on(2 if settings.json else 1),
            began=lambda folder: _report_start(settings, folder),
            cancellation=cancellation,
        )
    _report(settings, outcome, root, shown=len(prepared.warnings))
    codes = {"succeeded": ExitCode.OK, "cancelled": ExitCode.CANCELLED}
    return codes.get(outcome.status, ExitCode.FAILED)


@command.command(
    "init",
    short_help="Create the layout of a repository for experiments.",
    examples=(
        "runforge experiment init",
        "runforge experiment init digits --full",
    ),
)
@click.argument("folder", metavar="[DIR]", required=False, shell_complete=complete_folder)
@click.option("--full", is_flag=True, help="Create all folders and files of the TFC layout.")
@global_options
@pass_settings
def init(settings: Settings, folder: str | None, *, full: bool) -> int:
    """Create the layout of a repository for experiments in DIR, with two example experiments.

    DIR defaults to the current repository. Existing files are not changed. With --full the layout
    has a versioned dataset, and each run also has a `log.txt`.
    """
    from runforge_engine.experiment.config.repository import find_repository
    from runforge_engine.experiment.record.experiment_check import word_on_others
    from runforge_engine.experiment.scaffold import initialise

    done = initialise(_repository(settings) if folder is None else Path(folder), full=full)
    around, others = find_repository(done.root), word_on_others(done.root)
    warnings = [] if others is None else [others]
    if around != done.root:
        warnings.append(
            f"{done.root} is inside the Git repository {around}; use --workspace, or run"
            " experiments with tools/run.py."
        )
    if settings.json:
        write_json(
            {
                "repository": str(done.root),
                "written": list(done.written),
                "kept": sorted((*done.kept, *done.same)),
                "missing_attributes": list(done.missing_attributes),
                "warnings": warnings,
            }
        )
        return ExitCode.OK
    from runforge_cli.render.experiment_view import initialised_lines

    write_lines(initialised_lines(done))
    for warning in warnings:
        warn(warning)
    return ExitCode.OK


@command.command(
    "check",
    short_help="Check the experiment runs of the repository.",
    examples=(
        "runforge experiment check",
        "runforge experiment check latest",
    ),
)
@click.argument("runs", nargs=-1, metavar="[RUN...]", shell_complete=complete_run)
@global_options
@pass_settings
def check(settings: Settings, runs: tuple[str, ...]) -> int:
    """Check experiment runs and exit with 1 if there are findings.

    RUN is a run id, `latest`, or the path of a run folder; the default is all runs. A failed run is
    not a finding. Large files that Git LFS does not track cause a warning. Nothing is written.
    """
    from runforge_engine.experiment.record.experiment_check import check_repository

    root = _repository(settings)
    folders = [_run_of_experiment(reference, root) for reference in runs]
    report = check_repository(root, folders or None)
    if settings.json:
        write_json(report.to_dict())
    else:
        from runforge_cli.render.experiment_view import check_lines

        write_lines(check_lines(report))
        for warning in report.warnings:
            warn(warning)
    return ExitCode.OK if report.conforms else ExitCode.FAILED


def _repository(settings: Settings) -> Path:
    """Return the repository: the option, else the Git repository, else the current folder."""
    from runforge_engine.experiment.config.repository import find_repository

    return settings.folder if settings.workspace is not None else find_repository(Path.cwd())


def _run_of_experiment(reference: str, root: Path) -> Path:
    from runforge_contracts.store.experiment_runs import ExperimentRun
    from runforge_contracts.store.layout import ExperimentLayout
    from runforge_contracts.store.lookup import find_any_run

    found = find_any_run(reference, [ExperimentLayout(root)])
    if isinstance(found, ExperimentRun):
        return found.path
    raise RunForgeError(
        ErrorCode.RUN_NOT_FOUND,
        f"{quote(reference, 200)} is not an experiment run.",
        hint="`runforge verify` checks trained runs.",
    )


def _experiment_file(argument: str | None, option: str | None, root: Path) -> Path:
    """Return the experiment file, relative to the current folder or else to the repository."""
    name = option if argument is None else argument
    if name is None or None not in (argument, option):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "The experiment file is missing."
            if name is None
            else f"Two experiment files are given, {quote(argument)} and {quote(option)}.",
            hint=_offer(root) or "`runforge experiment init` creates two examples.",
        )
    path = Path(name)
    for place in (path, root / path):
        if place.is_file():
            return place
    config = _config_of_run(path, root)
    if config is not None:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(name, 200)} is a run, not an experiment file.",
            hint=f"`runforge experiment run {shlex.quote(str(config))}` repeats the run.",
            path=name,
        )
    if not (path.exists() or (root / path).exists()):
        from runforge_engine.experiment.config.dotted_names import did_you_mean, nearest

        known = {file.stem: file for file in _experiment_files(root)}
        near = known.get(nearest(path.stem, known) or "")
        raise RunForgeError(
            ErrorCode.FILE_NOT_FOUND,
            f"The experiment file {quote(name, 200)} does not exist.",
            hint=did_you_mean(None if near is None else str(near)) or _offer(root),
            path=name,
        )
    return path if path.exists() else root / path


def _config_of_run(path: Path, root: Path) -> Path | None:
    """Return the configuration of a run that was given by its folder or its id."""
    for folder in (path, root / path, root / "runs" / path):
        if (folder / "config.yaml").is_file():
            return Path(os.path.relpath(folder / "config.yaml"))
    return None


def _experiment_files(root: Path) -> list[Path]:
    """Return the paths of the experiment files, relative to the current folder."""
    found = [*root.glob("experiments/*.yaml"), *root.glob("experiments/*.yml")]
    return [Path(os.path.relpath(path)) for path in sorted(found)]


def _offer(root: Path) -> str | None:
    files = _experiment_files(root)[:5]
    return f"Experiment files: {', '.join(quote(file) for file in files)}." if files else None


def _show_on(descriptor: int) -> Any:
    """Return a function that writes the output of user code to a stream of this process."""

    def show(piece: bytes) -> None:
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    return show


def _print_plan(settings: Settings, prepared: Materialised) -> None:
    if settings.json:
        document = {"dry_run": True, "config": prepared.config}
        write_json({**document, "warnings": list(prepared.warnings)})
        return
    from runforge_contracts.codec.strict_yaml import encode_yaml
    from runforge_contracts.schemas import in_schema_order

    text = encode_yaml(in_schema_order(prepared.config, "tfc.config.v1")).decode("utf-8")
    write_lines(printable(line) for line in text.splitlines())
    for warning in prepared.warnings:
        warn(warning)


def _report_start(settings: Settings, folder: Path) -> None:
    if not (settings.quiet or settings.json):
        with contextlib.suppress(OSError):  # a closed stream does not stop the run
            print_errors([f"Run {folder.name} in {printable(str(folder))}"])


def _report(settings: Settings, outcome: ExperimentOutcome, root: Path, shown: int) -> None:
    from runforge_contracts.store.layout import StoreLayout

    where = StoreLayout(root.resolve()).relative(outcome.folder)
    if settings.json:
        write_json(
            {
                "run_id": outcome.run_id,
                "run_dir": where,
                "status": outcome.status,
                "config": outcome.config,
                **({} if outcome.metrics is None else {"metrics": outcome.metrics}),
                "warnings": list(outcome.warnings),
            }
        )
        return
    for warning in outcome.warnings[shown:]:
        warn(warning)
    if outcome.error is not None:
        print_errors(error_lines(outcome.error))
        here = settings.shown(outcome.folder)
        print_errors([f"The run is recorded as {outcome.status} in {printable(here)}"])
        return
    from runforge_cli.render.experiment_view import outcome_lines

    write_lines(outcome_lines(outcome, settings.shown(outcome.folder)))
