"""Decompress model files, within limits.

The compression is recognised by the first bytes, as in joblib. A file must be one compressed stream
and nothing else, because joblib continues to read after it, in data that was not inspected.
Source: joblib, ``compressor`` and ``numpy_pickle_utils._detect_compressor``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import IO, Protocol, Self

from runforge_engine.model_file.byte_source import PIECE, ByteSource, BytesSource, FileSource
from runforge_engine.model_file.limits import Watch
from runforge_engine.model_file.scan_findings import FindingCode, ReadingStopped

#: Larger output is kept in a temporary file instead of in memory.
_IN_MEMORY = 8 * PIECE
#: Working memory of an xz or lzma stream; its strongest preset needs 65 MiB.
_LZMA_MEMORY = 96 * PIECE

#: Compression by first bytes; ``zlib`` last, because its single byte is the least specific.
_MAGIC = (
    (b"ZF", "compat"),
    (b"\x1f\x8b", "gzip"),
    (b"BZ", "bz2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x5d\x00", "lzma"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x78", "zlib"),
)


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


def detect(source: ByteSource) -> str | None:
    """Return the name of the compression, or ``None`` for a plain file."""
    head = source.read(0, min(8, source.size))
    return next((name for magic, name in _MAGIC if head.startswith(magic)), None)


@contextlib.contextmanager
def unfolded(
    source: ByteSource, compression: str, watch: Watch
) -> Iterator[tuple[ByteSource, int | None]]:
    """Yield the contents of a compressed file, and the offset of any data after the stream.

    Raises
    ------
    ReadingStopped
        ``LEGACY_FORMAT`` or ``COMPRESSION_UNSUPPORTED`` for an unsupported form,
        ``COMPRESSION_INVALID`` for a broken stream, ``DECOMPRESSION_LIMIT``, ``TIME_LIMIT``.
    """
    if compression == "compat":
        raise ReadingStopped(
            FindingCode.LEGACY_FORMAT, "The file is of joblib before 0.10, which is not read.", 0
        )
    if compression == "lz4":
        raise ReadingStopped(
            FindingCode.COMPRESSION_UNSUPPORTED, "A file compressed with lz4 is not read.", 0
        )
    limits = watch.limits
    most = max(limits.decompressed_times * source.size, limits.decompressed_least)
    with _Output(min(limits.decompressed_bytes, most)) as output:
        rest = _unfold(source, compression, output, watch)
        yield output.source(), rest


def _unfold(source: ByteSource, compression: str, output: _Output, watch: Watch) -> int | None:
    """Decompress the source to the output, and return the offset of any data after the stream."""
    errors: tuple[type[Exception], ...] = (OSError, EOFError, ValueError)
    try:
        if compression in ("zlib", "gzip"):
            import zlib

            errors += (zlib.error,)
            return _inflate(source, 31 if compression == "gzip" else 15, output, watch)
        if compression == "bz2":
            import bz2

            bzip = bz2.BZ2Decompressor()
            return _unpack(source, bzip, bzip.decompress, output, watch)
        import lzma

        errors += (lzma.LZMAError,)
        form = lzma.FORMAT_XZ if compression == "xz" else lzma.FORMAT_ALONE
        packed = lzma.LZMADecompressor(form, memlimit=_LZMA_MEMORY)
        return _unpack(source, packed, packed.decompress, output, watch)
    except ImportError:
        raise ReadingStopped(
            FindingCode.COMPRESSION_UNSUPPORTED,
            f"This Python cannot read files compressed with {compression}.",
            0,
        ) from None
    except errors as error:
        raise ReadingStopped(
            FindingCode.COMPRESSION_INVALID, f"The {compression} stream is broken: {error}.", 0
        ) from None


def _inflate(source: ByteSource, window: int, output: _Output, watch: Watch) -> int | None:
    import zlib

    decompressor = zlib.decompressobj(window)
    for start in range(0, source.size, PIECE):
        piece = source.read(start, min(PIECE, source.size - start))
        while piece and not decompressor.eof:
            watch.check_time()
            output.write(decompressor.decompress(piece, PIECE))
            piece = decompressor.unconsumed_tail
        if decompressor.eof:
            end = min(start + PIECE, source.size) - len(decompressor.unused_data)
            return end if end < source.size else None
    raise EOFError("it ends too early")


def _unpack(
    source: ByteSource,
    state: _Decompressor,
    decompress: Callable[[bytes, int], bytes],
    output: _Output,
    watch: Watch,
) -> int | None:
    for start in range(0, source.size, PIECE):
        piece = source.read(start, min(PIECE, source.size - start))
        while True:
            watch.check_time()
            unpacked = decompress(piece, PIECE)
            output.write(unpacked)
            piece = b""
            if state.eof:
                end = min(start + PIECE, source.size) - len(state.unused_data)
                return end if end < source.size else None
            if not unpacked:
                break
    raise EOFError("it ends too early")


class _Output:
    """Collect decompressed bytes, first in memory, then in an unnamed temporary file."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise ReadingStopped(
                FindingCode.DECOMPRESSION_LIMIT,
                f"The file unfolds to more than {self._limit:,} bytes.",
            )
        self._pieces.append(piece)
        if self._size > _IN_MEMORY:
            try:
                self._spill()
            except OSError as error:
                raise ReadingStopped(
                    FindingCode.DECOMPRESSION_LIMIT,
                    f"There is no room to unfold the file: {error.strerror}.",
                ) from None

    def _spill(self) -> None:
        import tempfile

        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the output
        self._file.write(b"".join(self._pieces))
        self._file.flush()
        self._pieces = []

    def source(self) -> ByteSource:
        if self._file is not None:
            return FileSource(self._file, self._size)
        return BytesSource(b"".join(self._pieces))
