"""Compare a record of a store, such as that of the aliases, with the heads that were signed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from runforge_contracts.display import quote
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.store.chained_lines import ChainedLines

from runforge_engine.provenance.sigstore_bundle import SignedContent
from runforge_engine.store.index_chain import Chain, IndexHead
from runforge_engine.verification.check_result import count
from runforge_engine.verification.context import Surroundings
from runforge_engine.verification.index_heads import Signed, signed_elsewhere


def record_head_findings(
    signed: Iterable[Signed],
    around: Surroundings,
    record: ChainedLines,
    head_of: Callable[[SignedContent], IndexHead | None],
    finding: tuple[str, str, str],
) -> Iterator[Finding]:
    """Yield what was signed with a record that this one does not begin with.

    Parameters
    ----------
    signed
        What was signed; what was signed in another store is left out.
    around
        The store.
    record
        The record.
    head_of
        Returns the head of the record that was signed; None if there was none.
    finding
        The requirement, the file of the record, and what it is: ``The history``.
    """
    requirement, file, what = finding
    chain = Chain(record.entries)
    for item in signed:
        head = head_of(item.content)
        verdict = "holds" if head is None else chain.check(head)
        if head is None or verdict == "holds" or signed_elsewhere(item, around) is not None:
            continue
        had, left = count(head.count, "line"), len(record.entries)
        since = f"{quote(item.name)} was signed"
        if verdict == "tail cut":
            message = f"{what} had {had} when {since} and has {left:,} now."
            yield Finding(requirement, message, file, None, head.count, left)
        else:
            message = f"One of the first {had} has changed since {since}."
            yield Finding(requirement, message, file)
