"""Renew the pictures of the README: `make pictures`, with Chromium installed.

The terminal shows what the commands print, and the report is a screenshot of what they write.
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
        workspace = Path(folder)
        (workspace / "examples").mkdir()
        shutil.copy(ROOT / "examples/penguins.csv", workspace / "examples")
        IMAGES.mkdir(exist_ok=True)
        draw_terminal(workspace)
        runforge(workspace, "report", "latest", "-o", "report.html")
        shoot(chromium, workspace / "report.html", IMAGES / "report.png")
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


if __name__ == "__main__":
    sys.exit(main())
