"""Every command and program of the guide on sweeps runs, and prints what the page says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from guide_pages import GUIDES, ROOT, code, follow, indented, posix, steps

PAGE = GUIDES / "sweeps.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that holds the penguins."""
    shutil.copyfile(ROOT / "examples/penguins.csv", tmp_path / "penguins.csv")
    return tmp_path


@posix
def test_the_commands_run_and_print_what_the_page_says(folder: Path) -> None:
    follow(steps(PAGE), folder)
    assert json.loads((folder / "done.json").read_text("utf-8"))["summary"]["succeeded"] == 9


def test_the_plan_is_executed(folder: Path) -> None:
    (folder / "plan.json").write_text(code(PAGE, "json"), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "runforge_cli", "sweep", "plan.json", "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    document = json.loads(done.stdout)
    assert document["name"] == "two models"
    assert document["execution"]["fail_fast"] is True
    assert document["summary"]["succeeded"] == 2


def test_the_program_prints_what_the_page_says(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code(PAGE, "python")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [line for line in indented(PAGE) if line in done.stdout]
