"""The penguins as arrays."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np


def load(path: Path, label: str, exclude: list[str]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return features, labels and the names of the features; rows that lack a value are dropped."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    features = [name for name in rows[0] if name != label and name not in exclude]
    whole = [row for row in rows if all(row[name] not in ("", "NA") for name in (*features, label))]
    X = np.array([[float(row[name]) for name in features] for row in whole])
    y = np.array([row[label] for row in whole])
    return X, y, features
