"""``runforge index``: compare the index with the run folders, or rebuild it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from runforge_contracts.display import printable, shorten
from runforge_contracts.errors import ExitCode
from runforge_contracts.store.foreign_index import OWN_FORM

from runforge_cli.answers.index_answer import existing_stores, index_report, rebuild_indexes
from runforge_cli.shell.click_group import CommandGroup
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines
from runforge_cli.terminal.text_layout import pairs, paragraph, plural

if TYPE_CHECKING:
    from runforge_engine.store.index_diff import IndexReport

#: Maximum number of names shown of each kind; `--json` has all of them.
_SHOWN = 10


@click.group(
    "index",
    cls=CommandGroup,
    short_help="Check the index, or rebuild it from the run folders.",
    examples=("runforge index check", "runforge index rebuild"),
)
@global_options
def command() -> None:
    """Compare the index with the run folders, or rebuild it from them."""


@command.command(
    "rebuild",
    short_help="Add the runs that are missing from the index.",
    examples=("runforge index rebuild",),
)
@global_options
@pass_settings
def rebuild(settings: Settings) -> int:
    """Add every finished run that is missing from the index, and report on the run folders.

    Existing entries are not changed. An index that cannot be read is kept beside the new one. The
    entry of a run that was signed in another store says so. The exit code is 0 also where findings
    remain that nothing can be added for, such as a missing folder; `runforge index check` then
    exits with 1.
    """
    from runforge_cli.render.work_progress import watch_for

    _report(settings, rebuild_indexes(settings, watch_for(settings)))
    return ExitCode.OK


@command.command(
    "check",
    short_help="Compare the index with the run folders.",
    examples=("runforge index check",),
)
@global_options
@pass_settings
def check(settings: Settings) -> int:
    """Compare the index with the run folders and exit with 1 if they disagree.

    Nothing is written.
    """
    from runforge_contracts.shared_work import usable_cores
    from runforge_engine.store.index_repair import check_index

    from runforge_cli.render.work_progress import watch_for

    jobs, watch = usable_cores(), watch_for(settings)
    reports = [check_index(store, jobs=jobs, watch=watch) for store in existing_stores(settings)]
    _report(settings, reports)
    return ExitCode.FAILED if any(report.findings for report in reports) else ExitCode.OK


def _report(settings: Settings, reports: list[IndexReport]) -> None:
    if settings.json:
        write_json(index_report(reports))
        return
    for number, report in enumerate(reports):
        write_lines([*([""] if number else []), *_lines(report)])


def _lines(report: IndexReport) -> Iterator[str]:
    yield from paragraph(f"Index {report.index}: {_verdict(report)}")
    yield from pairs(_counts(report))
    if report.kept_aside:
        yield ""
        yield from paragraph(
            f"The previous index could not be read; it is kept as {report.kept_aside}."
        )
    if report.skipped:
        yield ""
        yield "Skipped"
        yield from pairs((shorten(item.name, 60), item.reason) for item in report.skipped)
    if report.findings:
        yield ""
        yield "Findings"
        for item in report.findings:
            place = item.path + (f"#{item.pointer}" if item.pointer else "")
            yield from pairs([("-", f"{item.message} [{item.kind}]"), ("", f"in {place}")])
    for number, advice in enumerate(_advice(report)):
        yield from [] if number else [""]
        yield from paragraph(advice)


def _advice(report: IndexReport) -> Iterator[str]:
    """Yield a hint for each kind of finding."""
    kinds = {item.kind for item in report.findings}
    if report.unlisted or "index_unreadable" in kinds:
        yield "`runforge index rebuild` adds the runs that are missing."
    if report.findings and report.form not in (None, OWN_FORM):
        yield "Another client wrote the index; RunForge only appends to it."
    elif kinds & {"entry_duplicate", "entry_disagrees"}:
        yield (
            "Existing entries are never changed. To build the index from the run folders alone,"
            f" move {printable(report.index)} elsewhere and call `runforge index rebuild`."
        )
    if "folder_missing" in kinds:
        yield "A missing folder can only be restored from a copy; its entry remains as history."


def _verdict(report: IndexReport) -> str:
    parts = [f"{plural(len(report.recovered), 'run')} added"] if report.recovered else []
    if report.kept_aside and not parts:
        parts = ["rebuilt"]
    if report.findings:
        parts.append(plural(len(report.findings), "finding"))
    return ", ".join(parts) or "consistent with the run folders"


def _counts(report: IndexReport) -> Iterator[tuple[str, str]]:
    yield "scanned", f"{report.scanned:,}"
    yield "already indexed", f"{len(report.already_indexed):,}"
    for name, runs in (
        ("recovered", report.recovered),
        ("not in the index", report.unlisted),
        ("interrupted", report.interrupted),
        ("running", report.running),
        ("incomplete", report.incomplete),
        ("cancelled", report.cancelled),
        ("folder missing", report.missing_folders),
    ):
        yield name, _some(runs)
    for name, runs in (("archived", report.archived), ("forgotten", report.forgotten)):
        if runs:
            yield name, _some(runs)
    yield "skipped", f"{len(report.skipped):,}"


def _some(runs: tuple[str, ...]) -> str:
    names = ", ".join(runs[:_SHOWN]) + (", …" if len(runs) > _SHOWN else "")
    return f"{len(runs):,}" + (f": {names}" if runs else "")
