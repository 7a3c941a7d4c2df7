"""Checks on the path of an output file that the user has chosen."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import writing
from runforge_contracts.store.layout import Place


def check_free(target: Path, hint: str) -> None:
    """Check that a file can be created at ``target`` without overwriting anything.

    Parameters
    ----------
    target
        The file to write.
    hint
        The hint of the error if the path exists.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if the path exists, even as a link; ``FILE_NOT_FOUND`` if its parent
        folder is missing.
    """
    if target.exists() or target.is_symlink():
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(target, 200)} already exists.",
            hint=hint,
            path=str(target),
        )
    if not target.parent.is_dir():
        raise RunForgeError(
            ErrorCode.FILE_NOT_FOUND,
            f"The folder {quote(target.parent, 200)} does not exist.",
            hint="Create it first.",
            path=str(target.parent),
        )


def make_folder(target: Path) -> None:
    """Create a folder unless it exists; files in it are kept.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if the path is not a folder, ``FILE_NOT_FOUND`` if its parent folder is
        missing, ``STORE_NOT_WRITABLE``.
    """
    if not target.is_dir():
        check_free(target, "Name another folder with -o.")
        with writing(target):
            target.mkdir(exist_ok=True)


def check_outside(target: Path, runs: Iterable[Path], places: Iterable[Place]) -> None:
    """Check that ``target`` is outside every run and store.

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
            f"{quote(target, 200)} is inside a run or a store, where no files may be added.",
            hint="Choose another path with -o.",
            path=str(target),
        )


def check_output(
    target: Path,
    runs: Iterable[Path],
    places: Iterable[Place],
    *,
    force: bool | None = None,
    inputs: Iterable[Path] = (),
) -> None:
    """Check that a file may be written to ``target``, outside every run and store.

    Parameters
    ----------
    target
        The file to write.
    runs, places
        What it must be outside of.
    force
        Whether a file there is replaced; a link never is, and neither is an input. None for a
        command that has no such option.
    inputs
        Files that are read.

    Raises
    ------
    RunForgeError
        As :func:`check_free` and :func:`check_outside`.
    """
    check_outside(target, runs, places)
    is_input = target.exists() and any(path.exists() and target.samefile(path) for path in inputs)
    replaceable = target.is_file() and not target.is_symlink() and not is_input
    if not (force and replaceable):
        can_be_forced = replaceable and force is not None
        check_free(
            target, "`--force` replaces it." if can_be_forced else "Choose another file with -o."
        )
