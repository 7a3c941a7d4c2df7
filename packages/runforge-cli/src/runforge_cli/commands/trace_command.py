"""``runforge trace``: find the runs that a file or a digest comes from, or the lineage of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
from runforge_contracts.display import printable

from runforge_cli.answers.trace_answer import trace_answer
from runforge_cli.render.lineage_view import ids_text, lineage_lines
from runforge_cli.shell.completion import complete_traced
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines
from runforge_cli.terminal.text_layout import (
    GAP,
    fit,
    pairs,
    paragraph,
    plural,
    table,
    terminal_width,
    width,
)

_WORDS = {
    "model_sha256": "the model of",
    "dataset_fingerprint_sha256": "the dataset of",
    "model_content_sha256": "the content of the model of",
    "artifact": "a file of",
}
#: Columns that are dropped on a narrow terminal, in this order.
_DISPENSABLE = ("version", "created", "status", "commit", "dataset")
#: How many runs are shown, unless the caller wants another number.
_MOST = 50
#: Maximum width of the columns whose cells are cut.
_CUT = {"dataset": 18, "name": 12}


@click.command(
    "trace",
    cls=Command,
    short_help="Find the runs that a file comes from, or the lineage of a run.",
    examples=(
        "runforge trace penguins.csv",
        "runforge trace downloaded.pkl",
        "runforge trace latest",
    ),
)
@click.argument(
    "what", metavar="RUN|FILE|SHA256", type=click.Path(), shell_complete=complete_traced
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    show_default=f"{_MOST}, with --json all",
    help="Maximum number of runs that FILE comes from.",
)
@global_options
@pass_settings
def command(settings: Settings, what: str, limit: int | None) -> int:
    """Find the runs that FILE comes from, or the runs that RUN descends from and its descendants.

    FILE is a model or another artifact that runs produced, or a dataset that they used. It is
    identified by its bytes, regardless of its path and name. A SHA-256 may be abbreviated to its
    first digits, at least 8; for a model it may also be the digest of its content.

    Of RUN, every run from the first one on is listed after the one that it repeats, with what
    changed.
    """
    document = trace_answer(settings, what, limit or (None if settings.json else _MOST))
    if settings.json:
        write_json(document)
    else:
        if "run_id" in document:
            write_lines(lineage_lines(document))
            return 0
        runs = [_here(run, settings) for run in document["runs"]]
        write_lines(_lines(document["sha256"], runs, document.get("left_out", 0)))
    return 0


def _here(run: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Return a run with paths relative to the current folder."""
    data = run["dataset"]
    shown = {**data, "path": settings.shown(data["path"])} if "path" in data else data
    return {**run, "run_dir": settings.shown(run["run_dir"]), "dataset": shown}


def _lines(digest: str, runs: list[dict[str, Any]], left_out: int) -> Iterator[str]:
    for matched, words in _WORDS.items():
        count = len({run["run_id"] for run in runs if run["matched"] == matched})
        if count:
            # Only where all are of one kind are some left out.
            count += left_out
            yield from paragraph(f"{digest[:12]}… is {words} {plural(count, 'run')}.")
    yield ""
    if len(runs) == 1 and not left_out:
        yield from pairs(_particulars(runs[0], digest))
        return
    columns = _columns(runs)
    rows = zip(*columns.values(), strict=True)
    yield from table(list(columns), rows, flexible=len(columns) - 1, cut=True)
    if left_out:
        yield f"{left_out:,} more; use --limit {left_out + len(runs)} to show all."


def _particulars(run: dict[str, Any], digest: str) -> Iterator[tuple[str, str]]:
    data, git = run["dataset"], run.get("git")
    yield "sha256", digest
    yield "run", run["run_id"]
    yield "status", ", ".join(run[name] for name in ("status", "removed") if name in run)
    yield "created", _time(run["created_at"])
    if "name" in run and run["name"] != run["run_id"]:
        yield "name", run["name"]
    if "removed" in run:
        yield "more", f"runforge show {run['run_id']}"
    else:
        yield "folder", run["run_dir"]
    if "path" in run and run["matched"] != "dataset_fingerprint_sha256":
        yield "file", run["path"]
    if "path" in data:
        yield "dataset", data["path"]
    if "fingerprint_sha256" in data:
        yield "its sha256", data["fingerprint_sha256"]
    if git:
        yield "commit", git["commit"] + (" with uncommitted changes" if git["dirty"] else "")
    for title, name in (
        ("version", "runforge_version"),
        ("client", "created_by"),
        ("repeats", "rerun_from"),
    ):
        if name in run:
            yield title, run[name]
    if "repeated_by" in run:
        yield "repeated by", ids_text(run["repeated_by"])
    if "group_id" in run:
        yield "sweep", run["group_id"]


def _columns(runs: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the columns that fit the terminal, by their titles."""
    columns = {
        "run": [run["run_id"] for run in runs],
        "status": [run.get("removed", run["status"]) for run in runs],
        "created": [_time(run["created_at"])[:16] for run in runs],
        "commit": [run.get("git", {}).get("commit", "")[:7] for run in runs],
        "version": [run.get("runforge_version", "") for run in runs],
        "dataset": [run["dataset"].get("path", "") for run in runs],
        "name": ["" if run.get("name") == run["run_id"] else run.get("name", "") for run in runs],
    }
    columns = {title: cells for title, cells in columns.items() if any(cells)}
    for title in _DISPENSABLE:
        if _needed(columns) <= terminal_width():
            break
        if title == "status" and any("removed" in run for run in runs):
            continue
        columns.pop(title, None)
    # The last column takes the remaining space.
    last = list(columns)[-1]
    return {
        title: cells if title == last else [_cut(cell, title) for cell in cells]
        for title, cells in columns.items()
    }


def _cut(cell: str, title: str) -> str:
    return fit(printable(cell), _CUT[title]) if title in _CUT else cell


def _needed(columns: dict[str, list[str]]) -> int:
    widths = [
        max(width(_cut(printable(cell), title)) for cell in (title, *cells))
        for title, cells in columns.items()
    ]
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _time(text: str) -> str:
    return text.replace("T", " ").removesuffix("Z").removesuffix("+00:00")
