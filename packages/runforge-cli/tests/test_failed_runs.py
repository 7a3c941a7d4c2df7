"""What a failed run shows: where it failed, and the command that repairs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from calls import TRAIN, Call

#: A table with a column of text in its second row, and one without values.
ROWS = "".join(f"{i},{i % 3},{'?' if i == 2 else i},{i % 2}\n" for i in range(1, 41))
TEXT = "a,b,Fare paid,y\n" + ROWS
EMPTY = "a,Deck,y\n" + "".join(f"{i},,{i % 2}\n" for i in range(40))


def train(text: str, runforge: Call, *options: str) -> Path:
    Path("d.csv").write_text(text)
    result = runforge("train", "d.csv", "--label", "y", *options)
    assert result.code == 1
    [folder] = Path(".runforge/runs").iterdir()
    return folder


def test_every_view_has_the_place(runforge: Call, workspace: Path) -> None:
    folder = train(TEXT, runforge)
    place = "column Fare paid, row 2"
    shown = runforge("show").out
    assert f"place     {place}" in shown
    assert place in " ".join(runforge("diagnostics").out.split())
    assert f"({place})" in (folder / "logs/train.log").read_text()
    [item] = runforge("diagnostics", "--json").json["diagnostics"]
    assert (item["details"]["column"], item["details"]["row"]) == ("Fare paid", 2)


@pytest.mark.parametrize(
    ("text", "option"),
    [(TEXT, "--exclude 'Fare paid'"), (EMPTY, "--exclude Deck")],
    ids=["text", "no values"],
)
def test_the_suggestion_repairs(text: str, option: str, runforge: Call, workspace: Path) -> None:
    folder = train(text, runforge)
    suggested = f"runforge rerun {folder.name} {option}"
    assert suggested in runforge("show").out
    again = runforge("rerun", folder.name, *option.replace("'", "").split(" ", 1))
    assert again.code == 0


def test_all_refused_columns_are_left_out(runforge: Call, workspace: Path) -> None:
    rows = "".join(f"{i},x,y,{i % 2}\n" for i in range(20))
    folder = train("a,b,c,y\n" + rows, runforge)
    assert f"rerun {folder.name} --exclude b --exclude c" in runforge("show").out
    item, *columns = runforge("diagnostics", "--json").json["diagnostics"]
    assert item["details"]["columns"] == ["b", "c"]
    assert [column["message"] for column in columns] == [
        "The column `b` holds `x`, which is not a number.",
        "The column `c` holds `y`, which is not a number.",
    ]


def test_a_failure_of_the_labels_is_not_just_repeated(runforge: Call, workspace: Path) -> None:
    train("a,y\n1,0\n2,0\n", runforge)
    assert "once mended" in runforge("show").out


@pytest.mark.parametrize(
    "options", [("--preset", "thorough"), ("--exclude", "sex", "--exclude", "year")]
)
def test_no_more_effort_where_there_is_none(
    options: tuple[str, ...], runforge: Call, workspace: Path
) -> None:
    assert runforge(*TRAIN, *options).code == 0
    shown = runforge("show").out
    run = json.loads(next(Path(".runforge/runs").glob("*/run.json")).read_text())
    is_best = "thorough" in options or run["metrics"]["accuracy"] == 1.0
    assert ("more effort" in shown) is not is_best


def test_a_run_in_a_given_folder_is_recorded(runforge: Call, workspace: Path) -> None:
    folder = Path(".runforge/runs/20260201-120000-abc12345")
    folder.mkdir(parents=True)
    request: dict[str, Any] = {
        "version": 1,
        "preset": "fast",
        "dataset": {"path": "penguins.csv", "label_column": "nothing"},
        "model": {"family": "linear_svc"},
        "device": {"type": "cpu"},
        "created_at": "2026-02-01T12:00:00Z",
        "created_by": "tests@1",
    }
    (folder / "request.json").write_text(json.dumps(request))
    assert runforge("run", "--run-dir", str(folder)).code == 2
    result = json.loads((folder / "result.json").read_text())
    assert (result["status"], result["error"]["code"]) == ("failed", "LABEL_NOT_FOUND")
