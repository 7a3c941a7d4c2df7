"""How fast many runs are: sweeps against scikit-learn with joblib, and against MLflow's autolog.

    python benchmarks/sweeps.py [--rounds N] [--only TEXT] [--rivals PYTHON]

Whole commands, in a repository as users have it, each in a workspace of its own that begins empty.
A row is a figure with a bar: a ratio of two commands, or the time that one more run takes. The
rival writes no record at all; see ``grid_script.py``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pairing import Command, Spread, cost, python, runforge
from resident import watched
from tables import LABEL, write_iris
from train import Workspace

HERE = Path(__file__).parent
_EVERY = 0.01
_LINEAR, _FOREST = "logistic_regression", "random_forest"


@dataclass(frozen=True)
class Many:
    """A figure of many runs, and the most or the least that is allowed."""

    name: str
    #: What the figure is, as a unit.
    unit: str
    found: Spread
    bar: float
    #: Whether the figure has to be at least the bar, instead of at most.
    at_least: bool = False

    def is_met(self) -> bool:
        """Tell whether the median keeps to the bar."""
        return self.found.median >= self.bar if self.at_least else self.found.median <= self.bar


class Grids:
    """A workspace in which grids are run, and the tables that they are run on."""

    def __init__(self, folder: Path, rivals: Path | None = None) -> None:
        self._place = Workspace(folder / "grids")
        self._rivals = rivals

    def iris(self) -> Path:
        """Return the table of iris."""
        path = self._place.folder / "iris.csv"
        return path if path.exists() else write_iris(path)

    def table(self, rows: int) -> Path:
        """Return a table of so many rows and 30 columns."""
        return self._place.table(rows)

    def ours(self, table: Path, family: str, runs: int, jobs: int) -> Command:
        """Return a sweep over so many settings, in an empty store."""
        name, values = setting(family, runs)
        self.clear()
        return runforge(
            *("sweep", table.name, "--label", LABEL, "--model", family),
            *("--grid", f"{name}={','.join(map(str, values))}", "--jobs", jobs, "--quiet"),
            folder=self._place.folder,
        )

    def rival(self, table: Path, family: str, runs: int, jobs: int) -> Command:
        """Return the same grid with scikit-learn and joblib, without a record."""
        script = HERE / "grid_script.py"
        return python(
            *(script, table.name, LABEL, family, "out", runs, jobs), folder=self._place.folder
        )

    def clear(self) -> None:
        """Remove what earlier commands left."""
        for name in (".runforge", "out", "mlruns"):
            shutil.rmtree(self._place.folder / name, ignore_errors=True)

    def mlflow_run(self, table: Path, runs: int) -> float | None:
        """Return the seconds that a run of a grid takes under MLflow, where that is installed."""
        if self._rivals is None:
            return None
        self.clear()
        arguments = [self._rivals, HERE / "mlflow_grid.py", table.name, LABEL, "out", str(runs)]
        done = subprocess.run(
            arguments, cwd=self._place.folder, check=True, capture_output=True, text=True
        )
        return float(done.stdout.split()[-1])


def setting(family: str, runs: int) -> tuple[str, Sequence[float]]:
    """Return the hyperparameter that a grid varies, and so many values of it."""
    if family == _FOREST:
        return "min_samples_leaf", range(1, runs + 1)
    return "C", [round(10 ** (-2 + 4 * number / max(runs - 1, 1)), 9) for number in range(runs)]


def rows(grids: Grids, rounds: int = 3) -> Iterator[tuple[str, Callable[[], Iterator[Many]]]]:
    """Give the name of each measurement, and what makes it."""

    def one_more() -> Iterator[Many]:
        table, runs = grids.iris(), 200
        took = []
        for _ in range(rounds):
            one = cost(grids.ours(table, _LINEAR, 1, 2)).seconds
            took.append((cost(grids.ours(table, _LINEAR, runs, 2)).seconds - one) / (runs - 1))
        name = f"iris, logistic regression, {runs} runs: one more run"
        yield Many(name, "ms", Spread.of([1000 * one for one in took]), 30)
        theirs = grids.mlflow_run(table, 10)
        if theirs is not None:
            ahead = Spread.of([theirs / one for one in took])
            yield Many("the same against MLflow autolog", "times", ahead, 100, at_least=True)

    def against_joblib() -> Iterator[Many]:
        table, runs = grids.table(100_000), 40
        found = [
            cost(grids.ours(table, _LINEAR, runs, 2)).seconds
            / cost(grids.rival(table, _LINEAR, runs, 2)).seconds
            for _ in range(rounds)
        ]
        name = f"100,000 x 30, logistic regression, {runs} runs, against scikit-learn with joblib"
        yield Many(name, "times", Spread.of(found), 1.25)

    def two_jobs(family: str, size: int, runs: int) -> Callable[[], Iterator[Many]]:
        def measure() -> Iterator[Many]:
            table = grids.table(size)
            found = [
                cost(grids.ours(table, family, runs, 1)).seconds
                / cost(grids.ours(table, family, runs, 2)).seconds
                for _ in range(rounds)
            ]
            name = f"{size:,} x 30, {family.replace('_', ' ')}, {runs} runs: one job against two"
            yield Many(name, "times", Spread.of(found), 1.8, at_least=True)

        return measure

    def memory() -> Iterator[Many]:
        if not Path("/proc/self/smaps_rollup").exists():
            return
        table = grids.table(1_000_000)
        found = [
            peak_memory(grids.ours(table, _LINEAR, 8, 4))
            / peak_memory(grids.ours(table, _LINEAR, 8, 1))
            for _ in range(rounds)
        ]
        name = "1,000,000 x 30, logistic regression: peak memory of four jobs against one"
        yield Many(name, "times", Spread.of(found), 1.6)

    def serving() -> Iterator[Many]:
        table = grids.iris()
        grids.clear()
        took, resting = [], []
        for _ in range(rounds):
            with Server(table.parent) as server:
                resting.append(sum(map(_proportional, family_of(server.pid))) / 2**20)
                for _ in range(3):
                    server.train(table)
                took += [1000 * server.train(table) for _ in range(10)]
        yield Many("`serve`, iris, from request to sealed record, warm", "ms", Spread.of(took), 60)
        if Path("/proc/self/smaps_rollup").exists():
            name = "`serve`, memory before the first training"
            yield Many(name, "MiB", Spread.of(resting), 80)

    yield "iris", one_more
    yield "joblib", against_joblib
    yield "two jobs, logistic regression", two_jobs(_LINEAR, 100_000, 80)
    yield "two jobs, forests", two_jobs(_FOREST, 20_000, 8)
    yield "memory", memory
    yield "serve", serving


class Server:
    """A `runforge serve` with a client that asks one thing at a time."""

    def __init__(self, folder: Path) -> None:
        command = runforge("serve", "--stdio", folder=folder)
        self._process = subprocess.Popen(
            list(map(str, command.arguments)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            env=command.variables(),
        )
        self.pid = self._process.pid
        self._requests = 0

    def __enter__(self) -> Self:
        self.ask("initialize", {})
        return self

    def __exit__(self, *_: object) -> None:
        self.ask("shutdown", {})
        self._process.communicate()

    def train(self, table: Path) -> float:
        """Train on a table, and return the seconds from the request to the answer."""
        begun = time.perf_counter()
        result = self.ask("train", {"dataset": str(table), "label": LABEL})
        if result["status"] != "succeeded":
            raise RuntimeError(f"the run ended as {result['status']}")
        return time.perf_counter() - begun

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        """Return the result of a request; notifications are passed over."""
        self._requests += 1
        message = {"jsonrpc": "2.0", "id": self._requests, "method": method, "params": params}
        body = json.dumps(message).encode()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()
        while True:
            length = 0
            while (header := self._process.stdout.readline().strip()) or not length:
                if not header:
                    raise RuntimeError("the server has ended")
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            answer = json.loads(self._process.stdout.read(length))
            if answer.get("id") == self._requests:
                if "error" in answer:
                    raise RuntimeError(answer["error"]["message"])
                return answer["result"]


def peak_memory(command: Command) -> int:
    """Run a command and return the most memory that its processes had together, in bytes.

    Memory that several processes share counts once.
    """
    together = watched(command, lambda pid: sum(map(_proportional, family_of(pid))), _EVERY)
    return max(together, default=0)


def family_of(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    found = [pid]
    for known in found:
        try:
            for task in Path(f"/proc/{known}/task").iterdir():
                found.extend(map(int, (task / "children").read_text().split()))
        except OSError:
            continue  # It has ended meanwhile.
    return found


def _proportional(pid: int) -> int:
    """Return the memory of a process, of shared pages its share, in bytes."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    fields = dict(line.split(":", 1) for line in text.splitlines()[1:])
    return int(fields["Pss"].split()[0]) * 1024


