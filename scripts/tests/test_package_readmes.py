"""The READMEs that an index shows link to the repository, and what they link to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REPOSITORY = "https://github.com/runforge/runforge/blob/main/"
PACKAGES = [*sorted((ROOT / "packages").glob("runforge-*")), ROOT / "conformance"]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_links_work_outside_the_repository(package: Path) -> None:
    text = (package / "README.md").read_text("utf-8")
    for link in re.findall(r"\]\(([^)]+)\)", text):
        if not link.startswith("#"):
            assert link.startswith("https://")
        if link.startswith(REPOSITORY):
            assert (ROOT / link.removeprefix(REPOSITORY).partition("#")[0]).exists(), link


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_the_licence_is_that_of_the_repository(package: Path) -> None:
    assert (package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
