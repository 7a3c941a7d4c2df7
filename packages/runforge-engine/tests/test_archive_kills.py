"""Archiving and restoring lose nothing when killed at any moment, and finish when repeated."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "support/kill_archives.py"


@pytest.mark.parametrize("name", ["old", "old.tar.zst"])
@pytest.mark.parametrize(
    "step",
    [
        pytest.param(199, marks=pytest.mark.slow),
        pytest.param(9, marks=pytest.mark.storm),
    ],
)
def test_what_is_killed_loses_nothing_and_can_be_repeated(step: int, name: str) -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "11", str(step), name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    assert outcomes["archived: 2 here, 0 there"] > 0
    assert outcomes["archived: 0 here, 2 there"] > 0
    assert outcomes["restored: 0 here, 2 there"] > 0
    assert outcomes["restored: 2 here, 2 there"] > 0
