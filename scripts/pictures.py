"""Draw the pictures of the README: what `make demo` prints, and the report of its run.

Run it with `make pictures`. The report needs Chromium; without it, that picture is left as it is.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs/images"
WIDTH = 92
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def demo() -> list[str]:
    """Return the command lines of `make demo`, without the program."""
    recipe = (ROOT / "Makefile").read_text("utf-8").split("\ndemo:")[1].split("\n\n")[0]
    return re.findall(r"runforge (.+)", recipe.replace("\\\n\t\t", ""))


def runforge(folder: Path, *arguments: str) -> str:
    """Run the command in a folder and return what it prints to standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "runforge_cli", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": str(WIDTH), "NO_COLOR": "1"},
    )
    return done.stdout


def terminal(lines: list[str], path: Path) -> None:
    """Draw lines as a terminal window, as SVG."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False)
    for line in lines:
        style = "bold green" if line.startswith("$ ") else ""
        console.print(Text(line, style=style), overflow="crop", no_wrap=True)
    path.write_text(console.export_svg(title="make demo", unique_id="demo"), "utf-8")


def screenshot(page: Path, path: Path) -> None:
    """Draw the top of an HTML page as PNG."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("Chromium is not installed: the picture of the report is unchanged.", file=sys.stderr)
        return
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
    size = "--window-size=1000,1000"
    subprocess.run(
        [browser, *options, size, f"--screenshot={path}", page.as_uri()],
        check=True,
        stderr=subprocess.DEVNULL,
    )


def main() -> None:
    """Train in a temporary folder and draw both pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "examples").mkdir()
        shutil.copy(ROOT / "examples/penguins.csv", folder / "examples")
        lines = []
        for command in demo():
            lines += [f"$ runforge {command}", *runforge(folder, *command.split()).splitlines(), ""]
        shown = lines.index("$ runforge show latest")
        # The run itself, without the list of packages at its end.
        terminal(lines[shown : shown + 37], IMAGES / "terminal.svg")
        runforge(folder, "report", "latest", "-o", "report.html")
        screenshot(folder / "report.html", IMAGES / "report.png")


if __name__ == "__main__":
    main()
