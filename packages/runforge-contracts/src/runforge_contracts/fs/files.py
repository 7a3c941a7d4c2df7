"""Files: read untrusted documents safely, and write files atomically."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.system.system_files import (
    hard_link,
    is_too_long,
    open_below,
    open_without_link,
    replace_file,
    sync_file,
    sync_folder,
)

_PIECE = 2**20
#: Bytes of a file that are searched at a time: few enough for the cache of a processor, and for
#: memory that is used again. Larger texts take new memory of the system each time.
_BLOCK = 2**16


class FileDigest(NamedTuple):
    """Digest and size of a file."""

    sha256: str
    bytes: int


def open_file(path: Path, *, below: Path | None = None) -> io.FileIO:
    """Open the regular file at ``path`` for reading, unbuffered.

    Parameters
    ----------
    path
        The file.
    below
        A folder that contains it: no link is followed on the way from there, either; the folder
        itself may be a link.

    Raises
    ------
    RunForgeError
        ``FILE_NOT_FOUND``; ``FILE_UNSAFE`` for a symbolic link, a pipe or a device, which could
        lead to another file or never end; ``FILE_UNREADABLE``.
    """
    with reading(path):
        descriptor = open_without_link(path) if below is None else open_below(path, below)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(path, 200)} is not a regular file.",
            hint="Name a file.",
            path=str(path),
        )
    return io.FileIO(descriptor, "rb")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Convert system errors while reading the file at ``path`` into coded errors."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise _reading_error(error, path) from None


def read_file(
    path: Path,
    *,
    max_bytes: int,
    too_large: ErrorCode = ErrorCode.FILE_UNSAFE,
    below: Path | None = None,
) -> bytes:
    """Return the bytes of the regular file at ``path``.

    Parameters
    ----------
    path
        The file.
    max_bytes
        Largest size that is read.
    too_large
        Code of the error for a larger file.
    below
        As for :func:`open_file`.

    Raises
    ------
    RunForgeError
        As :func:`open_file`, and ``too_large``.
    """
    with open_file(path, below=below) as file, reading(path):
        # The size is looked at first, since a file that is refused should take no memory.
        size = os.fstat(file.fileno()).st_size
        data = read_all(file, max_bytes + 1) if size <= max_bytes else b""
    if max(size, len(data)) > max_bytes:
        raise _too_large(path, max_bytes, too_large)
    return data


def _too_large(path: Path, max_bytes: int, code: ErrorCode) -> RunForgeError:
    return RunForgeError(
        code, f"{quote(path)} has more than the {max_bytes:,} bytes that are read.", path=str(path)
    )


def line_blocks(path: Path, *, max_bytes: int) -> Iterator[bytes]:
    """Yield the bytes of the regular file at ``path`` in blocks of whole lines.

    Parameters
    ----------
    path
        The file.
    max_bytes
        Largest size that is read.

    Raises
    ------
    RunForgeError
        As :func:`open_file`, and ``FILE_UNSAFE`` for a larger file.
    """
    with open_file(path) as file, reading(path):
        if os.fstat(file.fileno()).st_size > max_bytes:
            raise _too_large(path, max_bytes, ErrorCode.FILE_UNSAFE)
        yield from blocks(file, b"\n")


def blocks(file: BinaryIO, end: bytes) -> Iterator[bytes]:
    """Yield what is left of an unbuffered file in blocks that end with ``end``, then the rest."""
    begun = b""
    # Twice as much each time, so that a long block is not copied again and again.
    while read := file.read(max(_BLOCK, len(begun))):
        text = begun + read
        at = text.rfind(end) + len(end)
        if at >= len(end):
            yield text[:at]
            text = text[at:]
        begun = text
    yield begun


def read_all(file: BinaryIO, size: int) -> bytes:
    """Return the first ``size`` bytes of an unbuffered file, or all if it has fewer."""
    # Reading in one call allocates the requested size, not the size of the file.
    pieces, missing = [], size
    while missing and (piece := file.read(min(missing, _PIECE))):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def digest_file(path: Path, *, below: Path | None = None) -> FileDigest:
    """Return SHA-256 and size of the regular file at ``path``, read in pieces.

    Raises :class:`~runforge_contracts.errors.RunForgeError` as :func:`open_file`, which has
    ``below``, too.
    """
    return read_and_digest(path, keep=-1, below=below)[0]


def read_and_digest(
    path: Path, *, keep: int, below: Path | None = None
) -> tuple[FileDigest, bytes | None]:
    """Return SHA-256 and size of the regular file at ``path``, and the bytes that were hashed.

    The file is opened and read once, because it may change afterwards.

    Parameters
    ----------
    path
        The file.
    keep
        For a file with more bytes, return only the digest, and None.
    below
        As for :func:`open_file`.

    Raises
    ------
    RunForgeError
        As :func:`open_file`.
    """
    import hashlib  # late: reading alone does not need it

    with open_file(path, below=below) as file, reading(path):
        data = read_all(file, keep + 1)
        digest, size = hashlib.sha256(data), len(data)
        if size <= keep:
            return FileDigest(digest.hexdigest(), size), data
        while piece := file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
        return FileDigest(digest.hexdigest(), size), None


class DigestingReader(io.RawIOBase):
    """A file that hashes its bytes while they are read, for files too large for memory."""

    def __init__(self, file: io.FileIO) -> None:
        import hashlib

        self._file = file
        self._digest = hashlib.sha256()
        self._size = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into ``buffer`` and return the number of bytes."""
        size = self._file.readinto(buffer) or 0
        self._digest.update(memoryview(buffer)[:size])
        self._size += size
        return size

    def finish(self) -> FileDigest:
        """Read the rest of the file, and return digest and size of the whole."""
        buffer = bytearray(_PIECE)
        while self.readinto(buffer):
            pass
        return FileDigest(self._digest.hexdigest(), self._size)


