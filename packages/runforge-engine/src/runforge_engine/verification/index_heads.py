"""The index still begins with what it had when runs were signed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runforge_contracts.display import quote
from runforge_contracts.invariants.finding import Finding

from runforge_engine.store.index_chain import IndexHead
from runforge_engine.verification.check_result import count
from runforge_engine.verification.context import Surroundings


def head_findings(
    heads: Iterable[tuple[str, IndexHead | None]], around: Surroundings
) -> Iterator[Finding]:
    """Give where the index is not a continuation of what it was.

    Parameters
    ----------
    heads
        The head that the signature of each run carries.
    around
        The store of the runs; where its index cannot be read, that is said elsewhere.
    """
    if around.store is None or around.problem is not None:
        return
    file = around.store.relative(around.store.index)
    for run_id, head in heads:
        verdict = "holds" if head is None else around.chain.check(head)
        if head is None or verdict == "holds":
            continue
        signed = f"when the run {quote(run_id)} was signed"
        if verdict == "tail cut":
            had = count(head.count, "entry", "entries")
            message = f"The index had {had} {signed}; its tail is cut off."
            left = around.chain.head.count
            yield Finding("index.tail", message, file, "/runs", head.count, left)
        else:
            message = f"Of the first {head.count} entries, one is not as it was {signed}."
            yield Finding("index.append-only", message, file, "/runs")
