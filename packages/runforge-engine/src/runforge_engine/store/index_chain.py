"""Compute the head of a store's index: one digest over every entry, in order.

The head of an index with ``n`` entries is ``n`` and the last digest of the chain over them
(:mod:`runforge_contracts.codec.hash_chain`).

Entries are only appended, so a head stays valid while the index grows. A chain alone does not show
that its tail was cut off: the head of the shorter index is valid, too. Heads are therefore stored
outside the index, in the signed statements of runs
(:mod:`runforge_engine.provenance.signatures`), and compared with the index later.

Source: specification, section 14.3; RFC 8785.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta
from runforge_contracts.codec.hash_chain import chain_digests

#: ``holds``: the head's entries are present, unchanged and in order; later ones may follow.
#: ``tail cut``: there are fewer entries than the head counts; whether the rest is unchanged is
#: unknown. ``changed``: there are enough, but an entry was changed, removed, inserted or moved.
HeadVerdict = Literal["holds", "tail cut", "changed"]


@dataclass(frozen=True, slots=True)
class IndexHead:
    """The state of an index at one moment."""

    #: Number of entries.
    count: Annotated[int, Meta(ge=0)]
    #: The last hash of the chain over them, in lowercase hex.
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]


class Chain:
    """The hash chain over the entries of an index, computed once to check many heads.

    Parameters
    ----------
    entries
        The raw entries, oldest first, as returned by
        :func:`runforge_contracts.store.reading.read_index`.
    """

    def __init__(self, entries: Iterable[Mapping[str, Any]]) -> None:
        self._links = chain_digests(entries)

    @property
    def head(self) -> IndexHead:
        """Return the head of the whole index."""
        return IndexHead(len(self._links) - 1, self._links[-1])

    def check(self, head: IndexHead) -> HeadVerdict:
        """Compare the first entries of the index with those that ``head`` was computed from."""
        if head.count >= len(self._links):
            return "tail cut"
        return "holds" if self._links[head.count] == head.sha256 else "changed"
