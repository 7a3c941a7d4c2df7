"""``runforge evaluate``: what it judges, prints, records and refuses."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, TRAIN, Call
from runforge_contracts.store.evaluations import content_digest
from runforge_contracts.validation import validate
from runforge_engine.data.dataset_source import read_source
from runforge_engine.data.table_reader import read_names

#: The rows of new.csv that cannot be judged, appended in this order.
STRANGE = (
    ("Macaroni", "Dream", "40", "18", "190", "3000", "male", "2009"),
    ("Gentoo", "Dream", "about 40", "18", "190", "3000", "male", "2009"),
    ("Gentoo", "Dream", "1e999", "18", "190", "3000", "male", "2009"),
    ("", "Dream", "40", "18", "190", "3000", "male", "2009"),
)


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def write_rows(path: Path, table: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(table)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with one run, and new rows of which some cannot be judged."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copyfile(ROOT / "examples/penguins.csv", folder / "penguins.csv")
    subprocess.run(
        [sys.executable, "-m", "runforge_cli", *TRAIN],
        cwd=folder,
        check=True,
        capture_output=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1769947200"},
    )
    header, *table = rows(folder / "penguins.csv")
    write_rows(folder / "new.csv", [header, *table[::3], *map(list, STRANGE)])
    return folder


@pytest.fixture
def filled(trained: Path, workspace: Path) -> Path:
    """Return a copy of that workspace, set as the current folder."""
    shutil.copytree(trained, workspace, dirs_exist_ok=True)
    return workspace


def evaluations(workspace: Path) -> list[Path]:
    return sorted((workspace / ".runforge/evaluations").iterdir())


def documents(workspace: Path) -> list[dict[str, Any]]:
    return [json.loads((path / "evaluation.json").read_bytes()) for path in evaluations(workspace)]


def files(workspace: Path) -> dict[str, bytes]:
    return {
        path.relative_to(workspace).as_posix(): path.read_bytes()
        for path in workspace.rglob("*")
        if path.is_file()
    }


def test_an_evaluation_is_recorded_beside_the_runs(runforge: Call, filled: Path) -> None:
    before = files(filled)
    done = runforge("evaluate", "latest", "new.csv", "--json")
    assert done.code == 0, done.err
    report = done.json
    validate(report, "evaluation_report.v1")
    [folder] = evaluations(filled)
    assert [path.name for path in folder.iterdir()] == ["evaluation.json"]
    added = files(filled).keys() - before.keys()
    assert added == {f".runforge/evaluations/{folder.name}/evaluation.json"}
    assert {name: files(filled)[name] for name in before} == before
    [document] = documents(filled)
    assert report["evaluation"] == document
    assert report["evaluation_dir"] == f".runforge/evaluations/{folder.name}"
    assert document["evaluation_id"] == folder.name
    assert document["content_sha256"] == content_digest(document)
    [run] = (filled / ".runforge/runs").iterdir()
    record = json.loads((run / "run.json").read_bytes())
    assert document["run_id"] == run.name
    model = f".runforge/runs/{run.name}/artifacts/model.pkl"
    assert document["model"] == {
        "path": model,
        "sha256": record["artifact_digests"]["artifacts/model.pkl"]["sha256"],
    }
    source = read_source(filled / "new.csv")
    assert document["dataset"] == {
        "path": "new.csv",
        "sha256": source.sha256,
        "rows": 119,
        "label_column": "species",
        "columns": record["feature_names"],
    }
    assert set(document["dataset"]["columns"]) < set(read_names(source))


def test_rows_that_cannot_be_judged_are_counted_by_reason(runforge: Call, filled: Path) -> None:
    report = runforge("evaluate", "latest", "new.csv", "--json").json
    document = report["evaluation"]
    # Row 2 of the new rows is row 4 of the penguins, which lacks its measurements.
    assert document["left_out"] == [
        {
            "reason": "missing_value",
            "rows": 2,
            "examples": [{"row": 2, "column": "bill_length_mm"}, {"row": 119, "column": "species"}],
        },
        {
            "reason": "not_a_number",
            "rows": 1,
            "examples": [{"row": 117, "column": "bill_length_mm", "value": "about 40"}],
        },
        {
            "reason": "out_of_range",
            "rows": 1,
            "examples": [{"row": 118, "column": "bill_length_mm", "value": "1e999"}],
        },
        {
            "reason": "unknown_label",
            "rows": 1,
            "examples": [{"row": 116, "column": "species", "value": "Macaroni"}],
        },
    ]
    assert document["rows_evaluated"] == 114
    assert sum(map(sum, document["metrics"]["confusion_matrix"])) == 114
    text = runforge("evaluate", "latest", "new.csv").out
    assert "114 of 119 rows evaluated" in text
    assert "1 row with a label that the model does not know: row 116 (`species`" in text


def test_metrics_are_those_of_the_predictions(runforge: Call, filled: Path) -> None:
    report = runforge("evaluate", "latest", "new.csv", "--json").json
    predicted = runforge("predict", "latest", "penguins.csv", "--json").json["predictions"]
    truth = [row[0] for row in rows(filled / "penguins.csv")[1:]]
    pairs = [
        (label, answer["prediction"])
        for label, answer in zip(truth[::3], predicted[::3], strict=True)
        if "prediction" in answer
    ]
    metrics = report["evaluation"]["metrics"]
    labels = metrics["class_labels"]
    matrix = [[pairs.count((true, guess)) for guess in labels] for true in labels]
    assert metrics["confusion_matrix"] == matrix
    assert metrics["accuracy"] == sum(a == b for a, b in pairs) / len(pairs)
    [run] = (filled / ".runforge/runs").iterdir()
    validation = json.loads((run / "metrics.v1.json").read_bytes())
    assert report["validation"] == validation
    assert metrics["metrics_profile"] == validation["metrics_profile"]
    assert report["differences"] == {
        name: metrics[name] - validation[name]
        for name in ("accuracy", "precision_macro", "recall_macro", "f1_macro")
    }


def test_metrics_are_shown_beside_those_of_validation(runforge: Call, filled: Path) -> None:
    shown = runforge("evaluate", "latest", "new.csv").out
    assert shown.splitlines()[0].startswith("Evaluation eval_20260201_120000_")
    table = shown.partition("\nMetrics\n")[2].partition("\n\n")[0].splitlines()
    assert table[0].split() == ["new", "rows", "validation", "difference"]
    assert table[1].split()[0] == "accuracy"
    assert len(table[1].split()) == 4
    [evaluation] = evaluations(filled)
    again = runforge("show", evaluation.name)
    assert again.code == 0
    assert again.out == shown
    listed = runforge("show", "latest").out
    assert "\nEvaluations\n" in listed
    assert evaluation.name in listed
    document = runforge("show", "latest", "--json").json
    assert document["evaluations"] == documents(filled)
    report = runforge("show", evaluation.name[:12], "--json").json
    validate(report, "evaluation_report.v1")
    assert report["evaluation"] == documents(filled)[0]


def test_two_evaluations_in_one_second_have_ids_of_their_own(runforge: Call, filled: Path) -> None:
    for _ in range(3):
        assert runforge("evaluate", "latest", "new.csv", "-q").code == 0
    ids = [document["evaluation_id"] for document in documents(filled)]
    assert len(set(ids)) == 3
    assert [path.name for path in evaluations(filled)] == ids
    ambiguous = runforge("show", "eval_2026")
    assert ambiguous.code == 2
    assert "error[EVALUATION_AMBIGUOUS]" in ambiguous.err
    missing = runforge("show", "eval_20260101_000000_00000000")
    assert missing.code == 3
    assert "error[EVALUATION_NOT_FOUND]" in missing.err


def test_gates_judge_the_new_rows(runforge: Call, filled: Path) -> None:
    done = runforge("evaluate", "latest", "new.csv", "--fail-under", "f1_score=1", "--json")
    assert done.code == 8
    [gate] = done.json["gates"]
    metrics = done.json["evaluation"]["metrics"]
    assert gate["value"] == metrics["f1_macro"]
    assert not gate["met"]
    [first] = evaluations(filled)
    same = runforge("evaluate", "latest", "new.csv", "--no-worse-than", first.name)
    assert same.code == 0, same.err
    worse = runforge("show", first.name, "--no-worse-than", "latest", "--json")
    assert worse.code == 8
    [gate] = worse.json["gates"]
    assert gate["value"] == metrics["accuracy"]
    wrong = runforge("evaluate", "latest", "new.csv", "--fail-under", "log_loss=1")
    assert wrong.code == 2
    assert len(evaluations(filled)) == 2


def test_the_label_may_have_another_name(runforge: Call, filled: Path) -> None:
    header, *table = rows(filled / "new.csv")
    write_rows(filled / "other.csv", [["truth", *header[1:]], *table])
    refused = runforge("evaluate", "latest", "other.csv")
    assert refused.code == 1
    assert "error[LABEL_NOT_FOUND]" in refused.err
    done = runforge("evaluate", "latest", "other.csv", "--label", "truth", "--json")
    assert done.code == 0
    assert done.json["evaluation"]["dataset"]["label_column"] == "truth"
    feature = runforge("evaluate", "latest", "other.csv", "--label", "bill_depth_mm")
    assert feature.code == 2
    assert "is a feature of the model" in feature.err


@pytest.mark.parametrize(
    ("change", "code", "exit_code"),
    [
        (lambda table: table[:1], "ZERO_ROWS", 1),
        (lambda table: [table[0], *map(list, STRANGE)], "ZERO_ROWS", 1),
        (lambda table: [[*row[:2], *row[3:]] for row in table], "COLUMN_NOT_FOUND", 1),
        (lambda table: [[*row, row[2]] for row in table], "COLUMN_DUPLICATE", 1),
    ],
)
def test_a_dataset_that_cannot_be_judged_leaves_nothing(
    change: Any, code: str, exit_code: int, runforge: Call, filled: Path
) -> None:
    write_rows(filled / "new.csv", change(rows(filled / "new.csv")))
    before = files(filled)
    done = runforge("evaluate", "latest", "new.csv")
    assert done.code == exit_code
    assert f"error[{code}]" in done.err
    assert files(filled) == before


def test_a_private_evaluation_has_no_cells_and_no_folders(
    runforge: Call, filled: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("secret") / "new.csv"
    shutil.copyfile(filled / "new.csv", elsewhere)
    report = runforge("evaluate", "latest", str(elsewhere), "--private", "--json").json
    assert report["evaluation"]["dataset"]["path"] == "(left out)/new.csv"
    text = json.dumps(report["evaluation"])
    assert "Macaroni" not in text
    assert "secret" not in text
