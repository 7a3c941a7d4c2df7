"""Export CSV tables: one row per run, and one row per logged value of a metric.

Another export replaces the tables. A hidden file beside them records their digests, so that tables
that were edited or written by others are never replaced.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import MAX_BYTES, encode_json, parse_json
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import digest_file, read_file, write_file
from runforge_contracts.run_ids import started
from runforge_contracts.selection.older_entries import SettingsReader
from runforge_contracts.selection.run_values import TRAINED

from runforge_cli.export.mlflow_record import ExportOutcome, history_of
from runforge_cli.listing.run_list import ListedRun
from runforge_cli.listing.run_rows import add_states, csv_table, kind_of
from runforge_cli.render.formula_quoting import REMEDY, guard_formulas
from runforge_cli.shell.output_paths import make_folder
from runforge_cli.terminal.output import csv_text

#: The table of the runs, and that of the values of their metrics over their steps.
RUNS, HISTORY = "runs.csv", "history.csv"
#: The file that records the digests of the exported tables.
NOTE = ".runforge-export.json"
_COLUMNS = ("run_id", "run_dir", "metric", "step", "value")


def export(
    folder: Path, runs: Sequence[ListedRun], *, quote_formulas: bool = False
) -> ExportOutcome:
    """Write both tables, replacing those of an earlier export.

    Parameters
    ----------
    folder
        The output folder; created if it is missing.
    runs
        The runs; the tables start with the newest.
    quote_formulas
        Whether to prefix values that a spreadsheet would evaluate with an apostrophe.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if an existing table was not exported or was edited since, or if the path
        is not a folder; ``FILE_NOT_FOUND`` if its parent folder is missing;
        ``STORE_NOT_WRITABLE``.
    """
    known = _known(folder)
    for name, digests in known.items():
        _check(folder / name, digests)
    runs = sorted(runs, key=lambda run: started(run.entry))[::-1]
    for run in runs:
        add_states([run.entry], run.store.workspace)
    runs = [ListedRun(*row) for row in SettingsReader().completed(runs)]
    tables = {
        RUNS: csv_table(run.entry for run in runs),
        HISTORY: (_COLUMNS, list(_values(runs))),
    }
    texts = {
        name: csv_text(*guard_formulas(*table, quoted=quote_formulas, remedy=REMEDY))
        for name, table in tables.items()
    }
    written = {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()}
    make_folder(folder)
    # Both old and new digests are recorded first, so that an interruption leaves known tables.
    _note(folder, {name: [*known[name], written[name]] for name in texts})
    for name, text in texts.items():
        _check(folder / name, known[name])
        write_file(folder / name, text)
    _note(folder, {name: [written[name]] for name in texts})
    return ExportOutcome(exported=[run.entry["run_id"] for run in runs])


def _values(runs: Sequence[ListedRun]) -> Iterator[list[str]]:
    for run in runs:
        if kind_of(run.entry) == TRAINED:
            continue  # its metrics have no steps, and its folder may be missing
        for name, points in history_of(run.folder()).items():
            for step, value in points:
                yield [run.entry["run_id"], run.entry["run_dir"], name, str(step), str(value)]


def _known(folder: Path) -> dict[str, list[str]]:
    """Return the recorded digests of the tables in a folder, by name."""
    known: dict[str, list[str]] = {RUNS: [], HISTORY: []}
    if not os.path.lexists(folder / NOTE):
        return known
    try:
        raw: Any = parse_json(read_file(folder / NOTE, max_bytes=MAX_BYTES))
        return {name: [str(digest) for digest in raw["tables"][name]] for name in known}
    except (RunForgeError, LookupError, TypeError) as error:
        raise _not_ours(folder / NOTE) from error


def _note(folder: Path, tables: dict[str, list[str]]) -> None:
    write_file(folder / NOTE, encode_json({"tables": tables}))


def _check(table: Path, digests: Sequence[str]) -> None:
    """Check that an existing table was exported and was not edited since."""
    if not os.path.lexists(table):
        return
    try:
        if digest_file(table).sha256 in digests:
            return
    except RunForgeError as error:
        raise _not_ours(table) from error
    raise _not_ours(table)


def _not_ours(path: Path) -> RunForgeError:
    return RunForgeError(
        ErrorCode.USAGE_INVALID,
        f"{quote(path, 200)} was not written by an export, or was edited since.",
        hint="Choose another folder with -o, or move the file away.",
        path=str(path),
    )
