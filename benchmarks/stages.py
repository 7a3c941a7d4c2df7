"""Where the time of a training goes, by the program's own events, and what the floor is.

    python benchmarks/stages.py [--rounds N]

Three tables, a logistic regression on each. The floor is what no program could leave out that
trains the same model with the same libraries: to load them, and to fit with the table in memory.
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
from tables import LABEL, write_iris
from train import Workspace

#: The event that ends each stage, and what the stage is.
STAGES = {
    "run_start": "start, read and hash the file",
    "dataset_loaded": "parse and check the table",
    "train_started": "wait for the libraries, split",
    "train_finished": "scale and fit",
    "metrics_computed": "predict and score",
    "artifacts_written": "write the model and its artifacts",
    "end": "write the record, list the run, end",
}
FAMILY = "logistic_regression"
#: Loads what a run loads, as it loads it.
_LOAD = f"""
from runforge_engine.numerics import pin_environment
pin_environment()
from runforge_engine.libraries import Libraries, own_process, wait_for_libraries
own_process()
Libraries({FAMILY!r})
wait_for_libraries()
"""
#: Fits what a run fits, and tells how long that took.
_FIT = f"""
import sys, time
from pathlib import Path
from runforge_engine.numerics import pin_environment
pin_environment()
from runforge_engine.cancellation import Cancellation
from runforge_engine.configuration import resolve
from runforge_engine.dataset import load_dataset
from runforge_engine.source import read_source
from runforge_engine.splitting import split_rows
from runforge_engine.training import build_pipeline
from threadpoolctl import threadpool_limits
dataset = load_dataset(read_source(Path(sys.argv[1])), sys.argv[2])
train = split_rows(dataset.positions, 42).train
X, y = dataset.X.take(train, axis=0), dataset.y[train]
pipeline = build_pipeline(resolve(family={FAMILY!r}, preset="balanced", profile=None,
    hyperparameters={{}}, seed=42))
pipeline[0].copy = False
with threadpool_limits(1):
    begun = time.perf_counter()
    pipeline.fit(X, y)
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
    #: To fit with the table in memory.
    fitting: float


def stage_times(done: Cost, events: Path) -> dict[str, float]:
    """Return how long each stage of a run took, from its log of events."""
    ends = {"start": done.began, "end": done.began + done.seconds}
    for line in events.read_text("utf-8").splitlines():
        event = json.loads(line)
        if event["event"] in STAGES:
            ends[event["event"]] = datetime.fromisoformat(event["timestamp"]).timestamp()
    moments = [ends[name] for name in ("start", *STAGES)]
    return dict(zip(STAGES, [after - before for before, after in pairwise(moments)], strict=True))


def train(command: Command) -> tuple[Cost, dict[str, float]]:
    """Run a training and return what it took, as a whole and by stages."""
    done = cost(command)
    assert command.folder is not None
    newest = max((command.folder / ".runforge/runs").iterdir(), key=lambda run: run.stat().st_mtime)
    return done, stage_times(done, newest / "logs/events.jsonl")


def break_down(place: Workspace, name: str, table: Path, rounds: int) -> Breakdown:
    """Train on a table some times, with the floor beside."""
    train(place.ours(table, FAMILY))
    runs = [train(place.ours(table, FAMILY)) for _ in range(rounds)]
    loading = [cost(python("-c", _LOAD)).seconds for _ in range(rounds)]
    fitting = [seconds_told(python("-c", _FIT, table, LABEL)) for _ in range(rounds)]
    return Breakdown(
        name,
        {stage: statistics.median(times[stage] for _, times in runs) for stage in STAGES},
        statistics.median(done.seconds for done, _ in runs),
        statistics.median(loading),
        statistics.median(fitting),
    )


def seconds_told(command: Command) -> float:
    """Return the number of seconds that a process prints."""
    done = subprocess.run(
        list(map(str, command.arguments)), check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def breakdowns(folder: Path, rounds: int) -> list[Breakdown]:
    """Return the breakdowns of three sizes."""
    place = Workspace(folder / "stages")
    tables = {
        "iris": write_iris(place.folder / "iris.csv"),
        "100,000 x 30": place.table(100_000),
        "1,000,000 x 30": place.table(1_000_000),
    }
    return [break_down(place, name, table, rounds) for name, table in tables.items()]


def table_of(found: Sequence[Breakdown]) -> list[list[str]]:
    """Return the breakdowns as the rows of a table, the header first."""

    def row(name: str, seconds: Iterable[float]) -> list[str]:
        return [name, *(f"{1000 * value:,.0f}" for value in seconds)]

    return [
        ["stage, in milliseconds", *(item.name for item in found)],
        *(row(name, [item.stages[stage] for item in found]) for stage, name in STAGES.items()),
        row("whole process", [item.total for item in found]),
        row("floor: load the libraries", [item.loading for item in found]),
        row("floor: fit", [item.fitting for item in found]),
        row("above the floor", [item.total - item.loading - item.fitting for item in found]),
    ]


def main() -> None:
    """Print where the time goes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        for first, *others in table_of(breakdowns(Path(folder), rounds)):
            print(f"{first:<38}", *(f"{cell:>16}" for cell in others))


if __name__ == "__main__":
    main()
