"""Inspect a dataset, a model file or a run, and print it in the form that editors read.

Source: specification, section 16.4.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import RUN, StoreLayout, find_workspace, stores_in

if TYPE_CHECKING:
    from runforge_contracts.store.run import Run


def print_dataset(path: str, label: str, *, as_json: bool) -> int:
    """Print the columns of a dataset, and return the exit code.

    Parameters
    ----------
    path
        The dataset, relative to the current folder.
    label
        Name of the label column; if it is missing, the exit code is 1.
    as_json
        Whether to print a ``dataset_inspection.v1`` instead, whose exit code also says whether a
        model can be trained on the dataset.
    """
    from runforge_engine.runtime.numeric_environment import pin_environment

    pin_environment()
    from runforge_cli.terminal.output import write_json
    from runforge_engine.data.dataset_inspection import inspect_dataset

    report, code = inspect_dataset(path, label)
    if as_json:
        write_json(report)
        return code
    columns = [column["name"] for column in report["columns"]]
    present = label in columns
    document: dict[str, Any] = {
        "columns": columns,
        "dataset_path": os.path.realpath(path),
        "fingerprint_sha256": report["fingerprint_sha256"],
        "label_column": label,
        "label_present": present,
        "num_features_excluding_label": len(columns) - present,
        "num_rows": report["num_rows"],
    }
    write_json(document)
    if present:
        return 0
    sys.stdout.flush()
    names = json.dumps(columns, ensure_ascii=False)
    sys.stderr.write(
        f"Error: Label column {printable(label)!r} not found.\n"
        f"Available columns: {printable(names)}\n"
    )
    return 1


def print_artifact(artifact: str, base_path: str | None) -> int:
    """Print the contents of a model file; return 1 if it has a finding of severity ``error``.

    Parameters
    ----------
    artifact
        The model file.
    base_path
        A folder that the printed path is relative to, if the file is in it.
    """
    from runforge_cli.terminal.output import write_json
    from runforge_engine.model_file.model_inspection import inspect_model

    path = Path(artifact)
    inspection = inspect_model(path)
    document = inspection.to_dict()
    if base_path is not None:
        absolute, base = (Path(os.path.abspath(item)) for item in (path, base_path))  # noqa: PTH100
        inside = absolute.is_relative_to(base)
        document["artifact_path"] = (
            absolute.relative_to(base).as_posix() if inside else absolute.name
        )
    write_json(document)
    return 0 if inspection.is_clean else 1


def print_metadata(run_id: str | None, runforge_dir: str | None, *, latest: bool) -> int:
    """Print the ``run.json`` of a run.

    Parameters
    ----------
    run_id
        The id of a run, or the name of its folder.
    runforge_dir
        The folder of a store; without it, the stores of the workspace are searched.
    latest
        Whether the newest run with a ``run.json`` is meant.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` unless one of the two is given; ``RUN_NOT_FOUND``; ``ARTIFACT_NOT_FOUND``
        if the run has no ``run.json``.
    """
    from runforge_cli.terminal.output import write_json
    from runforge_contracts.store.lookup import find_run, made

    if latest == (run_id is not None):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "Name the run: either `--latest` or `--run-id ID`.",
            hint="`python -m ml_runner metadata --help` shows the options.",
        )
    stores = _stores(runforge_dir)
    run = _named(run_id, stores) if run_id else find_run("latest", stores, made(RUN))
    document = run.document(RUN)
    if document is None:
        raise RunForgeError(
            ErrorCode.ARTIFACT_NOT_FOUND,
            f"The run {quote(run.id)} has no {RUN}. {run.ending}",
            hint="Only a run that completed has one.",
            path=str(run.path / RUN),
        )
    write_json(document.raw)
    return 0


def _stores(runforge_dir: str | None) -> list[StoreLayout]:
    if runforge_dir is None:
        return stores_in(find_workspace(Path.cwd()))
    folder = Path(os.path.abspath(runforge_dir))  # noqa: PTH100 - keeps links
    if folder.name == "outputs":
        folder = folder.parent  # Where the index of the editor is.
    if not folder.is_dir():
        raise RunForgeError(
            ErrorCode.STORE_NOT_FOUND,
            f"There is no store {quote(folder, 200)}.",
            hint="Name the folder that contains `runs`, such as `.runforge` or `.ml`.",
            path=str(folder),
        )
    return [StoreLayout(folder.parent, folder.name)]


def _named(run_id: str, stores: list[StoreLayout]) -> Run:
    """Return the run in a folder with this name, else the run with this id."""
    from runforge_contracts.store.lookup import find_run
    from runforge_contracts.store.run import Run

    if Path(run_id).name == run_id:
        for store in stores:
            folder = store.run_folder(run_id)
            if folder.is_dir() and not folder.is_symlink() and (folder / RUN).is_file():
                return Run(folder)
    return find_run(run_id, stores)
