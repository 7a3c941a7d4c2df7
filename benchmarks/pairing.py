"""Measuring whole processes against each other, in turns.

A machine's speed drifts, and what else it does disturbs; both hit the two sides of a pair alike.
So the figure to read is the median of the ratios of pairs, and its range tells how much to trust
it. Time and memory are those that the operating system accounts to a process that has ended.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

#: A process begins with the memory of the one that starts it, so a small one has to.
_LAUNCHER = """
import os, sys, time
silent = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
begun, now = time.perf_counter(), time.time()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=silent)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - begun
processor = usage.ru_utime + usage.ru_stime
print(seconds, processor, usage.ru_maxrss, now, os.waitstatus_to_exitcode(status))
"""


@dataclass(frozen=True)
class Command:
    """A process to measure."""

    arguments: Sequence[object]
    folder: Path | None = None
    #: Variables on top of those that are there.
    environment: Mapping[str, str] = field(default_factory=dict)

    def variables(self) -> dict[str, str]:
        """Return the whole environment of the process."""
        # Bytecode is cached, as it is for users who installed the packages.
        ours = {name: os.environ[name] for name in os.environ if name != "PYTHONDONTWRITEBYTECODE"}
        return {**ours, **self.environment}


class Cost(NamedTuple):
    """What a process took."""

    #: From start to end, by the clock on the wall.
    seconds: float
    #: Time of all processors, in user mode and in the kernel.
    processor: float
    #: Largest resident set, in bytes.
    memory: float
    #: When it began, in seconds since 1970.
    began: float


Figure = Literal["seconds", "processor", "memory"]


class Spread(NamedTuple):
    """A figure of several rounds."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of some values."""
        return cls(statistics.median(values), min(values), max(values))


def runforge(*arguments: object, folder: Path | None = None) -> Command:
    """Return a call of the installed ``runforge`` command."""
    return Command([Path(sys.executable).with_name("runforge"), *arguments], folder)


def python(*arguments: object, folder: Path | None = None) -> Command:
    """Return a call of this Python."""
    return Command([sys.executable, *arguments], folder)


def cost(command: Command) -> Cost:
    """Run a process to its end, with nowhere to print to."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", _LAUNCHER, *map(str, command.arguments)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=command.folder,
        env=command.variables(),
    )
    *figures, status = done.stdout.split()
    if status != "0":
        raise subprocess.CalledProcessError(int(status), list(map(str, command.arguments)))
    seconds, processor, memory, began = map(float, figures)
    # Linux counts memory in kibibytes.
    return Cost(seconds, processor, memory * (1 if sys.platform == "darwin" else 1024), began)


def in_turns(commands: Sequence[Command], rounds: int, *, warm_up: int = 1) -> list[list[Cost]]:
    """Run the commands one after the other, round by round, and return the costs of each.

    Every other round runs backwards, so that none is always the one after another.
    """
    costs: list[list[Cost]] = [[] for _ in commands]
    for number in range(-warm_up, rounds):
        order = range(len(commands))
        for index in order if number % 2 == 0 else reversed(order):
            one = cost(commands[index])
            if number >= 0:
                costs[index].append(one)
    return costs


def ratio(costs: Sequence[Cost], others: Sequence[Cost], figure: Figure = "seconds") -> Spread:
    """Return how one process compares with another, pair by pair."""
    pairs = zip(costs, others, strict=True)
    return Spread.of([getattr(one, figure) / getattr(other, figure) for one, other in pairs])


def spread(costs: Sequence[Cost], figure: Figure = "seconds") -> Spread:
    """Return a figure of a process over its rounds."""
    return Spread.of([getattr(one, figure) for one in costs])
