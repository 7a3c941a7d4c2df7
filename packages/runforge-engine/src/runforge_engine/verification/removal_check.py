"""Compare the record of removed runs with itself, the index, and what signatures recorded.

Source: specification, section 25.4.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import digest_file
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.store.removals import entry_digest, place_of

from runforge_engine.provenance.signatures import read_claim, signature_path
from runforge_engine.verification.check_result import Check, CheckVerdict, count
from runforge_engine.verification.context import Surroundings
from runforge_engine.verification.index_heads import Signed
from runforge_engine.verification.record_heads import record_head_findings


def removal_check(signed: Iterable[Signed], around: Surroundings) -> Check | None:
    """Return the check of the removed runs of a store; None if none was ever removed.

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
    file = store.relative(store.removals)
    if around.removal_problem is not None:
        finding = Finding("removal.chain", around.removal_problem.message, file)
        message = "the record is not valid"
        return Check.failed("removals", CheckVerdict.INVALID, message, (finding,))
    record = around.removals
    heads = record_head_findings(
        signed,
        around,
        record,
        lambda content: content.removal_head,
        ("removal.append-only", file, "The record"),
    )
    findings = [*heads, *_line_findings(around, file)]
    actions = Counter(line["action"] for line in record.current.values())
    message = ", ".join(
        f"{count(actions[action], 'run')} {action}"
        for action in ("forgotten", "archived")
        if actions[action]
    )
    if findings:
        message = "the record contradicts the index or signatures"
        return Check.failed("removals", CheckVerdict.CONTRADICTED, message, findings)
    if not record.entries and not record.torn:
        return None
    message = message or "all runs of the record were restored"
    message += f"; {count(len(record.entries), 'line')}"
    left = sum(
        os.path.lexists(place_of(line, store).run_folder(run_id))
        for run_id, line in record.current.items()
    )
    if left:
        message += (
            f"; note: {count(left, 'folder')} of them still there: `runforge store tidy` finishes"
            " the removal"
        )
    lost = _unlisted(around)
    if lost:
        message += f"; note: the index no longer has the entry of {lost:,} of them"
    if record.torn:
        message += "; note: the last line was not finished, and is left out"
    return Check.passed("removals", CheckVerdict.VALID, message)


def _unlisted(around: Surroundings) -> int:
    """Return how many removed runs had an entry that is gone, as in an index that was rebuilt."""
    lines = around.removals.current.items()
    return sum("entry_sha256" in line and run_id not in around.positions for run_id, line in lines)


def _line_findings(around: Surroundings, file: str) -> Iterator[Finding]:
    """Yield where the lines about removed runs differ from the index and the signatures."""
    store = around.store
    assert store is not None  # noqa: S101 - the caller has checked it
    for run_id, line in around.removals.current.items():
        entry = _raw_entry(run_id, around)
        found = None if entry is None else entry_digest(entry)
        if found is not None and found != line.get("entry_sha256", found):
            message = f"The entry of {quote(run_id)} is another one than when it was removed."
            recorded = line.get("entry_sha256")
            yield Finding("removal.entry", message, file, None, recorded, found)
        elif entry is not None and "model_sha256" in entry:
            model = line["files"].get(entry.get("model_pkl", ""), {}).get("sha256")
            if model != entry["model_sha256"]:
                message = f"The model of {quote(run_id)} was not the one of its entry."
                yield Finding("removal.entry", message, file, None, entry["model_sha256"], model)
        yield from _signature_findings(line, around, file)


def _raw_entry(run_id: str, around: Surroundings) -> dict[str, Any] | None:
    """Return the first entry of a run that can be read, as the index has it."""
    index, positions = around.index, around.positions.get(run_id)
    if index is None or positions is None:
        return None
    entry: dict[str, Any] = index.raw_entries[index.positions[positions[0]]]
    return entry


def _signature_findings(line: dict[str, Any], around: Surroundings, file: str) -> Iterator[Finding]:
    store = around.store
    assert store is not None  # noqa: S101 - the caller has checked it
    folder = place_of(line, store).run_folder(line["run_id"])
    path, recorded = signature_path(folder), line.get("signature_sha256")
    try:
        found = digest_file(path).sha256 if os.path.lexists(path) else None
        if found != recorded:
            message = f"The signature of {quote(line['run_id'])} is missing or changed."
            yield Finding("removal.signature", message, file, None, recorded, found)
        elif found is not None:
            signed = read_claim(path).content.files
            if signed != {name: item["sha256"] for name, item in line["files"].items()}:
                message = f"{quote(line['run_id'])} was removed with other files than were signed."
                yield Finding("removal.signature", message, file)
    except RunForgeError as error:
        yield Finding("removal.signature", error.message, around.relative(path))
