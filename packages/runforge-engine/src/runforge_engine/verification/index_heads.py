"""Compare the start of the index with the heads that signatures recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from runforge_contracts.display import quote
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.store.evaluations import is_evaluation_id

from runforge_engine.provenance.sigstore_bundle import SignedContent
from runforge_engine.verification.check_result import count
from runforge_engine.verification.context import Surroundings


class Signed(NamedTuple):
    """What a signature is of, and what it says."""

    #: Id of a run or an evaluation.
    name: str
    #: The run itself, or the run whose model was evaluated.
    run_id: str
    content: SignedContent


def signed_elsewhere(signed: Signed, around: Surroundings) -> str | None:
    """Return the origin of the other store that something was signed in; None if it was in this.

    A head that this index does not begin with is that of another store if the record of merges has
    its index (:func:`is_on_record`), or if the entry of the run names the origin that is signed: an
    entry alone could be edited, so that nobody compares the head. A signature that names this store
    is compared in any case.
    """
    origin, head = signed.content.origin, signed.content.index_head
    if around.index is None or (head is not None and around.chain.check(head) == "holds"):
        return None
    positions = around.positions.get(signed.run_id)
    entry = around.index.entries[positions[0]] if positions else {}
    if is_on_record(signed, around):
        return origin or str(entry.get("origin", head and head.sha256))
    if origin is None or origin == around.index.origin:
        return None
    return origin if entry.get("origin") == origin else None


def is_on_record(signed: Signed, around: Surroundings) -> bool:
    """Return whether the index that something was signed with can be made from this one."""
    head = signed.content.index_head
    return head is not None and around.other_indexes.has(head)


def head_findings(signatures: Iterable[Signed], around: Surroundings) -> Iterator[Finding]:
    """Yield the signed runs and evaluations whose entries the index no longer starts with.

    Parameters
    ----------
    signatures
        What was signed; what was signed in another store is left out.
    around
        The store of the runs. An index that cannot be read is reported elsewhere.
    """
    if around.store is None or around.problem is not None:
        return
    file = around.store.relative(around.store.index)
    for signed in signatures:
        head, name = signed.content.index_head, quote(signed.name)
        verdict = "holds" if head is None else around.chain.check(head)
        if head is None or verdict == "holds" or signed_elsewhere(signed, around) is not None:
            continue
        what = "evaluation" if is_evaluation_id(signed.name) else "run"
        since = f"the {what} {name} was signed"
        if verdict == "tail cut":
            had = count(head.count, "entry", "entries")
            left = around.chain.head.count
            message = (
                f"The index had {had} when {since}, and has {left:,} now: entries are missing, or"
                " this is another store."
            )
            yield Finding("index.tail", message, file, "/runs", head.count, left)
        else:
            first = count(head.count, "entry", "entries")
            message = f"One of the first {first} has changed since {since}."
            yield Finding("index.append-only", message, file, "/runs")
        own, origin = None if around.index is None else around.index.origin, signed.content.origin
        if origin is not None and own is not None and origin != own:
            message = f"The index in which {since} began with another entry than this one."
            yield Finding("index.origin", message, file, "/runs/0", origin, own)
