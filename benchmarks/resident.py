"""How much memory a training has in use, stage by stage, beside the script written by hand.

    python benchmarks/resident.py

A logistic regression on three tables. The resident set is looked at every two milliseconds while
the process runs; the events of the run tell at which stage it was. Linux alone tells so much.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pairing import Command, cost
from stages import FAMILY, STAGES, event_times, newest_run, show, three_tables
from train import Workspace

_EVERY = 0.002
T = TypeVar("T")


@dataclass(frozen=True)
class Resident:
    """The most memory that a training had at each stage, in bytes."""

    name: str
    stages: dict[str, int]
    #: The most that the script had.
    rival: float


def can_look() -> bool:
    """Tell whether the system says what other processes have in memory."""
    return Path("/proc/self/statm").exists()


def watched(command: Command, look: Callable[[int], T], every: float) -> list[T]:
    """Run a process, and return what ``look`` has found of it, by its id, until it ended."""
    found = []
    arguments = list(map(str, command.arguments))
    with subprocess.Popen(
        arguments,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=command.folder,
        env=command.variables(),
    ) as process:
        while process.poll() is None:
            found.append(look(process.pid))
            time.sleep(every)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, arguments)
    return found


def samples(command: Command) -> list[tuple[float, int]]:
    """Run a process and return its resident set over time, in seconds since 1970 and bytes."""
    page = resource.getpagesize()

    def resident(pid: int) -> tuple[float, int]:
        return time.time(), int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page

    return watched(command, resident, _EVERY)


def by_stage(found: Sequence[tuple[float, int]], events: Path) -> dict[str, int]:
    """Return the most memory of each stage."""
    ends = {**event_times(events), "end": found[-1][0]}
    most = dict.fromkeys(STAGES, 0)
    for at, size in found:
        stage = next((name for name in STAGES if at <= ends[name]), "end")
        most[stage] = max(most[stage], size)
    return most


def look(place: Workspace, name: str, table: Path) -> Resident:
    """Train on a table, and look on."""
    found = samples(place.ours(table, FAMILY))
    stages = by_stage(found, newest_run(place.folder) / "logs/events.jsonl")
    return Resident(name, stages, cost(place.bare(table, FAMILY)).memory)


def residents(place: Workspace) -> list[Resident]:
    """Return the memory of three sizes, or nothing where the system does not tell."""
    if not can_look():
        return []
    return [look(place, name, table) for name, table in three_tables(place).items()]


def table_of(found: Sequence[Resident]) -> list[list[str]]:
    """Return the memory as the rows of a table, the header first."""

    def row(name: str, sizes: Iterable[float]) -> list[str]:
        return [name, *(f"{size / 2**20:,.0f}" for size in sizes)]

    return [
        ["stage, in MiB at most", *(item.name for item in found)],
        *(row(name, [item.stages[stage] for item in found]) for stage, name in STAGES.items()),
        row("the script, at most", [item.rival for item in found]),
    ]


def main() -> None:
    """Print how much memory is in use."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        show(table_of(residents(Workspace(Path(folder) / "workspace"))))


if __name__ == "__main__":
    main()
