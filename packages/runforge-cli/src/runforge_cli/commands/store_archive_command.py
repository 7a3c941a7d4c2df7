"""``runforge store archive`` and ``restore``: put runs away, and bring them back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click
from runforge_contracts.display import quote, quote_some
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_cli.shell.completion import complete_archive, complete_archives, complete_recorded
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.shell.sweep_selection import group_option, runs_in_sweep
from runforge_cli.terminal.output import note, write_json, write_lines

if TYPE_CHECKING:
    from runforge_contracts.store.layout import Place
    from runforge_contracts.store.lookup import AnyRun
    from runforge_contracts.types import ArchiveReportV1


@click.command(
    "archive",
    cls=Command,
    short_help="Move runs into an archive.",
    examples=(
        "runforge store archive --older-than 90d --to old-runs --dry-run",
        "runforge store archive --status failed --to failed.tar.zst",
    ),
)
@click.argument("runs", nargs=-1, metavar="RUN...", shell_complete=complete_recorded)
@click.option(
    "--to",
    "target",
    metavar="PATH",
    required=True,
    help="The archive: a folder, or a new file whose name ends with .tar.zst.",
    shell_complete=complete_archive,
)
@click.option(
    "--older-than",
    metavar="TIME",
    help="All runs from before then: 90d (also m, h, w), 2026-11-01, or 2026-11-01T09:00 in UTC.",
)
@click.option(
    "--status",
    metavar="S",
    type=click.Choice(["succeeded", "failed", "cancelled"]),
    help="All runs that ended so: succeeded, failed, or cancelled.",
)
@group_option
@click.option("--because", metavar="TEXT", help="Why, for the record of the store.")
@click.option(
    "--with-dataset",
    is_flag=True,
    help="Also the copies of their datasets and recipes in the store. They stay here, too, if"
    " something else uses them.",
)
@click.option("--force", is_flag=True, help="Archive runs that aliases or sweeps need, too.")
@click.option("--dry-run", is_flag=True, help="Verify everything, and write nothing.")
@global_options
@pass_settings
def archive(
    settings: Settings,
    runs: tuple[str, ...],
    target: str,
    older_than: str | None,
    status: str | None,
    group: str | None,
    because: str | None,
    with_dataset: bool,
    force: bool,
    dry_run: bool,
) -> int:
    """Move runs, by RUN, their sweep, or their age and status, into an archive.

    An archive is a store of its own, in a folder or in one file. The runs are verified, copied with
    their signatures and their entries of the index, and verified there; then their folders are
    removed here. Lists leave them out from then on, and `runforge show ID` says where a run is.
    The file of an archive is never changed; runs can be added to the folder of one. Of runs chosen
    by age or status, those that an alias or an unfinished sweep needs stay.
    """
    from runforge_contracts.store.removals import read_removals
    from runforge_engine.archiving.archive_runs import archive_runs

    from runforge_cli import __version__
    from runforge_cli.render.work_progress import watch_for
    from runforge_cli.shell.run_selection import find_runs

    ways = bool(runs) + bool(group) + bool(older_than or status)
    if ways != 1:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "Name runs, name a sweep, or choose runs by their age or status; not several of these."
            if ways
            else "No run is named.",
            hint="`runforge runs` lists them.",
        )
    store = settings.target()
    # A run that was named again has been archived, perhaps by a process that was killed then.
    removed = read_removals(store).current
    archived = [run for run in runs if removed.get(run, {}).get("action") == "archived"]
    left = tuple(run for run in runs if run not in archived)
    if runs:
        found = find_runs(settings, left, least=1, strict=True) if left else []
    elif group is not None:
        found = runs_in_sweep(settings, group)
    else:
        found = _chosen(settings, older_than, status)
    report = archive_runs(
        found,
        store,
        Path(target),
        created_by=f"runforge-cli@{__version__}",
        because=because,
        archived=archived,
        with_dataset=with_dataset,
        keep_needed=not runs,
        force=force,
        dry_run=dry_run,
        watch=watch_for(settings),
    )
    return _tell(settings, report, Path(target))


@click.command(
    "restore",
    cls=Command,
    short_help="Bring archived runs back.",
    examples=("runforge store restore old-runs",),
)
@click.argument("archive", shell_complete=complete_archive)
@click.argument("others", nargs=-1, metavar="[ARCHIVE|RUN]...", shell_complete=complete_archives)
@click.option("--dry-run", is_flag=True, help="Compare everything, and write nothing.")
@global_options
@pass_settings
def restore(settings: Settings, archive: str, others: tuple[str, ...], dry_run: bool) -> int:
    """Bring runs back from ARCHIVE: those named by RUN, or all that were archived from this store.

    RUN is an id, the start of one, or a name; `name:TEXT` is one in any case. There may be several
    archives: an argument is one if it ends with .tar.zst, or is a folder that has a store.

    Every file must be as it was when the run was archived: its digest is in the record of this
    store. Nothing that is here is replaced, and the archive stays as it is.
    """
    from runforge_engine.archiving.open_archive import is_packed, opened_archive
    from runforge_engine.archiving.restore_runs import restore_runs

    from runforge_cli import __version__
    from runforge_cli.render.work_progress import watch_for

    store = settings.target()
    more = [one for one in others if is_packed(one) or Path(one, store.name).is_dir()]
    with ExitStack() as stack:
        report = restore_runs(
            [
                stack.enter_context(opened_archive(Path(one), store.name, watch_for(settings)))
                for one in dict.fromkeys((archive, *more))
            ],
            [run for run in others if run not in more],
            store,
            created_by=f"runforge-cli@{__version__}",
            dry_run=dry_run,
            watch=watch_for(settings),
        )
    return _tell(settings, report, Path(archive))


def _chosen(settings: Settings, older_than: str | None, status: str | None) -> list[AnyRun]:
    """Return the runs of some age and status, the oldest first."""
    from runforge_cli.answers.list_answer import RunChoice
    from runforge_cli.listing.run_query_list import QueriedList, run_facts

    choice = RunChoice(before=older_than, status=status)
    places: list[Place] = [settings.target(), *settings.experiments()]
    listed = QueriedList(places, choice.query(settings), run_facts(settings.folder))
    rows, _ = listed.first(sys.maxsize)
    return [row.folder() for row in reversed(rows)]


def _tell(settings: Settings, report: ArchiveReportV1, archive: Path) -> int:
    """Print a report."""
    from msgspec import to_builtins

    from runforge_cli.terminal.text_layout import pairs

    if settings.json:
        write_json(to_builtins(report))
        return 0
    write_lines(pairs(_rows(report), indent=0))
    if not settings.quiet:
        for text in _notes(report, archive):
            note(text)
    return 0


def _rows(report: ArchiveReportV1) -> Iterator[tuple[str, str]]:
    from msgspec import UNSET
    from runforge_contracts.display import printable

    from runforge_cli.terminal.text_layout import plural

    moved = [run for run in report.runs if run.outcome == report.action]
    size = sum(run.bytes for run in moved if run.bytes is not UNSET)
    yield "archive", printable(report.archive)
    for more in report.more_archives or ():
        yield "", printable(more.name)
    shown = f"{plural(len(moved), 'run')}, {size:,} bytes" if moved else "nothing"
    yield f"to be {report.action}" if report.dry_run else report.action, shown
    if report.copies:
        size = sum(copy.bytes for copy in report.copies if copy.outcome != "missing")
        number = plural(len(report.copies), "copy", "copies")
        yield "with", f"{number} of datasets or recipes, {size:,} bytes"
    if report.sha256 is not UNSET:
        yield "sha256", report.sha256


def _notes(report: ArchiveReportV1, archive: Path) -> Iterator[str]:
    from msgspec import UNSET

    from runforge_cli.answers.bundle_answers import quoted

    for run in report.runs:
        if run.outcome == "kept" and run.reason is not UNSET:
            yield f"The run {quote(run.run_id)} stays. {run.reason}"
        elif run.outcome == "present":
            where = "is here" if report.action == "restored" else "was archived"
            yield f"The run {quote(run.run_id)} {where} already."
    for copy in report.copies or ():
        shown = quote(copy.path, 200)
        if copy.outcome == "copied" and copy.used_by is not UNSET:
            verb = "uses" if len(copy.used_by) == 1 else "use"
            yield f"{shown} stays here, too: {quote_some(list(copy.used_by))} {verb} it."
        elif copy.outcome == "missing":
            yield f"{shown} went into the archive, which does not have it now."
    if report.copies is not UNSET and not report.copies:
        yield (
            "The store has no copies of their datasets; files outside the store stay where they"
            " are."
        )
    done = any(run.outcome == "archived" for run in report.runs)
    if report.action == "archived" and done and not report.dry_run:
        yield f"`runforge store restore {quoted(archive)}` brings them back."
