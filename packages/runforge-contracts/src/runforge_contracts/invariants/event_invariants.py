"""The event stream of a run tells its story once, in order.

Source: RunForge contract, "Documents and versions".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.errors import RunForgeError
from runforge_contracts.invariants.checked_folder import Folder, refusals
from runforge_contracts.invariants.finding import Finding, close, unequal
from runforge_contracts.store import layout
from runforge_contracts.validation import validate

_ORDER = (
    "run_start",
    "dataset_loaded",
    "train_started",
    "train_progress",
    "train_finished",
    "metrics_computed",
    "artifacts_written",
)
#: Event with which a run of each outcome ends.
_LAST = {
    "succeeded": "artifacts_written",
    "failed": "run_failed",
    "cancelled": "run_cancelled",
}


def event_findings(folder: Folder) -> Iterator[Finding]:
    """Give what is wrong with the events of a run; clients that write none break nothing."""
    if layout.EVENTS not in folder.files:
        return
    events: list[dict[str, Any]] = []
    try:
        lines = folder.text(layout.EVENTS).splitlines()
        for line in lines:
            event = parse_json(line)
            validate(event, "events.v1")
            events.append(event)
    except RunForgeError as error:
        yield from refusals(error, layout.EVENTS, "events.v1")
        return
    rule, file = "events.order", layout.EVENTS
    names = [event["event"] for event in events]
    if not names or names[0] != "run_start":
        yield Finding(rule, "The first event is `run_start`.", file, found=names[:1])
    steps = [_ORDER.index(name) for name in names if name in _ORDER]
    once = [step for step in steps if _ORDER[step] != "train_progress"]
    if steps != sorted(steps) or len(set(once)) != len(once):
        yield Finding(rule, "Each event comes once, in the contract's order.", file, found=names)
    status = (folder.result or {}).get("status")
    told = {_ORDER[step] for step in once}
    if status == "succeeded" and told != set(_ORDER) - {"train_progress"}:
        message = "The events of a run that succeeded tell every step."
        yield Finding(rule, message, file, None, list(_ORDER), names)
    recorded = (folder.run or {}).get("metrics", {}).get("accuracy")
    for event in events:
        if "accuracy" in event and recorded is not None and not close(event["accuracy"], recorded):
            message = "The events give the accuracy of the record."
            yield Finding("metrics.agree", message, file, None, recorded, event["accuracy"])
    if status is not None and names:
        message = f"The events of a run that {status} end so."
        yield from unequal(rule, message, file, "", _LAST[status], names[-1])
    expected = (folder.result or {}).get("run_id") or (folder.run or {}).get("run_id")
    for event in events if expected else ():
        if event["run_id"] != expected:
            message = "Every event carries the run's id."
            yield Finding("run.id", message, file, None, expected, event["run_id"])
            break
