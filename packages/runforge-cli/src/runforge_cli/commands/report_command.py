"""``runforge report``: write a report on runs as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from runforge_contracts.errors import RunForgeError

from runforge_cli.shell.completion import complete_file, complete_run
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.output_paths import check_output
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.shell.sweep_selection import find_sweep, group_option
from runforge_cli.terminal.output import note, warn, write_json, write_lines


@click.command(
    "report",
    cls=Command,
    short_help="Write a report on runs as one HTML or Markdown file.",
    examples=(
        "runforge report latest",
        "runforge report production latest -o comparison.html",
        "runforge report --group latest -o sweep.md",
    ),
)
@click.argument("runs", metavar="RUN [RUN]...", nargs=-1, shell_complete=complete_run)
@group_option
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    help="FILE.html or FILE.md.",
    show_default="RUN.html in the current folder",
    shell_complete=complete_file,
)
@click.option("--no-model", is_flag=True, help="Do not load the model; omit the curves.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@global_options
@pass_settings
def command(
    settings: Settings,
    runs: tuple[str, ...],
    group: str | None,
    output: str | None,
    no_model: bool,
    force: bool,
) -> int:
    """Write a report on a run, a comparison of several runs, or a report on a sweep.

    The report is one self-contained file: outcome, data, configuration, metrics, curves, feature
    weights, diagnostics, provenance and how to reproduce the run.

    Predictions are not recorded. For the curves they are computed again if the dataset and the
    model still have the recorded digests; otherwise the report explains why there are no curves.

    A report on several runs has a row for each, the best first; the first RUN is the baseline. Of
    several, those whose folder is missing are left out.

    With --group, the report is on a sweep: its members, which parameters matter and by how much,
    and the spread over the seeds.
    """
    if group is not None:
        return _report_on_sweep(settings, group, runs, output, force=force)
    from runforge_engine.runtime.numeric_environment import pin_environment

    # Before numpy is loaded, so that the model gives the same predictions as in training.
    pin_environment()
    from runforge_contracts.display import quote
    from runforge_contracts.fs.files import write_file

    from runforge_cli.listing.run_list import trained_in
    from runforge_cli.report.report_input import Material, gather, related_to
    from runforge_cli.report.report_writer import (
        check_target,
        default_name,
        make_report,
        writer_for,
    )
    from runforge_cli.shell.run_selection import find_runs

    lost: list[RunForgeError] = []
    folders = find_runs(settings, runs or ("latest",), least=1, lost=lost)
    target = Path(default_name(folders) if output is None else output)
    write, places = writer_for(target), settings.places()
    check_target(target, folders, places, force=force)
    listed = [] if no_model else trained_in(settings.stores())
    materials = gather(
        folders, settings.target(), listed, related_to(folders, places), with_model=not no_model
    )
    page = write(make_report(materials, settings.target())).encode()
    # Check again, because computing the curves of a large run can take long.
    check_target(target, folders, places, force=force)
    write_file(target, page)
    without = {
        material.folder.id: material.missing
        for material in materials
        if isinstance(material, Material) and material.missing
    }
    if settings.json:
        write_json(_document(target, materials, without, lost))
        return 0
    write_lines([f"Report written to {quote(target, 200)}"])
    for error in lost:
        warn(f"Left out: {error.message.partition('; ')[0].removesuffix('.')}.")
    if not settings.quiet and not no_model:
        for run_id, why in without.items():
            note(f"The report has no curves for {run_id}. {why}")
    return 0


def _report_on_sweep(
    settings: Settings, reference: str, runs: tuple[str, ...], output: str | None, *, force: bool
) -> int:
    from runforge_contracts.display import quote
    from runforge_contracts.errors import ErrorCode
    from runforge_contracts.fs.files import write_file

    from runforge_cli.report.report_writer import writer_for
    from runforge_cli.report.sweep_sections import sweep_report

    if runs:
        raise RunForgeError(ErrorCode.USAGE_INVALID, "Give either runs or `--group`, not both.")
    group, sweep = find_sweep(settings, reference)
    target = Path(f"{group.id}.html" if output is None else output)
    write = writer_for(target)
    check_output(target, [group.path], settings.places(), force=force)
    page = write(sweep_report(sweep, settings.target().relative(group.path)))
    write_file(target, page.encode())
    if settings.json:
        members = [row.run_id for row in sweep.rows if row.run_id]
        write_json({"path": str(target), "group": group.id, "runs": members})
        return 0
    write_lines([f"Report written to {quote(target, 200)}"])
    return 0


def _document(
    target: Path, materials: Any, without: dict[str, str], lost: list[RunForgeError]
) -> dict[str, Any]:
    document = {
        "path": str(target),
        "runs": [material.folder.id for material in materials],
        "without_curves": without,
    }
    return {**document, "left_out": [error.message for error in lost]} if lost else document
