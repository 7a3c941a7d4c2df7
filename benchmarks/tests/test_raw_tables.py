"""What is learned by a recipe is what a pipeline of scikit-learn learns from the raw columns."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from raw_tables import TABLES, Table, compare

ROOT = Path(__file__).parents[2]


def penguins(path: Path) -> Table:
    path.write_bytes((ROOT / "examples/penguins.csv").read_bytes())
    order = ["Torgersen", "Biscoe", "Dream"]
    return Table(
        "penguins",
        "species",
        {"year": {"action": "drop"}, "island": {"action": "ordinal", "categories": order}},
    )


def wine(path: Path) -> Table:
    from sklearn.datasets import load_wine

    frame = load_wine(as_frame=True).frame
    draw = random.Random(4)
    words = [("weak", "medium", "strong")[int(value // 0.9) % 3] for value in frame["alcohol"]]
    frame["alcohol"] = [word if draw.random() > 0.1 else "NA" for word in words]
    frame["hue"] = [value if draw.random() > 0.2 else None for value in frame["hue"]]
    frame["dark"] = frame["color_intensity"] > 5
    frame.to_csv(path, index=False)
    return Table("wine", "target")


def travellers(path: Path) -> Table:
    draw = random.Random(11)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["id", "class", "town", "fare", "return", "bought"])
        for number in range(600):
            kind, fare = draw.choice(["first", "second"]), draw.lognormvariate(3, 1)
            town = draw.choice(["Łódź", "Rome, Italy", 'the "Hague"', ""])
            chance = 0.2 + 0.5 * (kind == "first") + 0.2 * (town == "")
            back = draw.choice(["Yes", "no", ""])
            bought = "" if number % 97 == 0 else "NY"[draw.random() < chance]
            out.writerow([number + 1, kind, town, fare if number % 50 else "", back, bought])
    return Table("travellers", "bought")


@pytest.mark.slow
@pytest.mark.parametrize("make", [penguins, wine, travellers])
def test_labels_and_probabilities_are_those_of_a_column_transformer(
    make: Callable[[Path], Table], tmp_path: Path
) -> None:
    raw = tmp_path / "raw.csv"
    table = make(raw)
    found = compare(raw, table, tmp_path)
    assert found.different == 0
    assert found.predicted > 150
    assert found.actions.keys() - {"keep"}


def test_twenty_tables_are_tried() -> None:
    assert len({table.name for table in TABLES}) >= 20
    page = (ROOT / "docs/raw-tables.md").read_text("utf-8")
    assert all(f"| {table.name}, `{table.label}` |" in page for table in TABLES)
