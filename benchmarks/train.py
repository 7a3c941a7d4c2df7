"""How fast we are: training against a script written by hand, short commands against Python.

    python benchmarks/train.py [--rounds N] [--only TEXT] [--rivals PYTHON]

Each row has a bar, the largest ratio of whole-process times (or of peak memory) that is allowed;
the verdict is on the median over pairs of runs. The rival is in ``bare_script.py``, the data in
``tables.py``. With ``--rivals``, a Python that has MLflow, the same script under MLflow's autolog
and MLflow's list of runs are measured beside.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from inspect_artifact import MODELS, write
from pairing import Command, Cost, Figure, Spread, in_turns, python, ratio, runforge
from store import make_store
from tables import LABEL, write_iris, write_table

HERE = Path(__file__).parent
#: Runs in the store that is listed.
RUNS = 10_000
#: What every Python program pays before it begins.
BARE = python("-c", "pass")


@dataclass(frozen=True)
class Bar:
    """The largest median of ratios that is allowed."""

    figure: Figure
    most: float

    def is_met(self, found: Spread) -> bool:
        """Tell whether a ratio keeps to the bar."""
        return found.median <= self.most


@dataclass(frozen=True)
class Row:
    """What is measured against what, and in how many pairs."""

    ours: Command
    rival: Command
    bars: tuple[Bar, ...]
    rounds: int
    warm_up: int = 1
    #: What else is measured beside, by name; no bar is on it.
    others: tuple[tuple[str, Command], ...] = ()


@dataclass(frozen=True)
class Measured:
    """What the processes of a row took, round by round."""

    name: str
    bars: tuple[Bar, ...]
    ours: list[Cost]
    rival: list[Cost]
    others: dict[str, list[Cost]]

    def against_rival(self, figure: Figure, costs: Sequence[Cost] | None = None) -> Spread:
        """Return the ratio of our costs, or of others, to the rival's."""
        return ratio(self.ours if costs is None else costs, self.rival, figure)

    def verdicts(self) -> list[tuple[Bar, Spread]]:
        """Return each bar with what it is compared with."""
        return [(bar, self.against_rival(bar.figure)) for bar in self.bars]


class Workspace:
    """A folder to train in: a Git repository that ignores the tables, as users have them."""

    def __init__(self, folder: Path, rivals: Path | None = None) -> None:
        self.folder = folder
        self._rivals = rivals
        folder.mkdir()
        (folder / ".gitignore").write_text("*.csv\n.runforge/\nout/\nmlruns/\nmlflow.db\n")
        for arguments in (("init",), ("add", "."), ("commit", "-m", "Begin")):
            user = ("-c", "user.name=bench", "-c", "user.email=bench@example.org")
            subprocess.run(["git", *user, *arguments], cwd=folder, check=True, capture_output=True)

    def table(self, rows: int, features: int = 30, classes: int = 2) -> Path:
        """Return a table of so many rows, which is made once."""
        path = self.folder / f"{rows}x{features}-{classes}.csv"
        return path if path.exists() else write_table(path, rows, features, classes)

    def ours(self, table: Path, family: str) -> Command:
        """Return our training."""
        return runforge(
            *("train", table.name, "--label", LABEL, "--model", family), folder=self.folder
        )

    def bare(self, table: Path, family: str, *options: str) -> Command:
        """Return the training of the script."""
        script = HERE / "bare_script.py"
        return python(script, table.name, LABEL, family, "out", *options, folder=self.folder)

    def mlflow(self, table: Path, family: str) -> tuple[tuple[str, Command], ...]:
        """Return the script under MLflow, where that is installed."""
        if self._rivals is None:
            return ()
        script = HERE / "mlflow_script.py"
        arguments = (self._rivals, script, table.name, LABEL, family, "out")
        return (("MLflow autolog", Command(arguments, self.folder)),)


