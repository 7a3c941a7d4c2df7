"""Nothing leaves the machine: no command opens a connection or asks for a name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PENGUINS = Path(__file__).parents[3] / "examples/penguins.csv"
DATA = ("penguins.csv", "--label", "species", "--exclude", "island", "--exclude", "sex")
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("inspect", *DATA),
    ("train", *DATA, "--name", "one"),
    ("sweep", *DATA, "--grid", "C=0.1,1", "--jobs", "2"),
    ("prepare", *DATA[:3], "-o", "table.csv"),
    ("runs",),
    ("show", "one"),
    ("diff", "one", "latest"),
    ("predict", "one", "penguins.csv"),
    ("evaluate", "one", "penguins.csv"),
    ("report", "one", "latest", "-o", "report.html"),
    ("verify", "--all"),
    ("reproduce", "one"),
    ("keygen", "--out", "team.key"),
    ("sign", "one", "--key", "team.key"),
    ("bundle", "one", "-o", "one.rfz"),
    ("trace", "penguins.csv"),
)
#: Python executes this in each process that begins, before anything else.
GUARD = """
import sys

def notice(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"):
        kept = arguments
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        kept = arguments[1]
    else:
        return
    with open({seen!r}, "a") as file:
        print(event, kept, file=file)

sys.addaudithook(notice)
"""


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    """Return the file that has a line for each use of the network."""
    guard = tmp_path / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(GUARD.format(seen=str(tmp_path / "seen")), "utf-8")
    return tmp_path / "seen"


def call(workspace: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=workspace,
        env={**os.environ, "PYTHONPATH": str(workspace.parent / "guard")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_command_uses_the_network(seen: Path) -> None:
    workspace = seen.with_name("workspace")
    workspace.mkdir()
    shutil.copy(PENGUINS, workspace)
    for command in COMMANDS:
        done = call(workspace, "-m", "runforge_cli", *command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        assert not seen.exists(), (command, seen.read_text("utf-8"))


def test_the_guard_would_notice(seen: Path) -> None:
    code = """
import multiprocessing, socket

def use():
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    except OSError:
        pass

if __name__ == "__main__":
    process = multiprocessing.get_context("spawn").Process(target=use)
    process.start()
    process.join()
"""
    script = seen.with_name("use.py")
    script.write_text(code, "utf-8")
    workspace = seen.with_name("workspace")
    workspace.mkdir()
    call(workspace, str(script))
    assert "socket.connect ('127.0.0.1', 9)" in seen.read_text("utf-8")
