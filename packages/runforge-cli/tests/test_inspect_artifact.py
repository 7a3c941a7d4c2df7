"""Inspect model files with both entry points: output, imports and speed."""

from __future__ import annotations

import io
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, TRAIN, Call
from runforge_cli.render.model_pages import model_lines
from runforge_cli.terminal.text_layout import width
from runforge_contracts.validation import validate
from syrupy.assertion import SnapshotAssertion

SCHEMA = "artifact_inspection.v0.2.2.2"
VECTOR = ROOT / f"docs/test-vectors/{SCHEMA}.full.json"


class Payload:
    """What makes a folder where it is loaded."""

    def __init__(self, trace: Path) -> None:
        self.trace = str(trace)

    def __reduce__(self) -> Any:
        return os.mkdir, (self.trace,)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with a linear model and a forest, made by the real command."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copyfile(ROOT / "examples/penguins.csv", folder / "penguins.csv")
    forest = ("--model", "random_forest", "--param", "n_estimators=20")
    for options in ((), forest):
        subprocess.run(
            [sys.executable, "-m", "runforge_cli", *TRAIN, *options],
            cwd=folder,
            check=True,
            capture_output=True,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(1769947200 + 60 * len(options))},
        )
    return folder


@pytest.fixture
def filled(trained: Path, workspace: Path) -> Path:
    """Return a copy of that workspace, set as the current folder."""
    shutil.copytree(trained, workspace, dirs_exist_ok=True)
    return workspace


def models(workspace: Path) -> list[Path]:
    return sorted(workspace.glob(".runforge/runs/*/artifacts/model.pkl"))


def test_a_model_is_named_by_its_path_its_run_or_latest(runforge: Call, filled: Path) -> None:
    for path, references in zip(models(filled), ((), ("latest",)), strict=True):
        run_id = path.parts[-3]
        relative = path.relative_to(filled).as_posix()
        moved = filled / "moved.bin"
        shutil.copyfile(path, moved)
        folder = f"./.runforge/runs/{run_id}"
        documents = []
        for reference in (relative, str(path), run_id, folder, "moved.bin", *references):
            result = runforge("inspect-artifact", reference, "--json")
            assert result.code == 0, result.out + result.err
            validate(result.json, SCHEMA)
            documents.append(result.json)
        named = [document.pop("artifact_path") for document in documents]
        assert named[:5] == [relative, str(path), relative, relative, "moved.bin"]
        assert all(document == documents[0] for document in documents)
        assert documents[0]["clean"]
        assert documents[0]["feature_names"][0] == "bill_length_mm"
        assert documents[0]["classes"] == ["Adelie", "Chinstrap", "Gentoo"]


def test_both_entry_points_give_the_five_fields_of_the_contract(
    process: Call, runforge: Call, filled: Path
) -> None:
    path = str(models(filled)[0])
    result = process("ml_runner", "inspect-artifact", "--artifact", path)
    assert (result.code, result.err) == (0, "")
    document = result.json
    assert document == runforge("inspect-artifact", path, "--json").json
    steps = [
        {"name": "scaler", "type": "StandardScaler", "module": "sklearn.preprocessing._data"},
        {"name": "clf", "type": "LogisticRegression", "module": "sklearn.linear_model._logistic"},
    ]
    for step in document["pipeline_steps"]:
        assert step.pop("hyperparameters")
    five = {name: document[name] for name in list(document)[:5]}
    assert five == {
        "schema_version": "0.2.2.2",
        "artifact_path": path,
        "pipeline_steps": steps,
        "has_preprocessing": True,
        "step_count": 2,
    }


@pytest.mark.parametrize("place", ["before the arrays", "after the arrays", "compressed", "alone"])
def test_a_hostile_model_ends_with_one_and_runs_nothing(
    place: str, process: Call, runforge: Call, filled: Path
) -> None:
    import joblib

    trace, path = filled / "executed", filled / "hostile.pkl"
    fitted: Any = joblib.load(models(filled)[0])
    if place == "before the arrays":
        fitted["scaler"].__dict__ = {"evil": Payload(trace), **fitted["scaler"].__dict__}
    elif place == "alone":
        fitted = Payload(trace)
    else:
        fitted.evil = Payload(trace)
    buffer = io.BytesIO()
    joblib.dump(fitted, buffer, compress=3 if place == "compressed" else 0)
    path.write_bytes(buffer.getvalue())
    for result in (
        runforge("inspect-artifact", str(path), "--json"),
        process("ml_runner", "inspect-artifact", "--artifact", str(path)),
        process("runforge_cli", "inspect-artifact", str(path), "--json"),
    ):
        assert result.code == 1
        validate(result.json, SCHEMA)
        assert not result.json["clean"]
        assert "content_sha256" not in result.json
        refused = [use for use in result.json["globals"] if not use["allowed"]]
        assert [(use["module"], use["name"]) for use in refused] == [("posix", "mkdir")]
    shown = runforge("inspect-artifact", str(path))
    assert shown.code == 1
    assert "GLOBAL_NOT_ALLOWED" in shown.out
    assert re.search(r"REFUSED +posix\.mkdir", shown.out)
    assert not trace.exists()
    # What was inspected would have run.
    joblib.load(path)
    assert trace.exists()


