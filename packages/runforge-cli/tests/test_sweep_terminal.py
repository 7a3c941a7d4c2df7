"""A sweep on a terminal: one bar, one line for each run, and Ctrl-C."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

from sweeping import PENGUINS, SIX, group, with_penguins
from terminals import Terminal


def test_the_bar_gives_way_to_the_lines_of_the_runs(tmp_path: Path) -> None:
    with Terminal(("sweep", *SIX, "--jobs", "1"), with_penguins(tmp_path), lines=40) as terminal:
        terminal.until(lambda: " of 6" in terminal.text)
        assert terminal.leave() == 0
        lines = terminal.text.splitlines()
    assert b"\xe2\x96\x88" in terminal.written  # a part of the bar
    assert lines[0].startswith("Sweep grp_")
    assert lines[0].endswith(": 6 runs")
    shown = [line for line in lines if "accuracy" in line and "C=" in line]
    assert [line.split()[0] for line in shown[:6]] == [f"{count}/6" for count in range(1, 7)]
    assert all("max_iter=" in line for line in shown[:6])
    assert " of 6" not in terminal.text  # the bar is gone


def test_ctrl_c_ends_the_sweep(tmp_path: Path) -> None:
    endless = ("--model", "random_forest", "--grid", "n_estimators=1000000,1000001,1000002")
    arguments = ("sweep", *PENGUINS, *endless, "--jobs", "1")
    with Terminal(arguments, with_penguins(tmp_path), lines=40) as terminal:
        terminal.until(lambda: any(tmp_path.glob(".runforge/runs/*/logs/train.log")))
        assert terminal.leave("\x03") == 5
        text = terminal.text
    assert "The sweep was cancelled by SIGINT." in text
    assert "runforge sweep --resume grp_" in text
    assert [run["status"] for run in group(tmp_path)["runs"]] == ["canceled", "pending", "pending"]
