"""Compute a digest of the content of a model, independent of its encoding.

It is equal for every pickle protocol and compression, for joblib and plain pickle, for row-major
and column-major arrays, for either byte order and for a model that was loaded and dumped again, and
it differs with one bit of an array or a parameter. These are its rules:

* Every value is hashed with a letter for its type and the length of its parts, so that different
  values have different encodings; containers are hashed from the digests of their items. It
  therefore does not matter whether one object is shared or two equal objects are stored.
* An object is hashed as its class, its arguments and its attributes, sorted by name.
* An array is hashed as its type, its shape and its elements in row-major order, least significant
  byte first. Records are hashed field by field, because the bytes between fields are not defined.
* ``n_jobs`` and ``verbose`` are left out, because they do not change what the model computes, and
  ``_sklearn_version``, which only records the last writer of the file. Random states that are
  objects are left out, too: they only affect another fit. A numeric seed is a parameter and is
  included.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache

from runforge_engine.model_file.arrays import cut_column, little_endian, row_major
from runforge_engine.model_file.byte_source import Blob
from runforge_engine.model_file.dtypes import Dtype
from runforge_engine.model_file.limits import Watch
from runforge_engine.model_file.scan_findings import FindingCode, ReadingStopped
from runforge_engine.model_file.values import (
    Array,
    Descriptor,
    Global,
    Instance,
    Mapping,
    Scalar,
    Set,
)

#: Prefix of every hashed value; it changes with the rules.
_VERSION = b"runforge model content 1"
_LEFT_OUT = frozenset({"n_jobs", "verbose", "_sklearn_version"})


def content_sha256(root: object, watch: Watch) -> str:
    """Return the hexadecimal digest of a value that the pickle machine has read.

    Raises
    ------
    ReadingStopped
        ``CYCLE`` where the value contains itself, ``DEPTH_LIMIT``, ``TIME_LIMIT``.
    """
    return _hash(b"R", [_VERSION, _Digester(watch).digest(root, 0)]).hex()


class _Digester:
    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        #: Digests by identity; ``None`` while it is computed. The values live as long
        #: as the root does, so an identity is not used again.
        self._known: dict[int, bytes | None] = {}

    def digest(self, value: object, depth: int) -> bytes:
        atom = _atom(value)
        if atom is not None:
            return atom
        if id(value) in self._known:
            known = self._known[id(value)]
            if known is None:
                raise ReadingStopped(FindingCode.CYCLE, "The model contains itself.")
            return known
        if depth > self._watch.limits.depth:
            raise ReadingStopped(FindingCode.DEPTH_LIMIT, "The model is nested too deeply.")
        self._watch.check_time()
        self._known[id(value)] = None
        result = self._container(value, depth + 1)
        self._known[id(value)] = result
        return result

    def _container(self, value: object, depth: int) -> bytes:
        if isinstance(value, Array):
            return self._array(value, depth)
        if isinstance(value, Instance):
            return self._instance(value, depth)
        if isinstance(value, Mapping):
            latest = dict[bytes, bytes]()
            for key, item in value.pairs:
                latest[self.digest(key, depth)] = self.digest(item, depth)
            return _hash(b"D", [part for pair in sorted(latest.items()) for part in pair])
        if isinstance(value, Set):
            return _hash(b"E", sorted({self.digest(item, depth) for item in value.items}))
        if isinstance(value, tuple | list):
            letter = b"T" if isinstance(value, tuple) else b"L"
            return _hash(letter, [self.digest(item, depth) for item in value])
        if isinstance(value, Blob):
            return _hash(b"B", [_hash_pieces(value.pieces())])
        raise ReadingStopped(FindingCode.MALFORMED, "The model holds something without content.")

    def _instance(self, value: Instance, depth: int) -> bytes:
        parts = [_text(f"{value.cls.module}.{value.cls.name}")]
        parts.append(_hash(b"A", [self.digest(argument, depth) for argument in value.args]))
        for name, item in sorted((value.state or {}).items()):
            if name in _LEFT_OUT or (name == "random_state" and isinstance(item, Instance)):
                continue
            parts += [_text(name), self.digest(item, depth)]
        return _hash(b"O", parts)

    def _array(self, value: Array, depth: int) -> bytes:
        head = [_dtype(value.dtype), _hash(b"S", [b"%d" % length for length in value.shape])]
        if isinstance(value.elements, list):
            return _hash(b"a", head + [self.digest(item, depth) for item in value.elements])
        size = value.size * value.dtype.itemsize
        if value.fortran and size > self._watch.limits.column_major_bytes:
            raise ReadingStopped(
                FindingCode.ARRAY_LIMIT, "A column-major array is too large.", value.offset
            )
        if not value.dtype.fields:
            pieces = (little_endian(value.dtype, piece) for piece in self._pieces(value))
            return _hash(b"a", [*head, _hash_pieces(pieces)])
        columns = [hashlib.sha256() for _ in value.dtype.fields]
        for piece in self._pieces(value):
            for hasher, field in zip(columns, value.dtype.fields, strict=True):
                raw = cut_column(piece, value.dtype.itemsize, field)
                hasher.update(little_endian(field.dtype, raw))
        return _hash(b"a", head + [hasher.digest() for hasher in columns])

    def _pieces(self, array: Array) -> Iterator[bytes]:
        for piece in row_major(array):
            self._watch.check_time()
            yield piece


def _atom(value: object) -> bytes | None:
    """Return the digest of a value without parts, or ``None`` for another."""
    if value is None:
        return _hash(b"N", [])
    if isinstance(value, bool):
        return _hash(b"b", [b"1" if value else b"0"])
    if isinstance(value, int):
        return _hash(b"i", [b"%d" % value])
    if isinstance(value, float):
        # A NaN loses its sign and its payload when formatted as a string.
        return _hash(b"f", [b"nan" if math.isnan(value) else struct.pack("<d", value)])
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Global):
        return _hash(b"G", [_text(value.module), _text(value.name)])
    if isinstance(value, Descriptor):
        return _dtype(value.dtype)
    if isinstance(value, Scalar):
        return _hash(b"s", [_dtype(value.dtype), little_endian(value.dtype, value.raw)])
    return None


@lru_cache(maxsize=1024)
def _text(text: str) -> bytes:
    return _hash(b"t", [text.encode("utf-8", "surrogatepass")])


def _dtype(dtype: Dtype) -> bytes:
    """Return the digest of a type: byte order, size and padding of records do not count."""
    if not dtype.fields:
        return _hash(b"d", [b"%s%d" % (dtype.kind.encode(), dtype.itemsize)])
    parts = [part for field in dtype.fields for part in (_text(field.name), _dtype(field.dtype))]
    return _hash(b"r", parts)


def _hash(letter: bytes, parts: Iterable[bytes]) -> bytes:
    text = b"".join([b"%d:%s" % (len(part), part) for part in parts])
    return hashlib.sha256(letter + text).digest()


def _hash_pieces(pieces: Iterable[bytes]) -> bytes:
    hasher = hashlib.sha256()
    for piece in pieces:
        hasher.update(piece)
    return hasher.digest()
