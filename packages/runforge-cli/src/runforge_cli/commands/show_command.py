"""``runforge show``: show a summary of a run, or an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.evaluations import (
    RecordedEvaluation,
    find_evaluation,
    is_evaluation,
)
from runforge_contracts.store.run import Run

from runforge_cli.commands.gate_options import (
    as_json,
    evaluated_metrics,
    evaluation_results,
    gate_options,
    gate_results,
    known_metrics,
    note_other_rows,
    read_gates,
    report_gates,
)
from runforge_cli.shell.completion import complete_recorded
from runforge_cli.shell.file_argument import is_archive, is_bundle
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines

if TYPE_CHECKING:
    from runforge_contracts.gates import Gate
    from runforge_contracts.store.lookup import AnyRun


@click.command(
    "show",
    cls=Command,
    short_help="Show a summary of a run.",
    examples=(
        "runforge show",
        "runforge show best:f1_macro",
        "runforge show production --json",
    ),
)
@click.argument("run", default="latest", shell_complete=complete_recorded)
@click.argument("inside", default="", metavar="[RUN_IN_ARCHIVE]")
@gate_options
@global_options
@pass_settings
def command(
    settings: Settings,
    run: str,
    inside: str,
    fail_under: tuple[str, ...],
    fail_over: tuple[str, ...],
    no_worse_than: str | None,
) -> int:
    """Show a summary of RUN, which defaults to the newest run.

    The evaluations of a run are listed; RUN may also be the id of an evaluation, or a bundle. Of a
    run that was forgotten or archived, it shows what is recorded. Of an archive in one file, its
    runs are listed, or RUN_IN_ARCHIVE is shown.
    """
    if is_archive(run):
        return _show_archive(
            settings,
            run,
            inside,
            read_gates(settings, fail_under, fail_over, no_worse_than, known=tuple),
        )
    if inside:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"Two runs are named, and {quote(run)} is no archive.",
            hint="Name one run. `runforge diff` compares several.",
        )
    if is_bundle(run):
        from runforge_engine.bundles.bundle_reader import opened_bundle

        with opened_bundle(Path(run), settings.folder) as bundle:
            gates = read_gates(
                settings,
                fail_under,
                fail_over,
                no_worse_than,
                known=lambda: known_metrics(bundle.run),
            )
            return _show_run(settings, bundle.run, gates, Path(run))
    if is_evaluation(run, settings.stores()):
        evaluation = find_evaluation(run, settings.stores())
        gates = read_gates(
            settings,
            fail_under,
            fail_over,
            no_worse_than,
            known=lambda: evaluated_metrics(evaluation),
        )
        return _show_evaluation(settings, evaluation, gates)
    try:
        folder = settings.find_any(run, quiet=not settings.json)
    except RunForgeError as error:
        from runforge_cli.answers.removed_run import removed_document, removed_lines

        document = removed_document(run, settings)
        is_gated = fail_under or fail_over or no_worse_than
        if error.code is not ErrorCode.RUN_NOT_FOUND or document is None or is_gated:
            raise
        if settings.json:
            write_json(document)
        else:
            write_lines(removed_lines(document))
        return 0
    gates = read_gates(
        settings, fail_under, fail_over, no_worse_than, known=lambda: known_metrics(folder)
    )
    return _show_run(settings, folder, gates)


def _show_archive(settings: Settings, archive: str, run: str, gates: Sequence[Gate]) -> int:
    """Show a run of an archive in one file, or list its runs."""
    from runforge_cli.answers.archive_answers import unpacked

    with unpacked(settings, archive) as inside:
        if run:
            return _show_run(settings, inside.find_any(run, quiet=True), gates, Path(archive))
        if gates:
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                "A bound is for one run, and none of the archive is named.",
                hint=f"`runforge show {archive}` lists them.",
            )
        from runforge_contracts.selection.run_values import column_of

        from runforge_cli.answers.archive_answers import entries_of
        from runforge_cli.answers.list_answer import index_document
        from runforge_cli.listing.run_table_text import default_table

        entries = entries_of(inside)
    if settings.json:
        write_json(index_document(entries))
    else:
        table = default_table(entries, None, column_of("created", ()))
        write_lines(table if entries else ["There are no runs in it."])
    return 0


def _show_run(
    settings: Settings, folder: AnyRun, gates: Sequence[Gate], bundle: Path | None = None
) -> int:
    """Show a run of either kind, which may be unpacked from a bundle."""
    results = gate_results(gates, folder)
    if isinstance(folder, Run):
        from runforge_cli.render.run_summary import summary_lines

        lines = summary_lines(folder, settings, bundle=bundle)
    else:
        from runforge_cli.render.experiment_summary import experiment_lines

        lines = experiment_lines(folder, settings, bundle=bundle)
    if settings.json:
        from runforge_cli.answers.run_answers import run_document

        write_json({**run_document(folder, settings, bundle), **as_json(results)})
    else:
        write_lines(lines)
    if not settings.quiet:
        note_other_rows(settings, gates, folder)
    return report_gates(settings, results)


def _show_evaluation(
    settings: Settings, evaluation: RecordedEvaluation, gates: Sequence[Gate]
) -> int:
    """Show an evaluation beside the validation of its run, if that is there."""
    from runforge_contracts.store.evaluations import validation_of

    from runforge_cli.answers.evaluation_answer import evaluation_report, run_of

    run = run_of(evaluation, settings)
    results = evaluation_results(gates, evaluation)
    if settings.json:
        write_json(evaluation_report(evaluation, settings, validation_of(run), gates=results))
    else:
        from runforge_cli.render.evaluation_view import evaluation_lines

        write_lines(evaluation_lines(evaluation, run, settings))
    return report_gates(settings, results)
