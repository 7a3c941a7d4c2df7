"""A run that is killed at any moment leaves a store that can be read and repaired."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "support/kill_runs.py"


@pytest.mark.parametrize(
    ("kind", "count", "least"),
    [
        ("boundaries", "150,20", 3),
        *(
            pytest.param(*arguments, 20, marks=pytest.mark.storm)
            for arguments in (
                ("boundaries", "150,3"),
                ("large", "150,3"),
                ("sizes", "20"),
                ("moments", "25"),
            )
        ),
    ],
)
def test_nothing_is_lost_and_nothing_torn(kind: str, count: str, least: int) -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), kind, *count.split(",")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    assert not [name for name in outcomes if name.startswith("finding")], outcomes
    assert outcomes["killed, interrupted"] > 0
    assert sum(outcomes.values()) >= least
