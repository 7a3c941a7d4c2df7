"""Run ids, all in UTC: ``YYYYMMDD-HHMMSS-<8 hex>``, and ``run-YYYY-MM-DD-NNN`` of experiments.

Source: specification, sections 5.3 and 17.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from runforge_contracts.codec.strict_json import canonical_json

_RUN_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}")
#: Ids that older clients may have used; never a path to another folder.
_ANY_RUN_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")
_NOT_IN_IDS = re.compile(r"[^0-9A-Za-z._-]+")
_EXPERIMENT_RUN_ID = re.compile(r"run-([0-9]{4}-[0-9]{2}-[0-9]{2})-([0-9]{3}|[1-9][0-9]{3,8})")


def is_run_id(text: str) -> bool:
    """Return whether ``text`` is a run id in the form of this version."""
    return _RUN_ID.fullmatch(text) is not None


def is_any_run_id(text: str) -> bool:
    """Return whether ``text`` may be the run id, and so the folder name, of any client."""
    return _ANY_RUN_ID.fullmatch(text) is not None


def as_run_id(text: str) -> str:
    """Return ``text`` if it may be a run id, else an id made of it.

    Desktop names the folders of its runs after what a person typed.
    """
    if is_any_run_id(text):
        return text
    return _NOT_IN_IDS.sub("-", text).strip("-._")[:128] or "run"


def id_time(text: str) -> datetime | None:
    """Return the start time in a run id in the form of this version, in UTC; None if it has none.

    Other ids, and ids whose digits are no time, have none.
    """
    if not is_run_id(text):
        return None
    try:
        return datetime.strptime(text[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def run_id_candidates(created_at: str, request: Any, fingerprint: str) -> Iterator[str]:
    """Yield the ids that a run may claim, in order; use the next one only if the last is taken.

    Parameters
    ----------
    created_at
        UTC time of the claim, ``YYYY-MM-DDTHH:MM:SSZ``.
    request
        The raw request; its key order does not matter.
    fingerprint
        SHA-256 of the dataset's bytes.
    """
    import hashlib  # late: listing runs makes no ids

    stamp = created_at[:19].replace("-", "").replace(":", "").replace("T", "-")
    seed = hashlib.sha256(canonical_json(request) + b"\n" + fingerprint.encode()).digest()
    while True:
        yield f"{stamp}-{seed.hex()[:8]}"
        seed = hashlib.sha256(seed).digest()


def started(entry: dict[str, Any]) -> str:
    """Return the start time of the run of an index entry, to the second, as a sortable string.

    An empty folder whose name has another form comes first. An experiment run starts on the day of
    its id, which may have been chosen by hand.
    """
    run_id = str(entry["run_id"])
    if is_run_id(run_id):
        return run_id[:15]
    recorded = str(entry.get("created_at", ""))[:19]
    experiment = parse_experiment_run_id(run_id)
    if experiment is not None and recorded[:10] != experiment.day:
        recorded = f"{experiment.day}T00:00:00"
    return recorded.replace("-", "").replace(":", "").replace("T", "-")


class ExperimentRunId(NamedTuple):
    """The id of an experiment run; ids sort by time."""

    #: UTC day as ``YYYY-MM-DD``.
    day: str
    #: Number of the run on that day.
    number: int

    def __str__(self) -> str:
        """Return the id as the name of the run folder."""
        return f"run-{self.day}-{self.number:03}"


def parse_experiment_run_id(text: str) -> ExperimentRunId | None:
    """Return the parts of the id of an experiment run, or None if ``text`` is not such an id."""
    found = _EXPERIMENT_RUN_ID.fullmatch(text)
    if found is None:
        return None
    try:
        date.fromisoformat(found[1])
    except ValueError:
        return None
    return ExperimentRunId(found[1], int(found[2]))
