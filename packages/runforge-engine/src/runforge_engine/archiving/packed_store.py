"""Pack the folder of an archive into one file, and unpack it: a tar file, compressed by Zstandard.

Programs disagree about tar files as they do about ZIP files. Only what :func:`pack` writes is read:
every header must be, byte for byte, the one that it writes for a regular file of this name and
size, so that links, devices, sparse files and foreign extensions have no form here.

Source: specification, section 26.3; IEEE Std 1003.1-2017, pax, "ustar Interchange Format".
"""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import FileDigest, open_file, reading, writing
from runforge_contracts.fs.folders import Item, walk_folder
from runforge_contracts.shared_work import WorkWatch, unwatched, watched_bytes
from runforge_contracts.system.system_files import sync_file

from runforge_engine.bundles.member_names import MAX_NAME, MemberNames, name_problem
from runforge_engine.runtime.zstandard import import_zstd

#: Ending of archives in one file.
SUFFIX = ".tar.zst"
#: Most files of an archive, and the largest of them, in bytes: what a ustar header can state.
MAX_FILES, MAX_FILE = 10_000_000, 2**33 - 1
#: An archive is not unpacked to more than this many times its size, from this many bytes on.
_RATIO, _RATIO_FROM = 250, 64 * 2**20
#: Largest window that is decompressed, as a power of 2: no level of :func:`pack` needs more.
_WINDOW = 23
_LEVEL = 9
_BLOCK, _PIECE = 512, 2**20
_END = bytes(2 * _BLOCK)
_EXTENDED = tarfile.XHDTYPE
#: The record of an extended header that :func:`pack` writes: the name of the next file.
_PATH = re.compile(rb"[0-9]+ path=([^\n]+)\n")


