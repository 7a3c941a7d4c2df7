"""A removal that is killed at any moment loses nothing, and finishes when it is called again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "support/kill_forgets.py"


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
@pytest.mark.parametrize("step", [20, pytest.param(1, marks=pytest.mark.storm)])
def test_a_killed_removal_loses_nothing_and_can_be_finished(step: int) -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "1", str(step)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    assert outcomes["0"] > 0
    assert outcomes["2"] > 0
