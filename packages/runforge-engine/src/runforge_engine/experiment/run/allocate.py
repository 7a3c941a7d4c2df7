"""Allocate the folder of a run; its name is the id, and creating it claims the id.

Source: specification, section 17.4.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import writing
from runforge_contracts.run_ids import ExperimentRunId, parse_experiment_run_id
from runforge_contracts.store import layout
from runforge_contracts.store.removals import Removed, removed_runs
from runforge_contracts.system.system_files import sync_folder


def check_run_id(text: str, root: Path) -> ExperimentRunId:
    """Check a run id chosen by the user, and return it.

    Raises
    ------
    RunForgeError
        ``RUN_ID_INVALID`` for another form, ``RUN_ID_TAKEN`` where the name exists, or is that of a
        run that was forgotten or archived.
    """
    run_id = parse_experiment_run_id(text)
    if run_id is None:
        raise RunForgeError(
            ErrorCode.RUN_ID_INVALID,
            f"{quote(text)} is not the id of an experiment's run.",
            hint="It looks like run-2026-02-01-001: the day and a number of three digits or more.",
        )
    if os.path.lexists(_runs(root) / text):
        raise _taken(text)
    action = _removed(root).get(text)
    if action is not None:
        raise _taken(text, f"A run {quote(text)} was {action} here.")
    return run_id


def check_place(root: Path) -> None:
    """Check that runs can be created in the repository, without writing anything.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE`` where the folder of the runs is a symbolic link, ``STORE_NOT_WRITABLE``.
    """
    runs = _runs(root)
    if runs.is_symlink():
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(runs, 200)} is a symbolic link; runs are never written through one.",
            path=str(runs),
        )
    parent = runs if os.path.lexists(runs) else root
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise RunForgeError(
            ErrorCode.STORE_NOT_WRITABLE,
            f"No run can be made in {quote(parent, 200)}.",
            hint="Check that it is a folder that you may write to.",
            path=str(parent),
        )


def claim_run(root: Path, day: str, run_id: ExperimentRunId | None = None) -> Path:
    """Create the folder of a new run and return it.

    Of several processes that claim the same id, one gets it and the others take the next, so
    there are no gaps.

    Parameters
    ----------
    root
        The repository.
    day
        The UTC day, ``YYYY-MM-DD``.
    run_id
        The id to claim; by default the one after the greatest of the day.

    Raises
    ------
    RunForgeError
        ``RUN_ID_TAKEN``; ``FILE_UNSAFE`` where the folder of the runs is a symbolic link;
        ``STORE_NOT_WRITABLE``.
    """
    runs = _runs(root)
    check_place(root)
    with writing(runs):
        runs.mkdir(parents=True, exist_ok=True)
        candidate = run_id or next_run_id(root, day)
        while True:
            folder = runs / str(candidate)
            if parse_experiment_run_id(folder.name) is None:
                raise RunForgeError(
                    ErrorCode.RUN_ID_TAKEN,
                    f"No number is left for another run of {day}.",
                    hint="Give it an id with `--run-id`.",
                )
            try:
                folder.mkdir()
            except FileExistsError:
                if run_id is not None:
                    raise _taken(str(candidate)) from None
                candidate = candidate._replace(number=candidate.number + 1)
                continue
            sync_folder(runs)
            return folder


def next_run_id(root: Path, day: str) -> ExperimentRunId:
    """Return the id of the next run of the day, unless another process claims it first.

    Raises ``FILE_UNREADABLE`` where the folder of the runs cannot be read.
    """
    try:
        names = [path.name for path in _runs(root).iterdir()]
    except FileNotFoundError:
        names = []
    except OSError as error:
        raise RunForgeError(
            ErrorCode.FILE_UNREADABLE,
            f"{quote(_runs(root), 200)} cannot be read: {(error.strerror or str(error)).lower()}.",
            path=str(_runs(root)),
        ) from error
    # The id of a removed run is still that of its line, by which lists leave it out.
    known = [parse_experiment_run_id(name) for name in (*names, *_removed(root))]
    numbers = [run_id.number for run_id in known if run_id is not None and run_id.day == day]
    return ExperimentRunId(day, max(numbers, default=0) + 1)


def _runs(root: Path) -> Path:
    return root / layout.EXPERIMENT_RUNS


def _removed(root: Path) -> Mapping[str, Removed]:
    return removed_runs(layout.ExperimentLayout(root))


def _taken(run_id: str, message: str | None = None) -> RunForgeError:
    return RunForgeError(
        ErrorCode.RUN_ID_TAKEN,
        message or f"There is a run {quote(run_id)} already.",
        hint="An id is used once; leave it out to have one made.",
    )
