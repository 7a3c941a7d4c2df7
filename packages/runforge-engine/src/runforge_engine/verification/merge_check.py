"""Compare the record of merges with itself, and with the index that it is about.

Source: specification, section 23.4.
"""

from __future__ import annotations

from runforge_contracts.invariants.finding import Finding

from runforge_engine.verification.check_result import Check, CheckVerdict, count
from runforge_engine.verification.context import Surroundings


def merge_check(around: Surroundings) -> Check | None:
    """Return the check of the merges of a store; None if there was none."""
    store = around.store
    if store is None:
        return None
    file = store.relative(store.merges)
    if around.merge_problem is not None:
        finding = Finding("merge.chain", around.merge_problem.message, file)
        message = "the record is not valid"
        return Check.failed("merges", CheckVerdict.INVALID, message, (finding,))
    lines = around.merges.entries
    if not lines and not around.merges.torn:
        return None
    if around.problem is not None:
        return Check.not_checked("merges", CheckVerdict.NOT_CHECKED, "the index cannot be read")
    findings = tuple(
        Finding(
            "merge.head",
            f"The {count(merge['index_head']['count'], 'entry', 'entries')} of the index that line"
            f" {number + 1:,} records are not in this one as they were: some were changed, moved or"
            " removed.",
            file,
            f"/{number}/index_head",
            merge["index_head"]["sha256"],
        )
        for number, merge in around.other_indexes.lost()
    )
    if findings:
        message = "entries that were merged are missing or changed"
        return Check.failed("merges", CheckVerdict.INVALID, message, findings)
    message = f"{count(len(lines), 'index', 'indexes')} of other stores, all entries in this one"
    if around.merges.torn:
        message += "; note: the last line was not finished, and is left out"
    return Check.passed("merges", CheckVerdict.VALID, message)
