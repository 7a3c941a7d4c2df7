"""The command, which loads sparingly and uses all cores, writes the bytes that a program writes.

On tables of the benchmarks, too, where it is called as they call it.
"""

from __future__ import annotations

import filecmp
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from calls import Call
from tables import LABEL, write_iris, write_table

#: Has one core and all of the libraries; executes a request.
PROGRAM = """
import os
from pathlib import Path
from runforge_engine.runtime.numeric_environment import pin_environment
pin_environment()
import pandas, scipy.interpolate, scipy.stats, sklearn.ensemble
from runforge_contracts.types import RequestV1
from runforge_contracts.documents import Document
from runforge_contracts.store.layout import StoreLayout
from runforge_engine.pipeline.execute import execute
from runforge_engine.pipeline.request import prepare
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
request = prepare(Document.load(Path("request.json"), RequestV1))
assert execute(request, StoreLayout(Path.cwd())).status == "succeeded"
"""

OTHERS = ("logistic_regression", "linear_svc")
PENGUINS = {
    "path": "penguins.csv",
    "label_column": "species",
    "exclude_columns": ["island", "sex", "year"],
}


def hold_against_program(workspace: Path, request: Any, data: str) -> None:
    """Execute a request by the program, and compare its store with the one that is there."""
    program = workspace / "program"
    program.mkdir()
    (program / "request.json").write_text(json.dumps(request), "utf-8")
    shutil.copyfile(workspace / data, program / data)
    subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM], cwd=program, check=True)
    ours, theirs = workspace / ".runforge", program / ".runforge"
    files = [path.relative_to(theirs) for path in theirs.rglob("*") if path.is_file()]
    assert len(files) >= 13
    assert sorted(files) == sorted(
        path.relative_to(ours) for path in ours.rglob("*") if path.is_file()
    )
    _, differing, unread = filecmp.cmpfiles(ours, theirs, map(str, files), shallow=False)
    assert (differing, unread) == ([], [])


@pytest.mark.parametrize(
    "family",
    ["random_forest", *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)],
)
def test_the_command_writes_what_a_program_writes(
    family: str, process: Call, workspace: Path
) -> None:
    request = {
        "version": 1,
        "preset": "balanced",
        "dataset": PENGUINS,
        "model": {"family": family},
        "device": {"type": "cpu"},
        "created_at": "2026-02-01T12:00:00Z",
        "created_by": "tests@1",
    }
    (workspace / "request.json").write_text(json.dumps(request), "utf-8")
    assert process("runforge_cli", "run", "request.json").code == 0
    hold_against_program(workspace, request, "penguins.csv")


@pytest.mark.parametrize(
    ("family", "rows"),
    [
        ("logistic_regression", 0),
        pytest.param("logistic_regression", 30_000, marks=pytest.mark.slow),
        pytest.param("random_forest", 3_000, marks=pytest.mark.slow),
        pytest.param("linear_svc", 3_000, marks=pytest.mark.slow),
    ],
)
def test_benchmarks_measure_the_bytes_that_a_program_writes(
    family: str, rows: int, process: Call, workspace: Path
) -> None:
    table = workspace / "table.csv"
    if rows:
        write_table(table, rows)
    else:
        write_iris(table)
    train = ("train", table.name, "--label", LABEL, "--model", family)
    assert process("runforge_cli", *train).code == 0
    [run] = (workspace / ".runforge/runs").iterdir()
    hold_against_program(workspace, json.loads((run / "request.json").read_bytes()), table.name)
