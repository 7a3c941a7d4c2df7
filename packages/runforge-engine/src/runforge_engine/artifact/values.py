"""What stands on the stack of the symbolic pickle machine.

Numbers, texts, ``None``, tuples and lists stand for themselves and raw bytes are a
:class:`~runforge_engine.artifact.source.Blob`; everything that a real reader would import, call or
fill is one of the records below. They are compared by identity, as the things they stand for are.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from runforge_engine.artifact.dtypes import Dtype
from runforge_engine.artifact.source import Blob


@dataclass(frozen=True, slots=True, eq=False)
class Global:
    """A name that a real reader would import."""

    module: str
    name: str
    offset: int

    @property
    def pair(self) -> tuple[str, str]:
        """Module and name."""
        return self.module, self.name


@dataclass(slots=True, eq=False)
class Mapping:
    """A dict, as the pairs that were put into it."""

    pairs: list[tuple[object, object]] = field(default_factory=list)

    def by_name(self) -> dict[str, object]:
        """Return the entries whose key is a text; of two alike, the later one counts."""
        return {key: value for key, value in self.pairs if type(key) is str}


@dataclass(slots=True, eq=False)
class Set:
    """A set or frozenset, as the items that were put into it."""

    items: list[object] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Instance:
    """An object of a known class: its arguments and the state that was set."""

    cls: Global
    args: tuple[object, ...]
    offset: int
    #: Attributes; absent before the state is set.
    state: dict[str, object] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Opaque:
    """The result of something that is refused; reading goes on around it."""

    offset: int
    #: The class or function, where it is known.
    origin: Global | None = None


@dataclass(slots=True, eq=False)
class Descriptor:
    """A numpy dtype; once something uses it, its state must not be set any more."""

    dtype: Dtype
    offset: int
    built: bool = False
    used: bool = False


@dataclass(slots=True, eq=False)
class Array:
    """A numpy array, which is empty until its state is set.

    ``elements`` is a list for objects, in row-major order; else raw bytes, row-major or, where
    ``fortran`` is true, column-major.
    """

    dtype: Dtype
    shape: tuple[int, ...]
    fortran: bool
    elements: Blob | list[object]
    offset: int
    built: bool = True

    @property
    def size(self) -> int:
        """Number of elements."""
        return count(self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A numpy scalar."""

    dtype: Dtype
    raw: bytes
    offset: int


def count(shape: tuple[int, ...]) -> int:
    """Return the number of elements of an array of ``shape``."""
    total = 1
    for length in shape:
        total *= length
    return total
