"""Tests that need what is not there are skipped, or fail where it is required."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MARKS = """
import pytest

@pytest.mark.needs("{name}")
def test_program(): pass

@pytest.mark.needs("no-such-program", "{name}")
def test_either(): pass

@pytest.mark.needs(package="{name}")
def test_package(): pass
"""


@pytest.mark.parametrize(
    ("there", "required", "expected"),
    [
        ("program", False, {"test_program", "test_either"}),
        ("program", True, {"test_program", "test_either"}),
        ("package", False, {"test_package"}),
        ("nothing", True, set()),
    ],
)
def test_a_program_of_its_name_is_no_package(
    there: str, required: bool, expected: set[str], tmp_path: Path
) -> None:
    name = "runforgeneeds"
    shutil.copy(ROOT / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = needs(program, ..., package): x\n")
    (tmp_path / "test_it.py").write_text(MARKS.format(name=name))
    programs = tmp_path / "bin"
    programs.mkdir()
    if there == "program":
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    if there == "package":
        (tmp_path / f"{name}.py").touch()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=os.environ
        | {
            "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
            "PYTHONPATH": str(tmp_path),
            "RUNFORGE_TESTS_REQUIRE": name if required else "",
        },
        capture_output=True,
        text=True,
    )
    outcomes = {
        line.split()[0].rpartition("::")[2]: line.split()[1]
        for line in done.stdout.splitlines()
        if line.startswith("test_it.py::")
    }
    absent = {"test_program", "test_either", "test_package"} - expected
    missing = {"test_either": "SKIPPED"} if required else {}  # named by the first of its programs
    for test in absent:
        assert outcomes[test] == missing.get(test, "ERROR" if required else "SKIPPED"), done.stdout
    assert {test for test, outcome in outcomes.items() if outcome == "PASSED"} == expected
