"""``runforge store move``: bring a store to another place or disk."""

from __future__ import annotations

from pathlib import Path

import click
from runforge_contracts.display import quote

from runforge_cli.shell.completion import complete_folder
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import note, write_json, write_lines

#: How many files that stay are named.
_SHOWN = 10


@click.command(
    "move",
    cls=Command,
    short_help="Move the store to another disk.",
    examples=("runforge store move old-disk --dry-run", "runforge store move ."),
)
@click.argument("folder", metavar="DIR", shell_complete=complete_folder)
@click.option("--dry-run", is_flag=True, help="Check everything, and write nothing.")
@global_options
@pass_settings
def move(settings: Settings, folder: str, dry_run: bool) -> int:
    """Move the store into DIR, such as a folder on a larger disk.

    The store is copied and every file of the copy compared; then a link takes the place of the
    store in the workspace, and the source is removed. Every command finds the store as before, and
    recorded paths stay as they are. DIR is created if it does not exist; the workspace itself as
    DIR brings the store back. The runs of experiments and the datasets stay where they are.
    Nothing may train meanwhile. If it was interrupted, call it again.
    """
    from msgspec import to_builtins
    from runforge_contracts.display import printable
    from runforge_contracts.store.layout import ExperimentLayout
    from runforge_engine.moving.move_store import move_store

    from runforge_cli import __version__
    from runforge_cli.render.work_progress import watch_for
    from runforge_cli.terminal.text_layout import pairs

    store = settings.target()
    report = move_store(
        store,
        Path(folder),
        created_by=f"runforge-cli@{__version__}",
        dry_run=dry_run,
        watch=watch_for(settings),
    )
    if settings.json:
        write_json(to_builtins(report))
        return 0
    size = f"{report.files:,} files, {report.bytes:,} bytes"
    verb = "to be moved" if dry_run and report.outcome == "moved" else report.outcome
    rows = [("store", printable(str(Path(folder, store.name)))), (verb, size)]
    write_lines(pairs(rows, indent=0))
    if settings.quiet:
        return 0
    for path in report.kept[:_SHOWN]:
        note(f"{quote(path, 300)} stays: the store has no such file.")
    if len(report.kept) > _SHOWN:
        note(f"{len(report.kept) - _SHOWN:,} more files of the earlier place stay.")
    if report.outcome == "moved" and ExperimentLayout(store.workspace).has_runs():
        note("The runs of experiments stay in the workspace.")
    return 0
