"""What other people install: wheels, alone, outside the repository."""

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

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
VECTOR = ROOT / "docs/test-vectors/request.v1.unknown-fields.json"

ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
#: Ten lines of another program.
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
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the wheels, built from a copy so that nothing is left in the repository."""
    source = tmp_path_factory.mktemp("source")
    ignored = shutil.ignore_patterns("node_modules", "__pycache__", "build")
    for part in ("packages/runforge-contracts", "conformance", "docs/test-vectors"):
        shutil.copytree(ROOT / part, source / part, ignore=ignored)
    target = tmp_path_factory.mktemp("wheels")
    packages = [source / "packages/runforge-contracts", source / "conformance"]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", target, *packages],
        check=True,
    )
    return {path.name.partition("-")[0]: path for path in target.glob("*.whl")}


@pytest.fixture(scope="module")
def wheel(wheels: dict[str, Path]) -> Path:
    """Return the wheel of the contracts package."""
    return wheels["runforge_contracts"]


@pytest.fixture(scope="module")
def installed(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the programs of an environment that has both wheels and no more."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    install = [folder / "bin/python", "-m", "pip", "install", "--quiet", *wheels.values()]
    subprocess.run(install, check=True, env=ENVIRONMENT)
    return folder / "bin"


def test_the_wheel_carries_the_schemas_and_the_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "schemas").glob("*.json"):
        assert f"runforge_contracts/_generated/schemas/{path.name}" in names
    assert "runforge_contracts/_generated/schemas/tfc.config.v1.json" in names
    assert {"runforge_contracts/py.typed", "runforge_contracts/types.py"} <= names
    assert not [name for name in names if "tests/" in name or "typescript" in name]


def test_a_program_outside_the_repository_changes_one_line(installed: Path, tmp_path: Path) -> None:
    python = installed / "python"
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"], check=True, capture_output=True, text=True
    ).stdout.lower()
    for heavy in ("numpy", "pandas", "scikit-learn", "scipy"):
        assert heavy not in listed
    workspace = tmp_path / "elsewhere"
    workspace.mkdir()
    shutil.copyfile(VECTOR, workspace / "request.json")
    subprocess.run([python, "-c", PROGRAM], check=True, cwd=workspace, env=ENVIRONMENT)
    old = VECTOR.read_text("utf-8").splitlines()
    new = (workspace / "request.json").read_text("utf-8").splitlines()
    changes = [line for line in difflib.ndiff(old, new) if line[0] in "+-"]
    assert changes == ['-   "preset": "balanced",', '+   "preset": "fast",']


def test_the_suite_carries_its_vectors(wheels: dict[str, Path]) -> None:
    names = set(zipfile.ZipFile(wheels["runforge_conformance"]).namelist())
    vectors = ROOT / "docs/test-vectors"
    for path in vectors.rglob("*"):
        if path.is_file():
            assert f"runforge_conformance/vectors/{path.relative_to(vectors).as_posix()}" in names
    assert not [name for name in names if "tests/" in name or "clients/" in name]


def test_the_suite_tests_a_client_outside_the_repository(installed: Path, tmp_path: Path) -> None:
    """The page says how; its Python harness is taken from there as it stands."""
    page = (ROOT / "docs/guides/conformance.md").read_text("utf-8")
    harness = page.split("```python\n")[1].split("```")[0]
    (tmp_path / "my_harness.py").write_text(harness, "utf-8")
    commands = ["check"], ["smoke", "--"], ["run", "--report", "report", "--"]
    for command in commands:
        client = [installed / "python", "my_harness.py"] if command[-1] == "--" else []
        done = subprocess.run(
            [installed / "runforge-conformance", *command, *client],
            cwd=tmp_path,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "conformant: " in done.stdout
    assert (tmp_path / "report/junit.xml").exists()
