"""Write a file or folder that does not exist yet, from other files: it is complete or absent."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import rename_new, writing
from runforge_contracts.system.system_files import sync_folder


@contextlib.contextmanager
def new_output(target: Path, rename: Callable[[Path, Path], None] = rename_new) -> Iterator[Path]:
    """Yield a temporary path beside ``target``, and give what is there that name if it is free.

    Parameters
    ----------
    target
        What must not exist.
    rename
        Gives the output its name; it raises ``FileExistsError`` where that is taken.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if ``target`` exists, ``STORE_NOT_WRITABLE``. Nothing is left then.
    """
    unfinished = target.with_name(f".{target.name}.{os.urandom(8).hex()}.tmp")
    with writing(target):
        try:
            yield unfinished
            rename(unfinished, target)
        except FileExistsError:
            raise already_exists(target) from None
        finally:
            if unfinished.is_dir() and not unfinished.is_symlink():
                shutil.rmtree(unfinished)
            with contextlib.suppress(FileNotFoundError):
                unfinished.unlink()
        sync_folder(target.parent)


def refuse_changed(expected: Mapping[str, str], written: Mapping[str, str], what: str) -> None:
    """Raise ``VERIFICATION_FAILED`` if a file was written with other bytes than were verified.

    Parameters
    ----------
    expected, written
        SHA-256 by name.
    what
        What was done with the files, such as ``bundled``.
    """
    for name, sha256 in expected.items():
        if written[name] != sha256:
            raise RunForgeError(
                ErrorCode.VERIFICATION_FAILED,
                f"{quote(name)} changed while it was {what}.",
                hint="Find out what changes it, and try again.",
                path=name,
            )


def already_exists(target: Path) -> RunForgeError:
    """Return the error for an output path that exists."""
    return RunForgeError(
        ErrorCode.USAGE_INVALID,
        f"{quote(target, 200)} already exists.",
        hint="Nothing is overwritten: choose another path.",
        path=str(target),
    )
