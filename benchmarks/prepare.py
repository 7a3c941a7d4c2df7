"""What ``runforge prepare`` takes beside pandas, for a large table of text.

    python benchmarks/prepare.py [--rounds N]

Time on the clock, processor time and peak memory; a busy machine disturbs the first most. pandas is
measured twice: with the columns in memory alone, and with them in a file.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pairing import Cost, Figure, in_turns, python, ratio, runforge, spread
from stages import show
from tables import LABEL, write_categories

ROWS = 1_000_000
_SCRIPT = Path(__file__).with_name("dummies_script.py")
#: Largest ratios to pandas, even where that writes no table, which are allowed.
BARS: dict[Figure, float] = {"seconds": 1, "processor": 1, "memory": 0.9}
#: The figures of the table, and what they are called.
_FIGURES: dict[Figure, str] = {
    "seconds": "time",
    "processor": "processor",
    "memory": "peak memory",
}


@dataclass(frozen=True)
class Prepared:
    """What the processes took, round by round."""

    proposed: list[Cost]
    applied: list[Cost]
    in_memory: list[Cost]
    in_file: list[Cost]

    def failures(self) -> list[str]:
        """Return a sentence for each bar that is not met."""
        found = {figure: ratio(self.proposed, self.in_memory, figure).median for figure in BARS}
        return [
            f"`runforge prepare`, {figure}: {found[figure]:.2f} against {most:g}"
            for figure, most in BARS.items()
            if found[figure] > most
        ]


def measure_prepared(folder: Path, rows: int = ROWS, rounds: int = 5) -> Prepared:
    """Make the table in a folder, and run the processes in turns."""
    raw = write_categories(folder / "categories.csv", rows)
    proposing = ("prepare", raw.name, "--label", LABEL, "--force", "-o", "prepared.csv")
    applying = ("prepare", raw.name, "--recipe", "prepared.recipe.json", "--force")
    commands = [
        runforge(*proposing, folder=folder),
        runforge(*applying, "-o", "again.csv", folder=folder),
        python(_SCRIPT, raw.name, LABEL, folder=folder),
        python(_SCRIPT, raw.name, LABEL, "dummies.csv", folder=folder),
    ]
    # The first round is not counted; it also makes the recipe.
    return Prepared(*in_turns(commands, rounds, warm_up=2))


def table_of(prepared: Prepared) -> list[list[str]]:
    """Return the costs as the rows of a table, the header first."""

    def row(name: str, costs: list[Cost], *, compared: bool = True) -> list[str]:
        cells = [name]
        for figure in _FIGURES:
            taken = spread(costs, figure).median
            cells.append(f"{taken / 2**20:,.0f} MiB" if figure == "memory" else f"{taken:.2f} s")
            found = ratio(prepared.proposed, costs, figure)
            text = f"{found.median:.2f} ({found.least:.2f} to {found.greatest:.2f})"
            cells.append(text if compared else "")
        return cells

    return [
        ["", *(cell for name in _FIGURES.values() for cell in (name, "ratio"))],
        row("`runforge prepare RAW --label`", prepared.proposed, compared=False),
        row("`runforge prepare RAW --recipe`", prepared.applied, compared=False),
        row("`read_csv`, `get_dummies`", prepared.in_memory),
        row("`read_csv`, `get_dummies`, `to_csv`", prepared.in_file),
    ]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepared = measure_prepared(Path(folder), rounds=options.rounds)
    show(table_of(prepared))
    for failure in prepared.failures():
        print(f"Not met: {failure}")


if __name__ == "__main__":
    main()
