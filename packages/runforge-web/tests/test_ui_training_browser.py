"""Training in a real browser: with and without a script, and for everybody."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web_browser import BROWSERS, open_pages
from web_client import Server, serving

pytestmark = [pytest.mark.slow, pytest.mark.needs(*BROWSERS, package="playwright")]

PENGUINS = Path(__file__).parents[3] / "examples/penguins.csv"


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[Server]:
    """Return a server that trains, with the penguins."""
    shutil.copyfile(PENGUINS, tmp_path / "penguins.csv")
    (tmp_path / "<b>hostile & 'name'\u202e.csv").write_text("<i>a,y\n1,x\n", "utf-8")
    with serving(tmp_path, "--allow-train") as server:
        yield server


def fill(page: Any, server: Server) -> None:
    """Fill the form of a training on the penguins."""
    page.goto(f"{server.origin}/train")
    page.get_by_role("button", name="penguins.csv").click()
    page.get_by_label("Label column").select_option("species")
    page.get_by_label("island").check()
    page.get_by_label("sex").check()


@pytest.mark.parametrize("script", [True, False])
def test_penguins_are_trained_and_repeated(chromium: Any, trainer: Server, script: bool) -> None:
    page = open_pages(chromium, trainer, java_script_enabled=script)
    fill(page, trainer)
    strength = page.get_by_label("C", exact=True).first
    strength.fill("abc")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text("HYPERPARAMETER_INVALID").wait_for()
    assert strength.input_value() == "abc"
    assert strength.get_attribute("aria-invalid") == "true"
    strength.fill("0.5")
    if script:
        page.locator("#made").get_by_text('"C": 0.5').wait_for()
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**/jobs/1")
    page.get_by_text("succeeded").wait_for()
    page.locator("main a[href^='/runs/']").click()
    page.get_by_role("link", name="Rerun").click()
    page.get_by_label("C", exact=True).first.fill("2")
    page.get_by_role("button", name="Check only").click()
    page.get_by_role("row", name="/model/hyperparameters/C 0.5 2").wait_for()
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**/jobs/2")
    page.get_by_text("succeeded").wait_for()
    assert [text for text in page.complaints if "422" not in text] == []


@pytest.mark.parametrize("script", [True, False])
def test_raw_columns_are_trained_on_with_a_proposed_recipe(
    chromium: Any, trainer: Server, script: bool
) -> None:
    page = open_pages(chromium, trainer, java_script_enabled=script)
    page.goto(f"{trainer.origin}/train")
    page.get_by_role("button", name="penguins.csv").click()
    page.get_by_label("Label column").select_option("species")
    page.get_by_role("button", name="Propose a recipe").click()
    page.get_by_role("row", name="island one_hot 3 columns: Biscoe, Dream, Torgersen").wait_for()
    assert page.get_by_label("Recipe", exact=True).first.input_value() == "penguins.recipe.json"
    page.get_by_label("Action of year").select_option("one_hot")
    page.get_by_role("button", name="Write a recipe with these actions").click()
    page.get_by_role("row", name="year one_hot 3 columns: 2007, 2008, 2009").wait_for()
    assert page.get_by_label("Recipe", exact=True).first.input_value() == "penguins.2.recipe.json"
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**/jobs/1")
    page.get_by_text("succeeded").wait_for()
    page.locator("main a[href^='/runs/']").click()
    page.get_by_role("link", name="Rerun").click()
    page.get_by_role("row", name="sex one_hot").wait_for()
    assert page.complaints == []


def test_a_long_training_is_cancelled(chromium: Any, trainer: Server) -> None:
    page = open_pages(chromium, trainer)
    fill(page, trainer)
    page.get_by_label("random_forest").check()
    page.get_by_label("n_estimators").fill("30000")
    page.get_by_label("max_depth").fill("2")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text("left.").wait_for(timeout=120_000)
    picture(page, "browser-job")
    # The log grows below; what is seen stays where it is.
    page.wait_for_function("document.body.scrollHeight > 2 * window.innerHeight")
    assert page.evaluate("window.scrollY") == 0
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("cancelled", exact=True).wait_for()
    assert page.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 960])
def test_the_forms_are_for_everybody(
    chromium: Any, trainer: Server, scheme: str, width: int
) -> None:
    import axe_playwright_python

    axe = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
    shape = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    page = open_pages(chromium, trainer, **shape)
    page.context.set_default_timeout(60_000)
    for address in (
        "/train",
        "/train?dataset=penguins.csv",
        "/train/sweep?dataset=penguins.csv",
        "/train?dataset=..%2F%3Cb%3E",
        "/jobs",
    ):
        page.goto(trainer.origin + address)
        check(page, axe, f"{address} {scheme} {width}")
    fill(page, trainer)
    page.get_by_label("Seed", exact=True).fill("x")
    page.get_by_label("Name", exact=True).fill("<script>alert(1)</script>")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text("DOCUMENT_INVALID").wait_for()
    check(page, axe, f"mistake {scheme} {width}")
    page.get_by_label("Seed", exact=True).fill("7")
    picture(page, f"browser-train-{scheme}-{width}")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**/jobs/1")
    page.get_by_text("succeeded").wait_for()
    check(page, axe, f"job {scheme} {width}")
    page.goto(f"{trainer.origin}/jobs")
    check(page, axe, f"jobs {scheme} {width}")
    fill(page, trainer)
    page.get_by_text("Form of the raw file").click()
    page.get_by_label("Delimiter").select_option(",")
    page.get_by_role("button", name="Propose a recipe").click()
    page.get_by_role("row", name="island one_hot").wait_for()
    check(page, axe, f"recipe {scheme} {width}")


def check(page: Any, axe: str, name: str) -> None:
    """Check that a page has no finding of axe, and does not scroll sideways."""
    page.evaluate(axe)
    found = page.evaluate("axe.run()")["violations"]
    assert [(item["id"], item["nodes"][0]["html"]) for item in found] == [], name
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
    picture(page, name)


def picture(page: Any, name: str) -> None:
    """Keep a picture of a page, if a folder for pictures is named."""
    folder = os.environ.get("RUNFORGE_TEST_PICTURES")
    if folder:
        plain = "".join(one if one.isalnum() or one == "-" else "_" for one in name)
        page.screenshot(path=f"{folder}/{plain}.png", full_page=True)
