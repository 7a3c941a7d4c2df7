"""What other people install: the contracts package as a wheel, alone, outside the repository."""

from __future__ import annotations

import difflib
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VECTOR = ROOT / "docs/test-vectors/request.v1.unknown-fields.json"

#: Ten lines of somebody else's program.
PROGRAM = """
import sys
from pathlib import Path
from runforge_contracts.documents import Document
from runforge_contracts.types import RequestV1
path = Path("request.json")
request = Document.load(path, RequestV1)
request.edit({"/preset": "fast"})
request.save(path)
assert not {"numpy", "pandas", "sklearn"} & set(sys.modules)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built from a copy so that nothing is left in the repository."""
    source = tmp_path_factory.mktemp("source") / "runforge-contracts"
    ignored = shutil.ignore_patterns("node_modules", "__pycache__", "build")
    shutil.copytree(ROOT / "packages/runforge-contracts", source, ignore=ignored)
    target = tmp_path_factory.mktemp("wheels")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", target, source],
        check=True,
    )
    [built] = target.glob("*.whl")
    return built


def test_the_wheel_carries_the_schemas_and_the_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "schemas").glob("*.json"):
        assert f"runforge_contracts/_generated/schemas/{path.name}" in names
    assert {"runforge_contracts/py.typed", "runforge_contracts/types.py"} <= names
    assert not [name for name in names if "test" in name or "typescript" in name]


def test_a_program_outside_the_repository_changes_one_line(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], check=True, env=environment)
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"], check=True, capture_output=True, text=True
    ).stdout.lower()
    for heavy in ("numpy", "pandas", "scikit-learn", "scipy"):
        assert heavy not in listed
    workspace = tmp_path / "elsewhere"
    workspace.mkdir()
    shutil.copyfile(VECTOR, workspace / "request.json")
    subprocess.run([python, "-c", PROGRAM], check=True, cwd=workspace, env=environment)
    old = VECTOR.read_text("utf-8").splitlines()
    new = (workspace / "request.json").read_text("utf-8").splitlines()
    changes = [line for line in difflib.ndiff(old, new) if line[0] in "+-"]
    assert changes == ['-   "preset": "balanced",', '+   "preset": "fast",']
