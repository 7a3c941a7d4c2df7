"""The steps of the guide on conformance: files to write, and commands that follow them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from guide_pages import GUIDES

PAGE = GUIDES / "conformance.md"
_SHOWN = re.compile(r"^```text ?(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"^```(\w+) (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Part(NamedTuple):
    """A part of the page for one language: its files, commands, and what they print."""

    section: int
    files: dict[str, str]
    commands: str
    shown: str
    #: What a run prints that the page shows as failing.
    failing: str


def parts(language: str) -> list[Part]:
    """Return the parts of the page for a language, in their order."""
    found = []
    name = {"python": "Python", "go": "Go"}[language]
    for section in PAGE.read_text("utf-8").split("\n## ")[1:]:
        for part in section.split("\n### ")[1:]:
            if part.partition("\n")[0] != name:
                continue
            blocks = _BLOCK.findall(part)
            files = {mark: text for kind, mark, text in blocks if kind == language}
            commands = "\n".join(
                text for kind, mark, text in blocks if (kind, mark) == ("sh", language)
            )
            shown = dict(_SHOWN.findall(part))
            if commands:
                number = int(section.partition(".")[0])
                failing = shown.get("failing", "")
                found.append(Part(number, files, commands, shown.get("", ""), failing))
    return found


def run(commands: str, folder: Path) -> str:
    """Run commands of the page in the folder of a client, and return what they print."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-euc", commands],
        cwd=folder,
        env={**os.environ, "PATH": path, "COLUMNS": "80", "GOCACHE": str(folder / ".cache")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
