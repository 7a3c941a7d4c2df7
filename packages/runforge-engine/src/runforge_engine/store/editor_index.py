"""Append to an index that the editor extension keeps, which other programs write without a lock.

Everything in the file stays as it is, byte for byte: the new entry is inserted at the end of the
list. The extension's own engine reads the index, adds an entry and replaces the file. Two such
writers can lose an entry of the other, so the new file and the old one change places in one step,
where the system can do that: what another program wrote meanwhile is then found in the old file and
added again, and the new entry is looked for once more after a moment.

Source: specification, section 16.4; rename(2), ``RENAME_EXCHANGE``; rename(2) of macOS.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError
from runforge_contracts.fs.files import read_file, rename_new, writing
from runforge_contracts.store.foreign_index import ARRAY_FORM, FORM_BY_VERSION, IndexFormName
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import MAX_INDEX_BYTES
from runforge_contracts.system.system_files import (
    REPLACES_OPEN_FILES,
    exchange_files,
    sync_file,
    sync_folder,
)

from runforge_engine.store.index_lock import index_lock, refuse_linked_folders

#: Version of an index that is created here.
EDITOR_INDEX_VERSION = "1.0.0"
#: How long the entry must stay in the index, in seconds. An engine that read the index before the
#: entry was added writes it back without the entry.
_SETTLED = 0.25
_PAUSE = 0.02
#: How long an append is repeated, in seconds.
_PATIENCE = 15.0
_TOKENS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}:,]', re.DOTALL)
#: How the name of an unfinished file ends.
_LEFTOVER = re.compile(r"\.[0-9a-f]{16}\.tmp")
_BLANK = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class EditorIndex:
    """An index as it is on disk: its bytes and the position of its list of runs."""

    data: bytes
    #: ``index.v1``, or the form of another client.
    form: IndexFormName
    #: The positions of the list's brackets.
    begin: int
    end: int
    #: The bytes of each entry, and its value.
    pieces: Sequence[bytes]
    entries: Sequence[dict[str, Any]]

    def lacks(self, entry: dict[str, Any]) -> bool:
        """Return whether no entry has the run id and the folder of ``entry``.

        The id alone is not enough: the extension's engine gives two runs of one second the same.
        """
        return all(_names(known) != _names(entry) for known in self.entries)

    def with_pieces(self, pieces: Iterable[bytes]) -> bytes:
        """Return the file with ``pieces`` as further entries, everything else unchanged."""
        before = self.data[: self.end].rstrip(_BLANK)
        gap = self.data[len(before) : self.end]
        after = self.data[self.end :]
        if b"\n" not in self.data.strip(_BLANK):
            separator, line, gap = b", ", b"", gap
        else:
            if b"\n" not in gap:
                margin = self.data[: self.begin].rpartition(b"\n")[2]
                gap = b"\n" + margin[: len(margin) - len(margin.lstrip(_BLANK))]
            line = gap[gap.index(b"\n") :].replace(b"\r", b"") + b"  "
            separator = b"," + line
        first = line if not self.entries else separator
        text = separator.join(_shifted(piece, line) for piece in pieces)
        return before + first + text + gap + after


def append_foreign_entries(store: StoreLayout, entries: Sequence[dict[str, Any]]) -> None:
    """Append entries to an index that another client keeps, each once, after all existing ones.

    Nothing else in the file changes. An index that is not understood is left alone.

    Parameters
    ----------
    store
        The store of the index.
    entries
        The entries as that client writes them.

    Raises
    ------
    RunForgeError
        ``INDEX_INVALID`` if the index is not understood; ``FILE_UNSAFE`` for a link or another
        thing in its place; ``STORE_BUSY`` if other programs keep removing the entry;
        ``STORE_NOT_WRITABLE``.
    """
    refuse_linked_folders(store)
    _understood(store.index)  # An index that is not understood is not even locked.
    deadline = time.monotonic() + _PATIENCE
    owed = _Owed(entries)
    while time.monotonic() < deadline:
        try:
            with index_lock(store), writing(store.index):
                if not owed.settle(store.index):
                    continue
            if _stays(store.index, entries):
                return
        except RunForgeError as error:
            if error.code != ErrorCode.INDEX_INVALID:
                raise
            _understood(store.index)
    raise RunForgeError(
        ErrorCode.STORE_BUSY,
        f"Another program keeps replacing the index {quote(store.index, 200)}.",
        hint="The run is complete; it can be listed once the other program has ended.",
        path=str(store.index),
    )


def _understood(path: Path) -> None:
    """Look whether the index is understood, more than once: a program may be writing it."""
    known = None
    while True:
        data = _bytes_of(path)
        try:
            read_editor_index(path)
        except RunForgeError as error:
            if error.code != ErrorCode.INDEX_INVALID or data == known:
                raise
        else:
            return
        known = data
        time.sleep(_SETTLED)


def read_editor_index(path: Path) -> EditorIndex | None:
    """Return the editor's index at ``path``, or None if there is none.

    Raises
    ------
    RunForgeError
        ``INDEX_INVALID`` if it is not in a form that the extension writes; ``FILE_UNSAFE``,
        ``FILE_UNREADABLE``.
    """
    try:
        data = read_file(path, max_bytes=MAX_INDEX_BYTES, too_large=ErrorCode.INDEX_INVALID)
    except NotFoundError:
        return None
    return parse_editor_index(data, path)


def parse_editor_index(data: bytes, path: Path) -> EditorIndex:
    """Return the index that ``data`` is; ``INDEX_INVALID`` if it is in no known form."""
    try:
        raw = parse_json(data, path=str(path), max_bytes=MAX_INDEX_BYTES)
    except RunForgeError as error:
        raise _not_understood(path, error.message) from error
    form, entries = ARRAY_FORM, raw
    if isinstance(raw, dict):
        known, entries = FORM_BY_VERSION.get(str(raw.get("schema_version"))), raw.get("runs")
        if known is None:
            raise _not_understood(path, "Its version is not known.")
        form = known
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _not_understood(path, "It has no list of runs.")
    begin, end, pieces = _list_of_runs(data)
    return EditorIndex(data, form, begin, end, pieces, entries)


class _Owed:
    """What must be in the index: new entries, and what was displaced while they were added."""

    def __init__(self, entries: Iterable[dict[str, Any]]) -> None:
        self._entries = list(entries)
        self._displaced: list[tuple[dict[str, Any], bytes]] = []

    def settle(self, path: Path) -> bool:
        """Add what the index lacks; return False if another program changed it meanwhile."""
        leftovers = list(self._take_over(path))
        if not self._add(path):
            return False
        for leftover in leftovers:
            with contextlib.suppress(OSError):
                leftover.unlink()
        return True

    def _take_over(self, path: Path) -> Iterator[Path]:
        """Take the entries of files that an append left when it was killed; yield the files.

        Such a file is complete or cut short. If it was the index until then, it may have entries
        that another program added meanwhile. Who holds the lock knows that nobody works on it.
        """
        for leftover in path.parent.glob(f".{path.name}.*.tmp"):
            if not _LEFTOVER.fullmatch(leftover.name.removeprefix(f".{path.name}")):
                continue
            with contextlib.suppress(RunForgeError):
                index = read_editor_index(leftover)
                if index is not None:
                    self._displace(index)
            yield leftover

    def _displace(self, index: EditorIndex) -> None:
        """Remember the entries of a file that is not the index any more."""
        for entry, piece in zip(index.entries, index.pieces, strict=True):
            if all(_names(entry) != _names(known) for known, _ in self._displaced):
                self._displaced.append((entry, piece))

    def _add(self, path: Path) -> bool:
        index = read_editor_index(path)
        if index is None:
            return self._create(path)
        pieces = [piece for entry, piece in self._displaced if index.lacks(entry)]
        pieces += [_written(entry) for entry in self._entries if index.lacks(entry)]
        if not pieces:
            return True
        unfinished = _unfinished(path, index.with_pieces(pieces))
        try:
            with contextlib.suppress(OSError):
                unfinished.chmod(stat.S_IMODE(path.stat().st_mode))
            if _bytes_of(path) != index.data:
                return False
            if not _exchange(unfinished, path):
                try:
                    unfinished.replace(path)
                except PermissionError:
                    if REPLACES_OPEN_FILES:
                        raise
                    # Another program has the file open, and may be changing it.
                    time.sleep(_PAUSE)
                    return False
                sync_folder(path.parent)
                return True
            sync_folder(path.parent)
            return self._accept(_bytes_of(unfinished), index, path, unfinished)
        finally:
            unfinished.unlink(missing_ok=True)

    def _create(self, path: Path) -> bool:
        head = b'{\n  "schema_version": "%s",\n  "runs": [' % EDITOR_INDEX_VERSION.encode()
        empty = parse_editor_index(head + b"]\n}\n", path)
        pieces = [piece for _, piece in self._displaced] + [*map(_written, self._entries)]
        unfinished = _unfinished(path, empty.with_pieces(pieces))
        try:
            rename_new(unfinished, path)
        except FileExistsError:
            return False
        finally:
            unfinished.unlink(missing_ok=True)
        sync_folder(path.parent)
        return True

    def _accept(self, old: bytes | None, read: EditorIndex, path: Path, displaced: Path) -> bool:
        """Take over the entries of the replaced file; return False if it was not the one read."""
        if old == read.data or old is None:
            return True
        try:
            replaced = parse_editor_index(old, path)
        except RunForgeError:
            _exchange(displaced, path)  # It is not understood, so it is put back.
            raise
        self._displace(replaced)
        return False


def _stays(path: Path, entries: Iterable[dict[str, Any]]) -> bool:
    """Return whether the entries are in the index for a moment."""
    settled = time.monotonic() + _SETTLED
    while True:
        index = read_editor_index(path)
        if index is None or any(map(index.lacks, entries)):
            return False
        if time.monotonic() > settled:
            return True
        time.sleep(_PAUSE)


def _names(entry: dict[str, Any]) -> Any:
    """Return what tells an entry from others: all of it, if it has neither id nor folder."""
    return [entry.get("run_id"), entry.get("run_dir")] if "run_id" in entry else entry


def _written(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, indent=2, ensure_ascii=False, allow_nan=False).encode()


def _shifted(piece: bytes, line: bytes) -> bytes:
    """Return a new entry with the margin of its place; one that has a margin keeps it."""
    if not line:
        return re.sub(rb"\n *", b" ", piece) if b"\r" not in piece else piece
    return piece.replace(b"\n", line) if b"\n}" in piece else piece


def _list_of_runs(data: bytes) -> tuple[int, int, list[bytes]]:
    """Return the positions of the list of runs in valid JSON, and the bytes of its entries."""
    depth, begin, level, first, text, key = 0, -1, -2, 0, b"", ""
    pieces: list[bytes] = []
    for token in _TOKENS.finditer(data):
        mark = token[0][:1]
        if mark == b'"':
            text = token[0]
        elif mark == b":":
            if depth == 1:
                key = json.loads(text)
        elif mark in (b"[", b"{"):
            if begin < 0 and mark == b"[" and (depth == 0 or (depth == 1 and key == "runs")):
                begin, level = token.start(), depth
            elif depth == level + 1:
                first = token.start()
            depth += 1
        elif mark in (b"]", b"}"):
            depth -= 1
            if depth == level:
                return begin, token.start(), pieces
            if depth == level + 1:
                pieces.append(data[first : token.end()])
    raise AssertionError("the document has a list of runs")


def _unfinished(path: Path, data: bytes) -> Path:
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    with temporary.open("xb") as file:
        file.write(data)
        file.flush()
        sync_file(file.fileno())
    return temporary


def _bytes_of(path: Path) -> bytes | None:
    try:
        return read_file(path, max_bytes=MAX_INDEX_BYTES)
    except RunForgeError:
        return None


def _exchange(one: Path, two: Path) -> bool:
    """Let two files change places in one step; return False where that is not possible."""
    try:
        return exchange_files(one, two)
    except OSError:
        return False


def _not_understood(path: Path, reason: str) -> RunForgeError:
    return RunForgeError(
        ErrorCode.INDEX_INVALID,
        f"The editor's index {quote(path, 200)} is not understood, so nothing was added to it:"
        f" {reason}",
        hint="The editor can list the run again when its own index is in order.",
        path=str(path),
    )
