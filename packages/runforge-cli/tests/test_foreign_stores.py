"""The commands work on the stores of other clients: what is there is shown, what is not is said."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from browsing import Seen, browsing
from calls import Call, Result
from field_stores import (
    FAMILIES,
    command_line_store,
    desktop_store,
    editor_store,
    old_editor_store,
)
from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.validation import validate

STORES: dict[str, Callable[[Path], dict[str, Path]]] = {
    "extension": editor_store,
    "old extension": old_editor_store,
    "Desktop": desktop_store,
    "command line": command_line_store,
}
#: Commands that show one run.
OF_A_RUN = (
    *("show", "metrics", "importance", "coefficients", "interpretability", "diagnostics"),
    *("verify", "reproduce"),
)
#: Runs that are like others as far as these commands go.
ALIKE = ("float labels", "cuda", "forced", "linear_svc on two", "random_forest on two")
#: Rows to predict, with the columns in another order and one that no model uses.
ROWS = """petal_width,note,sepal_length,sepal_width,petal_length
0.2,1,5.1,3.5,1.4
1.3,2,6.2,2.9,4.3
2.3,3,6.7,3.0,5.2
"""
ORDERED = np.array([[5.1, 3.5, 1.4, 0.2], [6.2, 2.9, 4.3, 1.3], [6.7, 3.0, 5.2, 2.3]])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, Path]]]:
    """Return a workspace of each client with its run folders; nobody changes them."""
    found = {}
    for name, write in STORES.items():
        workspace = tmp_path_factory.mktemp("written")
        folders = write(workspace)
        found[name] = (
            workspace,
            {what: path.relative_to(workspace) for what, path in folders.items()},
        )
    return found


Store = Callable[[str], dict[str, Path]]


@pytest.fixture
def store(written: dict[str, tuple[Path, dict[str, Path]]], workspace: Path) -> Store:
    """Return a function that copies the store of a client here and returns the run folders."""

    def copy(name: str) -> dict[str, Path]:
        source, folders = written[name]
        shutil.copytree(source, workspace, dirs_exist_ok=True)
        for path in workspace.glob(".ml/runs/*/run.json"):
            # The copy has other absolute paths.
            text = path.read_text("utf-8").replace(str(source), str(workspace))
            path.write_text(text, "utf-8")
        return {what: workspace / folder for what, folder in folders.items()}

    return copy


def everything(workspace: Path) -> dict[str, str]:
    """Return the digest of every file."""
    return {
        path.relative_to(workspace).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in workspace.rglob("*")
        if path.is_file()
    }


def check_words(result: Result, *arguments: str) -> None:
    """Check what holds for whatever a command says."""
    said = result.out + result.err
    assert result.code != 4, said
    for word in ("Traceback", "None", "undefined", "nan", "KeyError", "{}"):
        assert word not in said.split(), (arguments, said)
    for line in result.out.splitlines():
        assert len(line) <= 80 or "/" in line, (arguments, line)


@pytest.mark.parametrize("client", STORES)
def test_every_command_has_something_to_say_of_every_run(
    client: str, store: Store, runforge: Call, workspace: Path
) -> None:
    folders = {what: path for what, path in store(client).items() if what not in ALIKE}
    before = everything(workspace)
    for folder in folders.values():
        for command in OF_A_RUN:
            result = runforge(command, str(folder))
            check_words(result, command, folder.name)
            told = runforge(command, str(folder), "--json")
            assert told.code == result.code
            document = parse_json(told.out.encode())
            if told.code not in (0, 7) and "error" in document:
                error = document["error"]
                assert error["code"] == "ARTIFACT_NOT_FOUND", error
                assert error["message"].endswith(".")
                assert error["hint"]
    assert everything(workspace) == before


@pytest.mark.parametrize("client", STORES)
def test_lists_reports_tables_and_comparisons_have_every_run(
    client: str, store: Store, runforge: Call, workspace: Path
) -> None:
    folders = {what: path for what, path in store(client).items() if what not in ALIKE}
    ids = [runforge("show", str(folder), "--json").json["run_id"] for folder in folders.values()]
    listed = runforge("runs")
    check_words(listed)
    assert listed.err == ""
    rows = runforge("runs", "--json").json["runs"]
    assert {row["run_id"] for row in rows} >= {*ids}
    assert runforge("export", "--to", "csv", "-o", "tables").code == 0
    table = (workspace / "tables/runs.csv").read_text("utf-8")
    assert all(run_id in table for run_id in ids)
    for run_id, folder in zip(ids, folders.values(), strict=True):
        assert runforge("show", run_id).code == 0
        for suffix in ("md", "html"):
            check_words(runforge("report", str(folder), "-o", f"{run_id}.{suffix}"))
            text = (workspace / f"{run_id}.{suffix}").read_text("utf-8")
            assert run_id in text
            assert not {"None", "undefined", "nan"} & {*text.replace("<", " ").split()}
    for left, right in pairwise(ids):
        compared = runforge("diff", left, right)
        check_words(compared)
        assert compared.code == 0
        validate(runforge("diff", left, right, "--json").json, "comparison.v1")
    verified = runforge("verify", "--all")
    check_words(verified)
    assert verified.code == 7


def test_a_run_of_the_extension_is_shown_whole(store: Store, runforge: Call) -> None:
    folders = store("extension")
    shown = runforge("show", str(folders["random_forest on three"])).out
    for line in (
        "  name      random_forest on three",
        "  rows      150 used",
        "  family  random_forest",
        "  preset  std-train",
        "  seed    7",
        "  device  cpu: no_cuda",
        "  client    the editor extension",
        "       0.0  1.0  2.0",
    ):
        assert line in shown.splitlines()
    # The request does not say what was trained on what, so nothing proposes to repeat it.
    assert "rerun" not in shown
    dropped = runforge("show", str(folders["dropped rows"])).out
    assert "150 used, 4 dropped for missing values" in dropped
    assert "max_depth  5 (" in dropped
    assert "1.0  2.0  3.0" in runforge("metrics", str(folders["float labels"])).out
    assert "MISSING_VALUES_DROPPED" in runforge("diagnostics", str(folders["dropped rows"])).out
    cancelled = runforge("show", str(folders["cancelled"])).out
    assert ": cancelled" in cancelled
    assert "Cancelled (graceful)" in cancelled
    assert ": cancelled" in runforge("show", str(folders["forced"])).out
    assert ": failed" in runforge("show", str(folders["failed"])).out


@pytest.mark.parametrize(
    ("what", "labels"),
    [
        ("logistic_regression on two", ["-1.0", "1.0"]),
        ("linear_svc on two", ["-1.0", "1.0"]),
        # No document of a binary forest names its classes.
        ("random_forest on two", ["class 1", "class 2"]),
    ],
)
def test_classes_are_named_as_far_as_a_document_does(
    what: str, labels: list[str], store: Store, runforge: Call
) -> None:
    folder = store("extension")[what]
    for shown in (runforge("show", str(folder)).out, runforge("metrics", str(folder)).out):
        heading = shown.splitlines()[shown.splitlines().index(MATRIX) + 1]
        assert heading.split() == " ".join(labels).split()


MATRIX = "Confusion matrix (rows: true class, columns: predicted class)"


def test_metrics_that_only_a_result_has_are_shown(
    store: Store, runforge: Call, workspace: Path
) -> None:
    folder = store("command line")["text labels"]
    names = ["accuracy", "precision", "recall", "f1_score"]
    assert list(runforge("metrics", str(folder), "--json").json) == names
    for command in ("show", "metrics"):
        lines = [line.split() for line in runforge(command, str(folder)).out.splitlines()]
        assert [line[0] for line in lines if line and line[0] in names][-4:] == names
    assert runforge("report", str(folder), "-o", "report.md").code == 0
    assert "`f1_score`" in (workspace / "report.md").read_text("utf-8")
    lacking = runforge("importance", str(folder), "--json").json["error"]
    assert "stores none" in lacking["hint"]


# Verification


def verdict(runforge: Call, folder: Path) -> tuple[int, str, dict[str, str]]:
    result = runforge("verify", str(folder), "--json")
    validate(result.json, "verification.v1")
    [run] = result.json["runs"]
    assert result.json["verdict"] == run["verdict"]
    return result.code, run["verdict"], {item["check"]: item["verdict"] for item in run["checks"]}


@pytest.mark.parametrize("client", STORES)
def test_nothing_vouches_for_a_run_of_another_client(
    client: str, store: Store, runforge: Call
) -> None:
    for what, folder in store(client).items():
        code, found, checks = verdict(runforge, folder)
        if what in ("killed", "Running", "Pending"):
            continue
        assert (code, found) == (7, "unverifiable"), what
        assert checks["files"] == "not checked"
        assert checks["documents"] == "valid"
    if client == "extension":
        said = runforge("verify", str(store(client)["orphan"])).out
        assert "CANNOT BE VERIFIED" in said
        assert "the editor extension records no digests" in said


def change(path: Path, edit: Callable[[Any], None]) -> None:
    document = json.loads(path.read_text("utf-8"))
    edit(document)
    path.write_text(json.dumps(document), "utf-8")


@pytest.mark.parametrize(
    ("file", "edit"),
    [
        ("run.json", lambda it: it["metrics"].update(accuracy=0.1)),
        ("run.json", lambda it: it.update(num_samples=7)),
        ("metrics.json", lambda it: it.update(accuracy=0.5)),
        ("metrics.v1.json", lambda it: it.update(accuracy=0.5)),
        ("metrics.v1.json", lambda it: it.update(f1_macro=0.5)),
        ("result.json", lambda it: it.update(run_id="20260101-000000-other-0000")),
        ("request.json", lambda it: it.update(run_id="20260101-000000-other-0000")),
        ("result.json", lambda it: it.update(status="done")),
        ("artifacts/interpretability.index.v1.json", lambda it: it.update(run_id="another")),
        ("artifacts/linear_coefficients.v1.json", lambda it: it.update(num_features=9)),
    ],
)
def test_documents_that_contradict_each_other_are_found(
    file: str, edit: Callable[[Any], None], store: Store, runforge: Call
) -> None:
    folder = store("extension")["logistic_regression on three"]
    change(folder / file, edit)
    code, found, checks = verdict(runforge, folder)
    assert (code, found) == (1, "not verified")
    assert "invalid" in (checks["documents"], checks["index"])


def test_the_dataset_is_compared_where_its_digest_is_recorded(
    store: Store, runforge: Call, workspace: Path
) -> None:
    folder = store("extension")["linear_svc on three"]
    assert verdict(runforge, folder)[2]["dataset"] == "same"
    table = workspace / "data/three.csv"
    table.write_bytes(table.read_bytes() + b"1,1,1,1,0\n")
    code, found, checks = verdict(runforge, folder)
    assert (code, found, checks["dataset"]) == (1, "not verified", "changed")
    assert runforge("verify", str(folder), "--without-dataset").code == 7


def test_a_listed_run_of_ours_does_not_become_another_clients(
    runforge: Call, workspace: Path
) -> None:
    arguments = ("train", "penguins.csv", "--label", "species", "--exclude", "island")
    assert runforge(*arguments, "--exclude", "sex").code == 0
    [folder] = (workspace / ".runforge/runs").iterdir()
    for path in sorted(folder.rglob("*")):
        kept = ("request.json", "result.json", "model.pkl")
        if path.is_file() and path.name not in kept:
            path.unlink()
    code, found, checks = verdict(runforge, folder)
    assert (code, found) == (1, "not verified")
    assert checks["files"] == "changed"


# Models


#: One run of each kind that has a model.
MODELS = {
    "extension": ("logistic_regression on two", "random_forest on three", "linear_svc on three"),
    "old extension": ("run.v0.2.2.1", "run.v0.3.6"),
    "command line": ("linear_svc", "text labels"),
}


@pytest.mark.parametrize("client", MODELS)
def test_a_model_is_used_where_the_user_accepts_that_no_digest_vouches_for_it(
    client: str, store: Store, runforge: Call, workspace: Path
) -> None:
    (workspace / "rows.csv").write_text(ROWS, "utf-8")
    folders = store(client)
    for what in MODELS[client]:
        folder = folders[what]
        refused = runforge("predict", str(folder), "rows.csv", "--json")
        assert (refused.code, refused.json["error"]["code"]) == (2, "FILE_UNSAFE")
        assert "--unverified" in refused.json["error"]["hint"]
        loaded = joblib.load(folder / "artifacts/model.pkl")
        expected = loaded.predict(ORDERED).tolist()
        if what == "text labels":
            expected = ["setosa", "versicolor", "virginica"]
        for named in (folder, folder / "artifacts/model.pkl"):
            result = runforge("predict", str(named), "rows.csv", "--unverified", "--json")
            assert result.code == 0, result
            validate(result.json, "prediction.v1")
            assert [row["prediction"] for row in result.json["predictions"]] == expected
            assert "No digest vouches for the model" in result.json["warnings"][0]
            assert result.json["ignored_columns"] == ["note"]
    shown = runforge("predict", str(folder), "rows.csv", "--unverified")
    assert shown.out.splitlines()[1:] == [f"{n},{y}" for n, y in enumerate(expected, 1)]
    assert shown.err.startswith("warning: No digest vouches")


def test_a_model_with_the_names_of_its_features_needs_no_document(
    store: Store, runforge: Call, workspace: Path
) -> None:
    (workspace / "rows.csv").write_text(ROWS, "utf-8")
    folder = store("command line")["logistic_regression"]
    shutil.rmtree(workspace / "data")
    result = runforge("predict", str(folder), "rows.csv", "--unverified", "--json")
    assert [row["prediction"] for row in result.json["predictions"]] == [0, 1, 2]
    assert len(result.json["warnings"]) == 1


def test_probabilities_have_the_labels_of_the_encoder(
    store: Store, runforge: Call, workspace: Path
) -> None:
    (workspace / "rows.csv").write_text(ROWS, "utf-8")
    folder = store("command line")["text labels"]
    result = runforge("predict", str(folder), "rows.csv", "--unverified", "--proba")
    assert result.out.splitlines()[0] == "row,setosa,versicolor,virginica"


def test_an_encoder_is_read_and_never_loaded(store: Store, runforge: Call, workspace: Path) -> None:
    (workspace / "rows.csv").write_text(ROWS, "utf-8")
    folder = store("command line")["text labels"]
    encoder, trace = folder / "artifacts/label_encoder.pkl", workspace / "executed"
    clean = runforge("inspect-artifact", str(encoder), "--json")
    assert (clean.code, clean.json["classes"]) == (0, ["setosa", "versicolor", "virginica"])
    joblib.dump(Payload(trace), encoder)
    result = runforge("predict", str(folder), "rows.csv", "--unverified", "--json")
    assert [row["prediction"] for row in result.json["predictions"]] == [0, 1, 2]
    assert "the predictions are codes" in result.json["warnings"][-1]
    encoder.unlink()
    encoder.symlink_to(folder / "artifacts/model.pkl")
    result = runforge("predict", str(folder), "rows.csv", "--unverified", "--json")
    assert "predictions are codes" in result.json["warnings"][-1]
    assert not trace.exists()


class Payload:
    """A class whose instances make a folder when they are unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.mkdir, (str(self.trace),)