def _reading_error(error: OSError | ValueError, path: Path) -> RunForgeError:
    # A path cannot contain a NUL character or a name that is too long.
    number = error.errno if isinstance(error, OSError) else errno.ENOENT
    if number in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
        return RunForgeError(
            ErrorCode.FILE_NOT_FOUND,
            f"There is no file {quote(path, 200)}.",
            hint="Check the path.",
            path=str(path),
        )
    if number == errno.ELOOP:
        return RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(path, 200)} is a symbolic link, which could lead anywhere.",
            hint="Name the file itself.",
            path=str(path),
        )
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    return RunForgeError(
        ErrorCode.FILE_UNREADABLE, f"{quote(path, 200)} cannot be read: {reason}.", path=str(path)
    )


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Convert system errors while writing at ``path`` into ``STORE_NOT_WRITABLE``."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RunForgeError(
            ErrorCode.STORE_NOT_WRITABLE,
            f"Nothing can be written at {quote(path, 200)}: {reason}.",
            hint=_WRITING_HINTS.get(errno.ENAMETOOLONG if is_too_long(path) else error.errno or 0),
            path=str(path),
        ) from error


_FULL = "Free some space and try again."
_FORBIDDEN = "Check the folder's permissions."
_VANISHED = "The folder no longer exists: it was moved or deleted meanwhile."
#: Hints for system errors of failed writes.
_WRITING_HINTS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EBUSY: "Close the program that has it open, or check the permissions; then try again.",
    errno.EROFS: "The file system can only be read; choose a workspace on another one.",
    errno.ENOENT: _VANISHED,
    errno.ESTALE: _VANISHED,
    errno.ENOTDIR: "A file is where a folder must be; move it, or choose another place.",
    errno.EEXIST: "Another process, or a run before, wrote there; choose another folder.",
    errno.ENAMETOOLONG: "Choose a shorter path.",
    errno.EIO: "The disk or the network reports a fault, which must be mended first.",
}


def write_file(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` atomically: a reader sees the old file or the new one.

    The bytes are on the disk when this returns, even after a power failure. Raises
    ``STORE_NOT_WRITABLE``; the old file is then unchanged.
    """
    write_pieces(path, (data,))


def write_pieces(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    """Write a file that is not in memory as a whole, as :func:`write_file`."""
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    with writing(path):
        try:
            with temporary.open("xb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                sync_file(file.fileno())
            with contextlib.suppress(FileNotFoundError):
                temporary.chmod(stat.S_IMODE(path.stat().st_mode))
            replace_file(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def rename_new(unfinished: Path, path: Path) -> None:
    """Give a finished file its name, unless that exists; the old name may remain.

    Raises ``FileExistsError``, and other ``OSError``.
    """
    try:
        # Unlike a rename, this never replaces a file that another process has just created.
        hard_link(unfinished, path)
    except FileExistsError:
        raise
    except OSError:  # A file system without links.
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        unfinished.rename(path)
