"""Compare recipes with pipelines of scikit-learn on public tables.

    python benchmarks/raw_tables.py FOLDER

FOLDER is ``pydataset/resources`` of the package pydataset 0.2.0, with its ``resources.tar.gz``
unpacked: its tables have licences of their own, so none is kept here. For each table, ``runforge
prepare`` proposes a recipe, which is changed as a person would, and ``runforge train`` and
``runforge predict`` take the prepared table; ``transformer_script.py`` takes the raw one. Every
label and every bit of a probability must be the same. Prints the rows of ``docs/raw-tables.md``.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

#: Runs a script that has the same bits because it computes with the same kernels.
_PINNED = """
import runpy, sys
from runforge_engine.runtime.numeric_environment import pin_environment
pin_environment()
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
_SCRIPT = Path(__file__).with_name("transformer_script.py")


class Table(NamedTuple):
    """A table to try."""

    #: File below the folder of tables, without the ending.
    name: str
    label: str
    #: Members to change in the proposed recipe, by column, and why.
    changes: Mapping[str, Mapping[str, Any]] = {}
    reason: str = ""


class Comparison(NamedTuple):
    """What came of a table."""

    rows: int
    columns: int
    #: Number of columns for each action of the proposed recipe.
    actions: dict[str, int]
    features: int
    predicted: int
    #: Rows whose label or whose probabilities differ in a single bit.
    different: int


def _drop(*columns: str) -> dict[str, dict[str, str]]:
    return {column: {"action": "drop"} for column in columns}


TABLES = (
    Table("MASS/birthwt", "low", _drop("bwt"), "`bwt`, from which `low` was computed"),
    Table("MASS/Melanoma", "status", _drop("time"), "`time`, known only with the outcome"),
    Table("MASS/Pima.tr", "type"),
    Table("MASS/biopsy", "class", _drop("ID"), "`ID`, of which some repeat"),
    Table("MASS/bacteria", "y"),
    Table("MASS/Cars93", "Origin", _drop("Manufacturer"), "`Manufacturer`, which gives the label"),
    Table("MASS/survey", "Sex"),
    Table("MASS/quine", "Lrn"),
    Table("datasets/infert", "case", _drop("stratum", "pooled.stratum"), "the two strata"),
    Table(
        "Ecdat/Mroz",
        "work",
        _drop("hoursw", "hearnw", "wagew"),
        "hours and wages, which only those who work have",
    ),
    Table("Ecdat/HI", "whi", _drop("whrswk"), "`whrswk`, hours of the insured work"),
    Table("Ecdat/BudgetFood", "sex"),
    Table("Ecdat/Fishing", "mode", _drop("price", "catch"), "price and catch of the chosen mode"),
    Table("Ecdat/Participation", "lfp"),
    Table("Ecdat/Computers", "premium"),
    Table("car/Salaries", "sex"),
    Table(
        "car/Chile",
        "vote",
        {"education": {"action": "ordinal", "categories": ["P", "S", "PS"], "missing": "drop_row"}},
        "the order of `education`",
    ),
    Table("car/Greene", "decision"),
    Table("car/Cowles", "volunteer"),
    Table("car/Womenlf", "partic"),
)


def compare(raw: Path, table: Table, folder: Path) -> Comparison:
    """Learn from a raw table by a recipe, and by a pipeline of scikit-learn."""
    _runforge(folder, "prepare", raw, "--label", table.label, "-o", "table.csv")
    path = folder / "table.recipe.json"
    recipe = json.loads(path.read_bytes())
    actions: dict[str, int] = {}
    for column in recipe["columns"]:
        actions[column["action"]] = actions.get(column["action"], 0) + 1
        if column["column"] in table.changes:
            changed = {"column": column["column"], **table.changes[column["column"]]}
            column.clear()
            column.update(changed)
    path.write_text(json.dumps(recipe), encoding="utf-8")
    _runforge(folder, "prepare", raw, "--recipe", path, "-o", "table.csv", "--force")
    _runforge(folder, "train", "table.csv", "--label", table.label)
    for options in ((), ("--proba",)):
        _runforge(folder, "predict", "latest", "table.csv", "-o", f"{len(options)}.csv", *options)
    _python(folder, "-c", _PINNED, _SCRIPT, raw, path, "expected.csv")
    labels, probabilities = (
        [row[1:] for row in _rows(folder / name)[1] if row[1]] for name in ("0.csv", "1.csv")
    )
    _, expected = _rows(folder / "expected.csv")
    pairs = zip(labels, probabilities, expected, strict=True)
    header, _ = _rows(folder / "table.csv")
    names, rows = _rows(raw)
    return Comparison(
        len(rows),
        len(names),
        actions,
        len(header) - 1,
        len(expected),
        sum([*label, *numbers] != row for label, numbers, row in pairs),
    )


def _rows(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


def _runforge(folder: Path, *arguments: object) -> None:
    _python(folder, "-m", "runforge_cli", *arguments, "-q")


def _python(folder: Path, *arguments: object) -> None:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{arguments}: {done.stderr}")


def main() -> None:
    """Compare all tables, and print a row for each."""
    [tables] = map(Path, sys.argv[1:])
    print("| table, label | rows | columns | proposed | a person changes | features | predicted |")
    print("|---|---:|---:|---|---|---:|---:|")
    for table in TABLES:
        with tempfile.TemporaryDirectory() as folder:
            raw = (tables / "rdata/csv" / f"{table.name}.csv").absolute()
            found = compare(raw, table, Path(folder))
        if found.different:
            raise RuntimeError(f"{table.name}: {found}")
        actions = ", ".join(f"{count} {action}" for action, count in found.actions.items())
        cells = [
            f"{table.name}, `{table.label}`",
            f"{found.rows:,}",
            str(found.columns),
            actions,
            table.reason or "nothing",
            str(found.features),
            f"{found.predicted:,}",
        ]
        print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