def test_a_dangerous_model_is_refused_with_the_flag_too(
    store: Store, runforge: Call, workspace: Path
) -> None:
    (workspace / "rows.csv").write_text(ROWS, "utf-8")
    folder, trace = store("extension")["linear_svc on three"], workspace / "executed"
    path = folder / "artifacts/model.pkl"
    model = joblib.load(path)
    model.evil = Payload(trace)
    path.write_bytes(pickle.dumps(model))
    result = runforge("predict", str(folder), "rows.csv", "--unverified", "--json")
    assert (result.code, result.json["error"]["code"]) == (2, "FILE_UNSAFE")
    assert not trace.exists()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_order_of_columns_is_known_or_the_model_is_refused(
    family: str, store: Store, runforge: Call, workspace: Path
) -> None:
    """Without the dataset a linear model has its coefficients, and a forest its importances."""
    (workspace / "rows.csv").write_text(ROWS, "utf-8")
    folder = store("extension")[f"{family} on three"]
    expected = runforge("predict", str(folder), "rows.csv", "--unverified").out
    shutil.rmtree(workspace / "data")
    assert runforge("predict", str(folder), "rows.csv", "--unverified").out == expected
    kind = "feature_importance" if family == "random_forest" else "linear_coefficients"
    (folder / f"artifacts/{kind}.v1.json").unlink()
    result = runforge("predict", str(folder), "rows.csv", "--unverified", "--json")
    assert (result.code, result.json["error"]["code"]) == (3, "ARTIFACT_NOT_FOUND")
    assert "in which order" in result.json["error"]["message"]


