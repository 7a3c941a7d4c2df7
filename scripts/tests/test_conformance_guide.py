"""The guide on conformance leads from an empty folder to clients that pass, as it stands."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from guide_pages import GUIDES, ROOT, posix

PAGE = GUIDES / "conformance.md"
GO_CLIENT = ROOT / "conformance/clients/go"
_BLOCK = re.compile(r"^```(\w+) (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Part(NamedTuple):
    """A part of the page for one language: its files, and the commands that follow them."""

    section: int
    files: dict[str, str]
    commands: str


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
            if commands:
                found.append(Part(int(section.partition(".")[0]), files, commands))
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


@posix
@pytest.mark.slow
@pytest.mark.parametrize("language", ["python", pytest.param("go", marks=pytest.mark.needs("go"))])
def test_each_step_of_a_language_works(language: str, tmp_path: Path) -> None:
    (tmp_path / "runforge").symlink_to(ROOT)
    taken = parts(language)
    assert [part.section for part in taken] == [2, 4, 5]
    for part in taken:
        # Commands that copy come before the files that use what was copied.
        for name, text in part.files.items():
            (tmp_path / name).write_text(text, "utf-8")
        run(part.commands, tmp_path)
    # The last step is a whole run of a reader and editor.
    program = {"python": "python harness.py", "go": "./my-client"}[language]
    run(f"runforge-conformance run --report report -- {program}", tmp_path)
    report = json.loads((tmp_path / "report/report.json").read_bytes())
    assert report["verdict"] == "conformant"
    assert set(report["roles"]) == {"reader", "editor"}
    failed = {r["requirement"] for r in report["results"] if r["outcome"] == "failed"}
    # As the page says.
    assert failed == ({"json.key-order"} if language == "python" else set())


@posix
def test_the_first_client_is_not_yet_conformant(tmp_path: Path) -> None:
    first = parts("python")[0]
    for name, text in first.files.items():
        (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(AssertionError, match="not conformant"):
        run("runforge-conformance run -- python harness.py", tmp_path)


def test_the_harness_in_go_is_that_of_the_client() -> None:
    files = parts("go")[0].files
    assert files["main.go"] == (GO_CLIENT / "main.go").read_text("utf-8")


@pytest.mark.needs("go")
def test_the_go_client_is_formatted_and_uses_the_standard_library_alone(tmp_path: Path) -> None:
    go = shutil.which("go") or ""
    sources = sorted(GO_CLIENT.glob("*.go"))
    done = subprocess.run(
        [go, "vet", "."],
        cwd=GO_CLIENT,
        env={**os.environ, "GOCACHE": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    formatted = subprocess.run(
        [Path(go).resolve().parent / "gofmt", "-l", *sources], capture_output=True, check=True
    )
    assert formatted.stdout == b""
    assert "require" not in (GO_CLIENT / "go.mod").read_text("utf-8")
