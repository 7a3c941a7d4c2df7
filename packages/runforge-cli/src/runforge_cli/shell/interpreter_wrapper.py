"""A small script that starts this Python for an editor, without the editor's own engine.

The editor extension puts the engine that it ships first on ``PYTHONPATH``, so that ``python -m
ml_runner`` would start that one. The script removes the variable, and keeps the current folder off
the import path, before it starts the interpreter.

Source: specification, section 16.5; XDG Base Directory Specification, ``XDG_DATA_HOME``.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError
from runforge_contracts.fs.files import read_file, writing

#: A line that only these scripts contain, so that no other file is overwritten.
_MARK = "Written by `runforge editor-python`."
_NAME = "runforge-python"
_MAX_BYTES = 2**16

_POSIX = """\
#!/bin/sh
# {mark}
unset PYTHONPATH
PYTHONSAFEPATH=1
export PYTHONSAFEPATH
exec {python} "$@"
"""
_WINDOWS = """\
@echo off
rem {mark}
setlocal
{encoding}set "PYTHONPATH="
set "PYTHONSAFEPATH=1"
"{python}" %*
exit /b %ERRORLEVEL%
"""
#: Makes the command processor read the lines that follow as UTF-8.
_UTF8 = "chcp 65001 >nul\n"


class Wrapper(NamedTuple):
    """A script that starts an interpreter."""

    path: Path
    #: Whether the file was written; False if it had this content before.
    written: bool


def wrapper_folder(environment: Mapping[str, str] = os.environ, *, windows: bool) -> Path:
    """Return the user's folder for the script."""
    variable = "LOCALAPPDATA" if windows else "XDG_DATA_HOME"
    root = environment.get(variable, "")
    # A relative path in the variable is invalid and is ignored.
    if not Path(root).is_absolute():
        root = str(Path.home() / ("AppData/Local" if windows else ".local/share"))
    return Path(root) / "runforge"


def wrapper_text(python: str, *, windows: bool) -> bytes:
    """Return the script that starts the interpreter ``python`` with all its arguments."""
    if not windows:
        return os.fsencode(_POSIX.format(mark=_MARK, python=shlex.quote(python)))
    text = _WINDOWS.format(
        mark=_MARK,
        encoding="" if python.isascii() else _UTF8,
        python=python.replace("%", "%%"),
    )
    return text.replace("\n", "\r\n").encode("utf-8")


def write_wrapper(folder: Path, python: str, *, windows: bool) -> Wrapper:
    """Write the script into ``folder``; a script that an earlier call wrote is replaced.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_WRITABLE``, or ``FILE_UNSAFE`` if another file or a link is in its place.
    """
    path = folder / (f"{_NAME}.cmd" if windows else _NAME)
    text = wrapper_text(python, windows=windows)
    try:
        before = read_file(path, max_bytes=_MAX_BYTES)
    except NotFoundError:
        before = b""
    if before and _MARK.encode() not in before:
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(path, 200)} is a file of another program; it is not overwritten.",
            hint="Name another folder with `--out`.",
            path=str(path),
        )
    if before == text and os.access(path, os.X_OK):
        return Wrapper(path, written=False)
    unfinished = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    with writing(path):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.write_bytes(text)
            unfinished.chmod(0o755)
            unfinished.replace(path)
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink()
    return Wrapper(path, written=True)