# Repetition


def test_what_a_request_does_not_say_is_not_guessed(store: Store, runforge: Call) -> None:
    folder = store("extension")["random_forest on three"]
    error = runforge("rerun", str(folder), "--json").json["error"]
    assert error["code"] == "ARTIFACT_NOT_FOUND"
    assert "the editor extension records neither" in error["message"]
    lacking = runforge("reproduce", str(folder))
    assert lacking.code == 1
    for words in ("the seed", "the split", "the environment"):
        assert words in lacking.out
    prepared = runforge("run", "--run-dir", str(folder), "--json")
    assert (prepared.code, prepared.json["error"]["code"]) == (2, "RUN_ID_INVALID")


def test_a_request_of_desktop_is_repeated_in_a_store_of_its_own(
    store: Store, runforge: Call, workspace: Path
) -> None:
    folder = store("command line")["linear_svc"]
    before = everything(folder)
    result = runforge("rerun", folder.name, "--json")
    assert (result.code, result.json.get("status")) == (0, "succeeded"), result.out
    assert everything(folder) == before
    [made] = (workspace / ".runforge/runs").iterdir()
    request = json.loads((made / "request.json").read_text("utf-8"))
    assert request["rerun_from"] == folder.name
    assert runforge("verify", made.name).code == 0


# Browsing


@pytest.mark.parametrize(
    "client",
    [
        "command line",
        *(
            pytest.param(client, marks=pytest.mark.slow)
            for client in ("extension", "old extension", "Desktop")
        ),
    ],
)
def test_the_pages_of_runs_of_other_clients_open(
    client: str, store: Store, workspace: Path
) -> None:
    folders = store(client)

    async def steps(seen: Seen) -> None:
        assert len(seen.rows) >= len(folders)
        for _ in folders:
            await seen.press("enter")
            for key in "1234567":
                await seen.press(key)
                await seen.until(lambda: seen.page and seen.page[-1:] != "…")
                assert "INTERNAL" not in seen.page
                assert "None" not in seen.page.split()
            await seen.press("escape", "down")

    browsing(workspace, steps, size=(84, 40))
