"""What is published: built twice to the same bytes, complete, and installed alone."""

from __future__ import annotations

import email.message
import email.parser
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    *map(pytest.mark.needs, ("npm", "git", "uv")),
    pytest.mark.needs(package="cyclonedx"),
]

ROOT = Path(__file__).parents[2]
LICENCE = (ROOT / "LICENSE").read_bytes()
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
TRAIN = ("train", "penguins.csv", "--label", "species", "--exclude", "island", "--exclude", "sex")
CLIENT = """
import { load } from "@runforge/client/node";
console.log(load("request.v1", "request.json").document.model.family);
"""


def build(folder: Path) -> Path:
    subprocess.run([sys.executable, ROOT / "scripts/dist.py", "--out", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with everything that is published."""
    return build(tmp_path_factory.mktemp("first") / "dist")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with data, far from the repository."""
    folder = tmp_path_factory.mktemp("work")
    shutil.copy(ROOT / "examples/penguins.csv", folder)
    return folder


def metadata(wheel: Path) -> email.message.Message:
    """Return what an index shows of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.parser.Parser().parsestr(archive.read(name).decode("utf-8"))


def run(folder: Path, *command: str | Path) -> str:
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_same_commit_gives_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    page = tmp_path / "elsewhere/site/index.html"
    page.parent.mkdir(parents=True)
    page.write_text("built by `make docs`", "utf-8")
    again = build(tmp_path / "elsewhere")
    assert (again / "SHA256SUMS").read_text() == (dist / "SHA256SUMS").read_text()
    assert page.is_file()


def test_the_sums_are_those_of_the_files(dist: Path) -> None:
    lines = (dist / "SHA256SUMS").read_text().splitlines()
    found = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert found == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in dist.iterdir()
        if path.name != "SHA256SUMS"
    }
    kinds = [path.suffix for path in dist.iterdir()]
    assert {kind: kinds.count(kind) for kind in (".whl", ".gz", ".tgz", ".vsix", ".json")} == {
        ".whl": 5,
        ".gz": 5,
        ".tgz": 2,
        ".vsix": 1,
        ".json": 8,
    }


def test_a_folder_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    done = subprocess.run([sys.executable, ROOT / "scripts/dist.py", "--out", tmp_path], stderr=-1)
    assert done.returncode == 1
    assert b"no earlier build" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_every_package_has_licence_and_metadata(dist: Path) -> None:
    for wheel in dist.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            [licence] = [name for name in archive.namelist() if name.endswith("licenses/LICENSE")]
            assert archive.read(licence) == LICENCE
            assert any(name.endswith("/py.typed") for name in archive.namelist())
        found = metadata(wheel)
        assert found["License-Expression"] == "MIT"
        for name in ("Author", "Keywords", "Classifier", "Project-URL", "Requires-Python"):
            assert found[name], (wheel.name, name)
        assert "](../" not in str(found.get_payload())
    for package in dist.glob("*.tgz"):
        with tarfile.open(package) as archive:
            licence_file = archive.extractfile("package/LICENSE")
            assert licence_file is not None
            assert licence_file.read() == LICENCE
    with zipfile.ZipFile(next(dist.glob("*.vsix"))) as archive:
        assert archive.read("extension/LICENSE.txt") == LICENCE


def test_bills_are_valid_and_name_no_machine(dist: Path) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    versions = {"1.5": SchemaVersion.V1_5, "1.6": SchemaVersion.V1_6}
    subjects = {}
    for path in dist.glob("*.cdx.json"):
        text = path.read_text("utf-8")
        assert "file:" not in text
        bill = json.loads(text)
        assert JsonStrictValidator(versions[bill["specVersion"]]).validate_str(text) is None
        subjects[path.name.partition("-0")[0]] = {one["name"] for one in bill["components"]}
    assert "scikit-learn" in subjects["runforge-engine"]
    assert "scikit-learn" not in subjects["runforge-contracts"]
    assert "textual" in subjects["runforge-cli"] - subjects["runforge-engine"]
    assert "starlette" in subjects["runforge-web"]
    assert subjects["npm-contracts"] == set()
    assert "ajv" in subjects["npm-client"] & subjects["vscode"]


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_wheels_alone_train_and_verify(
    installer: str, dist: Path, work: Path, tmp_path: Path
) -> None:
    python = tmp_path / "bin/python"
    names = ("runforge-cli[browse,web]", "runforge-conformance")
    if installer == "uv":
        run(tmp_path, "uv", "venv", "--quiet", "--python", sys.executable, "--clear", tmp_path)
        run(tmp_path, "uv", "pip", "install", "-q", "--python", python, "-f", dist, *names)
    else:
        run(tmp_path, sys.executable, "-m", "venv", tmp_path)
        pip = ("-m", "pip", "install", "-q", "--disable-pip-version-check")
        run(tmp_path, python, *pip, "--find-links", dist, *names)
    runforge = tmp_path / "bin/runforge"
    run(work, runforge, *TRAIN)
    assert ": succeeded" in run(work, runforge, "show", "latest")
    run(work, runforge, "verify", "--all")
    assert "smoke" in run(work, tmp_path / "bin/runforge-conformance", "--help")


def test_uvx_needs_no_installation(dist: Path, work: Path, tmp_path: Path) -> None:
    shutil.copy(work / "penguins.csv", tmp_path)
    uvx = ("uvx", "--python", sys.executable, "-f", dist, "--from", "runforge-cli", "runforge")
    run(tmp_path, *uvx, *TRAIN)
    assert ": succeeded" in run(tmp_path, *uvx, "show", "latest")


def test_npm_packages_alone_read_a_request(dist: Path, tmp_path: Path) -> None:
    shutil.copy(
        ROOT / "docs/test-vectors/request.v1.unknown-fields.json", tmp_path / "request.json"
    )
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "read.js").write_text(CLIENT)
    run(
        tmp_path,
        "npm",
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        *sorted(dist.glob("*.tgz")),
    )
    assert run(tmp_path, "node", "read.js").strip() == "random_forest"
