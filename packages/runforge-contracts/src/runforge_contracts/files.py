"""Files: reading documents from elsewhere with care, and writing so that nobody sees a half."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.text import quote


def open_file(path: Path) -> BinaryIO:
    """Open the regular file at ``path`` for reading.

    Raises
    ------
    RunForgeError
        ``FILE_NOT_FOUND``; ``FILE_UNSAFE`` for a symbolic link, a pipe or a device, which could
        lead elsewhere or never end; ``FILE_UNREADABLE``.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        if not hasattr(os, "O_NOFOLLOW") and path.is_symlink():
            raise OSError(errno.ELOOP, "symbolic link")
        descriptor = os.open(path, flags)
    except OSError as error:
        raise _reading_error(error, path) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(path, 200)} is not a regular file.",
            hint="Name a file.",
            path=str(path),
        )
    return os.fdopen(descriptor, "rb")


def read_file(path: Path, *, max_bytes: int) -> bytes:
    """Return the bytes of the regular file at ``path``.

    Raises
    ------
    RunForgeError
        As :func:`open_file`, and ``JSON_TOO_LARGE``.
    """
    with open_file(path) as file:
        try:
            data = file.read(max_bytes + 1)
        except OSError as error:
            raise _reading_error(error, path) from None
    if len(data) > max_bytes:
        raise RunForgeError(
            ErrorCode.JSON_TOO_LARGE,
            f"{quote(path)} has more than the {max_bytes:,} bytes that are read.",
            path=str(path),
        )
    return data


def _reading_error(error: OSError, path: Path) -> RunForgeError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return RunForgeError(
            ErrorCode.FILE_NOT_FOUND,
            f"There is no file {quote(path, 200)}.",
            hint="Check the path.",
            path=str(path),
        )
    if error.errno == errno.ELOOP:
        return RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(path)} is a symbolic link, which could lead anywhere.",
            hint="Name the file itself.",
            path=str(path),
        )
    reason = (error.strerror or str(error)).lower()
    return RunForgeError(
        ErrorCode.FILE_UNREADABLE, f"{quote(path)} cannot be read: {reason}.", path=str(path)
    )


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's refusals while writing at ``path`` into ``STORE_NOT_WRITABLE``."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise RunForgeError(
            ErrorCode.STORE_NOT_WRITABLE,
            f"Nothing can be written at {quote(path, 200)}: {reason}.",
            hint="Free some space and try again." if full else "Check the folder's permissions.",
            path=str(path),
        ) from error


def write_file(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` so that a reader sees the old file or the new one, never a part.

    The bytes are on the disk when this returns, also after a loss of power. Raises
    ``STORE_NOT_WRITABLE``; then the old file is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    with writing(path):
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileNotFoundError):
                temporary.chmod(stat.S_IMODE(path.stat().st_mode))
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable, where the system can (not on Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
