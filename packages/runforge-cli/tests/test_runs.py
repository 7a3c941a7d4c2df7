"""The list of runs: the states of those without a result, and the list as CSV."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from calls import TRAIN, Call
from real_store import training
from runforge_contracts.validation import validate
from syrupy.assertion import SnapshotAssertion


def statuses(runforge: Call, *options: str) -> dict[str, str]:
    lines = runforge("runs", *options).out.splitlines()[1:]
    return {line.split()[0]: line.split()[1] for line in lines}


def test_a_running_run_is_distinguished_from_a_killed_one(runforge: Call, filled: Path) -> None:
    prepared = filled / ".runforge/runs/20270101-000000-0000000a"
    some = next((filled / ".runforge/runs").iterdir())
    prepared.mkdir()
    shutil.copyfile(some / "request.json", prepared / "request.json")
    with training(filled) as (process, folder):
        assert statuses(runforge)[folder.name] == "running"
        assert statuses(runforge, "--status", "running") == {folder.name: "running"}
        shown = runforge("show", folder.name)
        assert f"Run {folder.name}: running" in shown.out
        assert f"runforge cancel {folder.name}" in shown.out
        process.kill()
        process.wait()
    assert statuses(runforge, "--status", "interrupted") == {folder.name: "interrupted"}
    assert statuses(runforge, "--status", "incomplete") == {
        prepared.name: "incomplete",
        folder.name: "interrupted",
    }
    assert "The process ended before it could write a result." in (
        runforge("show", folder.name).out
    )
    document = runforge("runs", "--json").json
    validate(document, "index.v1")
    states = [(entry.get("status"), entry.get("state")) for entry in document["runs"]]
    assert states[:2] == [(None, "incomplete"), (None, "interrupted")]
    assert all(status and not state for status, state in states[2:])


def test_an_unstarted_run_shows_only_its_state(runforge: Call, workspace: Path) -> None:
    (workspace / ".runforge/runs/20270101-000000-0000000a").mkdir(parents=True)
    assert runforge("show").out.splitlines() == [
        "Run 20270101-000000-0000000a: incomplete",
        "  folder  .runforge/runs/20270101-000000-0000000a",
        "  state   The run has not started, or its state is unknown.",
    ]


def test_csv_has_every_value_in_full(runforge: Call, filled: Path) -> None:
    entries = runforge("runs", "--json").json["runs"]
    out = runforge("runs", "--csv").out
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    assert out.count("\r\n") == out.count("\n") == len(entries) + 1
    assert [row["run_id"] for row in rows] == [entry["run_id"] for entry in entries]
    for row, entry in zip(rows, entries, strict=True):
        assert None not in row
        assert row["status"] == entry["status"]
        for name, value in entry["summary"]["final_metrics"].items():
            assert float(row[name]) == value
        assert int(row["duration_ms"]) == entry["summary"]["duration_ms"]
        assert row["dataset_fingerprint_sha256"] == entry["dataset_fingerprint_sha256"]
    assert [row["accuracy"] for row in rows if row["status"] != "succeeded"] == ["", ""]
    best = runforge("runs", "--csv", "--sort", "accuracy", "--limit", "1").out
    assert len(best.splitlines()) == 2


def test_csv_survives_any_name(runforge: Call, workspace: Path) -> None:
    names = ['=1+1, "quoted"', "two\r\nlines", "\x1b[2Jcleared", " spaces "]
    for name in names:
        assert runforge(*TRAIN, "--name", name).code == 0
    out = runforge("runs", "--csv").out
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    assert sorted(row["name"] for row in rows) == sorted(names)
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(io.StringIO(out, newline=""), dtype={"name": str})
    assert sorted(frame["name"]) == sorted(names)
    assert frame["accuracy"].tolist() == [1.0] * 4


def test_csv_of_no_runs_is_its_header(
    runforge: Call, workspace: Path, snapshot: SnapshotAssertion
) -> None:
    assert runforge("runs", "--csv").out == snapshot
    result = runforge("runs", "--csv", "--json")
    assert (result.code, json.loads(result.out)["error"]["code"]) == (2, "USAGE_INVALID")
