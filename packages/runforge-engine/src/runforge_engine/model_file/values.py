"""Values on the stack of the symbolic pickle machine.

Numbers, strings, ``None``, tuples and lists are plain Python values and raw bytes are a
:class:`~runforge_engine.model_file.byte_source.Blob`; everything that a real reader would import,
call or fill is one of the records below. The records are compared by identity, like the objects
that they represent.

The classes are written out because generating them would slow down the import considerably.
"""

from __future__ import annotations

from runforge_engine.model_file.byte_source import Blob
from runforge_engine.model_file.dtypes import Dtype


class Global:
    """A name that a real reader would import."""

    __slots__ = ("module", "name", "offset")

    def __init__(self, module: str, name: str, offset: int) -> None:
        self.module = module
        self.name = name
        self.offset = offset

    @property
    def pair(self) -> tuple[str, str]:
        """Module and name."""
        return self.module, self.name


class Mapping:
    """A dict, as the pairs that were put into it."""

    __slots__ = ("pairs",)

    def __init__(self) -> None:
        self.pairs: list[tuple[object, object]] = []

    def by_name(self) -> dict[str, object]:
        """Return the entries whose key is a string; the last of equal keys counts."""
        return {key: value for key, value in self.pairs if type(key) is str}


class Set:
    """A set or frozenset, as the items that were put into it."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: list[object] = []


class Instance:
    """An object of a known class: its arguments and the state that was set."""

    __slots__ = ("args", "cls", "offset", "state")

    def __init__(self, cls: Global, args: tuple[object, ...], offset: int) -> None:
        self.cls = cls
        self.args = args
        self.offset = offset
        #: Attributes; absent before the state is set.
        self.state: dict[str, object] | None = None


class Opaque:
    """The result of a refused call; reading continues without it."""

    __slots__ = ("offset", "origin")

    def __init__(self, offset: int, origin: Global | None = None) -> None:
        self.offset = offset
        #: The class or function, if known.
        self.origin = origin


class Descriptor:
    """A numpy dtype; once something uses it, its state must not be set any more."""

    __slots__ = ("built", "dtype", "offset", "used")

    def __init__(self, dtype: Dtype, offset: int) -> None:
        self.dtype = dtype
        self.offset = offset
        self.built = False
        self.used = False


class Array:
    """A numpy array, which is empty until its state is set.

    ``elements`` is a list for objects, in row-major order; else raw bytes, row-major or, where
    ``fortran`` is true, column-major.
    """

    __slots__ = ("built", "dtype", "elements", "fortran", "offset", "shape")

    def __init__(
        self,
        dtype: Dtype,
        shape: tuple[int, ...],
        fortran: bool,
        elements: Blob | list[object],
        offset: int,
        built: bool = True,
    ) -> None:
        self.dtype = dtype
        self.shape = shape
        self.fortran = fortran
        self.elements = elements
        self.offset = offset
        self.built = built

    @property
    def size(self) -> int:
        """Number of elements."""
        return count(self.shape)


class Scalar:
    """A numpy scalar."""

    __slots__ = ("dtype", "offset", "raw")

    def __init__(self, dtype: Dtype, raw: bytes, offset: int) -> None:
        self.dtype = dtype
        self.raw = raw
        self.offset = offset


def count(shape: tuple[int, ...]) -> int:
    """Return the number of elements of an array of ``shape``."""
    total = 1
    for length in shape:
        total *= length
    return total
