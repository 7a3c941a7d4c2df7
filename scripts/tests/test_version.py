"""All packages, in Python and TypeScript, have the version of the root ``pyproject.toml``."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TYPESCRIPT = "packages/runforge-contracts/typescript"
SKIPPED = shutil.ignore_patterns(
    "node_modules", "__pycache__", "tests", "test-vectors", "contract", "schemas", "build", "dist"
)


def run(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, repository / "scripts/version.py", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a copy of the files that contain the version."""
    for folder in ("packages", "conformance", "docs/guides", "scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=SKIPPED)
    for file in ("pyproject.toml", "README.md"):
        shutil.copyfile(ROOT / file, tmp_path / file)
    return tmp_path


def set_version(repository: Path, version: str) -> None:
    path = repository / "pyproject.toml"
    text = path.read_text("utf-8")
    path.write_text(
        re.sub(r'(?m)^version = ".+"', f'version = "{version}"', text, count=1), "utf-8"
    )


def test_the_versions_agree() -> None:
    done = run(ROOT, "--check")
    assert done.returncode == 0, done.stderr


def test_a_new_version_reaches_every_package(repository: Path) -> None:
    set_version(repository, "9.8.7")
    assert run(repository).returncode == 0
    manifests = [
        *repository.glob("packages/*/pyproject.toml"),
        repository / "conformance/pyproject.toml",
    ]
    assert len(manifests) > 3
    for manifest in manifests:
        text = manifest.read_text("utf-8")
        assert re.findall(r'^version = "(.+)"', text, re.MULTILINE) == ["9.8.7"]
        assert set(re.findall(r"runforge-[a-z]+==([^\"]+)", text)) <= {"9.8.7"}
    modules = [
        path.read_text("utf-8")
        for part in ("packages", "conformance")
        for path in repository.glob(f"{part}/**/src/*/__init__.py")
    ]
    versions = [found for text in modules for found in re.findall(r'__version__ = "(.+)"', text)]
    assert len(versions) > 2
    assert set(versions) == {"9.8.7"}
    packages = [*repository.glob(f"{TYPESCRIPT}/*/package.json")]
    assert len(packages) == 2
    for path in packages:
        package = json.loads(path.read_text("utf-8"))
        assert package["version"] == "9.8.7"
        assert package.get("dependencies", {}).get("@runforge/contracts", "9.8.7") == "9.8.7"
    for lock in (TYPESCRIPT, "conformance/clients/typescript"):
        entries = json.loads((repository / lock / "package-lock.json").read_text("utf-8"))
        for entry in entries["packages"].values():
            if entry.get("name", "").startswith("@runforge/"):
                assert entry["version"] == "9.8.7"


@pytest.mark.parametrize(
    "file",
    [
        "packages/runforge-cli/pyproject.toml",
        "packages/runforge-engine/src/runforge_engine/__init__.py",
        "conformance/pyproject.toml",
        "conformance/src/runforge_conformance/__init__.py",
        "conformance/clients/typescript/harness.ts",
        f"{TYPESCRIPT}/client/package.json",
        f"{TYPESCRIPT}/package-lock.json",
    ],
)
def test_a_file_with_another_version_is_named(file: str, repository: Path) -> None:
    path = repository / file
    text = path.read_text("utf-8")
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
    assert version
    assert version[1] in text
    path.write_text(text.replace(version[1], "0.0.1"), "utf-8")
    done = run(repository, "--check")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{file}: has another version than {version[1]}\n")
    assert "run `make generate`" in done.stderr


def test_a_package_without_a_version_is_named(repository: Path) -> None:
    path = repository / TYPESCRIPT / "contracts/package.json"
    path.write_text(path.read_text("utf-8").replace('"version"', '"edition"'), "utf-8")
    done = run(repository, "--check")
    assert done.returncode == 1
    assert "contracts/package.json: has no version" in done.stderr
