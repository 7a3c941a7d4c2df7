"""Decode element types of arrays from numpy's encoding.

Only plain types and records of plain types are known; everything else is refused, because numpy
does not validate this data: a wrong size makes it read memory out of bounds.
Source: numpy, ``dtype.__reduce__`` and ``dtype.__setstate__`` (version 3).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from runforge_contracts.display import quote

from runforge_engine.model_file.scan_findings import FindingCode, Refused

Order = Literal["<", ">", "|"]

#: Sizes in bytes of the plain types, by numpy's letter for their kind.
_SIZES = {
    "b": (1,),
    "i": (1, 2, 4, 8),
    "u": (1, 2, 4, 8),
    "f": (2, 4, 8),
    "c": (8, 16),
    "O": (8,),
}
_NAMES = {"b": "bool", "i": "int", "u": "uint", "f": "float", "c": "complex"}
#: Maximum size of a string or record element, in bytes.
_LONGEST = 2**20
#: Maximum number of fields of a record.
_MOST_FIELDS = 256
#: The flags that numpy stores for strings, objects and records.
_TEXT_FLAGS, _OBJECT_FLAGS, _RECORD_FLAGS = {"S": 0, "U": 8}, 63, 16


class Dtype(NamedTuple):
    """Type of the elements of an array."""

    #: numpy's letter: ``b i u f c S U O V``.
    kind: str
    #: Bytes of an element.
    itemsize: int
    order: Order
    fields: tuple[Field, ...] = ()

    @property
    def name(self) -> str:
        """The type as numpy prints it; a record is ``V`` and its size."""
        if self.kind == "O":
            return "object"
        if self.kind in "SUV":
            count = self.itemsize // 4 if self.kind == "U" else self.itemsize
            prefix = self.order if self.kind == "U" else "|" if self.kind == "S" else ""
            return f"{prefix}{self.kind}{count}"
        if self.kind == "b":
            return "bool"
        if self.order == ">":
            return f">{self.kind}{self.itemsize}"
        return f"{_NAMES[self.kind]}{8 * self.itemsize}"

    @property
    def swapped_unit(self) -> int:
        """Size of the unit whose bytes are swapped if the byte order differs."""
        if self.kind == "U":
            return 4
        return self.itemsize // 2 if self.kind == "c" else self.itemsize


class Field(NamedTuple):
    """A field of a record."""

    name: str
    dtype: Dtype
    #: Offset from the start of the record, in bytes.
    offset: int


def parse_dtype(args: tuple[object, ...]) -> Dtype:
    """Return the result of ``numpy.dtype(*args)``, before its state is set.

    Raises
    ------
    Refused
        Where the arguments are not ``(text, False, True)`` with the string of a known type.
    """
    text = args[0] if args else None
    # A dtype that is not a copy is shared in numpy, and setting its state would change all uses.
    if len(args) != 3 or type(text) is not str or args[1] is not False or args[2] is not True:
        raise Refused(FindingCode.CALL_NOT_ALLOWED, "numpy.dtype is called in an unknown way.")
    letter, digits = text[:1], text[1:]
    if len(digits) > 7 or not (digits.isascii() and digits.isdigit()):
        raise _unknown(text)
    size = int(digits)
    if letter in _SIZES and size in _SIZES[letter]:
        return Dtype(letter, size, "|" if letter in "bO" or size == 1 else "<")
    unit = {"S": 1, "U": 4, "V": 1}.get(letter)
    if unit is None or size * unit > _LONGEST:
        raise _unknown(text)
    return Dtype(letter, size * unit, "<" if letter == "U" else "|")


def set_state(dtype: Dtype, state: object) -> Dtype:
    """Return ``dtype`` after ``dtype.__setstate__(state)``.

    The fields in ``state`` must be pairs of a :class:`Dtype` and an offset, by name.

    Raises
    ------
    Refused
        Where the state is not the one that numpy writes for such a type.
    """
    if not isinstance(state, tuple) or len(state) != 8 or state[0] != 3:
        raise _refuse("has a state of an unknown version")
    _, order, shape, names, fields, itemsize, alignment, flags = state
    if shape is not None:
        raise _refuse("is made of arrays")
    numbers = (itemsize, alignment, flags)
    if not all(type(number) is int for number in numbers) or type(order) is not str:
        raise _refuse("has a state of wrong types")
    if dtype.kind == "V":
        return _set_fields(dtype, order, names, fields, numbers)
    if names is not None or fields is not None:
        raise _refuse("has fields but is no record")
    if dtype.kind in "SU":
        known = itemsize == dtype.itemsize and alignment == (4 if dtype.kind == "U" else 1)
        known = known and flags == _TEXT_FLAGS[dtype.kind]
    else:
        known = (itemsize, alignment) == (-1, -1)
        known = known and flags == (_OBJECT_FLAGS if dtype.kind == "O" else 0)
    if not known or order not in (("<", ">") if dtype.order == "<" else ("|",)):
        raise _refuse("has an invalid state")
    return Dtype(dtype.kind, dtype.itemsize, "<" if order == "<" else ">" if order == ">" else "|")


def _set_fields(
    dtype: Dtype, order: str, names: object, fields: object, numbers: tuple[int, int, int]
) -> Dtype:
    itemsize, alignment, flags = numbers
    if itemsize != dtype.itemsize or alignment != 1 or flags != _RECORD_FLAGS:
        raise _refuse("has an invalid state")
    if order != "|" or not isinstance(names, tuple) or not isinstance(fields, dict):
        raise _refuse("is no record of known fields")
    if len(names) > _MOST_FIELDS or len(fields) != len(names):
        raise _refuse("names other fields than it has")
    found: list[Field] = []
    for name in names:
        if type(name) is not str:
            raise _refuse("has a field whose name is no text")
        entry = fields.get(name)
        if not isinstance(entry, tuple) or len(entry) != 2:
            raise _refuse("has a field of an unknown form")
        kind, offset = entry
        if not isinstance(kind, Dtype) or kind.kind in "OV" or type(offset) is not int:
            raise _refuse("has a field of an unknown type")
        found.append(Field(name, kind, offset))
    if len({field.name for field in found}) != len(found):
        raise _refuse("has two fields of one name")
    end = 0
    for field in sorted(found, key=lambda field: field.offset):
        if field.offset < end:
            raise _refuse("has fields that overlap")
        end = field.offset + field.dtype.itemsize
    if end > itemsize or not found:
        raise _refuse("has fields beyond its end")
    return Dtype("V", itemsize, "|", tuple(found))


def _unknown(text: str) -> Refused:
    return Refused(
        FindingCode.DTYPE_NOT_ALLOWED, f"The element type {quote(text)} is not one that is known."
    )


def _refuse(what: str) -> Refused:
    return Refused(FindingCode.DTYPE_NOT_ALLOWED, f"An element type {what}.")
