"""Datasets and recipes on their way to a worker: sent in pieces, kept under their digest.

Source: specification, section 14.2.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

if TYPE_CHECKING:
    from runforge_engine.preparation.run_recipe import RunRecipe

#: How much of a dataset is sent at once, in bytes.
PIECE = 2**23


class LocalDataset:
    """A dataset here, as it was when it was first used.

    Parameters
    ----------
    path
        The file. Raises what :func:`~runforge_engine.data.dataset_source.read_source` raises.
    """

    def __init__(self, path: Path) -> None:
        from runforge_engine.data.dataset_source import read_source

        self.path = path
        source = read_source(path)
        self.sha256, self.bytes = source.sha256, len(source.data)

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """Yield the bytes in pieces, with the offset of each; at least one.

        Raises
        ------
        RunForgeError
            ``DATASET_CHANGED`` at the end, if the bytes are not those of the digest any more; what
            was added behind them does not count. ``FILE_UNREADABLE``.
        """
        digest, offset = hashlib.sha256(), 0
        try:
            with self.path.open("rb") as file:
                while True:
                    # No more than was there: a file that grows would be sent for ever.
                    piece = file.read(min(PIECE, self.bytes - offset))
                    if not piece and offset:
                        break
                    digest.update(piece)
                    yield offset, piece
                    offset += len(piece)
                    if offset == self.bytes:
                        break
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise RunForgeError(
                ErrorCode.FILE_UNREADABLE,
                f"The dataset {quote(self.path, 200)} cannot be read: {reason}.",
                path=str(self.path),
            ) from None
        if digest.hexdigest() != self.sha256:
            raise RunForgeError(
                ErrorCode.DATASET_CHANGED,
                f"The dataset {quote(self.path, 200)} changed while it was being sent to a worker.",
                hint="Leave it alone while runs use it, and start again.",
                path=str(self.path),
            )


class LocalRecipe:
    """A recipe here, which is kept in memory: it is small.

    Parameters
    ----------
    recipe
        The recipe, as it was when it was first used.
    """

    def __init__(self, recipe: RunRecipe) -> None:
        self.content = recipe
        self.sha256, self.bytes = recipe.sha256, len(recipe.data)

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """Yield the bytes in pieces, with the offset of each."""
        for offset in range(0, self.bytes, PIECE):
            yield offset, self.content.data[offset : offset + PIECE]


class FileCache:
    """The datasets and recipes that a worker has received, each in a file named by its digest.

    Parameters
    ----------
    folder
        A folder of this process alone, which exists.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def path(self, sha256: str) -> Path | None:
        """Return the file with a digest; None if it has not arrived completely."""
        path = self._place(sha256)
        return path if path.is_file() else None

    def receive(self, sha256: str, offset: int, piece: bytes, *, last: bool) -> None:
        """Append a piece; the last one is followed by the comparison with the digest.

        Raises
        ------
        ValueError
            If a piece is missing, or the whole has another digest; nothing is kept then.
        """
        path = self._place(sha256)
        with self._lock:
            if path.exists():
                return
            unfinished = path.with_suffix(".part")
            mode = "ab" if offset else "wb"
            with unfinished.open(mode) as file:
                if file.tell() != offset:
                    raise ValueError(f"a piece is missing before byte {offset}")
                file.write(piece)
            if not last:
                return
            with unfinished.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != sha256:
                unfinished.unlink()
                raise ValueError(f"it arrived with the digest {found}, not {sha256}")
            unfinished.chmod(0o400)
            unfinished.rename(path)

    def _place(self, sha256: str) -> Path:
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise ValueError(f"{sha256!r} is not a digest")
        return self._folder / sha256
