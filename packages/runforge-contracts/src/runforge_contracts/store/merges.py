"""The merges of a store: where the entries of other indexes are in its own.

From a line and the index, the index of the other store can be made again, entry by entry, so that
the heads in signatures that were made there are still compared. Nothing here writes.

Source: specification, sections 23.2 to 23.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from runforge_contracts.codec.hash_chain import chain_digests
from runforge_contracts.codec.strict_json import canonical_json
from runforge_contracts.store.chained_lines import ChainedLines, read_chained_lines
from runforge_contracts.store.layout import StoreLayout

#: Largest record of merges that is read, in bytes: some thousand lines.
MAX_BYTES = 2**20
#: Members of an entry that say where the run is or came from, and may differ between stores.
_OF_PLACE = ("origin", "run_dir")


class Contents(NamedTuple):
    """What an index lists, without regard to order and origin."""

    entries: int
    sha256: str


def read_merges(store: StoreLayout) -> ChainedLines:
    """Return the lines of the record of the merges of a store; none if there was no merge.

    Raises
    ------
    RunForgeError
        As :func:`~runforge_contracts.store.chained_lines.read_chained_lines`.
    """
    return read_chained_lines(
        ChainedLines,
        store,
        store.merges,
        "store_merge.v1",
        "The record of the merges",
        max_bytes=MAX_BYTES,
    )


def without_place(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry without what may differ between stores: its origin and its folder."""
    return {name: value for name, value in entry.items() if name not in _OF_PLACE}


def contents_of(entries: Iterable[Mapping[str, Any]]) -> Contents:
    """Return what the entries of an index list, the same for any order of them.

    Source: specification, section 23.3.
    """
    import hashlib  # late, as in the hash chain

    texts = sorted(canonical_json(without_place(entry)) for entry in entries)
    return Contents(len(texts), hashlib.sha256(b"\n".join(texts)).hexdigest())


def other_entries(
    entries: Sequence[Mapping[str, Any]], merge: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the entries of another index, made from the entries of this one and a line.

    It ends before the first entry that this index does not have.

    Parameters
    ----------
    entries
        The entries of this index as its file has them.
    merge
        A line of the record, valid.
    """
    left = merge["index_head"]["count"]
    for piece in merge["entries"]:
        own = {name: piece[name] for name in _OF_PLACE if name in piece}
        last = piece["first"] + min(piece["count"], left)
        for entry in entries[piece["first"] : last]:
            run_dir = {} if "run_dir" in own else {"run_dir": entry["run_dir"]}
            yield {**without_place(entry), **run_dir, **own}
        left -= piece["count"]
        if left <= 0 or last > len(entries):
            return


def other_chain(entries: Sequence[Mapping[str, Any]], merge: Mapping[str, Any]) -> list[str]:
    """Return the digests of the chain of another index, made as in :func:`other_entries`."""
    return chain_digests(other_entries(entries, merge))


def holds(chain: Sequence[str], merge: Mapping[str, Any]) -> bool:
    """Return whether the chain that was made from a line ends with the head that it states."""
    head = merge["index_head"]
    return (len(chain) - 1, chain[-1]) == (head["count"], head["sha256"])


def pieces_of(
    entries: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]] | None:
    """Return where the entries of another index are in this one; None if one is missing or differs.

    Parameters
    ----------
    entries
        The entries of this index as its file has them.
    others
        The entries of the other index, likewise.
    """
    places = {entry["run_id"]: place for place, entry in reversed([*enumerate(entries)])}
    pieces = list[dict[str, Any]]()
    for other in others:
        place = places.get(other["run_id"])
        if place is None or without_place(entries[place]) != without_place(other):
            return None
        piece = {"first": place, "count": 1}
        if "origin" in other:
            piece["origin"] = other["origin"]
        if other["run_dir"] != entries[place]["run_dir"]:
            piece["run_dir"] = other["run_dir"]
        last = pieces[-1] if pieces else {}
        same = all(piece.get(name) == last.get(name) for name in _OF_PLACE)
        if last and same and place == last["first"] + last["count"]:
            last["count"] += 1
        else:
            pieces.append(piece)
    return pieces
