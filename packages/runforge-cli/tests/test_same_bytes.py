"""The command, which loads sparingly and uses all cores, writes the bytes that a program writes."""

from __future__ import annotations

import filecmp
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from calls import Call

PROGRAM = """
import sys
from pathlib import Path
from runforge_engine.numerics import pin_environment
pin_environment()
from runforge_contracts._generated.request_v1 import RequestV1
from runforge_contracts.documents import Document
from runforge_contracts.layout import StoreLayout
from runforge_engine.execution import execute
request = Document.load(Path("request.json"), RequestV1)
assert execute(request, StoreLayout(Path.cwd())).status == "succeeded"
"""

FAMILIES = ("logistic_regression", "random_forest", "linear_svc")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_command_writes_what_a_program_writes(
    family: str, process: Call, workspace: Path
) -> None:
    request = {
        "version": 1,
        "preset": "balanced",
        "dataset": {
            "path": "penguins.csv",
            "label_column": "species",
            "exclude_columns": ["island", "sex", "year"],
        },
        "model": {"family": family},
        "device": {"type": "cpu"},
        "created_at": "2026-02-01T12:00:00Z",
        "created_by": "tests@1",
    }
    (workspace / "request.json").write_text(json.dumps(request), "utf-8")
    program = workspace / "program"
    program.mkdir()
    for name in ("request.json", "penguins.csv"):
        shutil.copyfile(workspace / name, program / name)
    subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM], cwd=program, check=True)
    assert process("runforge_cli", "run", "request.json").code == 0
    ours, theirs = workspace / ".runforge", program / ".runforge"
    files = [path.relative_to(theirs) for path in theirs.rglob("*") if path.is_file()]
    assert len(files) >= 13
    assert sorted(files) == sorted(
        path.relative_to(ours) for path in ours.rglob("*") if path.is_file()
    )
    _, differing, unread = filecmp.cmpfiles(ours, theirs, map(str, files), shallow=False)
    assert (differing, unread) == ([], [])
