"""``runforge export``: plain tables, and what is refused before anything is written."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from calls import Call


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_is_the_list_of_runs(runforge: Call, filled: Path) -> None:
    listed = runforge("runs", "--csv", "--limit", "1000").out
    result = runforge("export", "--to", "csv", "-o", "tables")
    assert (result.code, result.err) == (0, "")
    assert result.out == "Exported 4 runs to `tables`.\n"
    assert (filled / "tables/runs.csv").read_bytes().decode() == listed
    assert rows_of(filled / "tables/history.csv") == []
    assert {path.name for path in (filled / "tables").iterdir()} == {"runs.csv", "history.csv"}


def test_csv_of_one_run(runforge: Call, filled: Path) -> None:
    told = runforge("export", "latest", "--to", "csv", "-o", "one", "--json").json
    [row] = rows_of(filled / "one/runs.csv")
    assert told == {
        "to": "csv",
        "path": "one",
        "exported": [row["run_id"]],
        "present": [],
        "left_out": {},
    }
    assert row["run_id"] == runforge("runs", "--json").json["runs"][0]["run_id"]


def test_nothing_is_replaced_or_put_into_a_store(runforge: Call, filled: Path) -> None:
    (filled / "taken").mkdir()
    (filled / "taken/history.csv").write_text("mine", "utf-8")
    for place, code, exit_code in (
        ("taken", "USAGE_INVALID", 2),
        ("penguins.csv", "USAGE_INVALID", 2),
        (".runforge/tables", "USAGE_INVALID", 2),
        ("no/such/folder", "FILE_NOT_FOUND", 3),
    ):
        result = runforge("export", "--to", "csv", "-o", place, "--json")
        assert (result.code, result.json["error"]["code"]) == (exit_code, code), place
    assert [path.name for path in (filled / "taken").iterdir()] == ["history.csv"]
    assert (filled / "taken/history.csv").read_text("utf-8") == "mine"
    (filled / "link").symlink_to(filled / ".runforge")
    assert runforge("export", "--to", "csv", "-o", "link").code == 2


def test_no_runs_is_told(runforge: Call, workspace: Path) -> None:
    result = runforge("export", "--to", "csv", "-o", "tables", "--json")
    assert (result.code, result.json["error"]["code"]) == (3, "RUN_NOT_FOUND")
    assert not (workspace / "tables").exists()


def test_without_mlflow_it_is_told_how_to_get_it(
    runforge: Call, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runforge_cli.export.mlflow_store.find_spec", lambda name: None)
    result = runforge("export", "--to", "mlflow", "-o", "ml", "--json")
    error = result.json["error"]
    assert (result.code, error["code"]) == (3, "EXTRA_MISSING")
    assert "pip install 'runforge-cli[mlflow]'" in error["hint"]
    assert not (filled / "ml").exists()
