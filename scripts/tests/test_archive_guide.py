"""Every command of the guide on archives runs, in order, and prints what the page says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from guide_pages import GUIDES, ROOT, follow, posix, steps


@pytest.mark.slow
@posix
def test_the_commands_run_and_print_what_the_page_says(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copyfile(ROOT / "examples/penguins.csv", folder / "penguins.csv")
    follow(steps(GUIDES / "archive.md"), folder)
