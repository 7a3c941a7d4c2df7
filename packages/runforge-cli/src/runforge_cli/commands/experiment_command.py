"""``runforge experiment``: any training script as a recorded run."""

from __future__ import annotations

import contextlib
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, ExitCode, RunForgeError

from runforge_cli.render.output import error_lines, tell, warn, write_json, write_lines
from runforge_cli.shell.click_group import CommandGroup
from runforge_cli.shell.settings import Settings, global_options, pass_settings, private_option

if TYPE_CHECKING:
    from runforge_engine.experiment.run.resolve import Materialised
    from runforge_engine.experiment.run.run_experiment import ExperimentOutcome


@click.group(
    "experiment", cls=CommandGroup, short_help="Run any training script as a recorded run."
)
@global_options
def command() -> None:
    """Run any training script as a recorded run, in a repository of experiments.

    Runs lie in `runs/run-YYYY-MM-DD-NNN/`. --workspace names the repository; without it, it is the
    Git repository around the current folder, or else the current folder.
    """


@command.command("run", short_help="Run an experiment.")
@click.argument("file", metavar="[FILE]", required=False)
@click.option("--experiment", metavar="FILE", help="The experiment file.")
@click.option("--run-id", metavar="ID", help="Id of the run [made from the day].")
@click.option("--dry-run", is_flag=True, help="Only say what would be run, and what is wrong.")
@click.option("--notes", metavar="S", help="Free text.")
@click.option(
    "--set", "assignments", multiple=True, metavar="NAME=VALUE", help="A value; repeatable."
)
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
    """Run an experiment and record it, whatever becomes of it.

    FILE is an experiment file, or the config.yaml of a run, which is repeated; --experiment FILE
    says the same. What user code prints is shown, on standard error with --json, and recorded.
    With --set, VALUE is YAML: `--set training.epochs=3`; `--set +NAME=VALUE` says that a new name
    is meant.
    """
    from runforge_cli.shell.training import cancelled_by_signals

    if settings.private:
        # For our own training, too, which is a process of its own.
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
            _tell_plan(settings, prepared)
            return ExitCode.OK
        if not settings.json:  # now, and not after a day of training
            for warning in prepared.warnings:
                warn(warning)
        outcome = run_experiment(
            prepared,
            show=None if settings.quiet else _show_on(2 if settings.json else 1),
            began=lambda folder: _tell_beginning(settings, folder),
            cancellation=cancellation,
        )
    _tell(settings, outcome, root, told=len(prepared.warnings))
    codes = {"succeeded": ExitCode.OK, "cancelled": ExitCode.CANCELLED}
    return codes.get(outcome.status, ExitCode.FAILED)


@command.command("init", short_help="Lay out a repository for experiments.")
@click.argument("folder", metavar="[DIR]", required=False)
@global_options
@pass_settings
def init(settings: Settings, folder: str | None) -> int:
    """Lay out a repository for experiments, with two of them, in DIR.

    DIR is the repository where it is left out. A file that is there stays as it is.
    """
    from runforge_engine.experiment.config.repository import find_repository
    from runforge_engine.experiment.record.experiment_check import word_on_others
    from runforge_engine.experiment.scaffold import initialise

    done = initialise(_repository(settings) if folder is None else Path(folder))
    around, others = find_repository(done.root), word_on_others(done.root)
    warnings = [] if others is None else [others]
    if around != done.root:
        warnings.append(
            f"{done.root} lies in the Git repository {around}; give --workspace, or run"
            " experiments by tools/run.py."
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


@command.command("check", short_help="Say what is wrong with the runs.")
@click.argument("runs", nargs=-1, metavar="[RUN...]")
@global_options
@pass_settings
def check(settings: Settings, runs: tuple[str, ...]) -> int:
    """Say what is wrong with the runs of experiments; exit 1 if anything is.

    RUN is the id of a run, `latest`, or the path of its folder; all of them where it is left out.
    A run that failed is not wrong. Large files that Git LFS would not take are warned of. Nothing
    is written.
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
    """Return the repository: the one named, else that of Git around here, else here."""
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
        f"{quote(reference, 200)} is not the run of an experiment.",
        hint="`runforge verify` checks trained runs.",
    )


def _experiment_file(argument: str | None, option: str | None, root: Path) -> Path:
    """Return the file as it was typed, from here or else from the repository."""
    name = option if argument is None else argument
    if name is None or None not in (argument, option):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "No experiment file is named."
            if name is None
            else f"Two experiment files are named, {quote(argument)} and {quote(option)}.",
            hint=_offer(root) or "`runforge experiment init` lays out a repository with two.",
        )
    path = Path(name)
    for place in (path, root / path):
        if place.is_file():
            return place
    config = _config_of_run(path, root)
    if config is not None:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(name, 200)} is a run, and an experiment is a file.",
            hint=f"`runforge experiment run {shlex.quote(str(config))}` repeats the run.",
            path=name,
        )
    if not (path.exists() or (root / path).exists()):
        from runforge_engine.experiment.config.dotted_names import did_you_mean, nearest

        known = {file.stem: file for file in _experiment_files(root)}
        near = known.get(nearest(path.stem, known) or "")
        raise RunForgeError(
            ErrorCode.FILE_NOT_FOUND,
            f"There is no experiment file {quote(name, 200)}.",
            hint=did_you_mean(None if near is None else str(near)) or _offer(root),
            path=name,
        )
    return path if path.exists() else root / path


def _config_of_run(path: Path, root: Path) -> Path | None:
    """Return the configuration of the run that was named by its folder or its id."""
    for folder in (path, root / path, root / "runs" / path):
        if (folder / "config.yaml").is_file():
            return Path(os.path.relpath(folder / "config.yaml"))
    return None


def _experiment_files(root: Path) -> list[Path]:
    """Return the files of the folder for experiments, as they can be typed here."""
    found = [*root.glob("experiments/*.yaml"), *root.glob("experiments/*.yml")]
    return [Path(os.path.relpath(path)) for path in sorted(found)]


def _offer(root: Path) -> str | None:
    files = _experiment_files(root)[:5]
    return f"There are {', '.join(quote(file) for file in files)}." if files else None


def _show_on(descriptor: int) -> Any:
    """Return what writes user code's output to a stream of this process, as it comes."""

    def show(piece: bytes) -> None:
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    return show


def _tell_plan(settings: Settings, prepared: Materialised) -> None:
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


def _tell_beginning(settings: Settings, folder: Path) -> None:
    if not (settings.quiet or settings.json):
        with contextlib.suppress(OSError):  # the run goes on though nobody listens
            tell([f"Run {folder.name} in {printable(str(folder))}"])


def _tell(settings: Settings, outcome: ExperimentOutcome, root: Path, told: int) -> None:
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
    for warning in outcome.warnings[told:]:
        warn(warning)
    if outcome.error is not None:
        tell(error_lines(outcome.error))
        here = settings.shown(outcome.folder)
        tell([f"The run is recorded as {outcome.status} in {printable(here)}"])
        return
    from runforge_cli.render.experiment_view import outcome_lines

    write_lines(outcome_lines(outcome, settings.shown(outcome.folder)))
