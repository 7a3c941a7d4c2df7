"""Clients that are hostile, or that seek a verdict that they have not earned."""

from __future__ import annotations

from pathlib import Path

import pytest
from clients import PYTHON, report_on

CASE = "request.v1/edit/nested"
HEAD = f"""
import json, os, shutil, sys
sys.path.insert(0, {str(PYTHON.parent)!r})
from harness import Client, serve
"""


def client(folder: Path, operation: str, deed: str) -> Path:
    """Return a sound client that does something else in one operation."""
    path = folder / "client.py"
    path.write_text(f"""{HEAD}
class Hostile(Client):
    def {operation}(self, message):
        {deed}
        return super().{operation}(message)
serve(Hostile())
""")
    return path


def test_a_scratch_folder_that_cannot_be_removed_costs_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "file").touch()
    deed = (
        "scratch = os.path.dirname(os.path.dirname(message['output']));"
        f" shutil.rmtree(scratch); os.symlink({str(victim)!r}, scratch)"
    )
    report = report_on(client(tmp_path, "edit", deed), only=[CASE])
    assert report.verdict == "not conformant"
    assert [path.name for path in victim.iterdir()] == ["file"]
