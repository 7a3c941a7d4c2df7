"""Append to an index without reading and writing all of it as JSON.

To a small index an entry is added as text. What this process has checked before is not checked
again; it is compared byte for byte with what is in the file.

A large index is not even written as a whole. Any client may read the index at any moment and must
find a complete document, so the file is never changed in place: a new file is renamed over it.
Writing a new file of eighty megabytes for each run would take longer than many trainings. The
replaced file is therefore kept, hidden, as a spare: it lacks only the most recent entries, which
are appended to it before the two files are swapped. A lease of the kernel detects a reader that
still has the spare open. In that case, and when the spare is not known to be an earlier state of
the index, the index is copied.

Source: specification, section 5.5; fcntl(2), "Leases".
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import shutil
from pathlib import Path
from typing import Any, BinaryIO

from runforge_contracts.codec.strict_json import encode_json, parse_json
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import open_file, read_all, reading, write_file, writing
from runforge_contracts.schemas import in_schema_order
from runforge_contracts.store.index_form import BETWEEN, HEAD, TAIL
from runforge_contracts.system.system_files import hard_link, replace_file, sync_file, sync_folder
from runforge_contracts.system.system_locks import refuse_readers
from runforge_contracts.validation import validate

#: Largest index that is validated and written as a whole, in bytes.
LARGE = 4 * 2**20

#: The index that this process has checked last: its path, and its text up to the last entry.
_checked: tuple[Path, bytes] | None = None


def append_to_checked(index: Path, entry: dict[str, Any]) -> bool:
    """Append ``entry`` to an index that this process has checked, with what came after it.

    The caller holds the index's lock and has validated the entry.

    Returns
    -------
    bool
        Whether the index now has the entry; False if it must be read and checked as a whole.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_WRITABLE``; the index is then unchanged.
    """
    if _checked is None or _checked[0] != index:
        return False
    with open_file(index) as file, reading(index):
        text = file.read(LARGE + 1)
    known = _checked[1]
    if len(text) > LARGE or not text.startswith(known) or not text.endswith(TAIL):
        return False
    return _are_entries(text[len(known) : -len(TAIL)]) and append_as_text(index, text, entry)


def append_as_text(index: Path, text: bytes, entry: dict[str, Any]) -> bool:
    """Append ``entry`` to a valid index that was read as ``text``, unless it is in it.

    As :func:`append_to_checked`. What is in the index stays as it is, byte for byte.
    """
    global _checked
    if text[: len(HEAD)] != HEAD or not text.endswith(TAIL) or b'\n  "' in text[len(HEAD) :]:
        return False  # It has another form, or members beside the entries.
    _checked = None
    if _run_id(entry) not in text:
        known = text[: -len(TAIL)] + BETWEEN + _text(entry)
        write_file(index, known + TAIL)
    else:
        known = text[: -len(TAIL)]
    _checked = index, known
    return True


def _are_entries(text: bytes) -> bool:
    """Return whether what was added to an index are valid entries in their written form."""
    if not text:
        return True
    pieces = text.split(BETWEEN)
    if pieces.pop(0):
        return False
    try:
        added = parse_json(b"[{" + b"},{".join(pieces) + b"}]")
        validate({"schema_version": "index.v1", "runs": added}, "index.v1")
    except RunForgeError:
        return False
    return True


def _run_id(entry: dict[str, Any]) -> bytes:
    """Return the line of an entry by which it is found in the index, up to its end."""
    return b'\n      "run_id": ' + json.dumps(entry["run_id"]).encode()


def append_to_large(index: Path, entry: dict[str, Any]) -> bool:
    """Append ``entry`` to a large index, keeping the existing format of the file.

    The caller holds the index's lock and has validated the entry.

    Returns
    -------
    bool
        Whether the index now has the entry; False if the index is small or has another format and
        must be read and written as a whole.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_WRITABLE``; the index is then unchanged.
    """
    with open_file(index) as file, writing(index):
        size = os.fstat(file.fileno()).st_size
        if size < max(LARGE, len(HEAD) + len(TAIL)):
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            if text[: len(HEAD)] != HEAD or text[-len(TAIL) :] != TAIL:
                return False
            if text.find(_run_id(entry)) >= 0:
                return True
        spare = _Spare(index)
        if not spare.take_up(file, size):
            spare.copy(size)
        spare.add(_text(entry), size)
    with writing(index):
        spare.change_places()  # Windows replaces no file that is open here.
    return True


def _text(entry: dict[str, Any]) -> bytes:
    """Return the members of an entry as they are written in the index, without its brackets."""
    whole = encode_json(
        in_schema_order({"schema_version": "index.v1", "runs": [entry]}, "index.v1")
    )
    return whole[len(HEAD) : -len(TAIL)]


class _Spare:
    """An earlier state of the index, and the note that identifies that state."""

    def __init__(self, index: Path) -> None:
        self.index = index
        self.path = index.with_name(f".{index.name}.spare")
        self.note = index.with_name(f".{index.name}.spare.note")

    def take_up(self, index: BinaryIO, size: int) -> bool:
        """Bring the spare up to date, except the closing bytes; return False on failure."""
        try:
            known = json.loads(self.note.read_bytes())
            if known != [_state(self.path), _state(self.index)]:
                return False
            with self.path.open("r+b", buffering=0) as file:
                # Another process that has the file open may be reading it.
                refuse_readers(file.fileno())
                begin = os.fstat(file.fileno()).st_size - len(TAIL)
                index.seek(begin)
                missing = read_all(index, size - len(TAIL) - begin)
                self.note.unlink()
                file.seek(begin)
                return file.write(missing) == len(missing)
        except (OSError, ValueError):
            return False

    def copy(self, size: int) -> None:
        """Copy the index to the spare, without the closing bytes of the document."""
        for path in (self.note, self.path):
            path.unlink(missing_ok=True)
        shutil.copyfile(self.index, self.path)
        os.truncate(self.path, size - len(TAIL))

    def add(self, entry: bytes, size: int) -> None:
        """Write the entry and the closing bytes of the document after the spare's entries."""
        with self.path.open("r+b") as file:
            file.seek(size - len(TAIL))
            file.write(BETWEEN + entry + TAIL)
            file.truncate()
            file.flush()
            sync_file(file.fileno())

    def change_places(self) -> None:
        """Rename the spare over the index, and keep the previous index as the spare."""
        before = self.index.with_name(f".{self.index.name}.before")
        before.unlink(missing_ok=True)
        # Where the file system has no hard links, the next append makes a copy.
        with contextlib.suppress(OSError):
            hard_link(self.index, before)
        replace_file(self.path, self.index)
        if before.exists():
            replace_file(before, self.path)
            self.note.write_text(json.dumps([_state(self.path), _state(self.index)]))
        sync_folder(self.index.parent)


def _state(path: Path) -> list[int]:
    """Return the file metadata that changes with every change of the file."""
    status = path.stat()
    return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
