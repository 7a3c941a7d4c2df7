"""Decode elements of arrays, without numpy."""

from __future__ import annotations

import math
import struct
import sys
from array import array as numbers
from collections.abc import Iterable, Iterator

from runforge_engine.model_file.byte_source import PIECE, Blob
from runforge_engine.model_file.dtypes import Dtype, Field
from runforge_engine.model_file.values import Array, Scalar, count

_NATIVE = "<" if sys.byteorder == "little" else ">"
#: Types of ``struct`` and ``array`` by numpy's kind and size.
_CODES = {
    ("b", 1): "?",
    ("i", 1): "b",
    ("i", 2): "h",
    ("i", 4): "i",
    ("i", 8): "q",
    ("u", 1): "B",
    ("u", 2): "H",
    ("u", 4): "I",
    ("u", 8): "Q",
    ("f", 2): "e",
    ("f", 4): "f",
    ("f", 8): "d",
}


def scalar_value(scalar: Scalar) -> object:
    """Return a numpy scalar as a Python value."""
    return _decode(scalar.dtype, scalar.raw)[0]


def elements(array: Array) -> list[object]:
    """Return all elements in row-major order as Python values; of records, none."""
    if isinstance(array.elements, list):
        return list(array.elements)
    if array.dtype.kind == "V":
        return []
    return _decode(array.dtype, b"".join(row_major(array)))


def column(array: Array, field: Field) -> numbers[int] | numbers[float]:
    """Return one field of all records of a one-dimensional array, as native numbers.

    Raises
    ------
    ValueError
        Where the field is not numeric.
    """
    size = array.dtype.itemsize
    pieces = _raw(array).pieces(max(PIECE // size, 1) * size)
    return _native(field.dtype, (cut_column(piece, size, field) for piece in pieces))


def is_finite(array: Array) -> bool:
    """Return whether an array of doubles has neither infinities nor NaN."""
    if not isinstance(array.elements, Blob):
        return False
    swapped = array.dtype.order not in ("|", _NATIVE)
    for piece in array.elements.pieces():
        values = numbers("d", piece)
        if swapped:
            values.byteswap()
        if not are_finite(values):
            return False
    return True


def are_finite(values: numbers[int] | numbers[float]) -> bool:
    """Return whether all numbers are finite."""
    # The sum is only finite if all numbers are, and takes a quarter of the time.
    return math.isfinite(sum(values)) or all(map(math.isfinite, values))


def plain_numbers(array: Array) -> numbers[int] | numbers[float]:
    """Return the elements of an array of numbers as native numbers, in the order of storage.

    Raises
    ------
    ValueError
        Where the array is not numeric.
    """
    return _native(array.dtype, _raw(array).pieces())


def _raw(array: Array) -> Blob:
    if not isinstance(array.elements, Blob):
        raise ValueError("an array of objects has no raw bytes")
    return array.elements


def _native(dtype: Dtype, pieces: Iterable[bytes]) -> numbers[int] | numbers[float]:
    """Return the numbers stored in ``pieces`` in native byte order."""
    code = _CODES.get((dtype.kind, dtype.itemsize))
    if code is None or code in "?e":
        raise ValueError("elements are not numbers")
    values: numbers[int] | numbers[float] = numbers(code)
    for piece in pieces:
        values.frombytes(piece)
    if dtype.order not in ("|", _NATIVE):
        values.byteswap()
    return values


def cut_column(raw: bytes, itemsize: int, field: Field) -> bytes:
    """Return one field of the records in ``raw``, one after the other."""
    size, start = field.dtype.itemsize, field.offset
    if size in (1, 2, 4, 8) and itemsize % size == 0 and start % size == 0:
        return _units(raw, size)[start // size :: itemsize // size].tobytes()
    return b"".join(raw[at : at + size] for at in range(start, len(raw), itemsize))


def _units(raw: bytes, size: int) -> memoryview[int]:
    """Return a view of ``raw`` in which each element is one number."""
    view = memoryview(raw)
    if size == 1:
        return view
    return view.cast("H") if size == 2 else view.cast("I") if size == 4 else view.cast("Q")


def row_major(array: Array) -> Iterator[bytes]:
    """Yield the raw bytes of an array in row-major order, in pieces of whole elements."""
    blob, size = _raw(array), array.dtype.itemsize
    if not array.fortran or len([length for length in array.shape if length > 1]) < 2:
        yield from blob.pieces(max(PIECE // size, 1) * size)
        return
    raw, shape = blob.data(), array.shape
    # In column-major order the last axis is the slowest: its elements are a whole block apart.
    strides = [count(shape[:axis]) for axis in range(len(shape))]
    block = strides[-1]
    index = [0] * (len(shape) - 1)
    for _ in range(count(shape[:-1])):
        start = sum(at * stride for at, stride in zip(index, strides[:-1], strict=True))
        if size in (1, 2, 4, 8):
            yield _units(raw, size)[start::block].tobytes()
        else:
            step = block * size
            yield b"".join(raw[at : at + size] for at in range(start * size, len(raw), step))
        for axis in reversed(range(len(index))):
            index[axis] += 1
            if index[axis] < shape[axis]:
                break
            index[axis] = 0


def little_endian(dtype: Dtype, raw: bytes) -> bytes:
    """Return elements of a plain type with the least significant byte first."""
    unit = dtype.swapped_unit
    if dtype.order != ">" or unit == 1:
        return raw
    values = numbers({2: "H", 4: "I", 8: "Q"}[unit], raw)
    values.byteswap()
    return values.tobytes()


def _decode(dtype: Dtype, raw: bytes) -> list[object]:
    raw = little_endian(dtype, raw)
    size = dtype.itemsize
    if dtype.kind in "SU":
        encoding = "utf-32-le" if dtype.kind == "U" else "latin-1"
        pieces = (raw[at : at + size] for at in range(0, len(raw), size))
        return [piece.decode(encoding, "replace").rstrip("\0") for piece in pieces]
    if dtype.kind == "c":
        parts = struct.unpack(f"<{2 * len(raw) // size}{'f' if size == 8 else 'd'}", raw)
        return [complex(a, b) for a, b in zip(parts[::2], parts[1::2], strict=True)]
    code = _CODES[dtype.kind, size]
    return list(struct.unpack(f"<{len(raw) // size}{code}", raw))