class _ZstdDecompressor(Protocol):
    """The part of a Zstandard decompressor that is used here."""

    eof: bool
    needs_input: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return a piece of what ``data`` decompresses to."""


def pack(folder: Path, target: Path, watch: WorkWatch = unwatched) -> FileDigest:
    """Write every file of a folder to the new file ``target``, and return its digest.

    The same files give the same tar file: they are sorted by name, and have no time, owner or mode
    of their own. What is compressed may differ between releases of Zstandard. ``watch`` shows how
    far it is.

    Raises
    ------
    RunForgeError
        ``EXTRA_MISSING`` without Zstandard; ``FILE_UNSAFE`` for a file that cannot be packed;
        ``FILE_UNREADABLE``, ``STORE_NOT_WRITABLE``.
    """
    zstd = import_zstd()
    parameter = zstd.CompressionParameter
    packer = zstd.ZstdCompressor(
        options={parameter.compression_level: _LEVEL, parameter.checksum_flag: 1}
    )
    files = _files_of(folder)
    total = sum(size for _, size in files)
    digest, size = hashlib.sha256(), 0
    with (
        writing(target),
        target.open("xb") as file,
        watched_bytes(watch, "Packing", total) as done,
    ):
        for piece in _tar(files):
            packed = packer.compress(piece)
            done(len(piece))
            digest.update(packed)
            size += file.write(packed)
        packed = packer.flush()
        digest.update(packed)
        size += file.write(packed)
        file.flush()
        sync_file(file.fileno())
    return FileDigest(digest.hexdigest(), size)


def unpack(path: Path, folder: Path, watch: WorkWatch = unwatched) -> FileDigest:
    """Write the files of an archive into an empty folder, and return the digest of the archive.

    ``watch`` shows how far it is.

    Raises
    ------
    RunForgeError
        ``DOCUMENT_INVALID`` for a file that is not a complete archive; ``FILE_UNSAFE`` for one that
        has what :func:`pack` does not write; ``EXTRA_MISSING``; ``FILE_NOT_FOUND``,
        ``FILE_UNREADABLE``, ``STORE_NOT_WRITABLE``.
    """
    packed = path.stat().st_size if path.is_file() else 0
    with watched_bytes(watch, "Unpacking", packed) as done:
        reader = _PackedFile(path, done)
        names, last = MemberNames(), b""
        for count, (name, size) in enumerate(reader.members(), 1):
            problem = names.add(name)
            if count > MAX_FILES:
                problem = f"it has more than {MAX_FILES:,} files"
            elif name.encode() < last:
                problem = f"{quote(name)} is not in the order of the names"
            if problem is not None:
                reader.refuse(problem)
            last = name.encode()
            target = folder / name
            with writing(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as file:
                    for piece in reader.content(size):
                        file.write(piece)
        return reader.digest()


def _files_of(folder: Path) -> list[tuple[Item, int]]:
    """Return the files of a folder in the order of their names, each with its size."""
    found = list[tuple[Item, int]]()
    files = [item for item in walk_folder(folder) if item.kind != "folder"]
    for item in sorted(files, key=lambda item: item.place.encode("utf-8", "surrogateescape")):
        problem = name_problem(item.place) if item.place.isprintable() else "a name is not text"
        size = item.path.lstat().st_size
        if item.kind != "file":
            problem = f"{quote(item.place)} is not a regular file"
        elif size > MAX_FILE:
            problem = f"{quote(item.place)} is larger than {MAX_FILE:,} bytes"
        if problem is not None:
            raise RunForgeError(
                ErrorCode.FILE_UNSAFE,
                f"{quote(folder, 200)} cannot be packed: {problem}.",
                hint="Archive into a folder, which keeps every file as it is.",
                path=str(item.path),
            )
        found.append((item, size))
    return found


def _tar(files: Sequence[tuple[Item, int]]) -> Iterator[bytes]:
    """Yield the tar file of files in pieces."""
    for item, size in files:
        yield _header(item.place, size)
        left = size
        with open_file(item.path) as file, reading(item.path):
            while piece := file.read(_PIECE):
                left -= len(piece)
                yield piece
        if left:
            raise RunForgeError(
                ErrorCode.VERIFICATION_FAILED,
                f"{quote(item.path, 200)} was changed while it was packed.",
                path=str(item.path),
            )
        yield bytes(-size % _BLOCK)
    yield _END


def _header(name: str, size: int) -> bytes:
    about = tarfile.TarInfo(name)
    about.size = size
    return about.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


class _PackedFile:
    """An archive in one file that is read from its beginning to its end."""

    def __init__(self, path: Path, done: Callable[[int], None]) -> None:
        self._path, self._done = path, done
        self._digest, self._size = hashlib.sha256(), 0
        self._unpacked = 0
        self._ready = bytearray()
        zstd = import_zstd()
        self._error: type[Exception] = zstd.ZstdError
        options = {zstd.DecompressionParameter.window_log_max: _WINDOW}
        self._pieces = self._decompressed(zstd.ZstdDecompressor(options=options))

    def members(self) -> Iterator[tuple[str, int]]:
        """Yield name and size of each file; the caller reads its content before the next one."""
        while (block := self._take(_BLOCK)) != bytes(_BLOCK):
            header, name = block, _text(block[345:500], block[:100])
            if block[156:157] == _EXTENDED:
                length = self._number(block)
                if length > 2 * MAX_NAME:
                    self.refuse("the name of a file is too long")
                record = self._take(length + -length % _BLOCK)
                block = self._take(_BLOCK)
                header += record + block
                found = _PATH.fullmatch(record[:length])
                name = None if found is None else _text(b"", found[1])
            size = self._number(block)
            problem = "a name is not UTF-8" if name is None else name_problem(name)
            if problem is not None:
                self.refuse(problem)
            if name is None or header != _header(name, size):
                self.refuse("it has what no archive needs, such as a link, a folder or an owner")
            yield name, size
        if self._take(_BLOCK) != bytes(_BLOCK) or self._ready or next(self._pieces, b""):
            self.refuse("something follows its end")

    def content(self, size: int) -> Iterator[bytes]:
        """Yield the content of a file in pieces."""
        left = size
        while left:
            piece = self._take(min(left, _PIECE))
            left -= len(piece)
            yield piece
        if any(self._take(-size % _BLOCK)):
            self.refuse("there is something between two of its files")

    def digest(self) -> FileDigest:
        """Return SHA-256 and size of what was read: all, after the last member."""
        return FileDigest(self._digest.hexdigest(), self._size)

    def refuse(self, reason: str) -> NoReturn:
        """Raise ``FILE_UNSAFE``."""
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(self._path, 200)} is refused: {reason}.",
            hint="`runforge store archive` writes no such file. If another program packed it,"
            " unpack it with that and name the folder.",
            path=str(self._path),
        )

    def _take(self, size: int) -> bytes:
        """Return the next bytes of the tar file."""
        while len(self._ready) < size:
            piece = next(self._pieces, b"")
            if not piece:
                self._damaged("it is cut off")
            self._ready += piece
        taken = bytes(self._ready[:size])
        del self._ready[:size]
        return taken

    def _decompressed(self, unpacker: _ZstdDecompressor) -> Iterator[bytes]:
        with open_file(self._path) as file:
            while packed := self._read(file):
                while not unpacker.eof:
                    try:
                        piece = unpacker.decompress(packed, _PIECE)
                    except self._error:
                        self._damaged("it cannot be decompressed")
                    packed = b""
                    self._unpacked += len(piece)
                    if self._unpacked > max(_RATIO_FROM, _RATIO * self._size):
                        self.refuse(f"it would grow to more than {self._unpacked:,} bytes")
                    if piece:
                        yield piece
                    if unpacker.needs_input:
                        break
                if unpacker.eof and (unpacker.unused_data or packed):
                    self._damaged("something follows its end")
        if not unpacker.eof:
            self._damaged("it is cut off")

    def _read(self, file: Any) -> bytes:
        with reading(self._path):
            packed: bytes = file.read(_PIECE)
        self._digest.update(packed)
        self._size += len(packed)
        self._done(len(packed))
        return packed

    def _number(self, block: bytes) -> int:
        """Return the size that a header states."""
        digits = block[124:135]
        if not re.fullmatch(rb"[0-7]{11}", digits):
            self.refuse("a header states no size")
        return int(digits, 8)

    def _damaged(self, reason: str) -> NoReturn:
        raise RunForgeError(
            ErrorCode.DOCUMENT_INVALID,
            f"{quote(self._path, 200)} is not an archive of runs: {reason}.",
            hint="Get the file from its source again.",
            path=str(self._path),
        )


def _text(prefix: bytes, name: bytes) -> str | None:
    """Return the name in a header; None if it is not UTF-8."""
    parts = [part.rstrip(b"\0") for part in (prefix, name)]
    try:
        return "/".join(part.decode() for part in parts if part)
    except UnicodeDecodeError:
        return None
