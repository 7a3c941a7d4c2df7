"""``runforge unbundle``: bring the run of a bundle into the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from runforge_contracts.display import quote

from runforge_cli.shell.completion import complete_bundle, complete_file, complete_folder
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import note, write_json, write_lines

if TYPE_CHECKING:
    from runforge_contracts.types import BundleReportV1


@click.command(
    "unbundle",
    cls=Command,
    short_help="Bring the run of a bundle into the store.",
    examples=(
        "runforge unbundle model.rfz --public-key runforge.key.pub",
        "runforge unbundle model.rfz --to unpacked",
    ),
)
@click.argument("file", shell_complete=complete_bundle)
@click.option(
    "--to",
    metavar="DIR",
    help="Unpack into this new folder, and not into the store.",
    shell_complete=complete_folder,
)
@click.option(
    "--public-key",
    metavar="FILE",
    help="Require a signature by the matching private key.",
    shell_complete=complete_file,
)
@global_options
@pass_settings
def command(settings: Settings, file: str, to: str | None, public_key: str | None) -> int:
    """Bring the run of FILE, which `runforge bundle` wrote, into the store.

    Everything is verified before anything is written, and a run that does not verify is refused.
    The entry of the run in the index names the store that it came from. A run that is already there
    stays; what is missing of it is added. Without --public-key it is unknown who signed the run.
    """
    from msgspec import to_builtins
    from runforge_engine.bundles.bundle_reader import opened_bundle
    from runforge_engine.bundles.unbundle import unbundle, unpack

    from runforge_cli.answers.bundle_answers import quoted, report_rows
    from runforge_cli.shell.output_paths import check_free, check_outside
    from runforge_cli.terminal.text_layout import pairs

    if to is not None:
        check_free(Path(to), "Name a new folder with --to.")
        check_outside(Path(to), [], settings.places())
    key = None if public_key is None else Path(public_key)
    with opened_bundle(Path(file), settings.folder, key) as bundle:
        report = unbundle(bundle, settings.target()) if to is None else unpack(bundle, Path(to))
        recorded = bundle.recorded_dataset
    if settings.json:
        write_json(to_builtins(report))
        return 0
    write_lines(pairs(report_rows(report, settings), indent=0))
    if not settings.quiet:
        run = report.run_id if to is None else quoted(settings.shown(report.run_dir))
        for text in _notes(settings, report, recorded, run, to):
            note(text)
    return 0


def _notes(
    settings: Settings, report: BundleReportV1, recorded: str | None, run: str, to: str | None
) -> list[str]:
    from msgspec import UNSET

    from runforge_cli.answers.bundle_answers import quoted

    notes = []
    if report.outcome == "present":
        notes.append("The run was there already, with the same files; nothing was written.")
    if report.outcome == "completed":
        notes.append("The run was there already, with the same files; what was missing was added.")
    if report.dataset is not UNSET and report.dataset != recorded and report.run_kind == "run":
        where = settings.shown(report.dataset)
        notes.append(
            f"Another file is at {quote(recorded, 200)}, or none may be written there: the dataset"
            f" is {quote(where, 200)}, which `runforge verify` and `runforge reproduce` use."
            if to is None
            else f"`runforge reproduce {run} --dataset {quoted(where)}` uses the dataset."
        )
    if report.dataset is UNSET and recorded is not None and report.run_kind == "run":
        notes.append(
            f"The bundle has no dataset: until {quote(recorded, 200)} is there, `runforge verify`"
            " does not check it."
        )
    return notes
