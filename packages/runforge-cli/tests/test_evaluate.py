"""``runforge evaluate``: what it judges, prints, records and refuses."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, TRAIN, Call
from runforge_cli.browse.detail_pages import (
    Subject,
    metrics_page,
    summary_page,
    verification_page,
)
from runforge_cli.listing.run_list import ListedRun
from runforge_cli.shell.settings import Settings
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.store.evaluations import content_digest
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import list_runs
from runforge_contracts.validation import validate
from runforge_engine.data.dataset_source import read_source
from runforge_engine.data.table_reader import read_names
from serve_client import ServeClient

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
    assert refused.code == 2
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
        (lambda table: [[*row[:2], *row[3:]] for row in table], "COLUMN_NOT_FOUND", 2),
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


@pytest.fixture
def evaluated(runforge: Call, filled: Path) -> Path:
    """Return the document of the only evaluation of the only run."""
    assert runforge("evaluate", "latest", "new.csv", "-q").code == 0
    [folder] = evaluations(filled)
    return folder / "evaluation.json"


def edit(path: Path, change: Any) -> None:
    """Change a document, and put the digest of its content right."""
    document = json.loads(path.read_bytes())
    change(document)
    document["content_sha256"] = content_digest(document)
    path.write_bytes(encode_json(document))


def failed(report: dict[str, Any]) -> dict[str, str]:
    """Return the verdicts of the checks of the only evaluation that failed."""
    validate(report, "verification.v1")
    [item] = report["evaluations"]
    return {
        check["check"]: check["verdict"] for check in item["checks"] if check["outcome"] == "failed"
    }


def test_an_evaluation_is_verified_with_its_run(runforge: Call, evaluated: Path) -> None:
    before = files(Path.cwd())
    for references in (("latest",), (evaluated.parent.name,), ("--all",)):
        done = runforge("verify", *references, "--json")
        assert done.code == 0, done.out
        [item] = done.json["evaluations"]
        assert item["verdict"] == "verified"
        verdicts = {check["check"]: check["verdict"] for check in item["checks"]}
        assert verdicts == {
            "files": "unchanged",
            "documents": "valid",
            "model": "same",
            "dataset": "same",
            "predictions": "same",
            "signature": "none",
        }
    assert files(Path.cwd()) == before
    shown = runforge("verify", "latest").out
    assert f"Evaluation {evaluated.parent.name} of the run " in shown
    assert "evaluations  verified: 1 of 1 evaluation verified" in runforge("verify", "--all").out
    without = runforge("verify", evaluated.parent.name, "--without-dataset", "--json").json
    [item] = without["evaluations"]
    assert {check["check"] for check in item["checks"]}.isdisjoint({"dataset", "predictions"})


def better(document: dict[str, Any]) -> None:
    """Make metrics and matrix better, in agreement with each other and the number of rows."""
    matrix = document["metrics"]["confusion_matrix"]
    for position, row in enumerate(matrix):
        row[position], others = sum(row), [other for other in range(3) if other != position]
        for other in others:
            row[other] = 0
    for name in ("accuracy", "precision_macro", "recall_macro", "f1_macro"):
        document["metrics"][name] = 1.0
    for name in ("precision", "recall", "f1"):
        document["metrics"][f"per_class_{name}"] = [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (better, "predictions"),
        (lambda d: d["left_out"][1].update(reason="unknown_label"), "documents"),
        (lambda d: d["metrics"].update(accuracy=0.5), "documents"),
        (lambda d: d["model"].update(sha256="0" * 64), "model"),
        (lambda d: d["dataset"].update(sha256="0" * 64), "dataset"),
        (lambda d: d["dataset"].update(path="../../../../etc/passwd"), "dataset"),
        (lambda d: d["model"].update(path="../../../../etc/passwd"), "model"),
        (lambda d: d["model"].update(path="/dev/zero"), "model"),
        (lambda d: d.update(run_id="20260101-000000-00000000"), None),
        (lambda d: d.update(evaluation_id="eval_20260101_000000_00000000"), "documents"),
    ],
)
def test_what_was_forged_is_found(
    change: Any, check: str | None, runforge: Call, evaluated: Path
) -> None:
    edit(evaluated, change)
    done = runforge("verify", evaluated.parent.name, "--json")
    if check is None:
        # A run that is not there vouches for nothing, and its model is not looked for.
        [item] = done.json["evaluations"]
        assert item["checks"][-2]["verdict"] == "not checked"
        return
    assert done.code == 1
    assert check in failed(done.json)
    assert runforge("verify", "--all").code == 1


def test_an_edit_by_hand_is_found(runforge: Call, evaluated: Path) -> None:
    text = evaluated.read_text("utf-8").replace('"rows": 119', '"rows": 120')
    evaluated.write_text(text, "utf-8")
    assert failed(runforge("verify", "latest", "--json").json)["files"] == "changed"


def test_changed_data_and_models_are_found(runforge: Call, filled: Path, evaluated: Path) -> None:
    data = filled / "new.csv"
    content = data.read_bytes()
    data.write_bytes(content + b"Gentoo,X,40,18,190,3000,male,2009\n")
    report = runforge("verify", evaluated.parent.name, "--json").json
    assert failed(report) == {"dataset": "changed"}
    data.unlink()
    report = runforge("verify", evaluated.parent.name, "--json").json
    assert failed(report) == {"dataset": "gone"}
    data.write_bytes(content)
    [model] = filled.glob(".runforge/runs/*/artifacts/model.pkl")
    model.write_bytes(model.read_bytes() + b"\0")
    report = runforge("verify", evaluated.parent.name, "--json").json
    assert failed(report) == {"model": "changed"}


def test_a_pickle_that_runs_code_is_not_loaded(
    runforge: Call, filled: Path, tmp_path: Path
) -> None:
    [run] = (filled / ".runforge/runs").iterdir()
    model = run / "artifacts/model.pkl"
    # Both the digest and what the file asks for are wrong; nothing of it is run.
    model.write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    done = runforge("evaluate", "latest", "new.csv")
    assert done.code == 2
    assert "error[FILE_UNSAFE]" in done.err
    forced = runforge("evaluate", "latest", "new.csv", "--unverified")
    assert forced.code == 2
    assert not (tmp_path / "owned").exists()
    assert not (filled / ".runforge/evaluations").exists()


def test_nothing_is_written_through_a_link(
    runforge: Call, filled: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (filled / ".runforge/evaluations").symlink_to(elsewhere)
    done = runforge("evaluate", "latest", "new.csv")
    assert done.code == 2
    assert "error[FILE_UNSAFE]" in done.err
    assert list(elsewhere.iterdir()) == []
    verified = runforge("verify", "--all")
    assert verified.code == 1
    assert "run.no-links" in verified.out


def test_an_evaluation_is_signed_as_a_run_is(
    runforge: Call, filled: Path, evaluated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNFORGE_KEY_PASSPHRASE", "correct horse")
    assert runforge("keygen", "--out", "key").code == 0
    before = evaluated.read_bytes()
    name = evaluated.parent.name
    done = runforge("sign", name, "--key", "key", "--json")
    assert done.code == 0, done.err
    assert done.json["evaluation_id"] == name
    assert done.json["signature"] == f".runforge/signatures/{name}.sig"
    assert evaluated.read_bytes() == before
    assert [path.name for path in evaluated.parent.iterdir()] == ["evaluation.json"]
    verified = runforge("verify", name, "--public-key", "key.pub", "--json")
    assert verified.code == 0
    assert verified.json["evaluations"][0]["checks"][-1]["verdict"] == "valid"
    assert runforge("verify", "--all").code == 0
    # The signature is of the metrics: better ones break it, whatever else is put right.
    edit(evaluated, lambda document: document.update(created_by="other-client@1"))
    report = runforge("verify", name, "--public-key", "key.pub", "--json").json
    assert failed(report) == {"signature": "invalid"}
    again = runforge("sign", name, "--key", "key", "--replace")
    assert again.code == 0
    edit(evaluated, better)
    refused = runforge("sign", name, "--key", "key", "--replace")
    assert refused.code == 1
    assert "error[VERIFICATION_FAILED]" in refused.err
    shutil.rmtree(evaluated.parent)
    gone = runforge("verify", "--all", "--json")
    assert gone.code == 1
    [store] = gone.json["stores"]
    assert [finding["rule"] for finding in store["findings"]] == ["signature.evaluation"]


def test_the_browser_shows_evaluations_in_the_pages_of_a_run(
    runforge: Call, filled: Path, evaluated: Path
) -> None:
    [entry] = list_runs(StoreLayout(filled))
    subject = Subject([ListedRun(entry, StoreLayout(filled))], Settings())
    name = evaluated.parent.name
    assert any(name in line for line in subject.lines(summary_page, 80))
    metrics = subject.lines(metrics_page, 80)
    assert f"Evaluation {name}" in metrics
    assert any(line.split() == ["new", "rows", "validation", "difference"] for line in metrics)
    verified = "\n".join(subject.lines(verification_page, 80))
    assert f"Evaluation {name} of the run {entry['run_id']}:\nverified" in verified


def test_the_server_evaluates(filled: Path) -> None:
    with ServeClient(filled) as client:
        client.initialize(client={"name": "test", "version": "1.0"})
        report = client.call("evaluate", {"run": "latest", "data": "new.csv"})
        validate(report, "evaluation_report.v1")
        shown = client.call("show", {"run": "latest"})
        assert shown["evaluations"] == [report["evaluation"]]
        verified = client.call("verify", {"runs": [report["evaluation_id"]]})
        assert verified["evaluations"][0]["verdict"] == "verified"
    assert documents(filled) == [report["evaluation"]]


def test_what_a_dataset_holds_cannot_act_on_the_terminal(runforge: Call, filled: Path) -> None:
    header, *table = rows(filled / "new.csv")
    table[0][0] = "\x1b[31mred"
    table[2][2] = "\x1b]0;title\x07"
    write_rows(filled / "new.csv", [["tr\x1buth", *header[1:]], *table])
    shutil.copyfile("new.csv", "\x1b[2Jnew.csv")
    refused = runforge("evaluate", "latest", "\x1b[2Jnew.csv", "--label", "tr\x1buth")
    assert "error[DOCUMENT_INVALID]" in refused.err
    assert "\x1b" not in refused.err
    done = runforge("evaluate", "latest", "new.csv", "--label", "tr\x1buth")
    assert done.code == 0, done.err
    [folder] = evaluations(filled)
    others = (("show", folder.name), ("show", "latest"), ("verify", "latest"))
    for shown in (done, *(runforge(*call) for call in others)):
        assert "\x1b" not in shown.out + shown.err
        assert "\x07" not in shown.out + shown.err
    [document] = documents(filled)
    assert document["dataset"]["label_column"] == "tr\x1buth"


def test_folders_that_are_not_finished_are_not_evaluations(
    runforge: Call, filled: Path, evaluated: Path
) -> None:
    unfinished = evaluated.parent.with_name(f".{evaluated.parent.name}.0123456789abcdef.tmp")
    shutil.copytree(evaluated.parent, unfinished)
    (unfinished / "evaluation.json").write_bytes(b"{")
    assert len(runforge("show", "latest", "--json").json["evaluations"]) == 1
    verified = runforge("verify", "--all", "--without-dataset", "--json")
    assert verified.code == 0
    assert len(verified.json["evaluations"]) == 1


def test_the_dataset_of_the_training_is_warned_of(runforge: Call, filled: Path) -> None:
    done = runforge("evaluate", "latest", "penguins.csv")
    assert done.code == 0
    assert "warning: The dataset is the one that the model was trained on" in done.err
    assert "trained on" not in runforge("evaluate", "latest", "new.csv").err
    shown = runforge("show", "latest").out
    assert shown.count(": the model was trained on this dataset") == 1
    [marked] = re.findall("(eval_[^:]*): the model was trained on this dataset", shown)
    others = set(re.findall("eval_[0-9A-Za-z-]+", shown)) - {marked}
    for name in (marked, *others):
        text = runforge("show", name).out
        assert ("the model was trained on it" in text) is (name == marked)
    report = runforge("report", "latest", "-o", "r.md")
    assert report.code == 0, report.err
    assert (filled / "r.md").read_text("utf-8").count("The model was trained on it.") == 1
