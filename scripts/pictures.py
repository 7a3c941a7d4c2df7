"""Renew the pictures of README and guides: `make pictures`, with Chromium installed.

The terminal shows what the commands print; report and browser are screenshots of what they show.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs/images"
TRAIN = ("train", "examples/penguins.csv", "--label", "species", "--model", "random_forest")
EXCLUDE = ("--exclude", "island", "--exclude", "sex", "--exclude", "year", "--name", "penguins")
COLUMNS = 80


def main() -> int:
    """Run the commands in a new workspace and draw what they give."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("Chromium is needed for the screenshot.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "penguins"
        (workspace / "examples").mkdir(parents=True)
        shutil.copy(ROOT / "examples/penguins.csv", workspace / "examples")
        IMAGES.mkdir(exist_ok=True)
        draw_terminal(workspace)
        runforge(workspace, "report", "latest", "-o", "report.html")
        shoot(chromium, workspace / "report.html", IMAGES / "report.png")
        shoot_pages(chromium, workspace)
        shoot_training(chromium, workspace)
    return 0


def runforge(workspace: Path, *arguments: str) -> str:
    """Return what a command prints on a terminal of 80 columns."""
    done = subprocess.run(
        [sys.executable, "-m", "runforge_cli", *arguments],
        cwd=workspace,
        env={**os.environ, "COLUMNS": str(COLUMNS), "FORCE_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def draw_terminal(workspace: Path) -> None:
    """Draw the training of the penguins and the verification of the run."""
    trained = runforge(workspace, *TRAIN, *EXCLUDE).partition("\nDiagnostics")[0].rstrip()
    verified = runforge(workspace, "verify", "latest").rstrip()
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    for command, printed in (
        ("train penguins.csv --label species --model random_forest", trained),
        ("verify latest", verified),
    ):
        console.print(Text(f"$ runforge {command}", style="bold"))
        console.print(Text.from_ansi(printed))
        console.print()
    drawing = console.export_svg(title="RunForge")
    # The fonts would come from a server.
    drawing = re.sub(r"@font-face \{.*?\}\s*", "", drawing, flags=re.DOTALL)
    (IMAGES / "terminal.svg").write_text(drawing, "utf-8")


def shoot(chromium: str, page: Path, picture: Path) -> None:
    """Take a screenshot of the top of a page."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    size = ["--window-size=960,1880", f"--screenshot={picture}"]
    subprocess.run([chromium, *options, *size, page.as_uri()], check=True, capture_output=True)


def shoot_pages(chromium: str, workspace: Path) -> None:
    """Take screenshots of the pages in the browser: list, comparison, sweep, dataset."""
    runforge(
        workspace, "sweep", *TRAIN[1:4], *EXCLUDE[:6], "--grid", "C=0.01,0.1,1", "--seeds=1..3"
    )
    with first_page(chromium, workspace) as page:
        page.screenshot(path=IMAGES / "browser.png")
        for box in page.locator("input[name=run]").all():
            box.check()
        page.get_by_role("button", name="Compare the chosen runs").click()
        page.set_viewport_size({"width": 1080, "height": 1230})
        shoot_from(page, "Metric against parameter", "browser-compare.png")
        page.set_viewport_size({"width": 1080, "height": 640})
        page.get_by_role("link", name="Sweeps").click()
        page.locator("tbody a").first.click()
        shoot_from(page, "Parameters and results", "browser-sweep.png")
        page.get_by_role("link", name="Runs", exact=True).click()
        page.locator("tbody a").first.click()
        page.get_by_role("link", name="all runs on it", exact=True).click()
        page.get_by_role("button", name="Inspect the file").click()
        page.screenshot(path=IMAGES / "browser-dataset.png")


def shoot_training(chromium: str, workspace: Path) -> None:
    """Take screenshots of the form of a training, and of its progress."""
    with first_page(chromium, workspace, "--allow-train") as page:
        page.get_by_role("link", name="Train", exact=True).click()
        page.get_by_role("button", name="examples/penguins.csv").click()
        page.get_by_label("Label column").select_option("species")
        for name in ("island", "sex", "year"):
            page.get_by_role("checkbox", name=name).check()
        page.get_by_role("radio", name="random_forest").check()
        page.get_by_label("n_estimators").last.fill("20000")
        page.get_by_role("button", name="Check only").click()
        page.get_by_text("Nothing is wrong with this request").wait_for()
        page.set_viewport_size({"width": 1080, "height": 1000})
        page.screenshot(path=IMAGES / "browser-train.png")
        page.get_by_role("button", name="Train", exact=True).click()
        page.set_viewport_size({"width": 1080, "height": 480})
        page.get_by_text("left.").wait_for()
        shoot_from(page, "Training", "browser-job.png")
        page.get_by_role("button", name="Cancel").click()


@contextmanager
def first_page(chromium: str, workspace: Path, *options: str) -> Iterator[Page]:
    """Give the list of runs in a browser."""
    command = [sys.executable, "-m", "runforge_cli", "ui", "--no-open", *options]
    server = subprocess.Popen(command, cwd=workspace, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1080, "height": 640})
            page.goto(address)
            page.wait_for_url("**/runs")
            yield page
            browser.close()
    finally:
        server.terminate()
        server.wait()


def shoot_from(page: Page, heading: str, picture: str) -> None:
    """Take a screenshot that begins with a heading."""
    page.get_by_role("heading", name=heading).evaluate("item => item.scrollIntoView()")
    page.screenshot(path=IMAGES / picture)


if __name__ == "__main__":
    sys.exit(main())
