"""Read and write the ZIP files of bundles; everything that a bundle does not need is refused.

Programs disagree on what a ZIP file contains: where its directory is, which of two names counts,
whether the local or the central header is right. A file that is read here has one meaning only: its
members follow each other from the first byte, the directory follows them, and nothing else does.

Source: specification, section 22.3.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import BinaryIO, NoReturn

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import FileDigest, open_file, read_all, reading
from runforge_contracts.system.system_files import sync_file

from runforge_engine.bundles.member_names import MAX_NAME, MemberNames, name_problem

#: Most members of a bundle: a run has 10,000 files at most, and there are four besides.
MAX_MEMBERS = 10_004
#: Largest sum of the sizes of the members, in bytes: what fits without ZIP64.
MAX_BYTES = 2**32 - 2**20
#: Members that are larger must not have been compressed to less than this fraction.
_RATIO, _RATIO_FROM = 1 / 250, 2**20
_MAX_DIRECTORY = 16 * 2**20
_PIECE = 2**20

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_STORED, _DEFLATED = 0, 8
_UTF8 = 0x800
#: Flags that change nothing: the effort of the compression, and the encoding of the name.
_HARMLESS = 0x006 | _UTF8
_UNIX, _FILE_TYPE, _REGULAR = 3, 0o170000, 0o100000
#: The earliest time that a ZIP file can have, which every member gets.
_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a ZIP file, as the directory describes it."""

    name: str
    method: int
    crc: int
    compressed: int
    size: int
    #: Where its local header begins.
    offset: int


class Archive:
    """A ZIP file that is open for reading, whose structure was checked.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    RunForgeError
        ``DOCUMENT_INVALID`` for a file that is not a complete ZIP file; ``FILE_UNSAFE`` for one
        that contains what no bundle needs; the errors of
        :func:`~runforge_contracts.fs.files.open_file`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: FileIO = open_file(path)
        try:
            with reading(path):
                #: Its members by name, in the order of the file.
                self.members: Mapping[str, Member] = self._read_directory()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Archive:
        """Return the archive, which is closed at the end of the context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def digest(self) -> FileDigest:
        """Return SHA-256 and size of the whole file."""
        digest, size = hashlib.sha256(), 0
        with reading(self.path):
            self._file.seek(0)
            while piece := self._file.read(_PIECE):
                digest.update(piece)
                size += len(piece)
        return FileDigest(digest.hexdigest(), size)

    def extract(self, name: str, target: BinaryIO) -> FileDigest:
        """Write the content of a member to ``target``, and return its SHA-256 and size.

        Raises
        ------
        RunForgeError
            ``DOCUMENT_INVALID`` where the content does not have the size or the checksum of the
            directory; ``FILE_UNREADABLE``.
        """
        member = self.members[name]
        digest, size, crc = hashlib.sha256(), 0, 0
        for piece in self._content(member):
            size += len(piece)
            if size > member.size:
                self._damaged(f"{quote(name)} is larger than the {member.size:,} bytes it states")
            digest.update(piece)
            crc = zlib.crc32(piece, crc)
            target.write(piece)
        if (size, crc) != (member.size, member.crc):
            self._damaged(f"the content of {quote(name)} does not have its size and checksum")
        return FileDigest(digest.hexdigest(), size)

    def _content(self, member: Member) -> Iterator[bytes]:
        """Yield the content of a member in pieces; never much more than it states."""
        raw = self._raw(member)
        if member.method == _STORED:
            yield from raw
            return
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for piece in raw:
                while piece and not unpacker.eof:
                    yield unpacker.decompress(piece, _PIECE)
                    piece = unpacker.unconsumed_tail
                if unpacker.eof and (unpacker.unused_data or piece):
                    self._damaged(f"{quote(member.name)} has data after its end")
            yield unpacker.flush()
        except zlib.error:
            self._damaged(f"{quote(member.name)} cannot be decompressed")
        if not unpacker.eof:
            self._damaged(f"{quote(member.name)} is cut off")

    def _raw(self, member: Member) -> Iterator[bytes]:
        start, left = member.offset + _LOCAL.size + len(member.name.encode()), member.compressed
        while left:
            with reading(self.path):
                self._file.seek(start)
                piece = read_all(self._file, min(left, _PIECE))
            if not piece:
                self._damaged("it became shorter while it was read")
            yield piece
            start, left = start + len(piece), left - len(piece)

    def _read_directory(self) -> dict[str, Member]:
        size = os.fstat(self._file.fileno()).st_size
        if size < _END.size:
            self._damaged("it is no ZIP file, or its end is cut off")
        self._file.seek(size - _END.size)
        mark, disk, first, here, total, length, start, comment = _END.unpack(
            read_all(self._file, _END.size)
        )
        if mark != _END_MARK:
            self._damaged("it is no ZIP file, its end is cut off, or something follows its end")
        if comment or disk or first or here != total:
            self._unsafe("it has a comment, or is a part of several files")
        if total > MAX_MEMBERS:
            self._unsafe(f"it has {total:,} members; a bundle has {MAX_MEMBERS:,} at most")
        if length > _MAX_DIRECTORY or start + length != size - _END.size:
            self._unsafe("its directory is not where it must be, or it is a ZIP64 file")
        self._file.seek(start)
        directory = read_all(self._file, length)
        members = list(self._central_headers(directory, total))
        self._check_sizes(members)
        names = MemberNames()
        for member in members:
            problem = names.add(member.name)
            if problem is not None:
                self._unsafe(problem)
        self._check_places(members, start)
        return {member.name: member for member in members}

    def _central_headers(self, directory: bytes, total: int) -> Iterator[Member]:
        place = 0
        for _ in range(total):
            if len(directory) < place + _CENTRAL.size:
                self._damaged("its directory is cut off")
            mark, made_by, _, flags, method, _, _, crc, *rest = _CENTRAL.unpack_from(
                directory, place
            )
            compressed, size, name_length, extra, comment, disk, _, external, offset = rest
            place += _CENTRAL.size
            encoded = directory[place : place + name_length]
            place += name_length
            if mark != _CENTRAL_MARK or len(encoded) < name_length:
                self._damaged("its directory is cut off")
            name = self._name(encoded, flags)
            if flags & 1:
                self._unsafe(f"{quote(name)} is encrypted")
            if flags & ~_HARMLESS or method not in (_STORED, _DEFLATED):
                self._unsafe(f"{quote(name)} is stored in a form that is not read")
            if extra or comment or disk:
                self._unsafe(f"{quote(name)} has an extra field, a comment, or lies elsewhere")
            kind = (external >> 16) & _FILE_TYPE if made_by >> 8 == _UNIX else 0
            if kind not in (0, _REGULAR) or external & 0x10:
                self._unsafe(f"{quote(name)} is a link, a folder or a device, and not a file")
            yield Member(name, method, crc, compressed, size, offset)
        if place != len(directory):
            self._damaged("its directory has more than its members")

    def _name(self, encoded: bytes, flags: int) -> str:
        if not 0 < len(encoded) <= MAX_NAME:
            self._unsafe("the name of a member is empty or too long")
        try:
            name = encoded.decode("utf-8" if flags & _UTF8 else "ascii")
        except UnicodeDecodeError:
            self._unsafe(f"the name {quote(encoded.decode('latin-1'))} is not UTF-8")
        problem = name_problem(name)
        if problem is not None:
            self._unsafe(problem)
        return name

    def _check_sizes(self, members: Iterable[Member]) -> None:
        total = 0
        for member in members:
            total += member.size
            if member.method == _STORED and member.compressed != member.size:
                self._damaged(f"{quote(member.name)} states two sizes")
            if member.size > _RATIO_FROM and member.compressed < member.size * _RATIO:
                self._unsafe(
                    f"{quote(member.name)} would grow from {member.compressed:,} to"
                    f" {member.size:,} bytes"
                )
        if total > MAX_BYTES:
            self._unsafe(f"it has {total:,} bytes; a bundle has {MAX_BYTES:,} at most")

    def _check_places(self, members: Iterable[Member], directory: int) -> None:
        """Check that the members lie one after the other, with the headers of the directory."""
        place = 0
        for member in members:
            name = member.name.encode()
            self._file.seek(place)
            header = read_all(self._file, _LOCAL.size + len(name))
            if member.offset != place or len(header) < _LOCAL.size:
                self._unsafe(f"{quote(member.name)} does not follow the member before it")
            mark, _, flags, method, _, _, crc, compressed, size, length, extra = _LOCAL.unpack(
                header[: _LOCAL.size]
            )
            same = (method, crc, compressed, size, length, header[_LOCAL.size :]) == (
                *(member.method, member.crc, member.compressed, member.size),
                *(len(name), name),
            )
            if mark != _LOCAL_MARK or extra or flags & ~_HARMLESS or not same:
                self._unsafe(f"the two headers of {quote(member.name)} differ")
            place += len(header) + member.compressed
        if place != directory:
            self._unsafe("there is something between its members and its directory")

    def _damaged(self, reason: str) -> NoReturn:
        raise RunForgeError(
            ErrorCode.DOCUMENT_INVALID,
            f"{quote(self.path, 200)} is not a bundle: {reason}.",
            hint="Get the file from its source again.",
            path=str(self.path),
        )

    def _unsafe(self, reason: str) -> NoReturn:
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(self.path, 200)} is refused: {reason}.",
            hint="`runforge bundle` writes no such file; nothing was unpacked.",
            path=str(self.path),
        )


