"""Compare the environment of a worker with the one here, in what can change a bit of a model.

The name and the processor of the machine do not count, and where both environments are pinned
neither do the processor features and the variables that pin them: what is pinned is chosen so that
the bits are equal.

Source: specification, sections 13.2 and 14.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from runforge_contracts.comparison.environment_difference import by_relevance, environment_fields
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Problem, RunForgeError

#: What is shown for a value that one side lacks.
MISSING = "(none)"
_OF_THE_MACHINE = ("platform.host", "platform.cpu")


class EnvironmentDifference(NamedTuple):
    """A part of the environment in which a worker differs."""

    #: Dotted name, such as ``packages.numpy``.
    name: str
    here: str
    worker: str

    def __str__(self) -> str:
        return f"{self.name} is {quote(self.worker)}, here {quote(self.here)}"


def differences(here: Mapping[str, Any], worker: Mapping[str, Any]) -> list[EnvironmentDifference]:
    """Return what differs between two environments, the most relevant first.

    Parameters
    ----------
    here, worker
        As :func:`~runforge_engine.distributed.environment_report.report_environment` returns them;
        the worker's may be anything.
    """
    left, right = environment_fields(here), environment_fields(worker)
    pinned = left.get("numerics.pinned") is True and right.get("numerics.pinned") is True
    return [
        EnvironmentDifference(name, _text(left.get(name)), _text(right.get(name)))
        for name in by_relevance({**left, **right})
        if _counts(name, pinned=pinned) and left.get(name) != right.get(name)
    ]


def _counts(name: str, *, pinned: bool) -> bool:
    if name in _OF_THE_MACHINE or name.startswith("numerics.environment."):
        return False
    return not (pinned and name == "numerics.simd")


def _text(value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value)


def mismatch_error(
    workers: Mapping[str, Sequence[EnvironmentDifference | str]], *, total: int
) -> RunForgeError:
    """Return the error for workers that have other versions.

    Parameters
    ----------
    workers
        Name and differences of each of them; or a sentence in place of a difference.
    total
        How many workers there are.
    """
    problems = [
        Problem(f"Worker {quote(name)}: {difference}.")
        for name, found in workers.items()
        for difference in found
    ]
    return RunForgeError(
        ErrorCode.WORKER_MISMATCH,
        f"{len(workers)} of {total} workers have another environment than this one, so their models"
        " could differ.",
        hint="Install the same versions there, or accept the differences with `--allow-mixed`,"
        " which records them in each run.",
        problems=problems[:_MOST],
    )


#: Most problems of one error.
_MOST = 20
