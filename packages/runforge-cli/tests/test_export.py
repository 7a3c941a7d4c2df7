"""``runforge export``: plain tables, and what is refused before anything is written."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from calls import TRAIN, Call
from runforge_cli.render.formula_quoting import is_formula
from runforge_contracts.fs.files import write_file


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
    assert {path.name for path in (filled / "tables").iterdir()} == {
        *("runs.csv", "history.csv"),
        ".runforge-export.json",
    }


def test_csv_of_one_run(runforge: Call, filled: Path) -> None:
    reported = runforge("export", "latest", "--to", "csv", "-o", "one", "--json").json
    [row] = rows_of(filled / "one/runs.csv")
    assert reported == {
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


def test_the_same_call_again_writes_the_tables_anew(runforge: Call, filled: Path) -> None:
    export = ("export", "--to", "csv", "-o", "tables")
    assert runforge("export", "latest", *export[1:]).code == 0
    for _ in range(2):
        assert runforge(*export).code == 0
        assert len(rows_of(filled / "tables/runs.csv")) == 4


@pytest.mark.parametrize("number", range(4))
def test_an_export_that_was_ended_midway_can_be_repeated(
    number: int, runforge: Call, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runforge_cli.export import data_tables

    export = ("export", "--to", "csv", "-o", "tables")
    assert runforge("export", "latest", *export[1:]).code == 0
    written = list[Path]()

    def write(path: Path, data: bytes) -> None:
        if len(written) == number:
            raise KeyboardInterrupt
        written.append(path)
        write_file(path, data)

    with monkeypatch.context() as context:
        context.setattr(data_tables, "write_file", write)
        assert runforge(*export).code == 5
    assert runforge(*export).code == 0
    assert len(rows_of(filled / "tables/runs.csv")) == 4


@pytest.mark.parametrize("name", ["runs.csv", "history.csv", ".runforge-export.json"])
@pytest.mark.parametrize("change", ["edited", "made before", "a link"])
def test_what_a_person_has_edited_or_made_is_not_replaced(
    name: str, change: str, runforge: Call, filled: Path
) -> None:
    export, path = ("export", "--to", "csv", "-o", "tables"), filled / "tables" / name
    if change == "made before":
        path.parent.mkdir()
        path.write_text("mine", "utf-8")
    else:
        assert runforge(*export).code == 0
        text = path.read_text("utf-8")
        path.unlink()
        if change == "edited":
            path.write_text(f"{text}\nmine", "utf-8")
        else:
            (filled / "mine.txt").write_text(text, "utf-8")
            path.symlink_to(filled / "mine.txt")
    before = {item: item.read_bytes() for item in filled.rglob("*") if item.is_file()}
    result = runforge(*export, "--json")
    assert (result.code, result.json["error"]["code"]) == (2, "USAGE_INVALID")
    assert {item: item.read_bytes() for item in filled.rglob("*") if item.is_file()} == before


FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"]


@pytest.mark.parametrize("cell", FORMULAS)
def test_what_a_spreadsheet_computes_is_a_formula(cell: str) -> None:
    assert is_formula(cell)


def test_formulas_are_reported_and_quoted_on_request(runforge: Call, filled: Path) -> None:
    assert runforge(*TRAIN, "--name", FORMULAS[0]).code == 0
    for arguments in (("runs", "--csv"), ("export", "--to", "csv", "-o", "tables")):
        reported = runforge(*arguments)
        assert (reported.code, "`name`" in reported.err) == (0, True), reported.err
        quoted = runforge(*arguments, "--quote-formulas")
        assert (quoted.code, quoted.err) == (0, "")
    rows = {row["name"]: row for row in rows_of(filled / "tables/runs.csv")}
    assert float(rows[f"'{FORMULAS[0]}"]["accuracy"]) > 0.9
    assert sum(name.startswith("'") for name in rows) == 1


@pytest.mark.parametrize("cell", ["-1", "+2.5", "-1e-07", "-inf", "a=b", "", "x-y"])
def test_numbers_and_other_texts_are_no_formulas(cell: str) -> None:
    assert not is_formula(cell)


def test_no_runs_is_reported(runforge: Call, workspace: Path) -> None:
    result = runforge("export", "--to", "csv", "-o", "tables", "--json")
    assert (result.code, result.json["error"]["code"]) == (3, "RUN_NOT_FOUND")
    assert not (workspace / "tables").exists()


@pytest.mark.parametrize(
    ("form", "needed"),
    [("skops", "'skops>=0.13'"), ("onnx", "'onnx>=1.17' 'onnxruntime>=1.22' 'skl2onnx>=1.20'")],
)
def test_without_a_library_no_model_is_exported(
    form: str, needed: str, runforge: Call, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runforge_engine.modeling.model_conversion.find_spec", lambda name: None)
    result = runforge("export", "--to", form, "-o", "model", "--json")
    error = result.json["error"]
    assert (result.code, error["code"]) == (3, "EXTRA_MISSING")
    assert f"`python -m pip install {needed}`" in error["hint"]
    assert not (filled / "model").exists()


def test_without_mlflow_the_error_says_how_to_install_it(
    runforge: Call, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runforge_cli.export.mlflow_store.find_spec", lambda name: None)
    result = runforge("export", "--to", "mlflow", "-o", "ml", "--json")
    error = result.json["error"]
    assert (result.code, error["code"]) == (3, "EXTRA_MISSING")
    libraries = "'alembic>=1.13' 'mlflow-skinny<4,>=3.1' 'sqlalchemy>=2'"
    assert f"`python -m pip install {libraries}`" in error["hint"]
    assert not (filled / "ml").exists()
