"""Decode numbers, strings and bytes of a pickle stream, as each operation encodes them.

Raises ``ValueError`` where a literal is invalid for its operation.
Source: Python, ``pickletools``.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable
from typing import TypeVar

from runforge_engine.model_file.byte_source import Blob, Cursor
from runforge_engine.model_file.limits import Watch
from runforge_engine.model_file.scan_findings import FindingCode, ReadingStopped

T_co = TypeVar("T_co", covariant=True)

#: Reads a literal at the cursor.
Read = Callable[[Cursor, Watch], T_co]

_INT32 = struct.Struct("<i").unpack
_FLOAT64 = struct.Struct(">d").unpack


def _line(cursor: Cursor, watch: Watch) -> bytes:
    line = cursor.line(watch.limits.text_bytes)
    watch.count_text(len(line))
    return line


def _integer(line: bytes, watch: Watch) -> int:
    if len(line) > 4 * watch.limits.integer_bytes:
        raise _long_integer()
    return int(line, 0)


def _int_line(cursor: Cursor, watch: Watch) -> object:
    line = _line(cursor, watch)
    return line == b"01" if line in (b"00", b"01") else _integer(line, watch)


def _long_line(cursor: Cursor, watch: Watch) -> int:
    return _integer(_line(cursor, watch).removesuffix(b"L"), watch)


def _long(prefix: int) -> Read[object]:
    def read(cursor: Cursor, watch: Watch) -> int:
        length = cursor.byte() if prefix == 1 else _INT32(cursor.take(4))[0]
        if length < 0:
            raise ValueError("an integer has a negative length")
        if length > watch.limits.integer_bytes:
            raise _long_integer()
        return int.from_bytes(cursor.take(length), "little", signed=True)

    return read


def _float_line(cursor: Cursor, watch: Watch) -> float:
    return float(_line(cursor, watch))


def _string_line(cursor: Cursor, watch: Watch) -> str:
    line = _line(cursor, watch)
    if len(line) < 2 or line[0] != line[-1] or line[:1] not in (b'"', b"'"):
        raise ValueError("a string is not quoted")
    data: bytes = codecs.escape_decode(line[1:-1])[0]
    return data.decode("ascii")


def _unicode_line(cursor: Cursor, watch: Watch) -> str:
    return _line(cursor, watch).decode("raw-unicode-escape")


def _text(prefix: int, encoding: str = "utf-8", errors: str = "surrogatepass") -> Read[object]:
    def read(cursor: Cursor, watch: Watch) -> str:
        length = cursor.byte() if prefix == 1 else int.from_bytes(cursor.take(prefix), "little")
        watch.count_text(length)
        return cursor.take(length).decode(encoding, errors)

    return read


def _bytes(prefix: int) -> Read[object]:
    def read(cursor: Cursor, watch: Watch) -> Blob:
        length = cursor.byte() if prefix == 1 else int.from_bytes(cursor.take(prefix), "little")
        return Blob(cursor.source, cursor.skip(length), length)

    return read


def index_line(cursor: Cursor, watch: Watch) -> int:
    """Read an index of the memo, written as a line."""
    return int(cursor.line(64))


def index(length: int) -> Read[int]:
    """Return a reader of an index of the memo of ``length`` bytes."""
    return lambda cursor, watch: int.from_bytes(cursor.take(length), "little")


def _constant(value: object) -> Read[object]:
    return lambda cursor, watch: value


def _long_integer() -> ReadingStopped:
    return ReadingStopped(FindingCode.INTEGER_LIMIT, "An integer has too many digits.")


#: Readers of the operations that push a literal, by opcode.
LITERALS: dict[int, Read[object]] = {
    code[0]: read
    for code, read in {
        b"N": _constant(None),
        b"\x88": _constant(True),
        b"\x89": _constant(False),
        b"I": _int_line,
        b"L": _long_line,
        b"J": lambda cursor, watch: _INT32(cursor.take(4))[0],
        b"K": lambda cursor, watch: cursor.byte(),
        b"M": lambda cursor, watch: int.from_bytes(cursor.take(2), "little"),
        b"\x8a": _long(1),
        b"\x8b": _long(4),
        b"F": _float_line,
        b"G": lambda cursor, watch: _FLOAT64(cursor.take(8))[0],
        b"S": _string_line,
        b"T": _text(4, "ascii", "strict"),
        b"U": _text(1, "ascii", "strict"),
        b"V": _unicode_line,
        b"X": _text(4),
        b"\x8c": _text(1),
        b"\x8d": _text(8),
        b"C": _bytes(1),
        b"B": _bytes(4),
        b"\x8e": _bytes(8),
        b"\x96": _bytes(8),
    }.items()
}
