"""The notebook guide runs from its first cell to its last, and prints what it says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from guide_pages import GUIDES, ROOT, code, indented

GUIDE = GUIDES / "notebook.md"


def test_the_cells_run_one_after_the_other(tmp_path: Path) -> None:
    shutil.copyfile(ROOT / "examples/penguins.csv", tmp_path / "penguins.csv")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code(GUIDE, "python")],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if "RUNFORGE" not in name},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shown = indented(GUIDE)
    assert len(shown) == 2
    for line in shown:
        assert line in done.stdout
    assert "The run is recorded as failed in" in done.stdout
    index = json.loads((tmp_path / ".runforge/index.json").read_bytes())
    assert [entry["status"] for entry in index["runs"]] == [
        *["succeeded"] * 5,
        "failed",
        "cancelled",
    ]
    first = tmp_path / index["runs"][0]["run_dir"] / "run.json"
    assert json.loads(first.read_bytes())["provenance"]["numerics"]["pinned"]
