"""A prepared table has the same bytes whatever surrounds the process that makes it."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

#: The command in a process that, unlike ours, follows the locale of its user.
_LOCALISED = """
import locale, sys
locale.setlocale(locale.LC_ALL, "")
if sys.argv.pop(1) != locale.localeconv()["decimal_point"]:
    sys.exit("another locale was expected")
from runforge_cli.__main__ import main
main()
"""
#: Rows that take several of the blocks in which a file is parsed.
_ROWS = 40_000


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Return a raw table of every kind of column, larger than several blocks."""
    draw = random.Random(3)
    path = tmp_path / "raw.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["town", "fare", "price", "day", "paid", "level", "y"])
        for _ in range(_ROWS):
            day = f"{draw.randint(1, 28):02}.{draw.randint(1, 12):02}.2026 {draw.randint(0, 23):02}"
            out.writerow(
                [
                    draw.choice(["Łódź", "Århus", " Rome", "Rome", "İzmir", ""]),
                    repr(draw.lognormvariate(3, 2)),
                    f"{draw.randint(1, 9)}.{draw.randint(100, 999)},5",
                    f"{day}:30",
                    draw.choice(["Yes", "no", "YES"]),
                    draw.choice([*map(str, range(30)), "NA"]),
                    draw.choice("ab"),
                ]
            )
    return path


def prepared(raw: Path, name: str, *, mark: str = ".", **environment: str) -> tuple[bytes, bytes]:
    """Return the recipe and the table that a process of its own makes."""
    table = raw.with_name(f"{name}.csv")
    done = subprocess.run(
        [sys.executable, "-c", _LOCALISED, mark, "prepare", raw, "--label", "y", "-o", table],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return table.with_name(f"{name}.recipe.json").read_bytes(), table.read_bytes()


@pytest.mark.slow
def test_threads_and_time_zones_do_not_change_a_byte(raw: Path) -> None:
    expected = prepared(raw, "first")
    assert expected[1].count(b"\n") == _ROWS + 1
    surroundings = {
        "again": {},
        "one": {"OMP_NUM_THREADS": "1", "OMP_THREAD_LIMIT": "1", "ARROW_IO_THREADS": "1"},
        "many": {"OMP_NUM_THREADS": "7", "ARROW_IO_THREADS": "5", "TZ": "Asia/Kathmandu"},
        "plain": {"LC_ALL": "C", "PYTHONHASHSEED": "5", "ARROW_USER_SIMD_LEVEL": "NONE"},
        "pool": {"ARROW_DEFAULT_MEMORY_POOL": "system", "TZ": "America/St_Johns"},
    }
    for name, environment in surroundings.items():
        assert prepared(raw, name, **environment) == expected, name


@pytest.mark.slow
@pytest.mark.needs("localedef")
def test_a_locale_with_decimal_commas_does_not_change_a_byte(raw: Path, tmp_path: Path) -> None:
    made = subprocess.run(
        ["localedef", "-i", "de_DE", "-f", "UTF-8", tmp_path / "de_DE.UTF-8"],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("the sources of the German locale are not installed")
    german = {"LOCPATH": str(tmp_path), "LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"}
    assert prepared(raw, "german", mark=",", **german) == prepared(raw, "first", LC_ALL="C")
