"""Where a command may put a file that a person asked for."""

from __future__ import annotations

from pathlib import Path

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.text import quote


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
