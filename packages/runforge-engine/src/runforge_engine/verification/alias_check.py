"""Compare the history of the aliases with itself, and with the heads that signatures recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runforge_contracts.display import quote
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.store.aliases import AliasHistory

from runforge_engine.store.index_chain import Chain
from runforge_engine.verification.check_result import Check, CheckVerdict, count
from runforge_engine.verification.context import Surroundings
from runforge_engine.verification.index_heads import Signed, signed_elsewhere


def alias_check(signed: Iterable[Signed], around: Surroundings) -> Check | None:
    """Return the check of the aliases of a store; None if it never had one.

    Parameters
    ----------
    signed
        What was signed; what was signed in another store is left out.
    around
        The store.
    """
    store = around.store
    if store is None:
        return None
    file = store.relative(store.aliases)
    if around.alias_problem is not None:
        finding = Finding("alias.chain", around.alias_problem.message, file)
        message = "the history is not valid"
        return Check.failed("aliases", CheckVerdict.INVALID, message, (finding,))
    history = around.alias_history
    here = (item for item in signed if signed_elsewhere(item, around) is None)
    findings = tuple(_head_findings(here, history, file))
    if findings:
        message = "lines that were signed are missing or changed"
        return Check.failed("aliases", CheckVerdict.INVALID, message, findings)
    if not history.entries and not history.torn:
        return None
    lines = count(len(history.entries), "line")
    message = f"{lines} of history, {count(len(history.current), 'alias', 'aliases')}"
    if history.torn:
        message += "; note: the last line was not finished, and is left out"
    return Check.passed("aliases", CheckVerdict.VALID, message)


def _head_findings(signed: Iterable[Signed], history: AliasHistory, file: str) -> Iterator[Finding]:
    chain = Chain(history.entries)
    for name, _, content in signed:
        head = content.alias_head
        verdict = "holds" if head is None else chain.check(head)
        if head is None or verdict == "holds":
            continue
        had, left = count(head.count, "line"), len(history.entries)
        if verdict == "tail cut":
            message = f"The history had {had} when {quote(name)} was signed and has {left:,} now."
            yield Finding("alias.append-only", message, file, None, head.count, left)
        else:
            message = f"One of the first {had} has changed since {quote(name)} was signed."
            yield Finding("alias.append-only", message, file)