def write_archive(file: BinaryIO, members: Mapping[str, bytes | Path]) -> dict[str, FileDigest]:
    """Write a ZIP file with its members sorted by name, and return the digest of each.

    The same members give the same bytes: they are stored, not compressed, because what a compressor
    writes depends on its version; all have the same time and mode.

    Parameters
    ----------
    file
        The empty file.
    members
        The content of each member, or the file that has it, which is read once.
    """
    written: dict[str, FileDigest] = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        for name, source in sorted(members.items()):
            about = zipfile.ZipInfo(name, _TIME)
            about.create_system = _UNIX
            about.external_attr = (_REGULAR | 0o644) << 16
            digest, size = hashlib.sha256(), 0
            with archive.open(about, "w") as target:
                for piece in pieces_of(source):
                    digest.update(piece)
                    size += len(piece)
                    target.write(piece)
            written[name] = FileDigest(digest.hexdigest(), size)
    return written


def write_archive_file(path: Path, members: Mapping[str, bytes | Path]) -> dict[str, str]:
    """Write a new ZIP file and bring it to the disk; return the SHA-256 of each member.

    Raises ``FileExistsError`` if there is something at ``path``.
    """
    with path.open("xb") as file:
        written = write_archive(file, members)
        file.flush()
        sync_file(file.fileno())
    return {name: digest.sha256 for name, digest in written.items()}


def pieces_of(source: bytes | Path) -> Iterator[bytes]:
    """Yield the content of a member, or of the file that has it."""
    if isinstance(source, bytes):
        yield source
        return
    with open_file(source) as file, reading(source):
        while piece := file.read(_PIECE):
            yield piece
