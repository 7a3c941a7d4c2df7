"""``runforge export``: export runs to MLflow or CSV, for another client, or as a document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runforge_cli.render.formula_quoting import quoting_option
from runforge_cli.shell.completion import complete_file, complete_run
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.shell.sweep_selection import find_sweep, group_option, runs_of
from runforge_cli.terminal.output import note, write_json, write_lines

if TYPE_CHECKING:
    from runforge_cli.export.mlflow_record import ExportOutcome

#: Formats of many runs, and those of one run.
_MANY = ("mlflow", "csv", "desktop", "vscode")
_ONE = ("model-card", "cyclonedx", "ro-crate", "skops", "onnx")
#: Of these, what is a model, which is loaded and compared.
_MODELS = ("skops", "onnx")


@click.command(
    "export",
    cls=Command,
    short_help="Export runs to MLflow, CSV, another client or a document.",
    examples=(
        "runforge export --to csv -o tables",
        "runforge export --to mlflow -o mlruns",
        "runforge export production --to model-card --license MIT -o model-card.md",
    ),
)
@click.argument("runs", metavar="[RUN]...", nargs=-1, shell_complete=complete_run)
@group_option
@click.option(
    "--to",
    "form",
    type=click.Choice([*_MANY, *_ONE]),
    metavar="FORMAT",
    required=True,
    help="mlflow, csv, desktop or vscode; model-card, cyclonedx, ro-crate, skops or onnx.",
)
@click.option(
    "--output",
    "-o",
    metavar="PATH",
    required=True,
    help="Output folder, or file.",
    shell_complete=complete_file,
)
@click.option("--license", metavar="SPDX", help="License of the model, such as `MIT`.")
@click.option("--author", metavar="NAME", help="Who trained the model.")
@quoting_option
@global_options
@pass_settings
def command(
    settings: Settings,
    runs: tuple[str, ...],
    group: str | None,
    form: str,
    output: str,
    license: str | None,  # noqa: A002 - the name of the option
    author: str | None,
    quote_formulas: bool,
) -> int:
    """Export the given runs, by default all runs, for other tools.

    mlflow: a tracking store with the parameters, metrics, tags and files of every finished run.
    Runs that it already contains are not changed, so that another export adds the new ones. With
    --group the runs are nested in one for the sweep. Needs the extra `runforge-cli[mlflow]`.

    csv: a table of the runs, runs.csv, and one of their metrics by step, history.csv. Another
    export replaces both, unless they were edited.

    desktop, vscode: a workspace for RunForge Desktop, or for the VS Code extension. Another export
    adds the new runs, and changes nothing that is there.

    The other formats are of one run, by default the latest. It must verify, and PATH must not
    exist; the same run gives the same bytes.

    model-card: Markdown with the metadata that model hubs read.

    cyclonedx: a bill of materials (ML-BOM 1.6) of the model, its dataset and its packages, as JSON.

    ro-crate: a folder, or a file whose name ends with .zip, with the files of the run and their
    description (Process Run Crate).

    skops, onnx: a file with the model, for the library skops, and for any ONNX runtime. It is
    written if it predicts the same label for each validation row of the run, which needs the
    dataset. It states the greatest difference of a probability. Needs the extra
    `runforge-cli[skops]` or `runforge-cli[onnx]`.
    """
    if form in _ONE:
        return _export_one(settings, form, runs, group, Path(output), license, author)
    if license is not None or author is not None:
        raise click.UsageError(f"The format {form} has no `--license` and no `--author`.")
    return _export_many(settings, form, runs, group, Path(output), quote_formulas)


def _export_many(
    settings: Settings,
    form: str,
    runs: tuple[str, ...],
    group: str | None,
    folder: Path,
    quote_formulas: bool,
) -> int:
    from runforge_contracts.display import quote
    from runforge_contracts.errors import ErrorCode, RunForgeError
    from runforge_contracts.store.layout import LEGACY_STORE
    from runforge_contracts.store.lookup import no_runs

    from runforge_cli.listing.run_list import described, runs_in
    from runforge_cli.shell.output_paths import check_outside
    from runforge_cli.shell.run_selection import find_runs

    places = settings.places()
    sweep = None if group is None else find_sweep(settings, group)
    if sweep is not None and runs:
        raise RunForgeError(ErrorCode.USAGE_INVALID, "Give either runs or `--group`, not both.")
    if sweep is None:
        found = find_runs(settings, runs, least=1) if runs else []
    else:
        found = list(runs_of(settings, *sweep))
    everything = sweep is None and not found
    chosen = runs_in(places) if everything else [described(item, places) for item in found]
    if sweep is not None and not chosen:
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND,
            f"The sweep {quote(sweep[0].id)} has no runs yet.",
            hint=f"`runforge sweep show {sweep[0].id}` shows its members.",
        )
    if not chosen:
        raise no_runs(places[0])
    check_outside(folder, [item.path for item in found], places)
    if sweep is not None:
        check_outside(folder, [sweep[0].path], places)
    if form in ("desktop", "vscode"):
        check_outside(folder / LEGACY_STORE, [], places)
    if form == "csv":
        from runforge_cli.export.data_tables import export as export_tables

        done = export_tables(folder, chosen, quote_formulas=quote_formulas)
    elif form == "desktop":
        from runforge_cli.export.client_export import export_desktop

        done = export_desktop(folder, chosen)
    elif form == "vscode":
        from runforge_cli.export.client_export import export_vscode

        done = export_vscode(folder, chosen)
    else:
        from runforge_cli.export.mlflow_store import export

        done = export(folder, chosen, sweep=None if sweep is None else sweep[1])
    return _show(settings, form, folder, done)


def _export_one(
    settings: Settings,
    form: str,
    runs: tuple[str, ...],
    group: str | None,
    target: Path,
    license_text: str | None,
    author: str | None,
) -> int:
    from runforge_contracts.errors import ErrorCode, RunForgeError
    from runforge_contracts.store.lookup import has_ended
    from runforge_engine.bundles.bundle_writer import verified_folder

    from runforge_cli.export.mlflow_record import ExportOutcome
    from runforge_cli.export.run_export import export_run
    from runforge_cli.export.shared_run import SharedRun, check_license
    from runforge_cli.listing.run_list import described
    from runforge_cli.report.report_input import related_to
    from runforge_cli.shell.output_paths import check_output

    if group is not None or len(runs) > 1:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"The format `{form}` is of one run.",
            hint="Name one run; `runforge runs` lists them.",
        )
    check_license(license_text)
    places = settings.places()
    found = settings.find_any(runs[0] if runs else "latest", has_ended)
    check_output(target, [found.path], places)
    shared = SharedRun(
        folder=found,
        place=described(found, places).store,
        digests=verified_folder(found, "it is not exported").digests,
        related=related_to([found], places)[0],
        license=license_text,
        author=author,
    )
    outcome = ExportOutcome(exported=[found.id])
    if form in _MODELS:
        from runforge_cli.export.model_export import export_model
        from runforge_cli.listing.run_list import trained_in

        outcome.comparison = export_model(form, target, shared, trained_in(settings.stores()))
    else:
        export_run(form, target, shared)
    return _show(settings, form, target, outcome)


def _show(settings: Settings, form: str, target: Path, done: ExportOutcome) -> int:
    from runforge_contracts.display import quote

    if settings.json:
        write_json({"to": form, "path": str(target), **done.to_dict()})
        return 0
    if not settings.quiet:
        for run_id, why in done.left_out.items():
            note(f"{run_id} was left out. {why}")
        for run_id, files in (done.changed or {}).items():
            named = ", ".join(quote(name) for name in files[:3]) + (", …" if files[3:] else "")
            note(f"{run_id} was changed since its export and stays as it is: {named}.")
    write_lines(done.lines(target))
    return 0
