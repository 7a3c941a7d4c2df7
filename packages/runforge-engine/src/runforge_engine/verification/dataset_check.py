"""Whether the dataset of a run still has the bytes that the run was trained on.

Source: RunForge contract, "Data"; RunForge guarantees, "Provenance Tracking".
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Literal

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import digest_file, open_file, reading

from runforge_engine.data.dataset_source import dataset_path

DatasetVerdict = Literal["same", "changed", "moved", "gone", "unreadable"]

#: How far a dataset that is not in its place is looked for.
MAX_ENTRIES = 20_000
MAX_CANDIDATES = 50
MAX_CANDIDATE_BYTES = 256 * 2**20
_PIECE = 2**20
#: Folders in which nobody keeps a dataset, besides those whose name begins with a dot.
_PASSED_OVER = frozenset({"node_modules", "__pycache__", "site-packages"})


@dataclass(frozen=True, slots=True)
class DatasetState:
    """What has become of a dataset."""

    verdict: DatasetVerdict
    #: SHA-256 of what is in its place now, if that is something else.
    sha256: str | None = None
    #: Whether nothing but its line ends is other than it was.
    same_lines: bool = False
    #: Where it lies now, relative to the workspace, if it was moved.
    path: str | None = None
    #: Why it cannot be read.
    reason: str | None = None


class Datasets:
    """The datasets that the runs of a workspace name; each is read once, or twice if it changed.

    Parameters
    ----------
    workspace
        What relative paths begin at, and where a dataset that was moved is looked for.
    """

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._digests: dict[Path, str | RunForgeError] = {}
        #: What :func:`_line_end_digests` gives of those that have changed.
        self._line_ends: dict[Path, tuple[str, ...]] = {}
        self._files: list[Path] | None = None

    def state(self, recorded: str, fingerprint: str) -> DatasetState:
        """Return what has become of a dataset.

        Parameters
        ----------
        recorded
            Its path as the run's documents have it.
        fingerprint
            SHA-256 of the bytes that the run was trained on.
        """
        try:
            path = dataset_path(recorded, self._workspace)
            found = self._digest(path)
        except RunForgeError as error:
            found = error
        if isinstance(found, str):
            if found == fingerprint:
                return DatasetState("same")
            if path not in self._line_ends:
                self._line_ends[path] = _line_end_digests(path)
            return DatasetState("changed", found, fingerprint in self._line_ends[path])
        if found.code is not ErrorCode.FILE_NOT_FOUND:
            return DatasetState("unreadable", reason=found.message)
        place = self._find(PurePosixPath(recorded).name, fingerprint)
        if place is None:
            return DatasetState("gone")
        return DatasetState("moved", path=place.relative_to(self._workspace).as_posix())

    def _digest(self, path: Path) -> str | RunForgeError:
        if path not in self._digests:
            try:
                # A dataset may be a link: training reads through it, too.
                with reading(path):  # no file has a name with a NUL character
                    place = Path(os.path.realpath(path))
                self._digests[path] = digest_file(place).sha256
            except RunForgeError as error:
                self._digests[path] = error
        return self._digests[path]

    def _find(self, name: str, fingerprint: str) -> Path | None:
        """Return the file of the workspace that has the digest: of this name, or of this kind."""
        if self._files is None:
            self._files = list(_files(self._workspace))
        kind = PurePosixPath(name).suffix
        candidates = [path for path in self._files if path.name == name]
        candidates += [path for path in self._files if path.suffix == kind and path.name != name]
        left = MAX_CANDIDATE_BYTES
        for path in candidates[:MAX_CANDIDATES]:
            try:
                left -= path.stat(follow_symlinks=False).st_size
            except OSError:
                continue
            if left < 0:
                break
            if self._digest(path) == fingerprint:
                return path
        return None


def _line_end_digests(path: Path) -> tuple[str, ...]:
    """Return the digests that a file would have with LF, and with CRLF, at the end of each line."""
    unix, windows, held = hashlib.sha256(), hashlib.sha256(), b""
    try:
        with open_file(Path(os.path.realpath(path))) as file, reading(path):
            while piece := file.read(_PIECE):
                piece = held + piece
                # The next piece may begin with the other half of a line's end.
                held = piece[-1:] if piece.endswith(b"\r") else b""
                lines = piece[: len(piece) - len(held)].replace(b"\r\n", b"\n")
                unix.update(lines)
                windows.update(lines.replace(b"\n", b"\r\n"))
    except RunForgeError:
        return ()
    for digest in (unix, windows):
        digest.update(held)
    return unix.hexdigest(), windows.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    """Give the files of a workspace, those near its root first, as far as it is looked at."""
    level, seen = [root], 0
    while level:
        folders = list[Path]()
        for folder in level:
            try:
                with os.scandir(folder) as found:
                    entries = sorted(islice(found, MAX_ENTRIES), key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in entries:
                seen += 1
                if seen > MAX_ENTRIES:
                    return
                if entry.name.startswith(".") or entry.name in _PASSED_OVER:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    yield Path(entry.path)
        level = folders
