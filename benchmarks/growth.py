"""How time and memory grow with the table: with its rows, its features and its classes.

    python benchmarks/growth.py [--rounds N] [--pictures FOLDER]

A logistic regression on each table, as a whole process; the best of a few runs. Beside the whole
stands what the estimator takes by itself: what we add must not grow faster than that, or than the
table.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from plots import Line, Plot, draw
from runforge_engine.modeling.configuration import resolve
from runforge_engine.pipeline.memory_estimate import footprint, look
from runforge_engine.runtime.available_memory import free_memory
from stages import FAMILY, train
from tables import LABEL
from train import Workspace

#: Rows, features and classes of the tables of each study.
STUDIES: dict[str, list[tuple[int, int, int]]] = {
    "rows": [(n, 30, 2) for n in (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000)],
    "features": [(20_000, n, 2) for n in (4, 10, 30, 100, 250, 500)],
    "classes": [(100_000, 30, n) for n in (2, 5, 10, 20, 50)],
}
#: How much faster than both the table and the estimator what we add may seem to grow from one size
#: to the next: so much is the noise of the measurement.
_TOLERANCE = 1.25


@dataclass(frozen=True)
class Point:
    """A size, and what it takes: the least of some runs, which noise only adds to."""

    size: int
    #: Numbers in the table.
    cells: int
    seconds: float
    #: Scaling and fitting, by the events of the run.
    fitting: float
    #: Reading, hashing, parsing and checking; loading the libraries beside.
    reading: float
    memory: float
    #: What the program itself says that it would take.
    estimate: float

    @property
    def added(self) -> float:
        """What is not the estimator's own."""
        return self.seconds - self.fitting


@dataclass(frozen=True)
class Study:
    """What grows with one thing."""

    over: str
    points: list[Point]
    #: Sizes that this machine has no room for.
    left_out: list[int]

    def steps(self) -> Iterator[tuple[int, float, float, float]]:
        """Give each size with the growth to it: of the table, the estimator, and what we add."""
        for small, large in pairwise(self.points):
            yield (
                large.size,
                large.cells / small.cells,
                large.fitting / small.fitting,
                large.added / small.added,
            )

    def too_steep(self) -> list[int]:
        """Return the sizes to which what we add grows faster than table and estimator."""
        return [
            size
            for size, table, fitting, added in self.steps()
            if added > _TOLERANCE * max(table, fitting, 1.0)
        ]


def grow(place: Workspace, over: str, rounds: int) -> Study:
    """Train on tables of growing size."""
    points, left_out = [], []
    for rows, features, classes in STUDIES[over]:
        size = {"rows": rows, "features": features, "classes": classes}[over]
        free = free_memory()
        # The bytes of the file are in the cache of the system, too.
        if free is not None and 3 * 8 * rows * features + 2**30 > free:
            left_out.append(size)
            continue
        table = place.table(rows, features, classes)
        points.append(_measure(place, table, size, rows * features, rounds))
        table.unlink()
    return Study(over, points, left_out)


def _measure(place: Workspace, table: Path, size: int, cells: int, rounds: int) -> Point:
    runs = [train(place.ours(table, FAMILY)) for _ in range(rounds)]
    shape = look(table, LABEL, ())
    assert shape is not None
    configuration = resolve(
        family=FAMILY, preset="balanced", profile=None, hyperparameters={}, seed=42
    )
    return Point(
        size,
        cells,
        min(done.seconds for done, _ in runs),
        min(stages["train_finished"] for _, stages in runs),
        min(stages["run_start"] + stages["dataset_loaded"] for _, stages in runs),
        min(done.memory for done, _ in runs),
        footprint(shape, configuration),
    )


def picture(study: Study) -> str:
    """Return time and memory of a study as one SVG picture."""
    sizes = [point.size for point in study.points]
    mebibytes = [point.memory / 2**20 for point in study.points]
    return draw(
        [
            Plot(
                f"Time over {study.over}",
                study.over,
                sizes,
                "seconds",
                [
                    Line("whole process", [point.seconds for point in study.points]),
                    Line("scale and fit", [point.fitting for point in study.points]),
                    Line("read, parse, check", [point.reading for point in study.points]),
                ],
            ),
            Plot(
                f"Memory over {study.over}",
                study.over,
                sizes,
                "MiB",
                [
                    Line("peak", mebibytes),
                    Line(
                        "estimate before reading",
                        [point.estimate / 2**20 for point in study.points],
                        dashed=True,
                    ),
                ],
            ),
        ]
    )


def table_of(study: Study) -> list[list[str]]:
    """Return a study as the rows of a table, the header first."""
    rows = [[study.over, "seconds", "fit", "read", "peak, MiB", "estimate, MiB"]]
    rows += [
        [
            f"{point.size:,}",
            f"{point.seconds:.2f}",
            f"{point.fitting:.2f}",
            f"{point.reading:.2f}",
            f"{point.memory / 2**20:,.0f}",
            f"{point.estimate / 2**20:,.0f}",
        ]
        for point in study.points
    ]
    return rows


def studies(folder: Path, rounds: int) -> list[Study]:
    """Return all studies."""
    place = Workspace(folder / "growth")
    return [grow(place, over, rounds) for over in STUDIES]


def show(found: Sequence[Study]) -> None:
    """Print the studies."""
    for study in found:
        for cells in table_of(study):
            print("".join(f"{cell:>15}" for cell in cells))
        steep = study.too_steep()
        print(f"what we add grows too fast at {steep}" if steep else "no step is too steep")


def main() -> None:
    """Measure the growth, print it and draw it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pictures", type=Path, help="a folder for the plots")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = studies(Path(folder), options.rounds)
    show(found)
    if options.pictures is not None:
        draw_all(found, options.pictures)


def draw_all(found: Sequence[Study], folder: Path) -> None:
    """Write the plots of the studies."""
    folder.mkdir(parents=True, exist_ok=True)
    for study in found:
        (folder / f"{study.over}.svg").write_text(picture(study), "utf-8")


if __name__ == "__main__":
    main()
