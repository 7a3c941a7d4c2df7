"""How much looking into a model file costs, beside loading it and beside Python itself.

    python benchmarks/inspect_artifact.py [--runs N]

Every figure is that of a whole process, the median of several taken in turns, so that a machine
whose speed drifts does not favour either side. Read the ratios: ``/ bare`` is against a Python that
does nothing, ``/ load`` against ``joblib.load`` of the same file.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from runforge_engine.training import dump_model
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

MODELS = {
    "linear model": LogisticRegression(max_iter=200),
    "forest of 100 trees": RandomForestClassifier(100, random_state=42),
}
PYTHON = [sys.executable, "-c"]
#: A process begins with the memory of the one that starts it, so a small one has to.
LAUNCHER = """
import os, sys, time
silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
begun = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=silent)
_, status, usage = os.wait4(child, 0)
print(time.perf_counter() - begun, usage.ru_maxrss, os.waitstatus_to_exitcode(status))
"""


class Cost(NamedTuple):
    """What a process took."""

    seconds: float
    #: Largest resident set, in bytes.
    memory: int


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    print(f"{'':40}{'time':>10}{'memory':>10}{'/ bare':>8}{'/ load':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name, classifier in MODELS.items():
            path = write(Path(folder) / "model.pkl", classifier)
            print(f"{name}, {path.stat().st_size:,} bytes")
            compare(path, runs)


def write(path: Path, classifier: object) -> Path:
    """Write a fitted pipeline as a run does."""
    X, y = load_breast_cancer(return_X_y=True)
    pipeline = Pipeline([("scaler", StandardScaler()), ("clf", classifier)]).fit(X, y)
    path.write_bytes(dump_model(pipeline, [f"feature {index}" for index in range(X.shape[1])]))
    return path


def compare(path: Path, runs: int) -> None:
    """Measure the processes in turns and print a line for each."""
    command = str(Path(sys.executable).with_name("runforge"))
    read = "from pathlib import Path; from runforge_engine.artifact.inspection import inspect_model"
    processes = {
        "python -c pass": [*PYTHON, "pass"],
        "joblib.load": [*PYTHON, f"import joblib; joblib.load({str(path)!r})"],
        "the reader alone": [*PYTHON, f"{read}; inspect_model(Path({str(path)!r}))"],
        "runforge inspect-artifact --json": [command, "inspect-artifact", str(path), "--json"],
        "python -m ml_runner inspect-artifact": [
            *(sys.executable, "-m", "ml_runner"),
            *("inspect-artifact", "--artifact", str(path)),
        ],
    }
    rounds = [[cost(arguments) for arguments in processes.values()] for _ in range(runs + 1)][1:]
    bare, loaded, *_ = zip(*rounds, strict=True)
    for name, costs in zip(processes, zip(*rounds, strict=True), strict=True):
        time_ms = statistics.median(one.seconds for one in costs) * 1e3
        memory = statistics.median(one.memory for one in costs) / 2**20
        print(
            f"  {name:38}{time_ms:>8.1f}ms{memory:>8.1f}MB"
            f"{ratio(costs, bare):>8.2f}{ratio(costs, loaded):>8.2f}"
        )


def cost(arguments: list[str]) -> Cost:
    """Run a process to its end."""
    done = subprocess.run(
        [*PYTHON, LAUNCHER, *arguments], check=True, capture_output=True, text=True
    )
    seconds, memory, status = done.stdout.split()
    if status != "0":
        raise subprocess.CalledProcessError(int(status), arguments)
    return Cost(float(seconds), int(memory) * (1 if sys.platform == "darwin" else 1024))


def ratio(costs: tuple[Cost, ...], others: tuple[Cost, ...]) -> float:
    """Return the median of the ratios of times taken side by side."""
    return statistics.median(
        one.seconds / other.seconds for one, other in zip(costs, others, strict=True)
    )


if __name__ == "__main__":
    main()