def test_what_is_no_model_is_reported_as_such(runforge: Call, filled: Path) -> None:
    Path("empty").touch()
    Path("list.pkl").write_bytes(pickle.dumps([1, 2]))
    assert runforge("inspect-artifact", "empty").code == 1
    assert runforge("inspect-artifact", "penguins.csv").code == 1
    harmless = runforge("inspect-artifact", "list.pkl")
    assert (harmless.code, harmless.err) == (0, "")
    assert "NOT_A_PIPELINE" in harmless.out


@pytest.mark.parametrize(
    ("reference", "exit_code", "error"),
    [
        ("absent.pkl", 3, "FILE_NOT_FOUND"),
        ("", 3, "FILE_NOT_FOUND"),
        ("x" * 5000, 3, "FILE_NOT_FOUND"),
        ("link.pkl", 2, "FILE_UNSAFE"),
        ("pipe", 2, "FILE_UNSAFE"),
        ("./folder", 3, "ARTIFACT_NOT_FOUND"),
        ("2026", 2, "RUN_AMBIGUOUS"),
    ],
)
def test_what_cannot_be_looked_into_is_an_error(
    reference: str, exit_code: int, error: str, runforge: Call, filled: Path
) -> None:
    Path("link.pkl").symlink_to(models(filled)[0])
    Path("folder").mkdir()
    os.mkfifo("pipe")
    result = runforge("inspect-artifact", reference, "--json")
    assert (result.code, result.json["error"]["code"]) == (exit_code, error)


def test_a_run_whose_model_is_gone_says_so(runforge: Call, filled: Path) -> None:
    models(filled)[1].unlink()
    result = runforge("inspect-artifact", "latest", "--json")
    assert (result.code, result.json["error"]["code"]) == (3, "ARTIFACT_NOT_FOUND")


def test_the_view_of_a_model_fits_a_terminal(
    runforge: Call, filled: Path, snapshot: SnapshotAssertion
) -> None:
    document = json.loads(VECTOR.read_bytes())
    lines = list(model_lines(document))
    assert "\n".join(lines) == snapshot
    for path in models(filled):
        output = runforge("inspect-artifact", str(path.relative_to(filled))).out
        assert max(len(line) for line in output.splitlines()) <= 80
        assert len(output.splitlines()) < 80


def test_the_view_of_a_hostile_model_is_safe_and_says_what_matters_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    evil = "a\x1b]0;owned\x07\n特徴" * 30
    document = json.loads(VECTOR.read_bytes())
    del document["content_sha256"], document["trees"], document["library_version"]
    document["artifact_path"] = evil
    document["compression"], document["clean"] = "zlib", False
    document["classes"] = document["feature_names"] = [evil] * 500
    document["pipeline_steps"] = [
        {"name": evil, "type": evil, "module": evil, "hyperparameters": {evil: [evil, None]}}
    ] * 30
    document["arrays"] = [{"path": evil, "dtype": evil, "shape": [2**50] * 8}] * 90
    document["array_count"] = 100
    document["globals"] += [
        {"module": evil, "name": evil, "allowed": False, "count": 1, "offset": 7}
    ] * 30
    document["findings"] = [
        {"code": "GLOBAL_NOT_ALLOWED", "severity": "error", "message": evil, "offset": 7}
    ] * 30
    lines = list(model_lines(document))
    assert not re.search(r"[\x00-\x1f\x7f]", "".join(lines))
    assert "… and 80 more arrays" in "\n".join(lines)
    assert "… and 12 more names" in "\n".join(lines)
    assert lines.index("Findings") < lines.index("Pipeline") < lines.index("Arrays (100)")
    assert max(width(line) for line in lines) <= 80
    assert len(lines) < 500


@pytest.mark.parametrize("entry_point", ["runforge_cli", "ml_runner"])
def test_inspecting_a_file_loads_none_of_the_libraries(entry_point: str, filled: Path) -> None:
    path = str(models(filled)[1])
    arguments = ["inspect-artifact", path, "--json"]
    if entry_point == "ml_runner":
        arguments = ["inspect-artifact", "--artifact", path]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", entry_point, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.split("\n")}
    assert {"runforge_engine", "json"} <= loaded
    heavy = {"numpy", "scipy", "sklearn", "joblib", "pandas", "pyarrow", "pickle", "_pickle"}
    late = {"msgspec", "jsonschema_rs", "cryptography", "filelock", "logging", "subprocess"}
    assert not (heavy | late) & loaded
