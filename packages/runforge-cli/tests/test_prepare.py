"""``runforge prepare``: what it proposes, writes and refuses."""

from __future__ import annotations

import hashlib
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from calls import Call
from workbooks import workbook

RAW = "city,size,y\nRome,1.5,a\nOslo,,b\nRome,2.5,a\nOslo,3.5,b\n"
TABLE = (
    "city=Oslo,city=Rome,size,size:missing,y\n0,1,1.5,0,a\n1,0,0,1,b\n0,1,2.5,0,a\n1,0,3.5,0,b\n"
)


@pytest.fixture
def raw(workspace: Path) -> Path:
    """Return a raw table in the current folder."""
    path = workspace / "raw.csv"
    path.write_text(RAW, encoding="utf-8")
    return path


def test_a_recipe_is_proposed_written_and_applied_again(runforge: Call, raw: Path) -> None:
    result = runforge("prepare", "raw.csv", "--label", "y")
    assert result.code == 0
    assert all(len(line) <= 80 for line in result.out.splitlines())
    made = raw.with_name("raw.prepared.csv")
    assert made.read_text(encoding="utf-8") == TABLE
    recipe = raw.with_name("raw.prepared.recipe.json")
    assert runforge("validate", str(recipe)).code == 0
    again = runforge("--json", "prepare", "raw.csv", "--recipe", recipe.name, "-o", "again.csv")
    assert raw.with_name("again.csv").read_bytes() == made.read_bytes()
    document = json.loads(again.out)
    assert document["table"] == {
        "path": "again.csv",
        "sha256": hashlib.sha256(made.read_bytes()).hexdigest(),
        "rows": 4,
        "columns": 5,
    }


def test_the_command_to_train_can_be_copied(runforge: Call, raw: Path) -> None:
    name = "a rather long name of a table with a few blanks in it.csv"
    raw.rename(raw.with_name(name))
    result = runforge("prepare", name, "--label", "y", "-o", "made.csv")
    *_, last = result.out.splitlines()
    assert last == f"train   runforge train '{name}' --recipe made.recipe.json"
    _, _, command = last.partition("   runforge ")
    assert runforge(*shlex.split(command)).code != 2


def test_pandas_is_not_loaded(raw: Path) -> None:
    words = ["prepare", raw.name, "--label", "y"]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "runforge_cli", *words],
        capture_output=True,
        check=True,
        text=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "pyarrow.csv" in loaded
    # Its parts: the attempt to load it is listed, too.
    assert not [name for name in loaded if name.startswith("pandas.")]


def test_existing_files_are_kept_without_force(runforge: Call, raw: Path) -> None:
    recipe = raw.with_name("raw.prepared.recipe.json")
    recipe.write_text("mine", encoding="utf-8")
    refused = runforge("prepare", "raw.csv", "--label", "y")
    assert (refused.code, recipe.read_text(encoding="utf-8")) == (2, "mine")
    assert not raw.with_name("raw.prepared.csv").exists()
    assert "--force" in refused.err
    assert runforge("prepare", "raw.csv", "--label", "y", "--force").code == 0
    assert recipe.read_text(encoding="utf-8") != "mine"


def test_the_raw_file_is_never_replaced(runforge: Call, raw: Path) -> None:
    before = raw.read_bytes()
    for options in (("-o", "raw.csv"), ("-o", "./raw.csv", "--force")):
        assert runforge("prepare", "raw.csv", "--label", "y", *options).code == 2
    assert raw.read_bytes() == before


def test_nothing_is_written_if_a_value_is_unexpected(runforge: Call, raw: Path) -> None:
    assert runforge("prepare", "raw.csv", "--label", "y").code == 0
    raw.write_text("city,size,y\nRome,1,a\nBonn\x1b[31m,x,b\n", encoding="utf-8")
    result = runforge(
        "prepare", "raw.csv", "--recipe", "raw.prepared.recipe.json", "-o", "other.csv"
    )
    assert result.code == 1
    assert "VALUE_UNEXPECTED" in result.err
    assert "row 2" in result.err
    assert "\x1b[31m" not in result.err
    assert not raw.with_name("other.csv").exists()


