"""The guides as their readers have them: code to run as it stands, and what the page shows of it.

A page shows what is printed in one of two ways: as indented lines, each of which is printed
somewhere, or as a block of text behind the commands that print it, line by line. There, ``...``
stands for what was left out, in a line or between lines, and what differs from run to run, such as
ids, digests, times and versions, is whatever it was when the page was written.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[3]
GUIDES = ROOT / "docs/guides"

_FENCED = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"^    (\S.*)$", re.MULTILINE)
_STEP = re.compile(
    r"^```sh ?(\S*)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE
)
_CHANGING = re.compile(
    r"\d{8}-\d{6}-[0-9a-f]{8}"  # run ids
    r"|\b[0-9a-f]{8,64}\b"  # digests
    r"|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d"
    r"|(?<![\w-])\d{4}-\d\d-\d\d(?![\w-])"  # days
    r"|\b\d+(?:\.\d)?m?s\b"  # durations
    r"|\b\d+(?:\.\d+){2,}"  # versions
)

#: The commands are for this shell, which Windows does not have.
posix = pytest.mark.skipif(os.name == "nt", reason="the guide's commands are for a POSIX shell")


class Step(NamedTuple):
    """A block of commands: a word on what it needs, the commands, and what they print."""

    mark: str
    commands: str
    shown: str


def code(page: Path, language: str) -> str:
    """Return the code of a page in one language, one block after the other."""
    found = [text for name, _, text in _FENCED.findall(page.read_text("utf-8")) if name == language]
    assert found
    return "\n".join(found)


def indented(page: Path) -> list[str]:
    """Return the indented lines of a page, which show what is printed."""
    return _INDENTED.findall(_FENCED.sub("", page.read_text("utf-8")))


def steps(page: Path) -> list[Step]:
    """Return the commands of a page, in their order."""
    text = page.read_text("utf-8")
    found = [Step(*step) for step in _STEP.findall(text)]
    assert len(found) == text.count("```sh") > 0
    assert sum(bool(step.shown) for step in found) == text.count("```text") > 0
    return found


def follow(taken: list[Step], folder: Path, environment: Mapping[str, str] = {}) -> None:
    """Run steps one after the other in one shell, and check that each prints what is shown.

    A step whose mark is a module that is not installed is left out.
    """
    taken = [step for step in taken if not step.mark or importlib.util.find_spec(step.mark)]
    script = [f"{step.commands}\necho '== {number}'" for number, step in enumerate(taken)]
    inherited = {name: value for name, value in os.environ.items() if "RUNFORGE" not in name}
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-euc", "\n".join(script)],
        cwd=folder,
        env={**inherited, "PATH": programs, "COLUMNS": "80", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rest = done.stdout
    for number, step in enumerate(taken):
        printed, rest = rest.split(f"== {number}\n", 1)
        assert_shows(step.shown, printed)


def assert_shows(shown: str, printed: str) -> None:
    """Check that what a page shows is what was printed."""
    pattern = "".join(_line_pattern(line) for line in _lasting(shown).splitlines())
    assert re.search(rf"(?:\A|\n){pattern}", f"{_lasting(printed)}\n"), f"{shown}\n---\n{printed}"


def _lasting(text: str) -> str:
    # A longer time makes a column wider.
    return re.sub(r"(?<=\S) +", " ", _CHANGING.sub("•", text))


def _line_pattern(line: str) -> str:
    if line.strip() == "...":
        return r"(?:.*\n)*?"
    return ".*?".join(map(re.escape, line.rstrip().split("..."))) + r"[ ]*\n"