def figure(item: Many) -> str:
    """Return the median of a figure, and its range."""
    return f"{item.found.median:.2f} ({item.found.least:.2f} to {item.found.greatest:.2f})"


def line(item: Many) -> str:
    """Return a figure as text for a terminal."""
    verdict = "met" if item.is_met() else "NOT MET"
    bound = "at least" if item.at_least else "at most"
    return f"{item.name:<80}{figure(item)} {item.unit}  bar {bound} {item.bar:g}: {verdict}"


def table_of(found: Sequence[Many]) -> list[list[str]]:
    """Return the figures as the rows of a table, the header first."""
    header = ["", "figure", "bar", ""]
    body = [
        [
            item.name,
            f"{figure(item)} {item.unit}",
            f"at {'least' if item.at_least else 'most'} {item.bar:g}",
            "met" if item.is_met() else "**not met**",
        ]
        for item in found
    ]
    return [header, *body]


def main() -> None:
    """Measure, and print each figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="pairs of each figure")
    parser.add_argument("--only", default="", help="rows with this text in their name")
    parser.add_argument("--rivals", type=Path, help="a Python that has MLflow")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        grids = Grids(Path(folder), options.rivals and options.rivals.absolute())
        for name, measure in rows(grids, options.rounds):
            if options.only in name:
                for item in measure():
                    print(line(item), flush=True)


if __name__ == "__main__":
    main()
