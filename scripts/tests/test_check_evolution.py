"""Schema changes are distinguished: what old readers survive, and what needs a new version."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts/check_evolution.py"
Schemas = dict[str, Any]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a copy of what the script looks at, with the present schemas released."""
    scripts = ("scripts/check_evolution.py", "scripts/sources.py")
    for file in (*scripts, "packages/runforge-contracts/pyproject.toml"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes((ROOT / file).read_bytes())
    (tmp_path / "schemas").mkdir()
    for path in (ROOT / "schemas").glob("*.json"):
        (tmp_path / "schemas" / path.name).write_bytes(path.read_bytes())
    assert check(tmp_path, "--release").returncode == 0
    return tmp_path


def check(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(repository / "scripts/check_evolution.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def change(repository: Path, name: str, edit: Callable[[Schemas], None]) -> None:
    path = repository / f"schemas/{name}.json"
    schema = json.loads(path.read_text("utf-8"))
    edited = copy.deepcopy(schema)
    edit(edited)
    assert edited != schema
    path.write_text(json.dumps(edited, indent=2, ensure_ascii=False) + "\n", "utf-8")


def test_unchanged_schemas_pass(repository: Path) -> None:
    result = check(repository)
    assert (result.returncode, result.stdout) == (0, "Unchanged since 0.4.0.\n")


def test_the_released_schemas_of_this_repository_pass() -> None:
    result = check(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


ADDITIVE: dict[str, tuple[str, Callable[[Schemas], None]]] = {
    "optional field of an open object": (
        "request.v1",
        lambda s: s["properties"].update(priority={"type": "integer"}),
    ),
    "another description": ("request.v1", lambda s: s.update(description="Other words.")),
    "another definition": ("common.v1", lambda s: s["$defs"].update(New={"type": "string"})),
}


@pytest.mark.parametrize(("name", "edit"), ADDITIVE.values(), ids=ADDITIVE)
def test_additive_changes_pass(
    repository: Path, name: str, edit: Callable[[Schemas], None]
) -> None:
    change(repository, name, edit)
    result = check(repository)
    assert result.returncode == 0, result.stdout


BREAKING: dict[str, tuple[str, Callable[[Schemas], None], str]] = {
    "field removed": ("request.v1", lambda s: s["properties"].pop("notes"), "/properties/notes"),
    "new required field": ("request.v1", lambda s: s["required"].append("seed"), "`seed`"),
    "field no longer required": (
        "request.v1",
        lambda s: s["required"].remove("created_by"),
        "`created_by`",
    ),
    "enum narrowed": (
        "common.v1",
        lambda s: s["$defs"]["Preset"]["enum"].remove("custom"),
        "custom",
    ),
    "enum value renamed": (
        "common.v1",
        lambda s: s["$defs"]["Preset"].update(enum=["quick", "balanced", "thorough", "custom"]),
        "quick",
    ),
    "object closed": ("request.v1", lambda s: s.update(additionalProperties=False), "additional"),
    "field added to a closed document": (
        "metrics.phase2",
        lambda s: s["properties"].update(f1={"type": "number"}),
        "closed object",
    ),
    "type changed": ("request.v1", lambda s: s["properties"]["seed"].update(type="number"), "type"),
    "bound moved": ("request.v1", lambda s: s["properties"]["seed"].update(maximum=7), "maximum"),
    "pattern changed": (
        "common.v1",
        lambda s: s["$defs"]["RunId"].update(pattern="^x$"),
        "pattern",
    ),
    "condition dropped": ("result.v1", lambda s: s.pop("allOf"), "allOf"),
    "dependency dropped": ("run.v0.4.0", lambda s: s.pop("dependentRequired"), "dependent"),
}


@pytest.mark.parametrize(("name", "edit", "named"), BREAKING.values(), ids=BREAKING)
def test_breaking_changes_are_named_and_refused(
    repository: Path, name: str, edit: Callable[[Schemas], None], named: str
) -> None:
    change(repository, name, edit)
    result = check(repository)
    assert result.returncode == 1
    assert "BREAKING" in result.stdout
    assert named in result.stdout
    assert "new document version" in result.stderr


def test_a_removed_schema_is_refused(repository: Path) -> None:
    (repository / "schemas/run.v0.2.2.1.json").unlink()
    result = check(repository)
    assert result.returncode == 1
    assert "run.v0.2.2.1: the schema was removed" in result.stdout


def test_a_new_document_version_is_additive(repository: Path) -> None:
    text = (repository / "schemas/request.v1.json").read_text("utf-8")
    (repository / "schemas/request.v2.json").write_text(text, "utf-8")
    result = check(repository)
    assert result.returncode == 0
    assert "additive  request.v2: a new schema" in result.stdout


def test_an_edited_release_is_noticed(repository: Path) -> None:
    path = repository / "packages/runforge-contracts/released/0.4.0.json"
    path.write_text(path.read_text("utf-8").replace('"balanced"', '"even"'), "utf-8")
    result = check(repository)
    assert result.returncode == 1
    assert "digest is wrong" in result.stdout


def test_a_release_is_frozen_once(repository: Path) -> None:
    change(repository, "request.v1", lambda s: s["properties"].update(extra={"type": "string"}))
    result = check(repository, "--release")
    assert result.returncode == 1
    assert "raise the version" in result.stderr
