"""Browsing on a terminal: it comes, is resized, and goes, and the terminal is what it was."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from browsing import VECTORS, entry, write_index
from terminals import Terminal

NEWEST, LINEAR = "20260302-100000-0badcafe", "20260223-100000-e6dca325"
#: A colour, apart from the terminal's own.
COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]")


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """Return a workspace with runs of every outcome."""
    shutil.copytree(VECTORS / "v0.4.0", tmp_path / "real")
    return tmp_path / "real"


def assert_as_before(terminal: Terminal) -> None:
    """Check that the terminal is restored."""
    assert termios.tcgetattr(terminal.inner) == terminal.settings
    for mode in (b"1049", b"1000", b"1003", b"1006", b"2004"):
        on, off = b"\x1b[?" + mode + b"h", b"\x1b[?" + mode + b"l"
        assert terminal.written.rfind(on) < terminal.written.rfind(off), mode
    hidden, shown = terminal.written.rfind(b"\x1b[?25l"), terminal.written.rfind(b"\x1b[?25h")
    assert hidden < shown


def test_keys_lead_through_the_store_and_out(real: Path) -> None:
    with Terminal(("browse",), real) as terminal:
        terminal.until(lambda: LINEAR in terminal.text and "5 runs" in terminal.text)
        assert terminal.text.splitlines()[2].split()[:2] == [NEWEST, "incomplete"]
        terminal.send("G\r")
        terminal.until(lambda: f"Run {LINEAR}: succeeded" in terminal.text)
        terminal.send("2")
        terminal.until(lambda: "Confusion matrix" in terminal.text)
        terminal.send("\x1b")
        terminal.until(lambda: NEWEST in terminal.text)
        terminal.send("/failed\r")
        terminal.until(lambda: "1 of 5 runs" in terminal.text)
        terminal.send("?")
        terminal.until(lambda: "Sort by the next column" in terminal.text)
        assert terminal.leave("q") == 0
        assert_as_before(terminal)


def test_the_browser_is_drawn_wherever_standard_error_leads(real: Path) -> None:
    with (
        (real / "errors.txt").open("wb") as errors,
        Terminal(("browse",), real, errors=errors.fileno()) as terminal,
    ):
        terminal.until(lambda: "5 runs" in terminal.text)
        assert terminal.leave("q") == 0
        assert_as_before(terminal)
    assert (real / "errors.txt").read_bytes() == b""


@pytest.mark.parametrize(
    "columns", [30, *(pytest.param(columns, marks=pytest.mark.slow) for columns in (60, 132))]
)
def test_a_resized_terminal_is_filled(columns: int, real: Path) -> None:
    with Terminal(("browse",), real) as terminal:
        terminal.until(lambda: "5 runs" in terminal.text)
        terminal.resize(columns, 20)
        terminal.until(lambda: NEWEST[:15] in terminal.screen.display[2])  # where the id is cut
        assert "Open" in terminal.screen.display[19]
        assert ("random_forest" in terminal.text) == (columns > 100)
        terminal.send("G\r")
        terminal.until(lambda: f"Run {LINEAR}"[:20] in terminal.text)
        terminal.send("5")
        terminal.until(lambda: "Configuration" in terminal.text)
        terminal.resize(90, 40)
        terminal.until(lambda: "Quit" in terminal.screen.display[39])
        terminal.until(lambda: "Provenance" in terminal.text)
        assert terminal.leave("q") == 0
        assert_as_before(terminal)


@pytest.mark.parametrize("keys", ["\x03", "\x11", "/typed\x03", "\r\x03"])
def test_interrupting_leaves_from_anywhere(keys: str, real: Path) -> None:
    with Terminal(("browse",), real) as terminal:
        terminal.until(lambda: "5 runs" in terminal.text)
        assert terminal.leave(keys) == 0
        assert_as_before(terminal)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_being_ended_restores_the_terminal(number: signal.Signals, real: Path) -> None:
    with Terminal(("browse",), real) as terminal:
        terminal.until(lambda: "5 runs" in terminal.text)
        os.kill(terminal.process.pid, number)
        assert terminal.leave() == 5
        assert_as_before(terminal)


def test_leaving_does_not_wait_for_what_is_being_read(real: Path) -> None:
    dataset = real / "data/three-classes.csv"
    dataset.unlink()
    os.mkfifo(dataset)
    with Terminal(("browse",), real) as terminal:
        terminal.until(lambda: "5 runs" in terminal.text)
        terminal.send("/dataset:data/three-classes.csv\r")
        terminal.send("v")
        assert terminal.leave("q") == 0
        assert_as_before(terminal)


def test_no_colours_where_none_are_wanted(real: Path) -> None:
    for arguments, environment in (
        (("browse", "--no-color"), {}),
        (("browse",), {"NO_COLOR": "1"}),
    ):
        with Terminal(arguments, real, environment=environment) as terminal:
            terminal.until(lambda: "5 runs" in terminal.text)
            terminal.send(" j c")
            terminal.until(lambda: "Comparison of 2 runs" in terminal.text)
            terminal.leave("q")
            assert COLOUR.search(terminal.written) is None
    with Terminal(("browse",), real) as terminal:
        terminal.until(lambda: "5 runs" in terminal.text)
        terminal.leave("q")
        assert COLOUR.search(terminal.written)


def test_the_fingerprint_goes_to_the_terminals_clipboard(real: Path) -> None:
    with Terminal(("browse",), real) as terminal:
        terminal.until(lambda: "5 runs" in terminal.text)
        terminal.send("Gy")
        terminal.until(lambda: b"\x1b]52;c;" in terminal.written)
        assert terminal.leave("q") == 0


def test_names_of_others_reach_the_terminal_as_text(tmp_path: Path) -> None:
    name = "\x1b]0;owned\x07\x1b[2J\u202e[bold]\r\n"
    write_index(tmp_path, [entry(1, name=name, label_column=name)])
    with Terminal(("browse",), tmp_path, columns=160) as terminal:
        terminal.until(lambda: "[bold]" in terminal.text)
        terminal.send(" /x\r\x1bd")
        terminal.leave("q")
        assert b"owned\x07" not in terminal.written
        assert "\u202e".encode() not in terminal.written
        assert_as_before(terminal)


def test_a_browser_for_terminals_gets_the_terminal(real: Path, tmp_path: Path) -> None:
    script = tmp_path / "show"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nprint('showing', sys.argv[1][-30:])\ninput()\n"
    )
    script.chmod(0o755)
    environment = {"BROWSER": f"{script} %s", "TMPDIR": str(tmp_path)}
    with Terminal(("browse",), real, environment=environment) as terminal:
        terminal.until(lambda: "5 runs" in terminal.text)
        terminal.send("Go")
        terminal.until(lambda: f"showing {LINEAR}.html"[-25:] in terminal.text)
        terminal.send("\n")
        terminal.until(lambda: "The report is" in terminal.text)
        assert terminal.leave("q") == 0
        assert_as_before(terminal)


def test_without_its_library_it_says_what_to_install(real: Path, tmp_path: Path) -> None:
    (tmp_path / "textual.py").write_text("raise ModuleNotFoundError(name='textual')\n")
    with Terminal(("browse",), real, environment={"PYTHONPATH": str(tmp_path)}) as terminal:
        assert terminal.leave() == 3
        assert "error[EXTRA_MISSING]" in terminal.text
        assert "python -m pip install 'textual>=" in terminal.text


def test_no_other_command_imports_the_library(real: Path) -> None:
    program = (
        "import sys; from runforge_cli.shell.app import cli;"
        "cli.main(['show', '--help'], standalone_mode=False);"
        "from runforge_cli.commands import browse_command;"
        "assert not {'textual', 'rich'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, cwd=real)
