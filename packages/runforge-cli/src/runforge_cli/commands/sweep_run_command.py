"""``runforge sweep PLAN`` or ``runforge sweep DATA --grid``: train many runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from runforge_contracts.errors import ErrorCode, ExitCode, RunForgeError

from runforge_cli import CLIENT
from runforge_cli.answers.sweep_answers import planned_document
from runforge_cli.commands.training_session import (
    cancelled_by_signals,
    require,
    require_label,
    training_options,
)
from runforge_cli.shell.completion import (
    complete_column,
    complete_file,
    complete_group,
    complete_hyperparameter,
)
from runforge_cli.shell.default_command import DefaultCommand
from runforge_cli.shell.model_help import model_section
from runforge_cli.shell.settings import Settings, global_options, pass_settings, private_option
from runforge_cli.terminal.output import error_lines, print_errors, write_json, write_lines

if TYPE_CHECKING:
    from runforge_contracts.documents import Document
    from runforge_contracts.store.layout import StoreLayout
    from runforge_contracts.types import SweepPlanV1
    from runforge_engine.sweeps.open_group import OpenGroup, SweepOptions
    from runforge_engine.sweeps.resolved_plan import ResolvedPlan
    from runforge_engine.sweeps.run_sweep import SweepResult

#: Options that a file with a plan has the place of.
_OF_A_GRID = (
    *("label", "model", "preset", "profile", "params", "seed", "seeds", "device", "exclude"),
    *("tags", "notes", "grid", "save", "recipe"),
)


@click.command(
    None,
    cls=DefaultCommand,
    short_help="Train many runs.",
    sections=(model_section,),
    examples=(
        (
            "runforge sweep penguins.csv --label species --exclude island --exclude sex \\\n"
            "  --grid C=0.1,1,10 --seeds 1..5"
        ),
        "runforge sweep plan.json --jobs 4",
        "runforge sweep --resume latest --retry-failed",
    ),
)
@click.argument("source", required=False, metavar="[PLAN.json|DATA]", shell_complete=complete_file)
@click.option(
    "--label",
    metavar="COLUMN",
    help="Column to learn; never guessed.",
    shell_complete=complete_column,
)
@click.option(
    "--grid",
    multiple=True,
    metavar="NAME=V1,V2",
    help="Values to try; every combination is run.",
    shell_complete=complete_hyperparameter,
)
@click.option("--seeds", metavar="1..5", help="Seeds to repeat every combination with.")
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(1, 1024),
    metavar="N",
    show_default="one for each core",
    help="Runs at a time.",
)
@click.option("--dry-run", is_flag=True, help="Show the runs, and write nothing.")
@click.option(
    "--save",
    metavar="PLAN.json",
    help="Write the plan instead of executing it.",
    shell_complete=complete_file,
)
@click.option(
    "--resume",
    metavar="GROUP",
    shell_complete=complete_group,
    help="Do what is missing of an earlier sweep.",
)
@click.option("--retry-failed", is_flag=True, help="With --resume, also run what failed.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first failed run.")
@click.option("--scheduler", metavar="ADDRESS", help="Run on a Dask cluster: tcp://HOST:PORT.")
@click.option("--allow-mixed", is_flag=True, help="Accept workers with other versions.")
@click.option(
    "--recipe",
    metavar="FILE",
    help="Recipe to apply to DATA, as for `runforge train`; --label is then optional.",
    shell_complete=complete_file,
)
@training_options
@private_option
@global_options
@pass_settings
def command(settings: Settings, /, **options: Any) -> int:
    """Train many runs: every run of a plan, or every combination of a grid.

    A file whose name ends with .json is a plan; any other is a dataset, as for `runforge train`.
    The plan is checked whole before the first run. Every run is a complete record of its own, and
    all of them belong to a group in `.runforge/groups/`.

    The name in --grid is a hyperparameter, seed, preset, profile, model, or a path in the request
    such as /dataset/label_column. The value null removes the setting, so that profile, preset
    or default apply; none is the value none, such as a forest of unlimited depth.
    """
    from runforge_contracts.shared_work import usable_cores
    from runforge_engine.sweeps.open_group import SweepOptions

    chosen = SweepOptions(
        jobs=options["jobs"],
        fail_fast=options["fail_fast"] or None,
        scheduler=options["scheduler"],
        private=settings.private,
    )
    if options["allow_mixed"] and chosen.scheduler is None:
        raise _usage("--allow-mixed is for --scheduler.", "Name the scheduler of a cluster.")
    if options["resume"] is not None:
        return _resume(settings, chosen, options)
    if options["retry_failed"]:
        raise _usage("--retry-failed is for --resume.", "Name the sweep with --resume.")
    source = require(options["source"], "PLAN.json or DATA", "Name a plan, or a dataset.")
    store = settings.target()
    plan, text = _read(settings, source, store, options)
    if options["save"] is not None:
        return _save(settings, plan, Path(options["save"]))
    from runforge_engine.sweeps.resolved_plan import resolve_plan

    resolved = resolve_plan(plan, store, created_by=CLIENT)
    jobs = chosen.jobs or resolved.execution.get("max_parallel") or usable_cores()
    if options["dry_run"]:
        _show(settings, resolved, jobs)
        return ExitCode.OK
    from runforge_engine.sweeps.open_group import new_group

    @contextmanager
    def opening(chosen: SweepOptions) -> Iterator[OpenGroup]:
        with new_group(
            resolved, text, store, created_by=CLIENT, name=options["name"], options=chosen
        ) as group:
            yield group

    return _execute(settings, opening, store, chosen, options)


def _resume(settings: Settings, chosen: SweepOptions, options: dict[str, Any]) -> int:
    from runforge_contracts.sweeps.groups import find_group
    from runforge_engine.sweeps.open_group import resumed_group

    given = [name for name in ("source", "name", *_OF_A_GRID) if options[name] not in (None, ())]
    if given or options["dry_run"]:
        raise _usage(
            "A sweep is resumed as it was planned: --resume takes no plan, dataset or settings.",
            "Only --jobs, --fail-fast, --retry-failed, --scheduler and --allow-mixed can be given"
            " with it.",
        )
    group = find_group(options["resume"], settings.stores())

    @contextmanager
    def opening(chosen: SweepOptions) -> Iterator[OpenGroup]:
        with resumed_group(
            group,
            group.store,
            created_by=CLIENT,
            retry_failed=options["retry_failed"],
            options=chosen,
        ) as opened:
            yield opened

    return _execute(settings, opening, group.store, chosen, options)


def _read(
    settings: Settings, source: str, store: StoreLayout, options: dict[str, Any]
) -> tuple[Document[SweepPlanV1], bytes]:
    """Return the plan of the arguments, and the bytes that are kept of it."""
    from runforge_contracts.codec.strict_json import MAX_BYTES
    from runforge_contracts.fs.files import read_file
    from runforge_contracts.sweeps.plan_members import parse_plan

    if source.lower().endswith(".json"):
        given = [name for name in _OF_A_GRID if options[name] not in (None, ())]
        if given:
            raise _usage(
                f"The option `--{_shown(given[0])}` is not for a plan, which has all settings.",
                "Change the plan, or name a dataset instead of it.",
            )
        path = settings.located(source)
        text = read_file(path, max_bytes=MAX_BYTES, too_large=ErrorCode.JSON_TOO_LARGE)
        return parse_plan(text, path), text
    plan = _from_grid(source, store, options)
    return plan, plan.encode()


def _from_grid(source: str, store: StoreLayout, options: dict[str, Any]) -> Document[SweepPlanV1]:
    from runforge_engine.modeling.configuration import parse_parameters
    from runforge_engine.pipeline.request import new_request
    from runforge_engine.sweeps.plan_builder import new_plan

    from runforge_cli.shell.grid_options import parse_grid, parse_seeds

    label = require_label(options["label"], options["recipe"])
    grid, seeds = parse_grid(options["grid"]), parse_seeds(options["seeds"])
    if not grid and not seeds:
        raise _usage(
            "There is nothing to try: neither --grid nor --seeds is given.",
            "`--grid C=0.1,1,10` tries three values; `runforge train` trains one run.",
        )
    family = options["model"]
    if family is None and grid.get("model"):
        family = grid["model"][0]
    given = {
        name: options[name]
        for name in ("preset", "profile", "seed", "device", "tags")
        if options[name] is not None
    }
    request = new_request(
        dataset=source,
        label_column=label,
        store=store,
        created_by=CLIENT,
        model_family=family,
        hyperparameters=parse_parameters(options["params"]),
        exclude_columns=options["exclude"],
        recipe=options["recipe"],
        **given,
    )
    return new_plan(
        request.document.raw,
        grid,
        created_by=CLIENT,
        seeds=seeds,
        name=options["name"],
        notes=options["notes"],
        max_parallel=options["jobs"],
        fail_fast=options["fail_fast"],
    )


def _save(settings: Settings, plan: Document[SweepPlanV1], path: Path) -> int:
    from runforge_contracts.fs.files import write_file
    from runforge_engine.sweeps.resolved_plan import resolve_plan

    from runforge_cli.render.sweep_lines import count_text

    resolved = resolve_plan(plan, settings.target())
    if path.suffix != ".json":
        raise _usage("The name of a plan ends with .json.", "Write --save PLAN.json.")
    write_file(path, plan.encode())
    if settings.json:
        write_json({"plan": settings.shown(path.absolute()), "total": len(resolved.members)})
    else:
        write_lines([f"Wrote {path} with {count_text(resolved, 1)}"])
    return ExitCode.OK


def _show(settings: Settings, plan: ResolvedPlan, jobs: int) -> None:
    """Print what would be run."""
    if not settings.json:
        from runforge_cli.render.sweep_lines import plan_lines

        write_lines(plan_lines(plan, jobs))
        return
    write_json(planned_document(plan))


def _execute(
    settings: Settings,
    opening: Any,
    store: StoreLayout,
    chosen: SweepOptions,
    options: dict[str, Any],
) -> int:
    """Run the waiting members of a group, print the result, and return the exit code."""
    from runforge_engine.sweeps.run_sweep import run_sweep
    from runforge_engine.sweeps.sweep_pool import SweepPools

    from runforge_cli.render.sweep_progress import watching_sweep

    pools = SweepPools(
        store,
        chosen.scheduler,
        jobs=chosen.jobs,
        private=settings.private,
        allow_mixed=options["allow_mixed"],
    )
    with (
        pools.connected(),
        cancelled_by_signals() as cancellation,
        opening(replace(chosen, slots=pools.slots)) as group,
        watching_sweep(settings) as watcher,
    ):
        result = run_sweep(group, pools.pool(group), watcher, cancellation)
    _report(settings, result, group.store, watcher.errors)
    return _exit_code(result)


def _exit_code(result: SweepResult) -> int:
    if result.error is not None:
        return result.error.exit_code
    codes = {"succeeded": ExitCode.OK, "canceled": ExitCode.CANCELLED}
    return codes.get(result.status, ExitCode.FAILED)


def _report(
    settings: Settings, result: SweepResult, store: StoreLayout, errors: list[RunForgeError]
) -> None:
    if settings.json:
        document = {**result.group, "group_dir": store.relative(result.folder)}
        if result.error is not None:
            document["error"] = result.error.to_dict()
        write_json(document)
        return
    from runforge_cli.render.sweep_lines import failed_lines, result_lines

    shown = list(failed_lines(errors))
    if shown:
        print_errors(shown)
    if result.error is not None:
        print_errors(error_lines(result.error))
    write_lines(result_lines(result, settings))


def _shown(name: str) -> str:
    return {"params": "param", "tags": "tag"}.get(name, name)


def _usage(message: str, hint: str) -> RunForgeError:
    return RunForgeError(ErrorCode.USAGE_INVALID, message, hint=hint)
