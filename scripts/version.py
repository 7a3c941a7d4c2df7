"""Write the version of RunForge, from the root ``pyproject.toml``, wherever else it appears.

All packages have the same version. To change it, edit ``[tool.runforge] version`` there and run
``make generate``.

    python scripts/version.py           write it
    python scripts/version.py --check   compare, and fail with the files that differ
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TYPESCRIPT = "packages/runforge-contracts/typescript"
NUMBER = r"\d+\.\d+\.\d+[\w.-]*"

#: Files by glob, and the patterns of what stands before and after a version in them.
PLACES: dict[str, tuple[tuple[str, str], ...]] = {
    "packages/*/pyproject.toml": ((r'^version = "', '"'), (r'"runforge-[a-z]+==', '"')),
    "conformance/pyproject.toml": ((r'^version = "', '"'), (r'"runforge-[a-z]+==', '"')),
    "packages/*/src/*/__init__.py": ((r'^__version__ = "', '"'),),
    "conformance/src/*/__init__.py": ((r'^__version__ = "', '"'),),
    "conformance/clients/*/harness.*": (
        (r'"name": "runforge[a-z-]*", "version": "', '"'),
        (r'name: "runforge[a-z-]*", version: "', '"'),
    ),
    f"{TYPESCRIPT}/*/package.json": (
        (r'^  "version": "', '"'),
        (r'"@runforge/[a-z]+": "', '"'),
    ),
    f"{TYPESCRIPT}/package-lock.json": (
        (r'"name": "@runforge/[a-z]+",\s+"version": "', '"'),
        (r'"@runforge/[a-z]+": "', '"'),
    ),
    "conformance/clients/typescript/package-lock.json": (
        (r'"name": "@runforge/[a-z]+",\s+"version": "', '"'),
        (r'"@runforge/[a-z]+": "', '"'),
    ),
    "clients/vscode/package.json": ((r'^  "version": "', '"'), (r'"runforge-cli>=', '"')),
    "clients/vscode/package-lock.json": (
        (r'"name": "(?:runforge|@runforge/[a-z]+)",\s+"version": "', '"'),
        (r'"@runforge/[a-z]+": "', '"'),
    ),
    "README.md": ((r"runforge-cli@", r"\b"), (r"RunForge  ", "$")),
    "docs/guides/*.md": (
        (r"runforge-cli@", r"\b"),
        (r"runforge/conformance@v", r"\b"),
        (r"--branch v", r"\b"),
    ),
}
#: Without these a package would have no version.
REQUIRED = ("pyproject.toml", "package.json")


def main() -> int:
    """Write the version, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    version = present_version()
    problems = []
    for pattern, surroundings in PLACES.items():
        for path in sorted(ROOT.glob(pattern)):
            text = path.read_text("utf-8")
            changed, count = replace(text, surroundings, version)
            if not count and path.name in REQUIRED:
                problems.append(f"{path.relative_to(ROOT)}: has no version")
            if changed == text:
                continue
            if check:
                problems.append(f"{path.relative_to(ROOT)}: has another version than {version}")
            else:
                path.write_text(changed, "utf-8")
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems and check:
        print("Change the version in pyproject.toml, then run `make generate`.", file=sys.stderr)
    return 1 if problems else 0


def present_version() -> str:
    """Return the version that all packages have."""
    manifest = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return str(manifest["tool"]["runforge"]["version"])


def replace(text: str, surroundings: tuple[tuple[str, str], ...], version: str) -> tuple[str, int]:
    """Return ``text`` with ``version`` in all of the surroundings, and the number of matches."""
    total = 0
    for before, after in surroundings:
        expression = rf"({before}){NUMBER}(?={after})"
        text, count = re.subn(expression, rf"\g<1>{version}", text, flags=re.MULTILINE)
        total += count
    return text, total


if __name__ == "__main__":
    sys.exit(main())
