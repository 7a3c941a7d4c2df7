"""Compare datasets with the digests that runs recorded, and find those that were moved.

Source: specification, sections 14.2 and 14.6.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from runforge_contracts.errors import NotFoundError, RunForgeError
from runforge_contracts.fs.files import digest_file, open_file, reading
from runforge_contracts.store.layout import StoreLayout, stores_in

from runforge_engine.data.dataset_source import dataset_path, read_source
from runforge_engine.data.kept_datasets import kept_dataset
from runforge_engine.preparation.run_recipe import RunRecipe, prepared_source, without_columns
from runforge_engine.verification.check_result import CheckVerdict

#: Limits of the search for a dataset that was moved.
MAX_ENTRIES = 20_000
MAX_CANDIDATES = 50
MAX_CANDIDATE_BYTES = 256 * 2**20
_PIECE = 2**20
#: Folders that are not searched, besides those whose name starts with a dot.
_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages"})


@dataclass(frozen=True, slots=True)
class DatasetState:
    """The state of a dataset, compared with the one that a run was trained on."""

    #: ``same``, ``changed``, ``moved``, ``gone`` or ``unreadable``.
    verdict: CheckVerdict
    #: SHA-256 of the file at its path, if it has changed.
    sha256: str | None = None
    #: Whether only its line endings have changed.
    same_lines: bool = False
    #: The path of a file with its bytes, relative to the workspace, if it was moved or if a store
    #: keeps a copy.
    path: str | None = None
    #: Why it cannot be read.
    reason: str | None = None


class Datasets:
    """The datasets of a workspace; each is read once, or twice if it changed.

    Parameters
    ----------
    workspace
        The folder that paths are relative to, and that is searched for datasets that were moved.
    stores
        The stores of the workspace, whose copies of datasets count; without them, those that
        exist.
    """

    def __init__(self, workspace: Path, stores: Iterable[StoreLayout] | None = None) -> None:
        self._workspace = workspace
        self._stores = list(stores_in(workspace) if stores is None else stores)
        #: Results of :func:`kept_dataset` by digest.
        self._kept: dict[str, Path | None] = {}
        self._digests: dict[Path, str | RunForgeError] = {}
        #: Results of :meth:`state`.
        self._states: dict[tuple[str, str], DatasetState] = {}
        #: Results of :func:`_line_end_digests` for those that have changed.
        self._line_ends: dict[Path, tuple[str, ...]] = {}
        self._files: list[Path] | None = None
        #: Digests of prepared tables, by dataset, recipe and excluded columns.
        self._prepared: dict[tuple[Path, str, frozenset[str]], str] = {}

    def state(self, recorded: str, fingerprint: str) -> DatasetState:
        """Return the state of a dataset.

        Parameters
        ----------
        recorded
            Its path in the run's documents.
        fingerprint
            SHA-256 of the bytes that the run was trained on.
        """
        key = recorded, fingerprint
        if key not in self._states:
            self._states[key] = self._state(*key)
        return self._states[key]

    def _state(self, recorded: str, fingerprint: str) -> DatasetState:
        try:
            path = dataset_path(recorded, self._workspace)
            found = self._digest(path)
        except RunForgeError as error:
            found = error
        if found == fingerprint:
            return DatasetState(CheckVerdict.SAME)
        if fingerprint not in self._kept:
            self._kept[fingerprint] = kept_dataset(fingerprint, self._stores)
        if (kept := self._kept[fingerprint]) is not None:
            return DatasetState(CheckVerdict.SAME, path=self._relative(kept))
        if isinstance(found, str):
            if path not in self._line_ends:
                self._line_ends[path] = _line_end_digests(path)
            return DatasetState(CheckVerdict.CHANGED, found, fingerprint in self._line_ends[path])
        if not isinstance(found, NotFoundError):
            return DatasetState(CheckVerdict.UNREADABLE, reason=found.message)
        moved = self._find(PurePosixPath(recorded).name, fingerprint)
        if moved is None:
            return DatasetState(CheckVerdict.MISSING)
        return DatasetState(CheckVerdict.MOVED, path=self._relative(moved))

    def file(self, recorded: str, fingerprint: str) -> Path | None:
        """Return a file of the workspace with the bytes of a dataset; None if there is none."""
        state = self.state(recorded, fingerprint)
        if state.path is not None:
            return self._workspace / state.path
        if state.verdict is CheckVerdict.SAME:
            return Path(os.path.realpath(dataset_path(recorded, self._workspace)))
        return None

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._workspace).as_posix()

    def prepared(self, path: Path, recipe: RunRecipe, excluded: Collection[str]) -> str:
        """Return the digest of the table that a recipe makes of a dataset.

        Raises
        ------
        RunForgeError
            As :func:`~runforge_engine.data.dataset_source.read_source` and
            :func:`~runforge_engine.preparation.run_recipe.prepared_source`.
        """
        key = path, recipe.sha256, frozenset(excluded)
        if key not in self._prepared:
            content = without_columns(recipe.content, key[2])
            self._prepared[key] = prepared_source(read_source(path), content).sha256
        return self._prepared[key]

    def _digest(self, path: Path) -> str | RunForgeError:
        if path not in self._digests:
            try:
                # A dataset may be a link: training follows it, too.
                with reading(path):  # no file has a name with a NUL character
                    target = Path(os.path.realpath(path))
                self._digests[path] = digest_file(target).sha256
            except RunForgeError as error:
                self._digests[path] = error
        return self._digests[path]

    def _find(self, name: str, fingerprint: str) -> Path | None:
        """Return a file of the workspace with this digest and the same name or suffix."""
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
    """Return the digests that a file would have with LF and with CRLF line endings."""
    unix, windows, held = hashlib.sha256(), hashlib.sha256(), b""
    try:
        with open_file(Path(os.path.realpath(path))) as file, reading(path):
            while piece := file.read(_PIECE):
                piece = held + piece
                # A CRLF may be split between two pieces.
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
    """Yield the files of a workspace, those near its root first, up to a limit."""
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
                if entry.name.startswith(".") or entry.name in _SKIPPED:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    yield Path(entry.path)
        level = folders
