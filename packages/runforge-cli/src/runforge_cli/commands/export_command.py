"""``runforge export``: runs as other tools keep them."""

from __future__ import annotations

from pathlib import Path

import click

from runforge_cli.render.formulas import quoting_option
from runforge_cli.render.output import note, write_json, write_lines
from runforge_cli.shell.settings import Settings, complete_run, global_options, pass_settings


@click.command("export", short_help="Write runs as MLflow or a spreadsheet keeps them.")
@click.argument("runs", metavar="[RUN]...", nargs=-1, shell_complete=complete_run)
@click.option(
    "--to", "form", type=click.Choice(["mlflow", "csv"]), required=True, help="What to write."
)
@click.option("--output", "-o", metavar="DIR", required=True, help="Folder to write in.")
@quoting_option
@global_options
@pass_settings
def command(
    settings: Settings, runs: tuple[str, ...], form: str, output: str, quote_formulas: bool
) -> int:
    """Write runs, or all runs where none is named, as other tools keep them.

    mlflow: a tracking store, with the parameters, metrics, tags and files of every run that is
    over. What it holds already is left as it is, so that the same call again adds what is new. It
    takes the extra `runforge-cli[mlflow]`.

    csv: a table of the runs, runs.csv, and one of their metrics step by step, history.csv. The
    same call again writes them anew, unless they were edited.
    """
    from runforge_contracts.store.lookup import no_runs

    from runforge_cli.listing.run_list import described, runs_in
    from runforge_cli.shell.output_paths import check_outside
    from runforge_cli.shell.run_selection import find_runs

    places, folder = settings.places(), Path(output)
    found = find_runs(settings, runs, least=1) if runs else []
    chosen = [described(item, places) for item in found] if found else runs_in(places)
    if not chosen:
        raise no_runs(places[0])
    check_outside(folder, [item.path for item in found], places)
    if form == "csv":
        from runforge_cli.export.data_tables import export as export_tables

        done = export_tables(folder, chosen, quote_formulas=quote_formulas)
    else:
        from runforge_cli.export.mlflow_store import export

        done = export(folder, chosen)
    if settings.json:
        write_json({"to": form, "path": str(folder), **done.to_dict()})
        return 0
    write_lines(done.lines(folder))
    if not settings.quiet:
        for run_id, why in done.left_out.items():
            note(f"{run_id} was left out. {why}")
    return 0
