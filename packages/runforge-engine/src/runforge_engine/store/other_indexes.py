"""The indexes of other stores whose runs were brought here, as far as this index has them.

Source: specification, sections 14.3 and 23.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from runforge_contracts.codec.hash_chain import chain_digests
from runforge_contracts.store.merges import holds, other_chain

from runforge_engine.store.index_chain import IndexHead


class OtherIndexes:
    """The chains of other indexes, made from the entries of this one.

    Parameters
    ----------
    entries
        The raw entries of this index, oldest first.
    merges
        The lines of the record of merges, which say where the entries of other indexes are.
    """

    def __init__(
        self, entries: Sequence[Mapping[str, Any]], merges: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        self._entries = entries
        self._merges = merges

    @cached_property
    def _recorded(self) -> list[list[str]]:
        """The chain of each index that was merged."""
        return [other_chain(self._entries, merge) for merge in self._merges]

    @cached_property
    def _by_origin(self) -> list[list[str]]:
        """The chains over the entries of one origin, which were brought here in their order."""
        found = dict[str, list[dict[str, Any]]]()
        for entry in self._entries:
            if "origin" in entry:
                own = {name: value for name, value in entry.items() if name != "origin"}
                found.setdefault(entry["origin"], []).append(own)
        return [chain_digests(entries) for entries in found.values()]

    def has(self, head: IndexHead) -> bool:
        """Return whether another index that can be made from this one begins with a head."""
        if not 0 < head.count <= len(self._entries):
            return False
        return any(
            head.count < len(chain) and chain[head.count] == head.sha256
            for chain in (*self._recorded, *self._by_origin)
        )

    def lost(self) -> list[tuple[int, Mapping[str, Any]]]:
        """Return the lines, from 0, whose index cannot be made from this one any more."""
        found = zip(self._merges, self._recorded, strict=True)
        return [
            (number, merge)
            for number, (merge, chain) in enumerate(found)
            if not holds(chain, merge)
        ]
