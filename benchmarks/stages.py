"""Where the time of a training goes, by the program's own events, and what the floor is.

    python benchmarks/stages.py [--rounds N]

Three tables, a logistic regression on each. The floor is what no program could leave out that
trains the same model with the same libraries: to load them, to bring the file into memory and hash
it, and to scale and fit.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from pairing import Command, Cost, cost, python
from tables import write_iris
from train import Workspace

#: The event that ends each stage, and what the stage is.
STAGES = {
    "run_start": "start, read and hash the file",
    "dataset_loaded": "parse, check and divide the table",
    "train_started": "wait for the libraries",
    "train_finished": "scale and fit",
    "metrics_computed": "predict and score",
    "artifacts_written": "write the model and its artifacts",
    "end": "write the record, list the run, end",
}
FAMILY = "logistic_regression"
#: Loads what a run loads, as it loads it.
_LOAD = """
from runforge_engine.runtime.numeric_environment import pin_environment

from runforge_engine.modeling.configuration import family_table
pin_environment()
from runforge_engine.runtime.preload import Libraries, own_process, wait_for_libraries
own_process()
Libraries("sklearn.linear_model")
wait_for_libraries()
"""
#: Reads and hashes a file, and tells how long that took: memory is the limit.
_READ = """
import hashlib, sys, time
begun = time.perf_counter()
with open(sys.argv[1], "rb") as file:
    hashlib.sha256(file.read())
print(time.perf_counter() - begun)
"""


@dataclass(frozen=True)
class Breakdown:
    """Where the time of a training went: medians over some runs, in seconds."""

    name: str
    stages: dict[str, float]
    total: float
    #: To load the libraries and do nothing, as a whole process.
    loading: float
    #: To read and hash the file.
    reading: float

    @property
    def above(self) -> float:
        """What is left above the floor; scaling and fitting are scikit-learn's own."""
        return self.total - self.loading - self.reading - self.stages["train_finished"]


def event_times(events: Path) -> dict[str, float]:
    """Return when each stage of a run ended, in seconds since 1970, from its log of events."""
    ends = {}
    for line in events.read_text("utf-8").splitlines():
        event = json.loads(line)
        if event["event"] in STAGES:
            ends[event["event"]] = datetime.fromisoformat(event["timestamp"]).timestamp()
    return ends


def stage_times(done: Cost, events: Path) -> dict[str, float]:
    """Return how long each stage of a run took."""
    ends = {"start": done.began, **event_times(events), "end": done.began + done.seconds}
    moments = [ends[name] for name in ("start", *STAGES)]
    return dict(zip(STAGES, [after - before for before, after in pairwise(moments)], strict=True))


def newest_run(workspace: Path) -> Path:
    """Return the folder of the run that was written last."""
    runs = (workspace / ".runforge/runs").iterdir()
    return max(runs, key=lambda run: run.stat().st_mtime)


def train(command: Command) -> tuple[Cost, dict[str, float]]:
    """Run a training and return what it took, as a whole and by stages."""
    done = cost(command)
    assert command.folder is not None
    return done, stage_times(done, newest_run(command.folder) / "logs/events.jsonl")


def break_down(place: Workspace, name: str, table: Path, rounds: int) -> Breakdown:
    """Train on a table some times, with the floor beside."""
    train(place.ours(table, FAMILY))
    runs = [train(place.ours(table, FAMILY)) for _ in range(rounds)]
    loading = [cost(python("-c", _LOAD)).seconds for _ in range(rounds)]
    reading = [seconds_told(python("-c", _READ, table)) for _ in range(rounds)]
    return Breakdown(
        name,
        {stage: statistics.median(times[stage] for _, times in runs) for stage in STAGES},
        statistics.median(done.seconds for done, _ in runs),
        *map(statistics.median, (loading, reading)),
    )


def seconds_told(command: Command) -> float:
    """Return the number of seconds that a process prints."""
    done = subprocess.run(
        list(map(str, command.arguments)), check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def three_tables(place: Workspace) -> dict[str, Path]:
    """Return a small, a middling and a large table."""
    return {
        "iris": write_iris(place.folder / "iris.csv"),
        "100,000 x 30": place.table(100_000),
        "1,000,000 x 30": place.table(1_000_000),
    }


def breakdowns(place: Workspace, rounds: int) -> list[Breakdown]:
    """Return the breakdowns of three sizes."""
    return [break_down(place, name, table, rounds) for name, table in three_tables(place).items()]


def table_of(found: Sequence[Breakdown]) -> list[list[str]]:
    """Return the breakdowns as the rows of a table, the header first."""

    def row(name: str, seconds: Iterable[float]) -> list[str]:
        return [name, *(f"{1000 * value:,.0f}" for value in seconds)]

    return [
        ["stage, in milliseconds", *(item.name for item in found)],
        *(row(name, [item.stages[stage] for item in found]) for stage, name in STAGES.items()),
        row("whole process", [item.total for item in found]),
        row("floor: load the libraries", [item.loading for item in found]),
        row("floor: read and hash the file", [item.reading for item in found]),
        row("floor: scale and fit, as above", [item.stages["train_finished"] for item in found]),
        row("above the floor", [item.above for item in found]),
    ]


def show(table: Sequence[Sequence[str]]) -> None:
    """Print a table, the names on its left and figures beside."""
    for name, *figures in table:
        print(f"{name:<38}", *(f"{figure:>16}" for figure in figures), flush=True)


def main() -> None:
    """Print where the time goes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        show(table_of(breakdowns(Workspace(Path(folder) / "workspace"), rounds)))


if __name__ == "__main__":
    main()
