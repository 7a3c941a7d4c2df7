"""``runforge predict``: what it prints, where it writes, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from calls import ROOT, TRAIN, Call
from runforge_cli.terminal.output import _escaped_json
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.display import printable
from runforge_contracts.validation import validate

FEATURES = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with a linear SVC and then a logistic regression; nobody changes it."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copyfile(ROOT / "examples/penguins.csv", folder / "penguins.csv")
    for second, family in enumerate(("linear_svc", "logistic_regression")):
        subprocess.run(
            [sys.executable, "-m", "runforge_cli", *TRAIN, "--model", family],
            cwd=folder,
            check=True,
            capture_output=True,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(1769947200 + second)},
        )
    return folder


@pytest.fixture
def filled(trained: Path, workspace: Path) -> Path:
    """Return a copy of that workspace, set as the current folder."""
    shutil.copytree(trained, workspace, dirs_exist_ok=True)
    return workspace


def runs(workspace: Path) -> list[str]:
    return sorted(path.name for path in (workspace / ".runforge/runs").iterdir())


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_labels_go_to_standard_output_and_remarks_to_standard_error(
    runforge: Call, filled: Path
) -> None:
    result = runforge("predict", "latest", "penguins.csv")
    assert result.code == 0
    rows = rows_of(result.out)
    truth = rows_of(Path("penguins.csv").read_text("utf-8"))
    assert [row["row"] for row in rows] == [str(number) for number in range(1, 345)]
    assert [int(row["row"]) for row in rows if not row["prediction"]] == [4, 272]
    right = [a["prediction"] == b["species"] for a, b in zip(rows, truth, strict=True)]
    assert sum(right) > 330
    latest, *remarks = result.err.splitlines()
    assert latest.startswith("note: latest is ")
    assert remarks == [
        (
            "note: The model does not use 4 columns of the dataset:"
            " `species`, `island`, `sex`, `year`."
        ),
        (
            "note: 2 of 344 rows got no prediction, because of missing values in `bill_length_mm`,"
            " `bill_depth_mm`, `flipper_length_mm`, `body_mass_g`: rows 4, 272."
        ),
    ]
    assert runforge("predict", "latest", "penguins.csv", "--quiet").err == ""


def test_probabilities_have_a_column_for_each_class(runforge: Call, filled: Path) -> None:
    result = runforge("predict", "latest", "penguins.csv", "--proba")
    labels = rows_of(runforge("predict", "latest", "penguins.csv").out)
    rows = rows_of(result.out)
    assert list(rows[0]) == ["row", "Adelie", "Chinstrap", "Gentoo"]
    for row, label in zip(rows, labels, strict=True):
        shares = {name: float(row[name]) for name in list(row)[1:] if row[name]}
        assert max(shares, key=lambda name: shares[name], default="") == label["prediction"]
        assert not shares or abs(sum(shares.values()) - 1) < 1e-12


def test_every_process_gives_the_same_bytes(process: Call, runforge: Call, filled: Path) -> None:
    here = runforge("predict", "latest", "penguins.csv", "--proba").out
    environment = {"OPENBLAS_CORETYPE": "Prescott", "OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "7"}
    there = process(
        "runforge_cli", "predict", "latest", "penguins.csv", "--proba", environment=environment
    )
    assert there.out == here


def test_a_file_is_written_whole_and_nothing_is_overwritten(runforge: Call, filled: Path) -> None:
    expected = runforge("predict", "latest", "penguins.csv").out
    result = runforge("predict", "latest", "penguins.csv", "-o", "out.csv", "-q")
    run_id = runs(filled)[1]
    assert result.out == f"Predicted 342 of 344 rows with run {run_id}: `out.csv`\n"
    assert Path("out.csv").read_text("utf-8") == expected
    before = Path("penguins.csv").read_bytes()
    Path("dangling.csv").symlink_to("elsewhere.csv")
    for target in ("out.csv", "penguins.csv", ".", "dangling.csv", "/dev/null"):
        again = runforge("predict", "latest", "penguins.csv", "-o", target, "--json")
        assert (again.code, again.json["error"]["code"]) == (2, "USAGE_INVALID")
    assert Path("penguins.csv").read_bytes() == before
    assert Path("out.csv").read_text("utf-8") == expected
    nowhere = runforge("predict", "latest", "penguins.csv", "-o", "no/out.csv", "--json")
    assert (nowhere.code, nowhere.json["error"]["code"]) == (3, "FILE_NOT_FOUND")
    assert not [path for path in filled.iterdir() if path.name.startswith(".out")]


def test_json_counts_the_rows_and_holds_them_where_there_is_no_file(
    runforge: Call, filled: Path
) -> None:
    document = runforge("predict", "latest", "penguins.csv", "--json").json
    validate(document, "prediction.v1")
    rows = document.pop("predictions")
    counts = {
        "schema_version": "prediction.v1",
        "run_id": runs(filled)[1],
        "rows": 344,
        "predicted": 342,
        "missing": 2,
        "missing_by_column": dict.fromkeys(FEATURES, 2),
        "ignored_columns": ["species", "island", "sex", "year"],
        "warnings": [],
    }
    assert document == counts
    assert rows[0] == {"row": 1, "prediction": "Adelie"}
    assert rows[3] == {"row": 4}
    written = runforge("predict", "latest", "penguins.csv", "--json", "--proba", "-o", "p.csv")
    classes = ["Adelie", "Chinstrap", "Gentoo"]
    validate(written.json, "prediction.v1")
    assert written.json == {**counts, "classes": classes, "output": "p.csv"}
    assert len(rows_of(Path("p.csv").read_text("utf-8"))) == 344


def test_a_model_is_named_by_run_or_file_and_another_workspace_must_be_named(
    runforge: Call, filled: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    expected = runforge("predict", "latest", "penguins.csv").out
    run_id = runs(filled)[1]
    path = Path(f".runforge/runs/{run_id}/artifacts/model.pkl")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    moved = elsewhere / "best.bin"
    shutil.copyfile(path, moved)
    for name in (run_id, f"./.runforge/runs/{run_id}", str(path), str(moved)):
        assert runforge("predict", name, "penguins.csv").out == expected
    options = ("--workspace", str(elsewhere), "--json")
    refused = runforge("predict", str(moved), "penguins.csv", *options)
    assert (refused.code, refused.json["error"]["code"]) == (3, "RUN_NOT_FOUND")
    assert "--workspace" in refused.json["error"]["hint"]
    for name in ("absent.pkl", "penguins.csv", ""):
        refused = runforge("predict", name, "penguins.csv", "--json")
        assert refused.code == 3, refused.out


def test_a_model_without_probabilities_says_to_leave_the_option_out(
    runforge: Call, filled: Path
) -> None:
    result = runforge("predict", runs(filled)[0], "penguins.csv", "--proba", "--json")
    assert (result.code, result.json["error"]["code"]) == (2, "USAGE_INVALID")
    assert "--proba" in result.json["error"]["hint"]
    assert runforge("predict", runs(filled)[0], "penguins.csv").code == 0


@pytest.mark.parametrize(
    ("text", "exit_code", "error"),
    [
        ("bill_length_mm,bill_depth_mm,body_mass_g\n1,2,3\n", 2, "COLUMN_NOT_FOUND"),
        (",".join(FEATURES) + "\n1,2,3\n", 1, "DATASET_ROW_RAGGED"),
        (",".join(FEATURES) + "\n1,2,3,x\n", 1, "FEATURE_NOT_NUMERIC"),
        (",".join(FEATURES) + "\n1,2,3,1e999\n", 1, "FEATURE_NOT_FINITE"),
        (",".join((*FEATURES, FEATURES[0])) + "\n1,2,3,4,5\n", 1, "COLUMN_DUPLICATE"),
        (";".join(FEATURES) + "\n1;2;3;4\n", 1, "DATASET_DELIMITER_UNSUPPORTED"),
        ("", 1, "DATASET_EMPTY"),
    ],
)
def test_a_table_with_other_columns_is_an_error_and_leaves_no_file(
    text: str, exit_code: int, error: str, runforge: Call, filled: Path
) -> None:
    Path("new.csv").write_text(text)
    result = runforge("predict", "latest", "new.csv", "-o", "out.csv", "--json")
    assert (result.code, result.json["error"]["code"]) == (exit_code, error)
    assert not Path("out.csv").exists()


def test_a_changed_model_is_refused_before_anything_is_read_of_it(
    runforge: Call, filled: Path
) -> None:
    path = filled / ".runforge/runs" / runs(filled)[1] / "artifacts/model.pkl"
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    for name in ("latest", str(path)):
        result = runforge("predict", name, "penguins.csv", "--json")
        assert result.json["error"]["code"] in ("FILE_UNSAFE", "RUN_NOT_FOUND")
        assert "rows" not in result.json


def test_json_on_a_terminal_escapes_what_could_act_on_it() -> None:
    text = "a\x9b31m\x7f\u202e\U000e0001é\n"
    escaped = _escaped_json(encode_json({"label": text}).decode())
    assert json.loads(escaped) == {"label": text}
    assert printable(escaped.replace("\n", "")) == escaped.replace("\n", "")
    assert "é" in escaped
