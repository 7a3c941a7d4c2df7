"""What the index, and the record of merges, become when another store is merged.

Nothing here reads or writes.

Source: specification, sections 23.2 to 23.4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from runforge_contracts.codec.hash_chain import chain_digests
from runforge_contracts.store.merges import holds, other_chain, other_entries, pieces_of


class MergedIndex(NamedTuple):
    """The entries and lines that are appended."""

    #: All entries, the new ones last.
    entries: list[dict[str, Any]]
    #: The number of new entries.
    added: int
    #: New lines of the record, without their time, client and predecessor.
    lines: list[dict[str, Any]]


def merge_indexes(
    own: Sequence[dict[str, Any]],
    own_merges: Sequence[Mapping[str, Any]],
    other: Sequence[dict[str, Any]],
    other_merges: Sequence[Mapping[str, Any]],
    folders: Mapping[str, str],
) -> MergedIndex:
    """Return what is appended to an index and to its record of merges.

    Parameters
    ----------
    own, other
        The raw entries of this index and of the other one.
    own_merges, other_merges
        The lines of both records.
    folders
        The folder of each run of the other index in this workspace, by id.
    """
    entries = [*own, *_added(own, other, folders)]
    added = len(entries) - len(own)
    known = [chain_digests(entries), *(other_chain(entries, merge) for merge in own_merges)]
    lines = list[dict[str, Any]]()
    for others in (other, *_indexes_of(other, other_merges)):
        chain = chain_digests(others)
        count, digest = len(chain) - 1, chain[-1]
        if any(count < len(links) and links[count] == digest for links in known):
            continue
        pieces = pieces_of(entries, others)
        if pieces is not None:
            known.append(chain)
            head = {"count": count, "sha256": digest}
            line = {"origin": chain[1], "index_head": head, "entries": pieces, "added": 0}
            lines.append({**line, "added": 0 if lines else added})
    return MergedIndex(entries, added, lines)


def _indexes_of(
    entries: Sequence[dict[str, Any]], merges: Sequence[Mapping[str, Any]]
) -> list[list[dict[str, Any]]]:
    """Return the indexes that were merged into the other one, whose lines are true."""
    found = []
    for merge in merges:
        others = list(other_entries(entries, merge))
        if holds(chain_digests(others), merge):
            found.append(others)
    return found


def _added(
    own: Sequence[dict[str, Any]], other: Sequence[dict[str, Any]], folders: Mapping[str, str]
) -> list[dict[str, Any]]:
    common = 0
    while common < min(len(own), len(other)) and own[common] == other[common]:
        common += 1
    listed = {entry["run_id"] for entry in own}
    new = [
        {**entry, "run_dir": folders.get(entry["run_id"], entry["run_dir"])}
        for entry in other
        if entry["run_id"] not in listed
    ]
    if common == len(own):
        return new  # This index is the beginning of the other one.
    origin, source = chain_digests(own[:1])[1], chain_digests(other[: common + 1])
    label = source[common + 1] if source[1] == origin else source[1]
    return [_marked(entry, entry.get("origin", label), origin) for entry in new]


def _marked(entry: dict[str, Any], origin: str, own: str) -> dict[str, Any]:
    rest = {name: value for name, value in entry.items() if name != "origin"}
    return rest if origin == own else {**rest, "origin": origin}
