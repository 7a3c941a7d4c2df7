"""``runforge store``: bring everything of another store into this one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from runforge_contracts.display import printable

from runforge_cli.shell.click_group import CommandGroup
from runforge_cli.shell.completion import complete_file, complete_folder
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import note, write_json, write_lines

if TYPE_CHECKING:
    from runforge_contracts.types import MergedItem, MergeReportV1

#: The kinds of things in a store, with the word for one and for many.
_WORDS = {
    "run": ("run", "runs"),
    "experiment": ("run of an experiment", "runs of experiments"),
    "group": ("sweep", "sweeps"),
    "evaluation": ("evaluation", "evaluations"),
    "dataset": ("dataset", "datasets"),
    "signature": ("signature", "signatures"),
    "alias": ("alias", "aliases"),
}


@click.group(
    "store",
    cls=CommandGroup,
    short_help="Bring another store into this one.",
    examples=("runforge store merge shared/grace",),
)
@global_options
def command() -> None:
    """Bring everything of another store into this one."""


@command.command(
    "merge",
    short_help="Bring the runs of another store into this one.",
    examples=(
        "runforge store merge shared/grace --dry-run",
        "runforge store merge shared/grace --public-key grace.key.pub",
    ),
)
@click.argument("other", shell_complete=complete_folder)
@click.option("--dry-run", is_flag=True, help="Verify and compare everything, and write nothing.")
@click.option(
    "--public-key",
    metavar="FILE",
    help="Require that every run there is signed with the matching private key.",
    shell_complete=complete_file,
)
@global_options
@pass_settings
def merge(settings: Settings, other: str, dry_run: bool, public_key: str | None) -> int:
    """Bring the runs of OTHER, a store or the folder that has it, into this one.

    Runs, sweeps, evaluations, signatures and the runs of experiments are brought. OTHER is verified
    first, and nothing is written if a check fails. Nothing that is here is changed: what is the
    same stays, and what differs is reported. The index gets the entries that it lacks, and a record
    of where they came from, so that the signatures made there still verify. Aliases stay those of
    this store, unless OTHER is a later state of it.
    """
    from msgspec import to_builtins
    from runforge_engine.merging.merge_stores import merge_store
    from runforge_engine.merging.other_store import open_other

    from runforge_cli import __version__
    from runforge_cli.terminal.text_layout import pairs

    store = settings.target()
    opened = open_other(Path(other), store, None if public_key is None else Path(public_key))
    report = merge_store(opened, store, created_by=f"runforge-cli@{__version__}", dry_run=dry_run)
    if settings.json:
        write_json(to_builtins(report))
        return 0
    write_lines(pairs([("other store", printable(other)), *_rows(report)], indent=0))
    if not settings.quiet:
        for text in _notes(report, settings):
            note(text)
    return 0


def _rows(report: MergeReportV1) -> Iterator[tuple[str, str]]:
    """Yield what is shown of a merge: one row for each outcome."""
    yield "to be added" if report.dry_run else "added", _counted(report.items, "added")
    yield "present", _counted(report.items, "present")
    for outcome in ("apart", "differs", "unfinished"):
        found = _counted(report.items, outcome)
        if found != "nothing":
            yield {"apart": "kept apart"}.get(outcome, outcome), found
    contents = report.contents
    yield "contents", f"{contents.count:,} entries, {contents.sha256[:16]}…"


def _counted(items: list[MergedItem], outcome: str) -> str:
    parts = []
    for kind, (one, many) in _WORDS.items():
        number = sum(item.kind == kind and item.outcome == outcome for item in items)
        if number:
            parts.append(f"{number:,} {one if number == 1 else many}")
    return ", ".join(parts) or "nothing"


def _notes(report: MergeReportV1, settings: Settings) -> Iterator[str]:
    """Yield a sentence on each thing that is not simply here now."""
    from msgspec import UNSET
    from runforge_contracts.display import quote

    if report.outcome == "present":
        yield "This store has everything of the other one; nothing was written."
    for item in report.items:
        names = "" if item.differences is UNSET else ", ".join(map(quote, item.differences[:5]))
        one, shown = _WORDS[item.kind][0], quote(item.id, 100)
        if item.outcome == "apart" and item.path is not UNSET:
            yield (
                f"{shown} is another run here (differs: {names}); that of the other store is"
                f" {settings.shown(item.path)}."
            )
        elif item.outcome == "differs" and item.kind == "alias":
            yield f"The alias {shown} points at another run there; `runforge alias` sets it."
        elif item.outcome == "differs" and item.kind == "signature" and names:
            yield (
                f"The signature of {shown} stays there: it names a state of its index, or of its"
                " aliases, that this store cannot have."
            )
        elif item.outcome == "differs":
            yield f"The {one} {shown} is another one here, which stays{f': {names}' * bool(names)}."
        elif item.outcome == "unfinished":
            yield f"The {one} {shown} has not ended there; merge again when it has."