def rows(folder: Path, rivals: Path | None = None) -> Iterator[tuple[str, Callable[[], Row]]]:
    """Give the name of each row and what makes it, with all that is measured with."""
    rivals = rivals and rivals.absolute()
    place = Workspace(folder / "workspace", rivals)
    linear, forest = "logistic_regression", "random_forest"

    def iris() -> Row:
        table = write_iris(place.folder / "iris.csv")
        return Row(
            place.ours(table, linear),
            place.bare(table, linear),
            (Bar("seconds", 0.80),),
            rounds=9,
            others=place.mlflow(table, linear),
        )

    def middle() -> Row:
        table = place.table(100_000)
        return Row(
            place.ours(table, linear),
            place.bare(table, linear),
            (Bar("seconds", 0.75),),
            rounds=9,
            others=place.mlflow(table, linear),
        )

    def large() -> Row:
        table = place.table(1_000_000)
        return Row(
            place.ours(table, linear),
            place.bare(table, linear),
            (Bar("seconds", 0.55), Bar("memory", 0.9)),
            rounds=5,
        )

    def wide() -> Row:
        table = place.table(200_000, 300)
        return Row(
            place.ours(table, linear),
            place.bare(table, linear),
            (Bar("seconds", 0.70),),
            rounds=5,
        )

    def trees() -> Row:
        table = place.table(100_000)
        all_cores = ("bare script, n_jobs=-1", place.bare(table, forest, "all-cores"))
        return Row(
            place.ours(table, forest),
            place.bare(table, forest),
            (Bar("seconds", 0.56),),
            rounds=3,
            warm_up=0,
            others=(all_cores,),
        )

    def help_page() -> Row:
        return Row(runforge("--help"), BARE, (Bar("seconds", 5.0),), rounds=15)

    def listing() -> Row:
        store = make_store(folder / "store", RUNS)
        others: tuple[tuple[str, Command], ...] = ()
        if rivals is not None:
            tracking = _mlflow_runs(rivals)
            listed = (rivals.with_name("mlflow"), "runs", "list", "--experiment-id", "0")
            others = (("MLflow runs list", Command(listed, tracking)),)
        ours = runforge("--workspace", store.workspace, "runs")
        return Row(ours, BARE, (Bar("seconds", 6.0),), rounds=15, others=others)

    def inspecting() -> Row:
        model = write(folder / "model.pkl", MODELS["linear model"])
        return Row(runforge("inspect-artifact", model), BARE, (Bar("seconds", 6.0),), rounds=15)

    yield "iris, logistic regression", iris
    yield "100,000 x 30, logistic regression", middle
    yield "1,000,000 x 30, logistic regression", large
    yield "200,000 x 300, logistic regression", wide
    yield "100,000 x 30, forest of 100 trees", trees
    yield "`runforge --help`", help_page
    yield f"`runforge runs`, {RUNS:,} runs", listing
    yield "`runforge inspect-artifact`, linear model", inspecting


def _mlflow_runs(rivals: Path) -> Path:
    """Return a folder in which MLflow has as many runs; filled once, in its environment."""
    folder = rivals.parents[1] / f"runs-{RUNS}"
    if not folder.exists():
        print(f"Making {RUNS:,} runs of MLflow, once; this takes some minutes", flush=True)
        # Each run is written to the disk several times; in memory that costs nothing.
        memory = Path("/dev/shm")
        with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as scratch:
            made = Path(scratch) / "runs"
            subprocess.run([rivals, HERE / "mlflow_runs.py", made, str(RUNS)], check=True)
            shutil.rmtree(unfinished := folder.with_suffix(".part"), ignore_errors=True)
            shutil.copytree(made, unfinished)
        unfinished.rename(folder)
    return folder


def measure(name: str, row: Row, rounds: int | None = None) -> Measured:
    """Run a row's processes in turns."""
    commands = [row.ours, row.rival, *(command for _, command in row.others)]
    ours, rival, *others = in_turns(commands, rounds or row.rounds, warm_up=row.warm_up)
    names = [other for other, _ in row.others]
    return Measured(name, row.bars, ours, rival, dict(zip(names, others, strict=True)))


def lines(measured: Measured) -> Iterator[str]:
    """Give what there is to say of a row, as text for a terminal."""
    for bar, found in measured.verdicts():
        yield (
            f"{measured.name + ('; peak memory' if bar.figure == 'memory' else ''):<50}"
            f"{found.median:>6.2f} ({found.least:.2f} to {found.greatest:.2f})"
            f"  bar {bar.most:g}: {'met' if bar.is_met(found) else 'NOT MET'}"
        )
    for other, costs in measured.others.items():
        found = measured.against_rival("seconds", costs)
        yield f"{'  ' + other:<50}{found.median:>6.2f} ({found.least:.2f} to {found.greatest:.2f})"


def main() -> None:
    """Measure the rows and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, help="pairs of each row")
    parser.add_argument("--only", default="", help="rows with this text in their name")
    parser.add_argument("--rivals", type=Path, help="a Python that has MLflow")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, make in rows(Path(folder), options.rivals):
            if options.only in name:
                print(*lines(measure(name, make(), options.rounds)), sep="\n", flush=True)


if __name__ == "__main__":
    main()
