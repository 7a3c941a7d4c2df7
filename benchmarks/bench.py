"""Measure everything that has a bar, and write ``docs/benchmarks.md`` with its plots.

    python benchmarks/bench.py [--rivals PYTHON] [--docs FOLDER]

Names each bar that is not met. Takes about a quarter of an hour on two cores; with MLflow longer,
above all where its store has to be filled first.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

from growth import draw_all, studies
from growth import show as show_growth
from large_store import line as large_line
from large_store import measure as measure_large
from page import Report, page
from prepare import measure_prepared
from prepare import table_of as prepared_table
from processors import figures, record
from resident import residents
from resident import table_of as resident_table
from stages import breakdowns, show
from stages import table_of as stage_table
from sweeps import Grids, line
from sweeps import rows as sweep_rows
from train import Workspace, lines, measure, rows

ROOT = Path(__file__).parents[1]


class Machine:
    """What is measured on, and what else it did meanwhile."""

    def __init__(self) -> None:
        self._begun = time.monotonic(), _busy(), _ours()

    def others(self) -> float | None:
        """Return the share of the processors that other processes used since the begin."""
        begun, busy, ours = self._begun
        now = _busy()
        if busy is None or now is None:
            return None
        seconds = (time.monotonic() - begun) * (os.cpu_count() or 1)
        return max((now - busy) - (_ours() - ours), 0.0) / seconds


def _busy() -> float | None:
    """Return the seconds that all processors have worked since the system began."""
    try:
        fields = Path("/proc/stat").read_text("ascii").splitlines()[0].split()[1:8]
    except OSError:
        return None
    user, nice, system, _, _, interrupts, soft = map(int, fields)
    return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")


def _ours() -> float:
    """Return the seconds that this process and those it has waited for have worked."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rivals", type=Path, help="a Python that has MLflow")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where the page goes")
    options = parser.parse_args()
    machine = Machine()
    measured = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for row, make in rows(folder, options.rivals):
            measured.append(measure(row, make()))
            print(*lines(measured[-1]), sep="\n", flush=True)
        sizes = Workspace(folder / "sizes")
        found = breakdowns(sizes, rounds=3)
        show(stage_table(found))
        held = residents(sizes)
        show(resident_table(held))
        grown = studies(folder, rounds=2)
        show_growth(grown)
        many = []
        grids = Grids(folder, options.rivals and options.rivals.absolute())
        for _, measure_many in sweep_rows(grids):
            for item in measure_many():
                many.append(item)
                print(line(item), flush=True)
        large = []
        for one in measure_large(folder / "large"):
            large.append(one)
            print(large_line(one), flush=True)
        prepared = measure_prepared(folder)
        show(prepared_table(prepared))
    others, mlflow = machine.others(), _mlflow(options.rivals)
    report = Report(measured, found, held, grown, many, others, mlflow, large, prepared)
    options.docs.mkdir(parents=True, exist_ok=True)
    (options.docs / "benchmarks.md").write_text(page(report), "utf-8")
    record(figures(measured, large), options.docs)
    draw_all(grown, options.docs / "benchmarks")
    failures = report.failures()
    print("Every bar is met." if not failures else "Not met:")
    for failure in failures:
        print(f"  {failure}")


def _mlflow(python: Path | None) -> str | None:
    if python is None:
        return None
    code = "from importlib.metadata import version; print(version('mlflow'))"
    return subprocess.run(
        [python, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