def test_bad_cells_marks_and_delimiters_are_named(runforge: Call, workspace: Path) -> None:
    lines = [f"{row if row != 9 else 'abt 30'};{row},5;{row % 3};{row % 2}" for row in range(1, 61)]
    (workspace / "raw.csv").write_text("\n".join(["age;fare;size;y", *lines]), encoding="utf-8")
    form = ("prepare", "raw.csv", "--label", "y", "--delimiter", ";", "-o", "out.csv", "--force")

    def proposed(*options: str) -> str:
        result = runforge(*form, *options)
        assert result.code == 0
        table, _ = result.out.split("\n\n")
        return " ".join(table.split())

    shown = proposed()
    assert "age drop numbers, but for 1 cell: `abt 30` (row 9); correct it, or keep" in shown
    assert "fare drop `1,5` looks like a number with a decimal comma: name it" in shown
    shown = proposed("--decimal-mark", ".")
    assert "fare drop `1,5` is not a number with the decimal mark `.`" in shown
    assert "--decimal-mark ,`" in shown
    assert "fare keep" in proposed("--decimal-mark", ",")
    commas = [line.replace(",", ".").replace(";", ",") for line in ["age;fare;size;y", *lines]]
    (workspace / "commas.csv").write_text("\n".join(commas), encoding="utf-8")
    sentence = "`commas.csv` separates its columns by commas; the recipe reads semicolons."
    for words in (
        ("train", "commas.csv", "--recipe", "out.recipe.json"),
        ("prepare", "commas.csv", "--recipe", "out.recipe.json", "-o", "new.csv"),
    ):
        result = runforge(*words)
        assert (result.code, sentence in result.err) == (2, True)
    result = runforge("train", "commas.csv", "--label", "y")
    assert "Correct or empty the cell of row 9: the other 59 values are numbers." in result.err


@pytest.mark.needs(package="python_calamine")
def test_the_sheet_of_a_workbook_must_be_named(runforge: Call, workspace: Path) -> None:
    rows = [["city", "size", "y"], ["Rome", 1.5, "a"], ["Oslo", "", "b"]]
    rows += [["Rome", 2.5, "a"], ["Oslo", 3.5, "b"]]
    book = workspace / "book.xlsx"
    book.write_bytes(workbook({"Notes": [], "Data": rows}))
    unnamed = runforge("prepare", book.name, "--label", "y")
    assert unnamed.code == 2
    assert "--sheet NAME" in unnamed.err
    assert runforge("prepare", book.name, "--label", "y", "--sheet", "Data").code == 0
    table = workspace / "book.prepared.csv"
    assert table.read_text(encoding="utf-8") == TABLE
    recipe = table.with_name("book.prepared.recipe.json")
    assert json.loads(recipe.read_bytes())["source"] == {"sheet": "Data"}
    again = runforge("prepare", book.name, "--recipe", recipe.name, "-o", "again.csv")
    assert again.code == 0
    assert table.with_name("again.csv").read_bytes() == table.read_bytes()


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--label", "y", "--recipe", "r.json"),
        ("--recipe", "r.json", "--delimiter", ";"),
        ("--label", "z"),
        ("--label", "y", "--encoding", "guess"),
        ("--label", "y", "--sheet", "Data", "--delimiter", ";"),
        ("--recipe", "r.json", "--sheet", "Data"),
    ],
)
def test_contradictory_options_are_refused(
    runforge: Call, raw: Path, options: tuple[str, ...]
) -> None:
    assert runforge("prepare", "raw.csv", *options).code == 2
    assert [path.name for path in raw.parent.glob("raw.prepared*")] == []
