"""``runforge import``: bring runs of other tools into the workspace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from runforge_contracts.display import printable, quote

from runforge_cli.shell.click_group import CommandGroup
from runforge_cli.shell.completion import complete_file, complete_folder
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import note, warn, write_json, write_lines
from runforge_cli.terminal.text_layout import plural

if TYPE_CHECKING:
    from runforge_contracts.types import ImportedItem, ImportReportV1

#: The outcomes in the order in which they are shown, with their words.
_OUTCOMES = {
    "added": "added",
    "present": "present",
    "changed": "changed there",
    "unfinished": "not ended",
    "deleted": "deleted there",
    "removed": "removed here",
    "refused": "refused",
}
_EXPLAINED = {
    "changed": "is another one in MLflow now; the run here stays as it is",
    "removed": "was imported and removed here; it is not brought back",
}
#: Most runs that are listed, and most that have a note.
_LISTED, _NOTED = 20, 10


@click.group(
    "import",
    cls=CommandGroup,
    short_help="Import runs of MLflow.",
    examples=("runforge import mlflow mlruns --dry-run",),
)
@global_options
def command() -> None:
    """Import runs of MLflow, as runs of experiments."""


@command.command(
    "mlflow",
    short_help="Import the runs of a tracking store.",
    examples=(
        "runforge import mlflow mlruns --dry-run",
        "runforge import mlflow mlruns --experiment penguins",
    ),
)
@click.argument("source", metavar="DIR|FILE", shell_complete=complete_file)
@click.option(
    "--experiment",
    "experiments",
    multiple=True,
    metavar="NAME",
    help="Import the runs of this experiment, by its name or id in MLflow.",
)
@click.option(
    "--artifacts",
    "artifact_folders",
    multiple=True,
    metavar="DIR",
    help="Also copy artifacts that are in this folder, outside that of the tracking store.",
    shell_complete=complete_folder,
)
@click.option("--dry-run", is_flag=True, help="Read everything, and write nothing.")
@global_options
@pass_settings
def mlflow(
    settings: Settings,
    source: str,
    experiments: tuple[str, ...],
    artifact_folders: tuple[str, ...],
    dry_run: bool,
) -> int:
    """Import the runs of an MLflow tracking store that have ended.

    DIR is `mlruns` or the folder that has it, FILE a database such as `mlflow.db`. MLflow need not
    be installed, and nothing is written there. Each run becomes the run of an experiment in `runs/`
    of the workspace, with its parameters, metrics, tags, times and artifacts. What could not be
    kept is shown, and recorded in the run. Runs that were imported before stay as they are.
    """
    from msgspec import to_builtins
    from runforge_engine.importing.import_runs import import_runs, open_tracking_store

    from runforge_cli.render.work_progress import watch_for

    with open_tracking_store(Path(source)) as tracking:
        report = import_runs(
            tracking,
            settings.target(),
            experiments=experiments,
            artifact_folders=[Path(folder) for folder in artifact_folders],
            dry_run=dry_run,
            watch=watch_for(settings),
        )
    if settings.json:
        write_json(to_builtins(report))
        return 0
    write_lines(_lines(report, settings))
    if not settings.quiet:
        for text in report.notes:
            note(text)
        for text in _notes(report):
            warn(text)
    return 0


def _lines(report: ImportReportV1, settings: Settings) -> Iterator[str]:
    """Yield what is shown of an import: the sums, and the runs that were added."""
    from runforge_cli.terminal.text_layout import pairs, table

    rows = [("tracking store", printable(report.source))]
    for outcome, words in _OUTCOMES.items():
        number = sum(item.outcome == outcome for item in report.items)
        if number or outcome == "added":
            shown = "to be added" if outcome == "added" and report.dry_run else words
            rows.append((shown, plural(number, "run")))
    rows += [
        ("left out", f"{part.what}: {part.count:,} in {plural(part.runs, 'run')}")
        for part in report.left_out
    ]
    yield from pairs(rows, indent=0)
    added = [item for item in report.items if item.outcome == "added"]
    if added:
        yield ""
        cells = [
            [settings.shown(item.path) if item.path else "", item.experiment, item.name or ""]
            for item in added[:_LISTED]
        ]
        yield from table(["run", "experiment", "name"], cells, flexible=1)
    if added[_LISTED:]:
        yield f"… and {plural(len(added) - _LISTED, 'more run')}"


def _notes(report: ImportReportV1) -> Iterator[str]:
    """Yield a sentence on each run that was not simply imported."""
    told = [item for item in report.items if item.left_out or item.outcome in _EXPLAINED]
    told += [item for item in report.items if item.outcome == "refused"]
    for item in told[:_NOTED]:
        yield from _sentences(item)
    if told[_NOTED:]:
        more = plural(len(told) - _NOTED, "more run")
        yield f"There is something to say about {more}; `--json` has all."


def _sentences(item: ImportedItem) -> Iterator[str]:
    shown = quote(item.name or item.source_id)
    if item.outcome == "refused":
        yield f"{shown} is not imported: {item.reason}"
    if item.outcome in _EXPLAINED:
        what = f" ({', '.join(item.differences)})" if item.differences else ""
        yield f"{shown}{what} {_EXPLAINED[item.outcome]}."
    for part in item.left_out or ():
        yield f"{shown}: {part.message} ({part.count:,})"
