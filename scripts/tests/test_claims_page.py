"""Every claim of the README and of the documentation's first page names what bears it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/claims.md"
README = " ".join((ROOT / "README.md").read_text("utf-8").split())
FRONT = " ".join((ROOT / "docs/README.md").read_text("utf-8").split())
ROWS = re.findall(r"^\| (?!claim \||-)(.+?) \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)


def test_the_page_has_rows() -> None:
    assert len(ROWS) > 20


@pytest.mark.parametrize("claim", [claim for claim, _ in ROWS])
def test_a_claim_is_in_the_readme_or_on_the_first_page(claim: str) -> None:
    assert claim in README or claim in FRONT


@pytest.mark.parametrize(("claim", "bearers"), ROWS)
def test_what_bears_it_is_there(claim: str, bearers: str) -> None:
    links = re.findall(r"\[[^]]+\]\(([^)#]+)[^)]*\)(?:`::(\w+)`)?", bearers)
    assert links, claim
    for path, name in links:
        file = (PAGE.parent / path).resolve()
        assert file.is_file(), path
        if name:
            assert re.search(rf"^(?:def|class) {name}\b", file.read_text("utf-8"), re.MULTILINE)


def claims_of_the_readme() -> list[str]:
    """Return the guarantees, and what is said to be better than other programs."""
    text = (ROOT / "README.md").read_text("utf-8")
    guarantees = text.partition("## Guarantees\n")[2].partition("\n## ")[0]
    items = [" ".join(item.split()) for item in guarantees.split("\n* ")]
    better = text.partition("## Why not what you use now\n")[2].partition("\nWhat it does not do")[
        0
    ]
    rows = [row for row in better.splitlines() if row.startswith("|")][2:]
    return [*filter(None, items), *rows]


@pytest.mark.parametrize("said", claims_of_the_readme())
def test_no_part_of_the_readme_is_without_one(said: str) -> None:
    assert any(claim in said for claim, _ in ROWS), said


def test_no_sentence_that_the_first_page_begins_with_is_without_one() -> None:
    introduction = FRONT.removeprefix("# RunForge ").partition(" It is for anyone")[0]
    for sentence in introduction.split(". "):
        assert any(claim in f"{sentence}." for claim, _ in ROWS), sentence
