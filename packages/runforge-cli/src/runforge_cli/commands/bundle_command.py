"""``runforge bundle``: write a run with its signature into one file."""

from __future__ import annotations

from pathlib import Path

import click

from runforge_cli.shell.completion import complete_file, run_argument
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines


@click.command(
    "bundle",
    cls=Command,
    short_help="Write a run into one file, to be sent.",
    examples=(
        "runforge bundle latest",
        "runforge bundle production --with-dataset -o for-grace.rfz",
    ),
)
@run_argument
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    help="Output file.",
    show_default="RUN.rfz in the current folder",
    shell_complete=complete_file,
)
@click.option("--with-dataset", is_flag=True, help="Include the dataset.")
@click.option(
    "--public-key",
    metavar="FILE",
    help="Include this key; the run must be signed with it.",
    shell_complete=complete_file,
)
@global_options
@pass_settings
def command(
    settings: Settings, run: str, output: str | None, with_dataset: bool, public_key: str | None
) -> int:
    """Write RUN, with its signature if it has one, into a ZIP file whose name ends with .rfz.

    Only a run that verifies is bundled. `runforge unbundle` brings it into another store;
    `runforge verify` and `runforge show` take the file in place of a run, and so does any program
    that unpacks ZIP files. The same run gives the same bytes. An existing file is not overwritten.
    """
    from msgspec import to_builtins
    from runforge_contracts.store.lookup import has_ended
    from runforge_engine.bundles.bundle_writer import write_bundle

    from runforge_cli import __version__
    from runforge_cli.answers.bundle_answers import report_rows
    from runforge_cli.shell.output_paths import check_free, check_outside
    from runforge_cli.terminal.text_layout import pairs

    found = settings.find_any(run, has_ended)
    target = Path(f"{found.path.name}.rfz" if output is None else output)
    check_free(target, "Choose another path with -o.")
    check_outside(target, [found.path], settings.places())
    report = write_bundle(
        found,
        target,
        created_by=f"runforge-cli@{__version__}",
        public_key=None if public_key is None else Path(public_key),
        with_dataset=with_dataset,
    )
    if settings.json:
        write_json(to_builtins(report))
    else:
        write_lines(pairs(report_rows(report, settings), indent=0))
    return 0
