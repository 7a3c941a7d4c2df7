"""The command, what editors call and the extension's own engine take turns in one workspace."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import editor_rules as rules
import field_writers
import pytest
from calls import Call
from field_data import table
from runforge_contracts.errors import ExitCode

PATIENCE = 580
#: What a view has beside the files of its run: the extension's, and the marker of the run.
PREPARED = {"request.json", ".runforge-view"}


def train(workspace: Path, number: int, **environment: str) -> None:
    """Let the three train at once, so many runs each."""
    dataset = table(workspace / "data.csv", classes=3, rows=45)
    turns = workspace.with_name("turns")
    turns.mkdir()
    started = [
        field_writers.start(kind, number, workspace, dataset, turns, environment)
        for kind in field_writers.KINDS
    ]
    said = [process.communicate(timeout=PATIENCE)[0].decode() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], "\n".join(said)


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def check(workspace: Path, number: int, process: Call) -> None:
    """Look whether everything that the three wrote is there, listed once and verified."""
    folders = {path.name: read(path / "run.json") for path in rules.run_folders(workspace)}
    records = {path.name for path in (workspace / ".runforge/runs").iterdir()}
    assert len(folders) == len(records) == 2 * number
    views = {name for name, run in folders.items() if run["run_id"] in records}
    assert len(views) == number

    entries = rules.index(workspace)
    listed = [entry["run_dir"].removeprefix(".ml/runs/") for entry in entries]
    assert sorted(listed) == sorted(folders)
    for name, entry in zip(listed, entries, strict=True):
        run = folders[name]
        assert len(entry) == 10
        assert entry["run_id"] == run["run_id"]
        assert entry["dataset_fingerprint_sha256"] == run["dataset"]["fingerprint_sha256"]
        assert entry["summary"]["final_metrics"]["accuracy"] == run["metrics"]["accuracy"]
    rules.browse_runs(workspace).sound()
    rules.open_runs(workspace).sound()
    assert rules.recover_index(workspace).recovered == []

    own = [entry["run_id"] for entry in read(workspace / ".runforge/index.json")["runs"]]
    assert sorted(own) == sorted(records)
    for name in views:
        folder, record = workspace / ".ml/runs" / name, workspace / ".runforge/runs"
        record /= folders[name]["run_id"]
        for path in folder.rglob("*"):
            if path.is_file() and path.name not in PREPARED:
                copied = record / path.relative_to(folder)
                assert path.read_bytes() == copied.read_bytes()

    left = {path.name for path in (workspace / ".ml/outputs").iterdir()}
    assert not {name for name in left if "tmp" in name or "corrupt" in name}
    foreign = {run["run_id"] for name, run in folders.items() if name not in views}
    assert len(foreign) == number
    shown = process("runforge_cli", "runs", "--json", "--limit", "1000", cwd=workspace).json
    assert sorted(run["run_id"] for run in shown["runs"]) == sorted(records | foreign)
    done = process("runforge_cli", "verify", "--all", "--json", cwd=workspace)
    assert done.code == ExitCode.UNVERIFIABLE, done.out
    verdicts = Counter(run["verdict"] for run in done.json["runs"])
    assert verdicts == {"verified": 3 * number, "unverifiable": number}
    assert [store["findings"] for store in done.json["stores"]] == [[], []]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a new workspace."""
    (tmp_path / "workspace").mkdir()
    return tmp_path / "workspace"


def test_three_writers_take_turns(place: Path, process: Call) -> None:
    train(place, 8)
    check(place, 8, process)


@pytest.mark.slow
@pytest.mark.storm
def test_three_writers_take_turns_for_two_hundred_runs(place: Path, process: Call) -> None:
    train(place, 67)
    check(place, 67, process)


@pytest.mark.slow
def test_an_engine_that_holds_the_index_long(place: Path, process: Call) -> None:
    train(place, 12, FIELD_ENGINE_PAUSE="0.1")
    check(place, 12, process)
