"""Read bytes safely, in pieces and without memory mapping.

Truncating a mapped file kills the process that reads it, so files are read by position.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Protocol

from runforge_engine.model_file.scan_findings import FindingCode, ReadingStopped

#: A source up to this size is read whole, a larger one in pieces of this size.
PIECE = 1024**2


class ByteSource(Protocol):
    """Bytes with a length, read by position."""

    @property
    def size(self) -> int:
        """Length in bytes."""

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly ``length`` bytes, or raise :class:`ReadingStopped`."""


class BytesSource:
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly ``length`` bytes, or raise :class:`ReadingStopped`."""
        piece = self.data[offset : offset + length]
        if len(piece) < length:
            raise _cut_short(offset)
        return piece


class FileSource:
    """An open file, read by position."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly ``length`` bytes, or raise :class:`ReadingStopped`."""
        if offset + length > self.size:
            raise _cut_short(offset)
        self._file.seek(offset)
        pieces, missing = [], length
        while missing:
            piece = self._file.read(missing)
            if not piece:
                raise _cut_short(offset)
            pieces.append(piece)
            missing -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _cut_short(offset: int) -> ReadingStopped:
    return ReadingStopped(FindingCode.TRUNCATED, "The file ends too early.", offset)


class Blob:
    """Raw bytes of a source, which are read only when needed."""

    __slots__ = ("length", "offset", "source")

    def __init__(self, source: ByteSource, offset: int, length: int) -> None:
        self.source = source
        self.offset = offset
        self.length = length

    def data(self) -> bytes:
        """Return all bytes."""
        return self.source.read(self.offset, self.length)

    def pieces(self, size: int = PIECE) -> Iterator[bytes]:
        """Yield the bytes in pieces of ``size``; only the last may be shorter."""
        for start in range(0, self.length, size):
            yield self.source.read(self.offset + start, min(size, self.length - start))


class Cursor:
    """A forward-only position in a source, which respects pickle frames.

    Python's two readers treat an operation that crosses the end of a frame differently, so it is
    refused here; both read everything else in the same way.
    """

    def __init__(self, source: ByteSource, position: int = 0) -> None:
        self.source = source
        self.position = position
        self._size = source.size
        self._end = source.size
        self._framed = False
        self._buffer, self._base = b"", position
        if isinstance(source, BytesSource):
            self._buffer, self._base = source.data, 0

    def take(self, length: int) -> bytes:
        """Return the next ``length`` bytes."""
        start, stop = self.position, self.position + length
        if stop > self._end:
            self._cross(length)
        self.position = stop
        low = start - self._base
        if low + length > len(self._buffer):
            self._fill(start, length)
            low = 0
        return self._buffer[low : low + length]

    def byte(self) -> int:
        """Return the next byte as a number."""
        position = self.position
        if position < self._end:
            low = position - self._base
            if low < len(self._buffer):
                self.position = position + 1
                return self._buffer[low]
        return self.take(1)[0]

    def skip(self, length: int) -> int:
        """Skip ``length`` bytes and return their start."""
        start = self.position
        if start + length > self._end:
            self._cross(length)
        self.position = start + length
        return start

    def line(self, limit: int) -> bytes:
        """Return the bytes up to the next line feed, and skip it."""
        if self.position == self._end:
            self._cross(1)
        start, scanned = self.position, 0
        while True:
            piece = self.source.read(
                start + scanned, min(4096 + scanned, self._end - start - scanned)
            )
            at = piece.find(b"\n")
            if at >= 0:
                return self.take(scanned + at + 1)[:-1]
            scanned += len(piece)
            if start + scanned >= self._end:
                raise ReadingStopped(
                    FindingCode.FRAME_INVALID if self._framed else FindingCode.TRUNCATED,
                    "A line does not end before the data does.",
                    start,
                )
            if scanned > limit:
                raise ReadingStopped(
                    FindingCode.TEXT_LIMIT, f"A line has more than {limit:,} bytes.", start
                )

    def open_frame(self, length: int) -> None:
        """Start a frame of ``length`` bytes at the current position."""
        if self._framed and self.position != self._end:
            raise ReadingStopped(
                FindingCode.FRAME_INVALID, "A frame begins before the last one ends."
            )
        if self.position + length > self._size:
            raise ReadingStopped(FindingCode.TRUNCATED, "A frame is longer than the file.")
        self._framed, self._end = True, self.position + length

    def leave_frame(self) -> None:
        """Leave the frame, like a reader that reads directly from the file."""
        if self._framed and self.position != self._end:
            raise ReadingStopped(
                FindingCode.FRAME_INVALID, "An array begins in the middle of a frame."
            )
        self._framed, self._end = False, self._size

    def _cross(self, length: int) -> None:
        if self._framed and self.position == self._end:
            self._framed, self._end = False, self._size
            if self.position + length <= self._end:
                return
        if self._framed:
            raise ReadingStopped(
                FindingCode.FRAME_INVALID, "An operation crosses the end of its frame."
            )
        raise ReadingStopped(FindingCode.TRUNCATED, "The file ends too early.")

    def _fill(self, start: int, length: int) -> None:
        wanted = min(max(length, PIECE), self._size - start)
        self._buffer, self._base = self.source.read(start, wanted), start
