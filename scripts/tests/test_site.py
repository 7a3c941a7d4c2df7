"""The documentation site: built by its script, complete, and looked at in a real browser."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import runforge_contracts
import runforge_engine.experiment
from help_reference import help_pages
from site_pages import address, all_pages

pytestmark = [pytest.mark.slow, pytest.mark.needs(package="sphinx")]

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome", "chrome")
#: Pages of every kind, or the part that is judged of a page that is long.
SHOWN = {
    "index": "html",
    "guides/ten-minutes": "html",
    "guides/browser": "html",
    "benchmarks": "html",
    "reference/runforge_engine": "#follow-and-cancel",
    "contract/linear_coefficients.v1": "html",
    "search": "html",
}


def build(out: Path) -> Path:
    subprocess.run([sys.executable, ROOT / "scripts/build_site.py", "--out", out], check=True)
    return out


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built site."""
    return build(tmp_path_factory.mktemp("first") / "site")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Give a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        program = next(filter(None, map(shutil.which, BROWSERS)))
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


def open_page(chromium: Any, address: str, **options: Any) -> Any:
    """Return a page of a folder, without a server; what it asks of others fails the test."""
    page = chromium.new_context(offline=True, **options).new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on(
        "request",
        lambda request: (
            request.url.startswith(("file:", "data:")) or page.complaints.append(request.url)
        ),
    )
    page.goto(address)
    return page


def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def test_every_page_has_one_title_and_is_in_the_sidebar(site: Path) -> None:
    front = text_of(site / "index.html")
    for page in all_pages():
        text = text_of(site / f"{address(page)}.html")
        assert len(re.findall(r"<h1[ >]", text)) == 1, page
        assert f'href="{address(page)}.html"' in front or page == "docs/README.md", page


def test_every_command_and_every_public_name_has_an_entry(site: Path) -> None:
    commands = text_of(site / "reference/commands.html")
    for page in help_pages():
        assert f'<section id="{page.path.replace(" ", "-")}">' in commands
    for package in (runforge_contracts, runforge_engine, runforge_engine.experiment):
        name = package.__name__
        text = text_of(site / f"reference/{name.partition('.')[0]}.html")
        for public in {*package.__all__} - {"__version__"}:
            # The error is that of the contracts package, whose page has it.
            if (name, public) != ("runforge_engine", "RunForgeError"):
                assert f'id="{name}.{public}"' in text, public
    for schema in (ROOT / "schemas").glob("*.json"):
        assert (site / "schemas" / schema.name).read_bytes() == schema.read_bytes()


def test_the_same_pages_give_the_same_bytes(site: Path, tmp_path: Path) -> None:
    other = build(tmp_path / "site")
    files = {path.relative_to(site) for path in site.rglob("*") if path.is_file()}
    assert files == {path.relative_to(other) for path in other.rglob("*") if path.is_file()}
    assert [
        path for path in files if (site / path).read_bytes() != (other / path).read_bytes()
    ] == []
    assert not [path for path in files if str(ROOT).encode() in (site / path).read_bytes()]


def test_what_is_no_earlier_build_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", "utf-8")
    command = [sys.executable, ROOT / "scripts/build_site.py", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, [path.name for path in tmp_path.iterdir()]) == (1, ["mine.txt"])
    assert "holds something that is no earlier build" in done.stderr


@pytest.mark.needs(*BROWSERS)
@pytest.mark.needs(package="playwright")
def test_the_search_works_without_a_server(site: Path, chromium: Any) -> None:
    page = open_page(chromium, f"{site.as_uri()}/guides/data.html")
    page.keyboard.press("Tab")
    page.get_by_role("search").get_by_placeholder("Search").fill("NaN")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="11. Data").first.click()
    page.wait_for_url("**/specification/data.html*")
    assert page.locator(".highlighted").first.inner_text().lower() == "nan"
    assert page.complaints == []


@pytest.mark.needs(*BROWSERS)
@pytest.mark.needs(package="playwright")
def test_the_keyboard_brings_in_what_is_outside_of_a_narrow_page(site: Path, chromium: Any) -> None:
    size = {"width": 380, "height": 700}
    page = open_page(chromium, f"{site.as_uri()}/guides/trust.html", viewport=size)
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to content"
    search = page.get_by_placeholder("Search")
    assert search.bounding_box()["x"] < 0
    while not search.evaluate("box => box === document.activeElement"):
        page.keyboard.press("Tab")
    page.wait_for_function("document.activeElement.getBoundingClientRect().x >= 0")


@pytest.mark.needs(*BROWSERS)
@pytest.mark.needs(package="playwright")
@pytest.mark.parametrize(("width", "scheme"), [(380, "dark"), (1280, "light")])
def test_pages_are_for_everybody(site: Path, chromium: Any, width: int, scheme: str) -> None:
    import axe_playwright_python

    axe = text_of(Path(axe_playwright_python.__file__).parent / "axe.min.js")
    size = {"width": width, "height": 900}
    page = open_page(chromium, f"{site.as_uri()}/index.html", color_scheme=scheme, viewport=size)
    for name, part in SHOWN.items():
        page.goto(f"{site.as_uri()}/{name}.html")
        page.evaluate(axe)
        # Styles of a folder may be applied, and not be fetched by a script.
        found = page.evaluate(f"axe.run('{part}', {{preload: false}})")["violations"]
        assert [(item["id"], item["nodes"][0]["html"]) for item in found] == [], name
        over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(over) == 0, name
    assert page.complaints == []
