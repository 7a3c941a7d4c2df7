"""Tables to measure with: made from a fixed seed, so that everybody measures the same bytes.

    python benchmarks/tables.py ROWS FEATURES CLASSES FILE

Each class is a cloud of points around a centre of its own; the clouds overlap, so that no model is
perfect and trees grow deep. Nothing made here is committed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

SEED = 20_260_201
LABEL = "label"
#: Distance of the centres from the origin, in standard deviations of a cloud and for each feature.
SPREAD = 0.3
#: Digits after the point, as a measured value has them.
DIGITS = 6
#: Values that are made at once, which bounds the memory.
_VALUES = 2**22


def write_table(path: Path, rows: int, features: int = 30, classes: int = 2) -> Path:
    """Write a table of ``features`` columns of numbers and a label, and return its path."""
    # The old generator, whose streams numpy has promised never to change.
    random = np.random.RandomState(SEED)
    centres = random.normal(scale=SPREAD, size=(classes, features))
    names = [*(f"feature_{number}" for number in range(features)), LABEL]
    schema = pa.schema([*((name, pa.float64()) for name in names[:-1]), (LABEL, pa.int64())])
    options = csv.WriteOptions(include_header=False)
    step = max(_VALUES // features, 1)
    with path.open("wb") as file:
        file.write(",".join(names).encode() + b"\n")
        with csv.CSVWriter(file, schema, write_options=options) as writer:
            for begin in range(0, rows, step):
                # Every class in turn, so that a small table has them all.
                labels = np.arange(begin, min(begin + step, rows)) % classes
                X = centres[labels] + random.normal(size=(len(labels), features))
                columns = [*np.round(X, DIGITS).T.copy(), labels]
                writer.write_batch(pa.record_batch(columns, schema=schema))
    return path


def write_categories(path: Path, rows: int, columns: int = 8, categories: int = 20) -> Path:
    """Write a table of columns of text and a label, and return its path."""
    random = np.random.RandomState(SEED)
    table = {
        f"column_{number}": pa.array(
            [f"category {number}-{value:03}" for value in range(categories)]
        ).take(pa.array(random.randint(categories, size=rows)))
        for number in range(columns)
    }
    table[LABEL] = pa.array(np.arange(rows) % 2)
    # As pandas writes them: no value needs quotes.
    csv.write_csv(pa.table(table), path, csv.WriteOptions(quoting_style="none"))
    return path


def write_iris(path: Path) -> Path:
    """Write the iris table that comes with scikit-learn, and return its path."""
    from sklearn.datasets import load_iris

    table = load_iris(as_frame=True).frame
    table.rename(columns={"target": LABEL}).to_csv(path, index=False)
    return path


if __name__ == "__main__":
    write_table(Path(sys.argv[4]), *map(int, sys.argv[1:4]))
