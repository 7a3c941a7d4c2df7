"""Compare the history of the aliases with itself, and with the heads that signatures recorded."""

from __future__ import annotations

from collections.abc import Iterable

from runforge_contracts.invariants.finding import Finding

from runforge_engine.verification.check_result import Check, CheckVerdict, count
from runforge_engine.verification.context import Surroundings
from runforge_engine.verification.index_heads import Signed
from runforge_engine.verification.record_heads import record_head_findings


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
    findings = tuple(
        record_head_findings(
            signed,
            around,
            history,
            lambda content: content.alias_head,
            ("alias.append-only", file, "The history"),
        )
    )
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
