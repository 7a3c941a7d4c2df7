"""Tasks for workers and messages from them, and how both pass through a pipe.

A frame is a length of four bytes, the most significant first, and so many bytes of JSON. What
arrives in another form ends the connection, because the process at the other end is broken.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec
from runforge_contracts.diagnostics import Diagnostic, raw_diagnostic
from runforge_contracts.errors import RunForgeError

from runforge_engine.pipeline.finish import FinalStatus

#: Largest frame, in bytes; the messages of a run with many classes take less than a hundredth.
MAX_FRAME = 2**28
_LENGTH = 4


@dataclass(frozen=True, slots=True)
class RunTask:
    """A request to execute."""

    #: Chosen by the caller; every message about the run has it.
    number: int
    #: The raw request, of the schema ``request.v1``.
    request: dict[str, Any]
    #: Names of the hyperparameters given on the command line, to be recorded as such.
    cli_parameters: tuple[str, ...] = ()
    #: The id of the run, where the caller has chosen it; by default the worker claims one.
    run_id: str | None = None
    #: Diagnostics about the request, to be recorded with the others.
    notes: tuple[Diagnostic, ...] = ()
    #: The file that is read as the dataset, where the recorded path is one on another machine.
    dataset_file: Path | None = None
    #: The file that is read as the recipe, in the same way.
    recipe_file: Path | None = None
    #: The digest that the dataset must have.
    dataset_sha256: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the task as it passes through a pipe."""
        dataset, recipe = self.dataset_file, self.recipe_file
        return {
            "number": self.number,
            "request": self.request,
            "cli_parameters": self.cli_parameters,
            "run_id": self.run_id,
            "notes": [raw_diagnostic(note) for note in self.notes],
            "dataset_file": None if dataset is None else str(dataset),
            "recipe_file": None if recipe is None else str(recipe),
            "dataset_sha256": self.dataset_sha256,
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """Return the task that has passed through a pipe."""
        dataset, recipe = raw["dataset_file"], raw["recipe_file"]
        return cls(
            number=raw["number"],
            request=raw["request"],
            cli_parameters=tuple(raw["cli_parameters"]),
            run_id=raw["run_id"],
            notes=tuple(msgspec.convert(note, Diagnostic) for note in raw["notes"]),
            dataset_file=None if dataset is None else Path(dataset),
            recipe_file=None if recipe is None else Path(recipe),
            dataset_sha256=raw["dataset_sha256"],
        )


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run has a folder."""

    number: int
    run_id: str


@dataclass(frozen=True, slots=True)
class RunEvent:
    """An event of the run, of the schema ``events.v1``."""

    number: int
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunDiagnostic:
    """A diagnostic of the run."""

    number: int
    diagnostic: Diagnostic


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run is recorded, in its folder and in the index."""

    number: int
    run_id: str
    run_dir: Path
    status: FinalStatus
    #: Why the run failed or was cancelled.
    error: RunForgeError | None
    #: The raw ``result.json``.
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunRefused:
    """The task ended with an error that no run's record contains.

    Usually there is no run. Where there is one, because it could not be recorded or listed,
    :class:`RunStarted` came before.
    """

    number: int
    error: RunForgeError


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """The worker died with the task; its run, if it had begun, is interrupted."""

    number: int
    #: The run, if it had a folder.
    run_id: str | None
    #: How the process ended, as the second half of a sentence: ``it was ended by SIGSEGV``.
    reason: str


@dataclass(frozen=True, slots=True)
class PoolNotice:
    """Something about the workers that a user should know, and no run."""

    text: str


RunMessage = RunStarted | RunEvent | RunDiagnostic | RunEnded | RunRefused | WorkerLost
WorkerMessage = RunMessage | PoolNotice


class BrokenFrameError(Exception):
    """The other process sent something that is not a frame."""


def frame(message: Mapping[str, Any]) -> bytes:
    """Return a message as a frame.

    File names that are not UTF-8 pass through: JSON escapes what they are read as.
    """
    body = json.dumps(message).encode("ascii")
    return len(body).to_bytes(_LENGTH, "big") + body


def write_frame(descriptor: int, message: Mapping[str, Any]) -> None:
    """Write a message; raises ``OSError`` where nobody reads any more."""
    data = memoryview(frame(message))
    while data:
        data = data[os.write(descriptor, data) :]


def read_frame(descriptor: int) -> dict[str, Any] | None:
    """Read a message; None at the end of the stream, wherever that comes.

    Raises
    ------
    BrokenFrameError
        Where what arrives is no frame.
    """
    head = _read(descriptor, _LENGTH)
    length = int.from_bytes(head, "big")
    if length > MAX_FRAME:
        raise BrokenFrameError
    body = _read(descriptor, length)
    if len(head) < _LENGTH or len(body) < length:
        return None
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        raise BrokenFrameError from None
    if not isinstance(message, dict):
        raise BrokenFrameError
    return message


def _read(descriptor: int, length: int) -> bytes:
    pieces = []
    while length:
        piece = os.read(descriptor, min(length, 2**20))
        if not piece:
            break
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)
