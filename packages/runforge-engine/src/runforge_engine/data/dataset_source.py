"""Read the bytes of a dataset once, so that the hashed bytes are the parsed ones.

Source: specification, sections 11.1 and 14.2.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.system.system_files import FOLLOWING

#: Start of ``created_by`` if a Python program called the library.
PYTHON = "runforge-engine@"


@dataclass(slots=True, eq=False)
class DatasetSource:
    """The bytes of a dataset, until they are released."""

    path: Path
    #: The file's content.
    data: bytes
    #: SHA-256 of ``data``, the dataset's fingerprint; empty if nobody asked for it.
    sha256: str
    #: ``data`` as CSV, decompressed and checked, once it has been decoded.
    text: bytes | None = None
    #: Whether the caller is a Python program: hints then name arguments, not options.
    in_python: bool = False
    #: What separates the fields of a CSV file, and its encoding; others must be named.
    delimiter: str = ","
    encoding: str = "utf-8"
    #: The sheet of an Excel workbook, which must be named.
    sheet: str | None = None
    #: Whether a recipe made the bytes: what lacks values is named by its raw column.
    is_prepared: bool = False

    def release(self) -> None:
        """Release the bytes, once the table has been read from them."""
        self.data, self.text = b"", None


def read_source(path: Path, *, digest: bool = True) -> DatasetSource:
    """Read the file at ``path`` and, with ``digest``, compute its fingerprint.

    Raises
    ------
    RunForgeError
        ``DATASET_NOT_FOUND``; ``FILE_UNSAFE`` for a pipe or a device, which may never end;
        ``FILE_UNREADABLE``.
    """
    try:
        # Do not wait for the writer of a pipe.
        descriptor = os.open(path, FOLLOWING)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise _not_a_file(path, directory=stat.S_ISDIR(mode))
            data = file.read()
    except IsADirectoryError:
        raise _not_a_file(path, directory=True) from None
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise RunForgeError(
                ErrorCode.DATASET_NOT_FOUND,
                f"There is no dataset {quote(path, 200)}.",
                hint="Check the path.",
                path=str(path),
            ) from None
        reason = (error.strerror or str(error)).lower()
        raise RunForgeError(
            ErrorCode.FILE_UNREADABLE,
            f"The dataset {quote(path, 200)} cannot be read: {reason}.",
            path=str(path),
        ) from None
    except ValueError:
        raise RunForgeError(
            ErrorCode.DATASET_NOT_FOUND,
            f"{quote(path, 200)} is not a path: it holds a NUL character.",
            path=str(path),
        ) from None
    return DatasetSource(path, data, hashlib.sha256(data).hexdigest() if digest else "")


def _not_a_file(path: Path, *, directory: bool) -> RunForgeError:
    if directory:
        return RunForgeError(
            ErrorCode.DATASET_NOT_FOUND,
            f"{quote(path, 200)} is a folder, not a dataset.",
            hint="Name the file in it.",
            path=str(path),
        )
    return RunForgeError(
        ErrorCode.FILE_UNSAFE, f"{quote(path, 200)} is not a regular file.", path=str(path)
    )


def dataset_path(recorded: str, workspace: Path) -> Path:
    """Return the path of the dataset that a request names.

    Raises
    ------
    RunForgeError
        ``PATH_OUTSIDE_ROOT`` if a relative path leads out of the workspace.
    """
    depth = 0
    for part in PurePosixPath(recorded).parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            raise RunForgeError(
                ErrorCode.PATH_OUTSIDE_ROOT,
                f"The dataset path {quote(recorded)} climbs out of the workspace.",
                hint="Give an absolute path for a dataset that lies elsewhere.",
                pointer="/dataset/path",
            )
    return workspace / recorded
