"""``runforge store``: bring another store into this one, forget runs, and tidy up."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from runforge_contracts.display import printable, quote

from runforge_cli.commands.store_archive_command import archive, restore
from runforge_cli.commands.store_move_command import move
from runforge_cli.shell.click_group import CommandGroup
from runforge_cli.shell.completion import complete_file, complete_folder, complete_run
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.shell.sweep_selection import group_option
from runforge_cli.terminal.output import note, warn, write_json, write_lines
from runforge_cli.terminal.text_layout import plural

if TYPE_CHECKING:
    from runforge_contracts.store.layout import Place
    from runforge_contracts.types import MergedItem, MergeReportV1, RemovalReportV1

#: The kinds of things in a store, with the word for one and for many.
_WORDS = {
    "run": ("run", "runs"),
    "experiment": ("run of an experiment", "runs of experiments"),
    "group": ("sweep", "sweeps"),
    "evaluation": ("evaluation", "evaluations"),
    "dataset": ("dataset", "datasets"),
    "recipe": ("recipe", "recipes"),
    "signature": ("signature", "signatures"),
    "alias": ("alias", "aliases"),
    "removal": ("removed run", "removed runs"),
}

#: How many copies of datasets are named.
_MOST = 5


@click.group(
    "store",
    cls=CommandGroup,
    short_help="Undo: forget, archive and restore runs; merge stores, and tidy up.",
    examples=(
        "runforge store forget latest --because 'a wrong label' --dry-run",
        "runforge store merge shared/grace",
        "runforge store tidy --dry-run",
    ),
)
@global_options
def command() -> None:
    """Undo: forget, archive and restore runs; merge stores, and tidy up."""


command.add_command(archive)
command.add_command(restore)
command.add_command(move)


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
    "public_keys",
    multiple=True,
    metavar="FILE",
    help="Require that every run there is signed with the matching private key, or with one of"
    " several.",
    shell_complete=complete_file,
)
@global_options
@pass_settings
def merge(settings: Settings, other: str, dry_run: bool, public_keys: tuple[str, ...]) -> int:
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
    opened = open_other(Path(other), store, [Path(key) for key in public_keys])
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
    for outcome in ("apart", "differs", "unfinished", "removed"):
        found = _counted(report.items, outcome)
        if found != "nothing":
            words = {"apart": "kept apart", "removed": "removed here"}
            yield words.get(outcome, outcome), found
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

    if report.outcome == "present":
        yield "This store has everything of the other one; nothing was written."
    for item in report.items:
        names = "" if item.differences is UNSET else ", ".join(map(quote, item.differences[:5]))
        one, shown = _WORDS[item.kind][0], quote(item.id, 100)
        if item.outcome == "apart" and item.path is not UNSET:
            yield (
                f"{shown} is, or was, another run here (differs: {names}); that of the other store"
                f" is {settings.shown(item.path)}."
            )
        elif item.outcome == "differs" and item.kind == "removal":
            yield f"The run {shown} was removed there; it stays here."
        elif item.outcome == "removed":
            yield f"The {one} {shown} was removed here; it is not brought back."
        elif item.outcome == "differs" and item.kind == "alias":
            yield f"The alias {shown} points at another run there; `runforge alias` sets it."
        elif item.outcome == "differs" and item.kind == "signature" and names == "`removals`":
            yield (
                f"The signature of {shown} stays there: the record of removed runs here does not"
                " name it."
            )
        elif item.outcome == "differs" and item.kind == "signature" and names:
            yield (
                f"The signature of {shown} stays there: it names a state of its index, its aliases"
                " or its removed runs that this store cannot have."
            )
        elif item.outcome == "differs":
            yield f"The {one} {shown} is another one here, which stays{f': {names}' * bool(names)}."
        elif item.outcome == "unfinished":
            yield f"The {one} {shown} has not ended there; merge again when it has."


_with_dataset = click.option(
    "--with-dataset",
    is_flag=True,
    help="Also the copies of their datasets and recipes in the store that nothing else uses. A file"
    " outside the store is never touched.",
)
_with_evaluations = click.option(
    "--with-evaluations", is_flag=True, help="Also the evaluations of forgotten runs."
)


@command.command(
    "forget",
    short_help="Remove runs, with a record of what they were.",
    examples=(
        "runforge store forget latest --because 'a wrong label' --dry-run",
        "runforge store forget latest --because 'secret data' --with-dataset --dry-run",
    ),
)
@click.argument("runs", nargs=-1, metavar="RUN...", shell_complete=complete_run)
@group_option
@click.option("--because", metavar="TEXT", required=True, help="Why, for the record.")
@_with_dataset
@_with_evaluations
@click.option("--dry-run", is_flag=True, help="Check everything, and write nothing.")
@click.option(
    "--force",
    is_flag=True,
    help="Also runs that an alias points at, of a sweep that has not ended, that an editor has a"
    " view of, or that do not verify. The record says which.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@global_options
@pass_settings
def forget(
    settings: Settings,
    runs: tuple[str, ...],
    group: str | None,
    because: str,
    with_dataset: bool,
    with_evaluations: bool,
    dry_run: bool,
    force: bool,
    yes: bool,
) -> int:
    """Remove the folders of runs, and record what they were.

    What was decided stays: the entry in the index, the signature if there is one, and a line in
    removals.jsonl in the store with the digest of every file, the time and the reason. `runforge
    show RUN` prints it. Lists leave these runs out; `runforge runs --all` has them. The files are
    gone for good: `runforge bundle` saves a run before.

    A data frame that a run was trained on, or a recipe that was given as a dictionary, is in the
    store as a copy, and evaluations are beside the runs: all stay unless they are named, also
    later, by the same command. RUN may be the evaluation of a run that was forgotten.
    """
    from msgspec import to_builtins
    from runforge_contracts.lineage.run_family import repeated_by
    from runforge_contracts.store.layout import ExperimentLayout
    from runforge_engine.removing.forget_runs import plan_forgetting

    from runforge_cli import __version__
    from runforge_cli.render.work_progress import watch_for
    from runforge_cli.shell.forget_selection import forgettable

    stores = forgettable(settings, runs, group)

    plans = [
        plan_forgetting(
            store,
            named.runs,
            because=because,
            created_by=f"runforge-cli@{__version__}",
            force=force,
            with_dataset=with_dataset,
            with_evaluations=with_evaluations or bool(named.evaluations),
            forgotten=list(named.forgotten),
            only=() if with_evaluations else named.evaluations,
            watch=watch_for(settings),
        )
        for store, named in stores.items()
    ]
    reports = [plan.report() for plan in plans]
    ids = {run.path.name for named in stores.values() for run in named.runs}
    places: list[Place] = [*stores, *(ExperimentLayout(store.workspace) for store in stores)]
    repeating = {
        run_id: [other for other in repeated_by(run_id, places) if other not in ids]
        for run_id in ids
    }
    for named, report in zip(stores.values(), reports, strict=True):
        found = {item.id for item in report.items}
        for run_id, error in named.forgotten.items():
            if run_id not in found:
                raise error
    going = sum(item.outcome == "removed" for report in reports for item in report.items)
    if going and not dry_run:
        if not (force or _objected(reports)):
            wanted = plural(len(ids), "run") if ids else "what is left of them"
            if not yes and not settings.json:
                note_remains(settings, reports)
            _ask(settings, f"Remove the files of {wanted} for good?", yes=yes)
        reports = [plan.carry_out() for plan in plans]
    if settings.json:
        [first, *more] = [to_builtins(report) for report in reports]
        items = [*first["items"], *(item for report in more for item in report["items"])]
        write_json({**first, "dry_run": dry_run, "items": items})
        return 0
    write_lines(_removed(settings, reports, dry_run=dry_run))
    if dry_run and not force and _objected(reports) and not settings.quiet:
        warn("This would be refused; `--force` removes it all the same, and the record says so.")
    for run_id, others in repeating.items():
        if others and not settings.quiet:
            note(
                f"{run_id} is repeated by {', '.join(others[:3])}{' …' if others[3:] else ''}:"
                " their lineage names it still."
            )
    note_remains(settings, reports)
    return 0


def note_remains(settings: Settings, reports: list[RemovalReportV1]) -> None:
    """Say what forgotten runs leave in the store, and how it is removed."""
    if settings.quiet:
        return
    items = [item for report in reports for item in report.items if item.outcome == "kept"]
    evaluations = {item.evaluation_id for item in items if item.what == "evaluation"}
    copies = [item for item in items if item.what in ("dataset", "recipe")]
    for item in copies[:_MOST]:
        how = ""
        if not item.used_by:
            how = "; `--with-dataset` removes it"
        elif evaluations.issuperset(item.used_by):
            how = "; `--with-dataset --with-evaluations` removes both"
        shown = quote(settings.shown(item.path), 200)
        note(f"the copy of the {item.what} {shown} is still in the store: {item.message}{how}")
    if copies[_MOST:]:
        note(f"{plural(len(copies) - _MOST, 'more copy', 'more copies')} of datasets or recipes")
    if evaluations:
        verb, them = ("is", "it") if len(evaluations) == 1 else ("are", "them")
        note(
            f"{plural(len(evaluations), 'evaluation')} of what was forgotten {verb} still in the"
            f" store, with names of columns; `--with-evaluations` removes {them}"
        )


@command.command(
    "tidy",
    short_help="Clear up what killed processes and forgotten runs left.",
    examples=("runforge store tidy --dry-run",),
)
@click.option("--because", metavar="TEXT", help="Why, for the record of interrupted runs.")
@_with_dataset
@_with_evaluations
@click.option("--dry-run", is_flag=True, help="Show what there is, and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@global_options
@pass_settings
def tidy(
    settings: Settings,
    because: str | None,
    with_dataset: bool,
    with_evaluations: bool,
    dry_run: bool,
    yes: bool,
) -> int:
    """Clear up what killed processes left, and show what forgotten runs left.

    Runs that were interrupted before they had a result are forgotten as by `runforge store forget`,
    removals that were not finished are, and temporary files go. Evaluations of forgotten runs, and
    copies of datasets and recipes that nothing uses, go if they are asked for. Nothing else is
    touched. What there is is shown first.
    """
    from msgspec import to_builtins
    from runforge_engine.removing.tidy_store import tidy_store

    from runforge_cli import __version__

    def tidied(*, dry_run: bool) -> RemovalReportV1:
        return tidy_store(
            settings.target(),
            because=because,
            created_by=f"runforge-cli@{__version__}",
            dry_run=dry_run,
            with_dataset=with_dataset,
            with_evaluations=with_evaluations,
        )

    report = tidied(dry_run=True)
    going = sum(item.outcome == "removed" for item in report.items)
    if going and not dry_run:
        if not yes and not settings.json:
            write_lines(_removed(settings, [report], dry_run=True))
        _ask(settings, f"Remove {'it' if going == 1 else 'them'}?", yes=yes)
        report = tidied(dry_run=False)
    if settings.json:
        write_json({**to_builtins(report), "dry_run": dry_run})
    elif not report.items:
        write_lines(["There is nothing to tidy."])
    else:
        write_lines(_removed(settings, [report], dry_run=dry_run))
        note_remains(settings, [report])
    return 0


_OBJECTIONS = {
    "alias": "an alias points at it",
    "sweep": "its sweep has not ended",
    "view": "an editor has a view of it",
    "unverified": "it does not verify, or may be in progress",
}


def _objected(reports: list[RemovalReportV1]) -> bool:
    """Return whether something speaks against a removal, which is then refused."""
    return any(item.objections for report in reports for item in report.items)


def _ask(settings: Settings, question: str, *, yes: bool) -> None:
    """Ask on a terminal; raise ``USAGE_INVALID`` if the answer is no, or nobody can be asked."""
    from runforge_contracts.errors import ErrorCode, RunForgeError

    if yes:
        return
    asked = sys.stdin.isatty() and not settings.json
    if not asked or not click.confirm(question, err=True):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "Nothing was removed.",
            hint="`--yes` removes without a question, `--dry-run` shows what would be removed.",
        )


def _removed(settings: Settings, reports: list[RemovalReportV1], *, dry_run: bool) -> Iterator[str]:
    """Yield a line for each thing that is removed, or would be."""
    from runforge_cli.terminal.text_layout import table

    words = {
        "run": "run",
        "experiment": "run of an experiment",
        "interrupted": "interrupted run",
        "unfinished": "rest of a removed run",
        "temporary": "temporary",
        "dataset": "copy of a dataset",
        "recipe": "copy of a recipe",
        "evaluation": "evaluation",
    }
    rows = list[list[str]]()
    for report in reports:
        for item in report.items:
            words_of = {"removed": "would be removed", "kept": "would stay"} if dry_run else {}
            outcome = words_of.get(item.outcome, item.outcome)
            size = f"{plural(item.files or 0, 'file')}, {item.bytes:,} bytes" if item.bytes else ""
            # Why something stays is in the notes, which have room for it.
            message = "" if item.what in ("dataset", "recipe", "evaluation") else item.message
            remark = (
                ", ".join(_OBJECTIONS[name] for name in item.objections or ()) or message or size
            )
            rows.append([outcome, words[item.what], settings.shown(item.path), remark])
    yield from table(["", "what", "path", ""], rows, flexible=2)
