"""An unbundling that is killed at any moment leaves a whole run or none, and can be repeated."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "support/kill_unbundles.py"


@pytest.mark.parametrize("step", [25, pytest.param(1, marks=pytest.mark.storm)])
def test_a_killed_process_leaves_a_whole_run_or_none(step: int) -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "1", str(step)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    assert outcomes["none"] > 0
    assert outcomes["whole"] > 0
