"""The documentation site names each page once, and a link that leads nowhere is found."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
import runforge_contracts
import runforge_engine
import site_pages
from site_links import check_links, outward_links
from site_pages import SiteError, address, all_pages, write_pages

ROOT = Path(__file__).parents[2]


def test_the_navigation_names_each_page_of_the_documentation_once() -> None:
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")}
    pages |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs/site").rglob("*.rst")}
    named = Counter(all_pages())
    assert [page for page, count in named.items() if count > 1] == []
    missing = pages - named.keys()
    assert not missing, "docs/site/navigation.toml lacks pages, or a README a link to one"
    assert all((ROOT / page).is_file() for page in named)
    assert len({address(page) for page in named}) == len(named)


@pytest.mark.parametrize("package", [runforge_contracts, runforge_engine])
def test_the_reference_names_everything_public(package: ModuleType) -> None:
    name = package.__name__
    page = (ROOT / f"docs/site/pages/reference/{name}.rst").read_text("utf-8")
    entry = re.compile(r"^\.\. auto(?:class|data|exception|function):: (\w+)$", re.MULTILINE)
    named = set(entry.findall(page))
    # The page of the contracts package has the error.
    elsewhere = {"__version__"} | ({"RunForgeError"} if package is runforge_engine else set())
    assert {*package.__all__} - elsewhere <= named


def test_every_page_is_written_with_links_of_the_site(tmp_path: Path) -> None:
    write_pages(tmp_path)
    text = (tmp_path / "guides/trust.md").read_text("utf-8")
    assert "](../contract/verification.v1.html)" in text
    assert "](https://github.com/runforge/runforge/blob/main/examples/penguins.csv)" in text
    front = (tmp_path / "index.md").read_text("utf-8")
    assert "](reference/typescript-api.html)" in front
    assert "\n/guides/ten-minutes\n" in front
    assert "](../packages/runforge-contracts/typescript/client/index.html)" in (
        tmp_path / "reference/typescript-api.md"
    ).read_text("utf-8")
    assert "](../images/browser.png)" in (tmp_path / "guides/browser.md").read_text("utf-8")
    assert (tmp_path / "images/browser.png").is_file()
    assert "](../schemas/run.v0.4.0.json)" in (tmp_path / "contract/run.v0.4.0.md").read_text(
        "utf-8"
    )


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository with two pages."""
    root = tmp_path / "repository"
    (root / "docs/site").mkdir(parents=True)
    (root / "docs/site/navigation.toml").write_text(
        '[[sections]]\ntitle = "Start"\npages = ["docs/one.md"]\n', "utf-8"
    )
    (root / "docs/README.md").write_text("# Front\n", "utf-8")
    monkeypatch.setattr(site_pages, "ROOT", root)
    monkeypatch.setattr(site_pages, "SITE", root / "docs/site")
    return root / "docs"


def test_links_in_code_stay_as_they_are(pages: Path, tmp_path: Path) -> None:
    code = "`[a](b.md)`\n\n```md\n[a](b.md)\n`\n```\n\n~~~\n```\n[a](b.md)\n~~~\n\n``[a](`b.md)``\n"
    (pages / "one.md").write_text(f"# One\n\n{code}\n[up](README.md#front)\n", "utf-8")
    write_pages(tmp_path / "written")
    text = (tmp_path / "written/one.md").read_text("utf-8")
    assert text == f"# One\n\n{code}\n[up](index.html#front)\n"


def test_all_links_that_lead_nowhere_are_named(pages: Path, tmp_path: Path) -> None:
    (pages / "one.md").write_text("[a](gone.md) [`b`](../gone/)\n![c](gone.png)\n", "utf-8")
    with pytest.raises(SiteError) as caught:
        write_pages(tmp_path / "written")
    assert str(caught.value).splitlines() == [
        f"docs/one.md: the link to {link} leads nowhere"
        for link in ("gone.md", "../gone/", "gone.png")
    ]


@pytest.mark.parametrize(
    ("html", "mistake"),
    [
        ('<a href="two.html">', "two.html leads nowhere"),
        ('<a href="../">', "../ leads nowhere"),
        ('<img src="gone.png">', "gone.png leads nowhere"),
        ('<a href="#gone">', "#gone has no such anchor"),
        ('<a href="one.html#gone">', "one.html#gone has no such anchor"),
        ('<a href="../outside.html">', "../outside.html leads nowhere"),
        ('<p id="a"><b id="a">', "two anchors a"),
        ('<script src="https://example.org/a.js"></script>', "loads https://example.org/a.js"),
        ('<link href="//example.org/a.css">', "loads //example.org/a.css"),
        ('<a href="https://example.org/">', None),
        ('<p id="å b"><a href="#%C3%A5%20b"><a href="one.html"><a href="">', None),
    ],
)
def test_links_of_built_pages_are_checked(tmp_path: Path, html: str, mistake: str | None) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (tmp_path / "outside.html").write_text("", "utf-8")
    (site / "one.html").write_text(html, "utf-8")
    assert check_links(site) == ([f"one.html: {mistake}"] if mistake else [])


def test_links_to_other_sites_are_listed_once(tmp_path: Path) -> None:
    links = '<a href="https://b.example/"><a href="https://a.example/#x"><a href="one.html">'
    (tmp_path / "one.html").write_text(links * 2, "utf-8")
    assert outward_links(tmp_path) == ["https://a.example/#x", "https://b.example/"]
