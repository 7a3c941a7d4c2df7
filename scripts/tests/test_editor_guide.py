"""Each command of the editor has its counterpart, which prints what the page says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from guide_pages import GUIDES, ROOT, assert_shows, follow, posix, steps

PAGE = GUIDES / "editor-commands.md"
#: As the editor's page of commands has them.
COMMANDS = [
    "Train (Standard)",
    "Train (High Quality)",
    "Open Runs",
    "Inspect Dataset",
    "Open Latest Run Metadata",
    "Inspect Model Artifact",
    "Browse Runs",
    "View Latest Metrics",
    "View Latest Feature Importance",
    "View Latest Linear Coefficients",
    "View Latest Interpretability Index",
    "Export Latest Run as Markdown",
]


def test_every_command_of_the_editor_is_there() -> None:
    text = PAGE.read_text("utf-8")
    assert re.findall(r"^## RunForge: (.*)$", text, re.MULTILINE) == COMMANDS
    assert re.findall(r"^\| RunForge: (.*?) \| `runforge ", text, re.MULTILINE) == COMMANDS


@pytest.mark.slow
@posix
def test_the_commands_run_and_print_what_the_page_says(tmp_path: Path) -> None:
    from terminals import Terminal

    shutil.copyfile(ROOT / "examples/penguins.csv", tmp_path / "penguins.csv")
    taken = steps(PAGE)
    (at,) = [number for number, step in enumerate(taken) if step.mark == "terminal"]
    follow(taken[:at], tmp_path)
    assert taken[at].commands == "runforge browse\n"
    with Terminal(("browse",), tmp_path) as terminal:
        terminal.until(lambda: "2 runs" in terminal.text)
        assert_shows(taken[at].shown, terminal.text)
    follow(taken[at + 1 :], tmp_path, {"RUNFORGE_DATASET": "data.csv"})
