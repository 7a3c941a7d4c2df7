"""Prepare, check, sign and verify a release.

    python scripts/release.py prepare X.Y.Z    write version, changelog and frozen schemas
    python scripts/release.py check X.Y.Z      say what is missing before the tag
    python scripts/release.py sign DIST --key FILE
    python scripts/release.py verify DIST --public-key FILE

``prepare`` changes files and commits nothing. CONTRIBUTING.md has the order of the steps.

Exit code: 1 if something is missing or was changed.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from dist import SUMS
from runforge_contracts.errors import RunForgeError
from runforge_engine.provenance.signatures import sign_folder, verify_signature
from version import present_version

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = ROOT / "pyproject.toml"
CHANGELOG = ROOT / "CHANGELOG.md"
FRAGMENTS = ROOT / "changelog.d"
RELEASED = ROOT / "packages/runforge-contracts/released"
VERSION = re.compile(r"\d+\.\d+\.\d+")


def main() -> int:
    """Do one step, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    steps = parser.add_subparsers(dest="step", required=True)
    for name in ("prepare", "check"):
        steps.add_parser(name).add_argument("version")
    steps.choices["check"].add_argument(
        "--tagged", action="store_true", help="the tag is there already, at this commit"
    )
    for name, key in (("sign", "--key"), ("verify", "--public-key")):
        step = steps.add_parser(name)
        step.add_argument("dist", type=Path)
        step.add_argument(key, type=Path, required=True)
    arguments = parser.parse_args()
    try:
        match arguments.step:
            case "prepare":
                return prepare(arguments.version)
            case "check":
                return report(missing(arguments.version, tagged=arguments.tagged))
            case "sign":
                return sign(arguments.dist, arguments.key)
            case _:
                return verify(arguments.dist, arguments.public_key)
    except subprocess.CalledProcessError as error:
        print(f"{error}\n{error.stderr or ''}", file=sys.stderr)
        return 1
    except RunForgeError as error:
        print(f"error[{error.code}]: {error.message}", file=sys.stderr)
        print(*(problem.message for problem in error.problems), sep="\n", file=sys.stderr)
        return 1


def prepare(version: str) -> int:
    """Write a version everywhere, with its changelog and its frozen schemas."""
    if not VERSION.fullmatch(version) or _numbers(version) <= _numbers(present_version()):
        print(f"{version}: has to be X.Y.Z, and higher than {present_version()}.", file=sys.stderr)
        return 1
    if problems := list(uncommitted()):
        return report(problems)
    text = MANIFEST.read_text("utf-8")
    MANIFEST.write_text(text.replace(f'"{present_version()}"', f'"{version}"', 1), "utf-8")
    for script in ("version", "specification", "generate", "make_vectors"):
        _call(sys.executable, f"scripts/{script}.py")
    _call(sys.executable, "scripts/check_evolution.py", "--release")
    _call(sys.executable, "-m", "towncrier", "build", "--version", version, "--yes")
    print(
        f"""Read `git diff HEAD`, and then:

    git add --all
    git commit --message 'release: {version}'
    python scripts/release.py check {version}
    git tag --sign v{version} --message 'RunForge {version}'
    git push --follow-tags"""
    )
    return 0


def missing(version: str, *, tagged: bool) -> Iterator[str]:
    """Yield what stands in the way of a release."""
    yield from uncommitted()
    if (present := present_version()) != version:
        yield f"pyproject.toml: has version {present}"
    for script in ("version.py --check", "check_evolution.py"):
        name, *options = script.split()
        done = _run(sys.executable, f"scripts/{name}", *options)
        if done.returncode:
            yield f"scripts/{script}: {(done.stdout + done.stderr).strip()}"
    heading = rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)$"
    if not re.search(heading, CHANGELOG.read_text("utf-8"), re.MULTILINE):
        yield f"CHANGELOG.md: has no section `## {version} (DATE)`"
    if left := [path.name for path in FRAGMENTS.glob("*.md") if path.name != "README.md"]:
        yield f"changelog.d: {len(left)} fragments are not in CHANGELOG.md, such as {min(left)}"
    if not (RELEASED / f"{version}.json").is_file():
        yield f"{RELEASED.relative_to(ROOT)}: has no {version}.json"
    at_tag = _run("git", "rev-parse", "--quiet", "--verify", f"v{version}^{{commit}}").stdout
    if tagged and at_tag != _call("git", "rev-parse", "HEAD"):
        yield f"v{version}: is no tag of this commit"
    if at_tag and not tagged:
        yield f"v{version}: is a tag already"


def uncommitted() -> Iterator[str]:
    """Yield files that are not as the commit has them."""
    for line in _call("git", "status", "--porcelain").splitlines():
        yield f"{line[3:]}: is not committed"


def sign(dist: Path, key: Path) -> int:
    """Sign the folder of a build, whose list of digests has to be complete."""
    if problems := list(wrong_sums(dist)):
        return report(problems)
    print(sign_folder(dist, key))
    return 0


def verify(dist: Path, public_key: Path) -> int:
    """Check the folder of a release against its signature."""
    checked = verify_signature(dist, public_key)
    print(f"{len(checked.content.files)} files, signed by the key {checked.key}")
    return 0


def wrong_sums(dist: Path) -> Iterator[str]:
    """Yield the files that the list of digests describes wrongly or not at all."""
    listed = dict(
        reversed(line.split("  ", 1)) for line in (dist / SUMS).read_text("utf-8").splitlines()
    )
    found = {path.name: path for path in dist.iterdir() if path.name != SUMS}
    for name in sorted(listed.keys() | found.keys()):
        if name not in found:
            yield f"{name}: is missing"
        elif name not in listed:
            yield f"{name}: is not in {SUMS}"
        elif hashlib.sha256(found[name].read_bytes()).hexdigest() != listed[name]:
            yield f"{name}: has another digest than in {SUMS}"


def report(problems: Iterator[str] | list[str]) -> int:
    """Print problems, and return the exit code."""
    found = list(problems)
    print(*found or ["Nothing is missing."], sep="\n", file=sys.stderr if found else sys.stdout)
    return 1 if found else 0


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _call(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)


if __name__ == "__main__":
    sys.exit(main())
