"""Compare the start of the index with the heads that signatures recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runforge_contracts.display import quote
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.store.evaluations import is_evaluation_id

from runforge_engine.store.index_chain import IndexHead
from runforge_engine.verification.check_result import count
from runforge_engine.verification.context import Surroundings


def head_findings(
    heads: Iterable[tuple[str, IndexHead | None]], around: Surroundings
) -> Iterator[Finding]:
    """Yield the signed runs and evaluations whose entries the index no longer starts with.

    Parameters
    ----------
    heads
        Ids, each with the head in the signature.
    around
        The store of the runs. An index that cannot be read is reported elsewhere.
    """
    if around.store is None or around.problem is not None:
        return
    file = around.store.relative(around.store.index)
    for run_id, head in heads:
        verdict = "holds" if head is None else around.chain.check(head)
        if head is None or verdict == "holds":
            continue
        what = "evaluation" if is_evaluation_id(run_id) else "run"
        since = f"the {what} {quote(run_id)} was signed"
        if verdict == "tail cut":
            had = count(head.count, "entry", "entries")
            left = around.chain.head.count
            message = f"The index had {had} when {since} and has {left:,} now: its tail is cut off."
            yield Finding("index.tail", message, file, "/runs", head.count, left)
        else:
            first = count(head.count, "entry", "entries")
            message = f"One of the first {first} has changed since {since}."
            yield Finding("index.append-only", message, file, "/runs")
