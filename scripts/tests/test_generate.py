"""The generated files follow from the schemas, and a change on one side only is reported."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GENERATED = "packages/runforge-contracts/src/runforge_contracts/_generated"
TYPESCRIPT_KEY_ORDER = "packages/runforge-contracts/typescript/client/src/generated/key-order.ts"

pytestmark = pytest.mark.skipif(
    find_spec("datamodel_code_generator") is None or shutil.which("ruff") is None,
    reason="the generator is a developer tool; `make check` runs these tests",
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a copy of what the generator reads and writes."""
    typescript = str(Path(TYPESCRIPT_KEY_ORDER).parent)
    packages = (f"packages/runforge-{name}/src" for name in ("contracts", "cli"))
    pages = (f"docs/{name}" for name in ("contract", "reference", "specification"))
    for folder in ("schemas", "scripts", "conformance/src", *packages, *pages, typescript):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    return tmp_path


def check(repository: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "scripts/generate.py", "--check"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_committed_files_follow_from_the_schemas(repository: Path) -> None:
    result = check(repository)
    assert result.returncode == 0, result.stderr


def edit_types(repository: Path) -> None:
    path = repository / GENERATED / "request_v1.py"
    path.write_text(path.read_text("utf-8").replace("version", "edition"), "utf-8")


def drop_a_field(repository: Path) -> None:
    path = repository / "schemas/request.v1.json"
    schema = json.loads(path.read_text("utf-8"))
    del schema["properties"]["notes"]
    path.write_text(json.dumps(schema, indent=2) + "\n", "utf-8")


def rename_a_value(repository: Path) -> None:
    path = repository / "schemas/common.v1.json"
    path.write_text(path.read_text("utf-8").replace('"balanced"', '"even"'), "utf-8")


def leave_a_file(repository: Path) -> None:
    (repository / GENERATED / "mine.py").touch()


def lose_a_file(repository: Path) -> None:
    (repository / GENERATED / "result_v1.py").unlink()


def edit_a_copy(repository: Path) -> None:
    path = repository / GENERATED / "schemas/index.v1.json"
    path.write_text(path.read_text("utf-8") + " ", "utf-8")


def edit_a_page(repository: Path) -> None:
    path = repository / "docs/contract/index.v1.md"
    path.write_text(path.read_text("utf-8") + "more", "utf-8")


def edit_a_help_page(repository: Path) -> None:
    path = repository / "docs/reference/commands.md"
    path.write_text(path.read_text("utf-8").replace("Random seed", "Seed", 1), "utf-8")


def drop_a_key(repository: Path) -> None:
    path = repository / TYPESCRIPT_KEY_ORDER
    path.write_text(path.read_text("utf-8").replace('"code": 0, ', "", 1), "utf-8")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (edit_types, "differs: request_v1.py"),
        (drop_a_field, "differs: request_v1.py"),
        (rename_a_value, "differs: common_v1.py"),
        (leave_a_file, "unexpected: mine.py"),
        (lose_a_file, "missing: result_v1.py"),
        (edit_a_copy, "differs: schemas/index.v1.json"),
        (edit_a_page, "differs: index.v1.md"),
        (edit_a_help_page, "differs: commands.md"),
        (drop_a_key, "differs: key-order.ts"),
    ],
)
def test_a_change_on_one_side_is_named(
    change: Callable[[Path], None], named: str, repository: Path
) -> None:
    change(repository)
    result = check(repository)
    assert result.returncode == 1
    assert named in result.stderr
    assert "run `make generate`" in result.stderr
