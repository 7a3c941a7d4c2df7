"""Plain tables: one line a run, and one line for each value that a metric had on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from runforge_contracts.files import write_file
from runforge_contracts.run_ids import started

from runforge_cli.entries import add_states, csv_header, csv_row
from runforge_cli.export.record import Outcome, history_of
from runforge_cli.listing import Run
from runforge_cli.output import csv_text
from runforge_cli.targets import check_free, make_folder

#: The table of the runs, and that of the values of their metrics over their steps.
RUNS, HISTORY = "runs.csv", "history.csv"
_COLUMNS = ("run_id", "run_dir", "metric", "step", "value")


def export(folder: Path, runs: Sequence[Run]) -> Outcome:
    """Write both tables.

    Parameters
    ----------
    folder
        Where to write; made where it is missing.
    runs
        The runs; the tables begin with the newest.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` where there is one of them already, or no folder but something else;
        ``FILE_NOT_FOUND`` where the folder around it is missing; ``STORE_NOT_WRITABLE``.
    """
    if folder.is_dir():
        for name in (RUNS, HISTORY):
            check_free(folder / name, "Nothing is replaced: name another folder with -o.")
    runs = sorted(runs, key=lambda run: started(run.entry))[::-1]
    for run in runs:
        add_states([run.entry], run.store.workspace)
    make_folder(folder)
    header = csv_header(run.entry for run in runs)
    write_file(folder / RUNS, csv_text(header, [csv_row(run.entry, header) for run in runs]))
    write_file(folder / HISTORY, csv_text(_COLUMNS, _values(runs)))
    return Outcome(exported=[run.entry["run_id"] for run in runs])


def _values(runs: Sequence[Run]) -> Iterator[list[str]]:
    for run in runs:
        for name, points in history_of(run.folder()).items():
            for step, value in points:
                yield [run.entry["run_id"], run.entry["run_dir"], name, str(step), str(value)]
