"""Where a command may put a file that a person asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import writing
from runforge_contracts.store.layout import Place


def check_free(target: Path, hint: str) -> None:
    """Refuse a place where a file cannot be made without harm; found out before work is done.

    Parameters
    ----------
    target
        The file that is to be written.
    hint
        What to do where there is something already.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` where there is something already, a link included; ``FILE_NOT_FOUND``
        where the folder is missing.
    """
    if target.exists() or target.is_symlink():
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(target, 200)} exists already.",
            hint=hint,
            path=str(target),
        )
    if not target.parent.is_dir():
        raise RunForgeError(
            ErrorCode.FILE_NOT_FOUND,
            f"There is no folder {quote(target.parent, 200)} to write in.",
            hint="Make it first.",
            path=str(target.parent),
        )


def make_folder(target: Path) -> None:
    """Make a folder where there is none; what is in one stays.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` where there is something else, ``FILE_NOT_FOUND`` where the folder around
        it is missing, ``STORE_NOT_WRITABLE``.
    """
    if not target.is_dir():
        check_free(target, "Name another folder with -o.")
        with writing(target):
            target.mkdir()


def check_outside(target: Path, runs: Iterable[Path], places: Iterable[Place]) -> None:
    """Refuse a place within a run or a store.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID``.
    """
    real = Path(os.path.realpath(target))
    guarded = [*runs, *(place.root for place in places)]
    if any(real.is_relative_to(os.path.realpath(folder)) for folder in guarded):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(target, 200)} lies within a run or a store, to which nothing is added.",
            hint="Name another place with -o.",
            path=str(target),
        )
