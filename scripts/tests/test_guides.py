"""Every snippet of the guides runs as it stands on the page."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/guides/read-and-write-runs.md"
VECTORS = ROOT / "docs/test-vectors"


def blocks(page: Path, language: str) -> str:
    """Return the code blocks of a page, one after the other."""
    found = re.findall(
        rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert found
    return "\n".join(found)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a workspace as the guide's reader has it."""
    shutil.copytree(VECTORS / "runs/v0.3.6", tmp_path, dirs_exist_ok=True)
    shutil.copyfile(VECTORS / "request.v1.unknown-fields.json", tmp_path / "request.json")
    shutil.copyfile(VECTORS / "run.v0.4.0.full.json", tmp_path / "run.json")
    return tmp_path


def changed_lines(path: Path) -> list[tuple[str, str]]:
    old = (VECTORS / "request.v1.unknown-fields.json").read_text("utf-8").splitlines()
    new = path.read_text("utf-8").splitlines()
    assert len(old) == len(new)
    return [(left, right) for left, right in zip(old, new, strict=True) if left != right]


def test_the_python_snippets_run_and_print_what_the_page_says(workspace: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", blocks(GUIDE, "python")],
        cwd=workspace,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    prose = re.sub(r"^```.*?^```", "", GUIDE.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    shown = re.findall(r"^    (\S.*)$", prose, re.MULTILINE)
    assert shown
    for line in shown:
        assert line in done.stdout
    assert "20260115-101500-1a2b3c4d succeeded" in done.stdout
    assert changed_lines(workspace / "request.json") == [
        ('  "preset": "balanced",', '  "preset": "thorough",')
    ]
    assert (workspace / "result.json").read_text().endswith('"duration_ms": 1200\n}\n')
