"""A run as a tracking store has it, whatever the form of the store."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from runforge_engine.importing.left_out import Losses

#: Ids of runs and models that MLflow accepts; never a path to another folder.
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,255}")
#: Statuses of MLflow by the numbers that its files have.
STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
#: Those of runs that have ended.
ENDED = ("FINISHED", "FAILED", "KILLED")
#: Longest name of a metric, a parameter or a tag, in characters; MLflow allows 250.
MAX_NAME = 1000
#: Longest value of a parameter or a tag, in bytes; MLflow allows 8,000 characters.
MAX_VALUE = 2**16
#: The time that is one millisecond after the last one of a date with four digits.
_LATEST = 253_402_300_800_000


class TrackedValue(NamedTuple):
    """One finite value of a metric."""

    name: str
    step: int
    #: How many values the metric has at this step before this one.
    revision: int
    value: float


class TrackedDataset(NamedTuple):
    """A dataset that a run names."""

    name: str
    digest: str | None
    source: str | None
    context: str | None


class TrackedModel(NamedTuple):
    """A model that a run has logged, which has a folder of its own since MLflow 3."""

    model_id: str
    name: str
    #: Where its files are: a path or an address.
    artifacts: str


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """What a tracking store lists of a run."""

    run_id: str
    experiment_id: str
    experiment: str
    name: str | None
    #: As MLflow calls it, such as ``FINISHED``; None if it is none of these.
    status: str | None
    deleted: bool
    #: Milliseconds since 1970, as they are recorded.
    started_at: Any
    finished_at: Any
    user: str | None
    program: str | None
    #: Where its artifacts are: a path or an address.
    artifacts: str
    #: Why the run cannot be read, if so.
    problem: str | None = None
    #: Its folder, if the store consists of files.
    folder: Path | None = None


@dataclass(slots=True)
class Details:
    """Everything else about a run but its metrics and files."""

    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    datasets: list[TrackedDataset] = field(default_factory=list)
    models: list[TrackedModel] = field(default_factory=list)


class TrackingStore(Protocol):
    """A tracking store of MLflow, open for reading."""

    @property
    def path(self) -> Path:
        """The folder of files, or the database."""

    @property
    def folder(self) -> Path:
        """The folder below which artifacts are looked for."""

    @property
    def notes(self) -> Sequence[str]:
        """What was noticed about the store, one sentence each."""

    def runs(self) -> Iterator[TrackedRun]:
        """Yield every run, in any order.

        Raises ``DOCUMENT_INVALID``, ``FILE_UNREADABLE``.
        """

    def details(self, run: TrackedRun, losses: Losses) -> Details:
        """Return what a run has logged.

        Raises ``DOCUMENT_INVALID``, ``FILE_UNREADABLE``.
        """

    def points(self, run: TrackedRun, losses: Losses) -> Iterator[TrackedValue]:
        """Yield the metrics of a run by name, step and time; memory does not grow with them.

        Raises ``DOCUMENT_INVALID``, ``FILE_UNREADABLE``.
        """


def is_id(text: object) -> bool:
    """Return whether something is an id of MLflow."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def status_of(value: object) -> str | None:
    """Return the status of a run, which is a number in files and a string in a database."""
    found = STATUSES.get(value) if isinstance(value, int) else value
    return found if isinstance(found, str) and found in STATUSES.values() else None


def instant_of(value: object) -> int | None:
    """Return a time in milliseconds since 1970, if it is one with a year of four digits."""
    is_time = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LATEST
    return value if isinstance(value, int) and is_time else None


def plain(value: object) -> str | None:
    """Return a value that should be a string, if it is one or a number."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) else None


def keeps(kind: str, name: str, losses: Losses) -> bool:
    """Return whether a name of a metric, a parameter or a tag can be kept."""
    problem = None
    if not name or len(name) > MAX_NAME:
        problem = f"{kind} with names of more than {MAX_NAME:,} characters, or of none"
    elif any("\ud800" <= character <= "\udfff" for character in name):
        problem = f"{kind} with names that are not UTF-8"
    if problem is None:
        return True
    losses.add("names", f"{problem} are left out", name)
    return False


def numbered(rows: Iterator[tuple[Any, Any, Any]], losses: Losses) -> Iterator[TrackedValue]:
    """Yield the points of rows with name, step and value, which are in order."""
    before, revision, kept = None, 0, False
    for name, step, value in rows:
        if before is None or before[0] != name:
            kept = keeps("Metrics", name, losses)
        if not kept:
            before = (name, step)
            continue
        revision = revision + 1 if (name, step) == before else 0
        before = (name, step)
        yield TrackedValue(name, step, revision, value)
