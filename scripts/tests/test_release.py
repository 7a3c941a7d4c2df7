"""A release is prepared, checked before its tag, signed, and verified by those who get it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from runforge_engine.provenance.keys import generate_key

ROOT = Path(__file__).parents[2]
PACKAGES = [*sorted((ROOT / "packages").glob("*/src")), ROOT / "conformance/src"]


def release(*arguments: str | Path, repository: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Call the script, with the packages of its repository."""
    paths = os.pathsep.join(str(repository / path.relative_to(ROOT)) for path in PACKAGES)
    return subprocess.run(
        [sys.executable, repository / "scripts/release.py", *arguments],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=repository.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def git(repository: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments]
    done = subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository of its own with the files as they are here."""
    folder = tmp_path / "repository"
    files = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--message", "all")
    return folder


@pytest.mark.skipif(
    find_spec("datamodel_code_generator") is None or find_spec("towncrier") is None,
    reason="the generator is a developer tool; `make check` runs this test",
)
def test_prepare_leaves_nothing_missing(repository: Path) -> None:
    early = release("check", "97.1.0", repository=repository)
    assert early.returncode == 1
    assert "pyproject.toml: has version" in early.stderr
    assert "CHANGELOG.md: has no section `## 97.1.0 (DATE)`" in early.stderr
    assert "97.1.0.json" in early.stderr
    refused = release("prepare", "0.0.1", repository=repository)
    assert (refused.returncode, git(repository, "status", "--porcelain")) == (1, "")
    (repository / "README.md").write_text("mine", "utf-8")
    refused = release("prepare", "97.1.0", repository=repository)
    assert (refused.returncode, refused.stderr) == (1, "README.md: is not committed\n")
    git(repository, "checkout", "README.md")

    prepared = release("prepare", "97.1.0", repository=repository)
    assert prepared.returncode == 0, prepared.stderr
    assert "README.md: is not committed" in release("check", "97.1.0", repository=repository).stderr
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "release: 97.1.0")
    checked = release("check", "97.1.0", repository=repository)
    assert (checked.returncode, checked.stdout) == (0, "Nothing is missing.\n"), checked.stderr

    untagged = release("check", "97.1.0", "--tagged", repository=repository)
    assert (untagged.returncode, untagged.stderr) == (1, "v97.1.0: is no tag of this commit\n")
    git(repository, "tag", "v97.1.0")
    assert release("check", "97.1.0", "--tagged", repository=repository).returncode == 0
    again = release("check", "97.1.0", repository=repository)
    assert (again.returncode, again.stderr) == (1, "v97.1.0: is a tag already\n")


class Signed:
    """A signed folder of what is published, and the public key."""

    def __init__(self, folder: Path) -> None:
        self.dist = folder / "dist"
        self.dist.mkdir()
        pair = generate_key(folder / "release.key")
        self.private, self.public = pair.private_key, pair.public_key
        (self.dist / "a.whl").write_bytes(b"a")
        (self.dist / "b.tgz").write_bytes(b"b")
        lines = [f"{hashlib.sha256(x.encode()).hexdigest()}  {x}.{y}" for x, y in NAMES]
        (self.dist / "SHA256SUMS").write_text("".join(f"{line}\n" for line in lines), "utf-8")

    def sign(self) -> subprocess.CompletedProcess[str]:
        return release("sign", self.dist, "--key", self.private)

    def verify(self) -> subprocess.CompletedProcess[str]:
        return release("verify", self.dist, "--public-key", self.public)


NAMES = (("a", "whl"), ("b", "tgz"))


@pytest.fixture
def signed(tmp_path: Path) -> Signed:
    """Return a signed folder."""
    made = Signed(tmp_path)
    done = made.sign()
    assert done.returncode == 0, done.stderr
    return made


def test_what_was_signed_is_verified(signed: Signed) -> None:
    done = signed.verify()
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("3 files, signed by the key ")


@pytest.mark.parametrize("change", ["changed", "added", "missing", "other key"])
def test_a_change_is_named(signed: Signed, tmp_path: Path, change: str) -> None:
    match change:
        case "changed":
            (signed.dist / "a.whl").write_bytes(b"A")
        case "added":
            (signed.dist / "c.whl").write_bytes(b"c")
        case "missing":
            (signed.dist / "a.whl").unlink()
        case _:
            signed.public = generate_key(tmp_path / "other.key").public_key
    done = signed.verify()
    assert done.returncode == 1
    assert {"added": "c.whl", "other key": "key"}.get(change, "a.whl") in done.stderr


@pytest.mark.parametrize("wrong", ["changed", "added", "missing"])
def test_a_wrong_list_of_digests_is_not_signed(tmp_path: Path, wrong: str) -> None:
    made = Signed(tmp_path)
    match wrong:
        case "changed":
            (made.dist / "a.whl").write_bytes(b"A")
        case "added":
            (made.dist / "c.whl").write_bytes(b"c")
        case _:
            (made.dist / "a.whl").unlink()
    done = made.sign()
    assert done.returncode == 1
    assert ("c.whl" if wrong == "added" else "a.whl") in done.stderr
    assert not (tmp_path / "dist.sig").exists()


@pytest.mark.needs(package="model_signing")
def test_the_reference_implementation_verifies_it(signed: Signed) -> None:
    command = [
        *(sys.executable, "-m", "model_signing", "verify", "key", signed.dist),
        *("--signature", signed.dist.with_name("dist.sig"), "--public_key", signed.public),
    ]
    assert subprocess.run(command, check=False).returncode == 0
    (signed.dist / "a.whl").write_bytes(b"A")
    assert subprocess.run(command, check=False).returncode == 1
