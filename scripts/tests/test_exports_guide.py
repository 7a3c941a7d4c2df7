"""The commands of the guide on exports, run as they stand."""

from __future__ import annotations

import shutil
from pathlib import Path

from guide_pages import GUIDES, ROOT, follow, posix, steps


@posix
def test_the_commands_run_and_print_what_the_page_says(tmp_path: Path) -> None:
    shutil.copyfile(ROOT / "examples/penguins.csv", tmp_path / "penguins.csv")
    follow(steps(GUIDES / "exports.md"), tmp_path)
