"""Warnings of features that look like identifiers or like copies of the label."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.data.suspicious_features import suspicious_features
from sklearn import datasets

ROWS = 900
RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 3, ROWS)


def reported(
    columns: dict[str, Any], labels: Any = LABELS, *, in_python: bool = False
) -> dict[str, list[str]]:
    X = np.column_stack([np.asarray(column, float) for column in columns.values()])
    source = DatasetSource(Path("d.csv"), b"", "", in_python=in_python)
    positions = np.asarray(labels, np.intp)
    found = suspicious_features(X, positions, [*columns], source)
    # Neither does it matter in which order the rows are in memory.
    order = np.random.default_rng(len(X)).permutation(len(X))
    places = np.argsort(order)
    divided = suspicious_features(X[order], positions[order], [*columns], source, places)
    assert divided == found
    wanted = "exclude=[" if in_python else "--exclude "
    assert all(wanted in item.details["hint"] for item in found)
    assert all(item.severity == "warning" for item in found)
    return {item.code: item.details["columns"] for item in found}


@pytest.mark.parametrize("in_python", [False, True])
def test_identifiers_are_reported(in_python: bool) -> None:
    found = reported(
        {
            "counts": RANDOM.permutation(ROWS) + 1,
            "increases": np.cumsum(RANDOM.integers(1, 10**6, ROWS)),
            "CustomerID": RANDOM.permutation(10**6)[:ROWS],
            "cents": RANDOM.permutation(10**6)[:ROWS],
            "age": RANDOM.integers(0, 90, ROWS),
            "width": RANDOM.normal(size=ROWS),
            "paid": np.where(np.arange(ROWS) == 7, 0.5, np.arange(ROWS)),
        },
        in_python=in_python,
    )
    assert found == {"ID_LIKE_FEATURE": ["counts", "increases", "CustomerID"]}


def test_a_name_that_ends_like_an_identifier_is_none() -> None:
    values = RANDOM.permutation(10**6)[:ROWS]
    assert reported({"paid": values, "grid": values, "liquid": values}) == {}
    assert reported({"row_id": values, "id": values, "key": values}) == {
        "ID_LIKE_FEATURE": ["row_id", "id", "key"]
    }


def test_few_rows_are_no_evidence() -> None:
    assert reported({"a": np.arange(40)}, RANDOM.integers(0, 2, 40)) == {}
    assert reported({"a": [0, 0, 1, 1, 2, 2]}, [0, 0, 0, 1, 1, 1]) == {}


def test_copies_of_the_label_are_reported() -> None:
    found = reported(
        {
            "recoded": np.array([5, 1, 3])[LABELS],
            "several values for a class": LABELS + 3 * RANDOM.integers(0, 20, ROWS),
            "a threshold": LABELS + RANDOM.random(ROWS) * 0.9,
            "one row is wrong": np.where(np.arange(ROWS) == 5, (LABELS + 1) % 3, LABELS),
            "overlaps": LABELS + RANDOM.random(ROWS) * 1.1,
            "noise": RANDOM.normal(size=ROWS),
        }
    )
    assert found == {
        "LABEL_LEAK_SUSPECTED": ["recoded", "several values for a class", "a threshold"]
    }


def test_a_rare_class_that_is_apart_by_accident_is_not_reported() -> None:
    labels = np.zeros(ROWS, int)
    labels[:2] = 1
    values = RANDOM.normal(size=ROWS)
    values[:2] = 10, 11
    assert reported({"a": values, "b": RANDOM.normal(size=ROWS)}, labels) == {}


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits"])
def test_well_known_tables_raise_no_alarm(name: str) -> None:
    table = getattr(datasets, f"load_{name}")()
    columns = dict(zip(map(str, table.feature_names), table.data.T, strict=True))
    assert reported(columns, table.target) == {}


def test_large_tables_are_judged_by_a_part_and_then_whole() -> None:
    rows = 200_000
    labels = RANDOM.integers(0, 2, rows)
    wrong = labels.copy()
    wrong[-2] = 1 - wrong[-2]
    twice = np.arange(rows)
    twice[-1] = twice[-2]
    assert reported(
        {"id": np.arange(rows), "copy": labels, "wrong": wrong, "twice": twice}, labels
    ) == {
        "ID_LIKE_FEATURE": ["id"],
        "LABEL_LEAK_SUSPECTED": ["copy"],
    }


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_labels_in_turns_do_not_hide_that_a_part_rules_a_feature_out(classes: int) -> None:
    rows = 200_000
    labels = np.arange(rows) % classes
    X = RANDOM.normal(size=(rows, 20))
    tracemalloc.start()
    try:
        names = [f"f{index}" for index in range(X.shape[1])]
        assert suspicious_features(X, labels, names, DatasetSource(Path("d.csv"), b"", "")) == []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # To sort the whole table takes several copies of it.
    assert peak < X.nbytes
