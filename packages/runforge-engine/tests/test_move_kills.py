"""A move that is killed at any moment loses nothing, and finishes when it is called again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "support/kill_moves.py"


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
@pytest.mark.parametrize(
    "step",
    [
        pytest.param(97, marks=pytest.mark.slow),
        pytest.param(7, marks=pytest.mark.storm),
    ],
)
def test_a_killed_move_loses_nothing_and_can_be_repeated(step: int) -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "5", str(step)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    for source, target in (("workspace", "disk"), ("disk", "disk-2"), ("disk-2", "workspace")):
        assert outcomes[f"to {target}: in {source}"] > 0
        assert outcomes[f"to {target}: in {target}"] > 0
