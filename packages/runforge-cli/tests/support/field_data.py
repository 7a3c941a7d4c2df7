"""Small tables for the stand-ins, with classes that can be told apart."""

from __future__ import annotations

import random
from pathlib import Path


def table(
    path: Path,
    *,
    classes: int = 2,
    text: bool = False,
    missing: int = 0,
    rows: int = 60,
    seed: int = 0,
) -> Path:
    """Write a CSV with the columns ``a``, ``b``, ``c`` and ``label``, and return its path.

    ``missing`` of the rows lack a value; labels are texts where ``text`` says so.
    """
    chance = random.Random(seed)
    names = ["setosa", "versicolor", "virginica", "other"]
    lines = ["a,b,c,label"]
    for row in range(rows):
        kind = row % classes
        cells = [f"{chance.gauss(kind * shift, 1):.3f}" for shift in (2, -1, 0)]
        if row < missing:
            cells[row % 3] = ""
        lines.append(",".join([*cells, names[kind] if text else str(kind)]))
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path
