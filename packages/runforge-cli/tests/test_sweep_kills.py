"""Sweeps that are killed at any moment lose no finished run, and are completed by ``--resume``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from kill_sweeps import KINDS

PROGRAM = Path(__file__).parent / "support/kill_sweeps.py"


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
@pytest.mark.parametrize(
    ("kills", "seed"),
    [
        pytest.param(4, 0, marks=pytest.mark.slow),
        *(pytest.param(24, seed, marks=pytest.mark.storm) for seed in range(1, 5)),
    ],
)
def test_no_finished_run_is_lost_or_listed_twice(kills: int, seed: int) -> None:
    """Call the program by itself for a longer storm: ``kill_sweeps.py 300``."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(kills), str(seed)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["verify"] == 0, found["verified"]
    # Every kind of kill was tried, and runs were finished between the kills.
    met = {kind: found["outcomes"].get(kind, 0) for kind in KINDS}
    assert set(met.values()) == {kills // len(KINDS)}, met
    assert found["runs"]["succeeded"] >= 30
