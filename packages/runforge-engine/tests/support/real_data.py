"""Real tables for the tests, written as the CSV files that a user would have."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[4]
FAMILIES = ("logistic_regression", "random_forest", "linear_svc")
DATASETS = ("penguins", "iris", "breast_cancer", "wine", "digits")


def write_dataset(name: str, folder: Path) -> tuple[Path, str, tuple[str, ...]]:
    """Write a dataset as CSV and return its path, label column and columns to exclude."""
    path = folder / f"{name}.csv"
    if name == "penguins":
        shutil.copyfile(ROOT / "examples/penguins.csv", path)
        return path, "species", ("island", "sex", "year")
    from sklearn import datasets

    table = getattr(datasets, f"load_{name}")()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*table.feature_names, "target"])
        for row, label in zip(table.data.tolist(), table.target.tolist(), strict=True):
            writer.writerow([*(repr(value) for value in row), label])
    return path, "target", ()


def read(folder: Path, file: str) -> Any:
    """Return a document of a run, read without any of our own code."""
    return json.loads((folder / file).read_text("utf-8"))
