"""The entries of a large index, each parsed when it is read.

A parsed entry takes four times the memory of its bytes, and parsing one a few microseconds: so a
process that looks at very many runs need not hold the entries of all.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, overload

from runforge_contracts.codec.strict_json import UNSURE, in_form, parse_own
from runforge_contracts.errors import RunForgeError
from runforge_contracts.store.index_form import BETWEEN, HEAD, TAIL
from runforge_contracts.validation import validate

#: A smaller index is parsed as a whole, without loading a library for it.
_SMALL = 2**16
#: How many entries are parsed together.
_AT_ONCE = 500
#: The lines of the braces of an entry, as far as they belong to it.
_OPENING, _CLOSING = b"{\n", b"\n    }"


class IndexedRun(NamedTuple):
    """The run of an entry: what tells it from others, where it is, and how it ended."""

    run_id: str
    run_dir: str
    created_at: str
    status: str | None
    #: The index that it came from, if that is another one.
    origin: str | None


def indexed_run(entry: dict[str, Any]) -> IndexedRun:
    """Return the run of a valid entry."""
    status, origin = entry.get("status"), entry.get("origin")
    return IndexedRun(
        entry["run_id"],
        entry["run_dir"],
        entry["created_at"],
        # Many runs have the same status, and the same origin.
        None if status is None else sys.intern(status),
        None if origin is None else sys.intern(origin),
    )


class IndexEntries(Sequence[dict[str, Any]]):
    """The entries of an index in its written form; every access returns a new object.

    Parameters
    ----------
    text
        The index.
    refuse
        Returns whether an entry cannot be taken as it is.

    Raises
    ------
    ValueError
        If the index has to be parsed as a whole: it is small, has another form, is invalid, or has
        an entry that is refused.
    """

    def __init__(self, text: bytes, refuse: Callable[[dict[str, Any]], bool]) -> None:
        if len(text) < _SMALL or not (text.startswith(HEAD) and text.endswith(TAIL)):
            raise ValueError("the index is small, or has another form")
        import msgspec  # late: most commands do not read a large index as a whole

        self._decode = msgspec.json.Decoder().decode
        self._text = memoryview(text)
        #: Where each entry begins and ends in the text, with its braces.
        self._begins, self._ends = array("Q", [len(HEAD) - len(_OPENING)]), array("Q")
        for found in re.finditer(re.escape(BETWEEN), text):
            self._ends.append(found.start() + len(_CLOSING))
            self._begins.append(found.end() - len(_OPENING))
        self._ends.append(len(text) - len(TAIL) + len(_CLOSING))
        #: The run of each entry.
        self.listed = list[IndexedRun]()
        for part in self._parts():
            entries = _checked(part)["runs"]
            if any(map(refuse, entries)):
                raise ValueError("an entry is refused")
            self.listed += map(indexed_run, entries)

    def __len__(self) -> int:
        return len(self._begins)

    @overload
    def __getitem__(self, at: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, at: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, at: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        entry: dict[str, Any] = self._decode(self._text[self._begins[at] : self._ends[at]])
        return entry

    def in_parts(self) -> Iterator[dict[str, Any]]:
        """Yield indexes of some hundred entries each, which together have all of them."""
        for part in self._parts():
            yield self._decode(part)

    def _parts(self) -> Iterator[bytes]:
        for first in range(0, len(self), _AT_ONCE):
            last = min(first + _AT_ONCE, len(self)) - 1
            entries = self._text[self._begins[first] : self._ends[last]]
            yield HEAD[: -len(_OPENING)] + entries + TAIL[len(_CLOSING) :]


def _checked(text: bytes) -> dict[str, Any]:
    """Return an index; raise ``ValueError`` if it has another form or is invalid."""
    index: Any = parse_own(text)
    # In this form, without other members, nothing else is between the lines of the braces of two
    # entries.
    if index is UNSURE or in_form(text) != text or [*index] != ["schema_version", "runs"]:
        raise ValueError("the index has another form")
    try:
        validate(index, "index.v1")
    except RunForgeError as error:
        raise ValueError("an entry is invalid") from error
    found: dict[str, Any] = index
    return found
