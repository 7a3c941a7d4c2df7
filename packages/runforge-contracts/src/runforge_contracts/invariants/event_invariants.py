"""Checks of a run's event stream: order, completeness and values.

Source: specification, sections 15.1 and 15.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.display import quote
from runforge_contracts.errors import RunForgeError
from runforge_contracts.invariants.checked_folder import CheckedRun, refusals
from runforge_contracts.invariants.finding import (
    PRESETS,
    Finding,
    close,
    show_value,
    unequal,
)
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
#: Last event of a run, by its status.
_LAST = {
    "succeeded": "artifacts_written",
    "failed": "run_failed",
    "cancelled": "run_cancelled",
}


def event_findings(folder: CheckedRun) -> Iterator[Finding]:
    """Yield the violations in the events of a run; a client need not write any."""
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
        first = f"The first event is {quote(names[0])}" if names else "There are no events"
        yield Finding(rule, f"{first}; expected `run_start`.", file, found=names[:1])
    steps = [_ORDER.index(name) for name in names if name in _ORDER]
    once = [step for step in steps if _ORDER[step] != "train_progress"]
    if steps != sorted(steps) or len(set(once)) != len(once):
        message = f"Events are repeated or out of order: {show_value(names)}."
        yield Finding(rule, message, file, found=names)
    status = (folder.result or {}).get("status")
    missing = set(_ORDER) - {"train_progress"} - {_ORDER[step] for step in once}
    if status == "succeeded" and missing:
        message = f"The run succeeded but has no event {', '.join(map(quote, sorted(missing)))}."
        yield Finding(rule, message, file, None, list(_ORDER), names)
    recorded = (folder.record or {}).get("metrics", {}).get("accuracy")
    for event in events:
        if "accuracy" in event and recorded is not None and not close(event["accuracy"], recorded):
            message = (
                f"{file} has the accuracy {show_value(event['accuracy'])}; {layout.RUN} has"
                f" {show_value(recorded)}."
            )
            yield Finding("metrics.agree", message, file, None, recorded, event["accuracy"])
    yield from _agreement(events, folder)
    if status is not None and names:
        message = (
            "The last event of a run with the status {status} is {found}; expected {expected}."
        )
        yield from unequal(rule, message, file, "", _LAST[status], names[-1], status=status)
    expected = (folder.result or {}).get("run_id") or (folder.record or {}).get("run_id")
    for event in events if expected else ():
        if event["run_id"] != expected:
            message = (
                f"An event has the run id {show_value(event['run_id'])}; expected"
                f" {show_value(expected)}."
            )
            yield Finding("run.id", message, file, None, expected, event["run_id"])
            break


def _agreement(events: list[dict[str, Any]], folder: CheckedRun) -> Iterator[Finding]:
    """Yield values of events that the documents have otherwise."""
    run = folder.record or {}
    recorded = {
        "preset_id": run.get("preset"),
        "model_family": run.get("model_family"),
        "num_samples": run.get("num_samples"),
        "num_features": run.get("num_features"),
        "rows_dropped": run.get("dropped_rows_missing_values"),
        "metrics_profile": run.get("metrics_v1", {}).get("metrics_profile"),
    }
    error = (folder.result or {}).get("error") or {}
    for event in events:
        documents = [(layout.RUN, recorded)]
        if event["event"] == "run_failed":
            documents.append((layout.RESULT, {"code": error.get("code")}))
        for file, name, expected in (
            (file, name, value) for file, values in documents for name, value in values.items()
        ):
            if expected is not None and name in event:
                message = "The event {event} has {name} {found}; {file} has {expected}."
                yield from unequal(
                    "events.agree",
                    message,
                    layout.EVENTS,
                    "",
                    expected,
                    PRESETS.get(event[name], event[name]),
                    event=quote(event["event"]),
                    name=name,
                    file=file,
                )
