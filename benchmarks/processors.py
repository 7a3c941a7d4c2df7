"""The bars on each kind of processor that they were measured on, side by side.

    python benchmarks/processors.py [--docs FOLDER]

Measures the bars of training, short commands and large stores on this machine, which takes twenty
minutes on two cores. The figures of all machines are kept in ``processors.json``, from which
``docs/benchmarks/processors.md`` is written; ``make bench`` renews those of its machine, too.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from large_store import Measurement
from large_store import line as large_line
from large_store import measure as measure_large
from page import machine, table_lines
from train import Measured, lines, measure, rows

ROOT = Path(__file__).parents[1]
KEPT = Path(__file__).with_suffix(".json")
_HEAD = """\
<!-- Written by `make bench`; edit benchmarks/processors.py instead. -->

# The bars on other processors

What [`make bench`](../benchmarks.md) found on each kind of machine: ratios to the rival, or times a
bare Python, where no unit is given. What does not meet its bar is bold. Bars in seconds are for two
quiet cores of a server.

"""


class Figure(NamedTuple):
    """What was found for a bar."""

    name: str
    bar: str
    found: str
    is_met: bool


def figures(measured: Iterable[Measured], large: Iterable[Measurement]) -> list[Figure]:
    """Return what was found for each bar."""
    found = [
        Figure(
            item.name + ("; peak memory" if bar.figure == "memory" else ""),
            f"{bar.most:g}",
            f"{spread.median:.2f}",
            bar.is_met(spread),
        )
        for item in measured
        for bar, spread in item.verdicts()
    ]
    for one in large:
        for value, most, unit in one.verdicts():
            name = f"`{one.task.name}`, {one.runs:,} runs" + ("; memory" if unit == "MiB" else "")
            mark = unit if unit in ("s", "MiB") else ""
            bar, text = (f"{amount} {mark}".strip() for amount in (f"{most:g}", _short(value)))
            found.append(Figure(name, bar, text, value <= most))
    return found


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 20 else f"{value:.3g}"


def record(found: Sequence[Figure], docs: Path) -> None:
    """Keep the figures of this machine, and write the page of all machines."""
    kept = json.loads(KEPT.read_text("utf-8"))
    kept[machine()] = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "bars": [figure._asdict() for figure in found],
    }
    KEPT.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", "utf-8")
    target = docs / "benchmarks"
    target.mkdir(parents=True, exist_ok=True)
    (target / "processors.md").write_text(page_of(kept), "utf-8")


def page_of(kept: dict[str, dict[str, object]]) -> str:
    """Return the page of all machines."""
    found = {
        name: {one["name"]: Figure(**one) for one in machine["bars"]}  # type: ignore[attr-defined]
        for name, machine in kept.items()
    }
    bars = {figure.name: figure.bar for known in found.values() for figure in known.values()}
    header = ["", "bar", *(f"{name}, {kept[name]['date']}" for name in found)]
    body = [
        [name, bar, *(_cell(known.get(name)) for known in found.values())]
        for name, bar in bars.items()
    ]
    return _HEAD + "\n".join(table_lines([header, *body])) + "\n"


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return ""
    return figure.found if figure.is_met else f"**{figure.found}**"


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where the page goes")
    docs = parser.parse_args().docs
    measured, large = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for row, make in rows(folder):
            measured.append(measure(row, make()))
            print(*lines(measured[-1]), sep="\n", flush=True)
        for one in measure_large(folder / "large", (1_000, 10_000), 0):
            large.append(one)
            print(large_line(one), flush=True)
    record(figures(measured, large), docs)


if __name__ == "__main__":
    main()
