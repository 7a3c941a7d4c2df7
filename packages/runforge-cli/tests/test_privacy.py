"""What a run records about the user and the machine, and how to omit it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from calls import TRAIN, Call
from runforge_contracts.errors import RunForgeError
from runforge_contracts.invariants.run_invariants import check_run
from runforge_engine import train
from runforge_engine.modeling import evaluation
from runforge_engine.provenance import privacy
from runforge_engine.runtime.numeric_environment import pin_environment

ALL = ["dataset.path", "python.executable", "paths"]


@pytest.fixture
def person(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home folder with the penguins; the current folder is a workspace in it."""
    home = tmp_path_factory.mktemp("alice-of-wonderland")
    shutil.move(workspace / "penguins.csv", home / "penguins.csv")
    return home


def options(home: Path, *more: str) -> list[str]:
    where = str(home / "penguins.csv")
    return [where if word == "penguins.csv" else word for word in TRAIN] + [*more]


def folders(workspace: Path) -> list[Path]:
    return sorted((workspace / ".runforge/runs").iterdir())


def document(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_bytes())


def telling(workspace: Path, *words: str) -> list[str]:
    """Return the files of the store that hold one of ``words``, or a path of this machine."""
    secrets = [*words, str(workspace), sys.prefix, sys.base_prefix, f"{Path.home()}{os.sep}"]
    return [
        f"{path.relative_to(workspace)}: {secret}"
        for path in (workspace / ".runforge").rglob("*")
        if path.is_file()
        for secret in secrets
        if secret.encode() in path.read_bytes()
    ]


def test_an_ordinary_run_names_the_dataset_and_the_interpreter(
    runforge: Call, workspace: Path, person: Path
) -> None:
    assert runforge(*options(person)).code == 0
    [folder] = folders(workspace)
    provenance = document(folder, "run.json")["provenance"]
    assert provenance["python"]["executable"] == sys.executable
    assert "left_out" not in provenance
    assert document(folder, "request.json")["dataset"]["path"] == str(person / "penguins.csv")


def test_a_private_run_names_neither_and_says_so(
    runforge: Call, workspace: Path, person: Path
) -> None:
    assert runforge(*options(person)).code == 0
    [ordinary] = folders(workspace)
    model = (ordinary / "artifacts/model.pkl").read_bytes()
    shutil.rmtree(workspace / ".runforge")
    assert runforge(*options(person, "--private")).code == 0
    [folder] = folders(workspace)
    assert telling(workspace, "alice") == []
    assert check_run(folder) == []
    run = document(folder, "run.json")
    assert run["provenance"]["left_out"] == ALL
    assert "executable" not in run["provenance"]["python"]
    assert run["dataset"]["path"] == "(left out)/penguins.csv"
    (notice,) = (
        item
        for item in document(folder, "diagnostics.json")["diagnostics"]
        if item["code"] == "LEFT_OUT_ON_REQUEST"
    )
    assert notice["details"] == {"left_out": ALL}
    assert (folder / "artifacts/model.pkl").read_bytes() == model
    reported = " ".join(runforge("diagnostics").out.split())
    assert "Left out of the record on request: the dataset's folder, the interpreter's" in reported


def test_a_private_run_is_verified_and_reproduced_as_far_as_it_can_be(
    runforge: Call, workspace: Path, person: Path
) -> None:
    assert runforge(*options(person, "--private")).code == 0
    verified = runforge("verify", "latest")
    assert verified.code == 0
    assert "the folder of its path was left out of the record on request" in " ".join(
        verified.out.split()
    )
    lacking = runforge("reproduce", "latest")
    assert lacking.code == 3
    assert "left out of the record on request. If you have it, name it with --dataset." in " ".join(
        lacking.out.split()
    )
    found = str(person / "penguins.csv")
    assert "identical bytes" in runforge("reproduce", "latest", "--dataset", found).out
    # A copy in the workspace is found by its bytes.
    shutil.copyfile(found, workspace / "copy.csv")
    assert "`copy.csv` has the bytes" in " ".join(runforge("verify", "latest").out.split())


def test_a_repetition_of_a_private_run_is_private(
    runforge: Call, workspace: Path, person: Path
) -> None:
    assert runforge(*options(person, "--private")).code == 0
    refused = runforge("rerun", "latest")
    assert (refused.code, "--dataset" in refused.err) == (3, True)
    again = runforge("rerun", "latest", "--dataset", str(person / "penguins.csv"))
    assert again.code == 0, again.err
    assert len(folders(workspace)) == 2
    assert telling(workspace, "alice") == []


def test_a_failed_private_run_names_no_folder(
    runforge: Call, workspace: Path, person: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The columns with text in them are not left out.
    failed = runforge("train", str(person / "penguins.csv"), "--label", "species", "--private")
    assert failed.code == 1
    assert str(person) in failed.err

    def broken(*arguments: object) -> None:
        raise OSError(f"{person}/penguins.csv and {workspace}/.runforge, {sys.prefix}/lib/x.py")

    monkeypatch.setattr(evaluation, "evaluate", broken)
    monkeypatch.setattr("runforge_engine.pipeline.training.evaluate", broken)
    assert runforge(*options(person, "--private")).code == 4
    assert telling(workspace, "alice") == []
    first, second = (document(folder, "result.json")["error"] for folder in folders(workspace))
    by_code = {error["code"]: error for error in (first, second)}
    assert by_code.keys() == {"FEATURE_NOT_NUMERIC", "INTERNAL"}
    reported = by_code["INTERNAL"]
    shortened = "(left out)/penguins.csv and ./.runforge, (python)/lib/x.py"
    assert shortened in reported["message"]
    assert 'File "(runforge)/runforge_engine/' in reported["traceback"]
    assert 'File "/' not in reported["traceback"]


@pytest.mark.parametrize(("value", "private"), [("1", True), ("yes", True), ("0", False)])
def test_the_environment_asks_for_it_everywhere(
    value: str,
    private: bool,
    runforge: Call,
    workspace: Path,
    person: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUNFORGE_PRIVATE", value)
    pin_environment()
    data = person / "penguins.csv"
    train(data, label="species", exclude=["island", "sex", "year"])
    assert runforge(*options(person)).code == 0
    request = workspace / "request.json"
    request.write_bytes((folders(workspace)[0] / "request.json").read_bytes())
    edited = document(workspace, "request.json")
    edited["dataset"]["path"] = str(data)
    request.write_text(json.dumps(edited), "utf-8")
    assert runforge("run", "request.json").code == 0
    request.unlink()
    found = ["left_out" in document(f, "run.json")["provenance"] for f in folders(workspace)]
    assert found == [private] * 3
    assert (telling(workspace, "alice") == []) is private


def test_a_request_that_its_client_wrote_stays_as_it_is(
    runforge: Call, workspace: Path, person: Path
) -> None:
    assert runforge(*options(person)).code == 0
    [first] = folders(workspace)
    prepared = workspace / ".runforge/runs/20270101-000000-0000000a"
    prepared.mkdir()
    text = (first / "request.json").read_bytes()
    (prepared / "request.json").write_bytes(text)
    assert runforge("run", "--run-dir", str(prepared), "--private").code == 0
    assert (prepared / "request.json").read_bytes() == text
    run = document(prepared, "run.json")
    assert run["provenance"]["left_out"] == ["python.executable", "paths"]
    assert check_run(prepared) == []
    assert runforge("verify", prepared.name).code == 0


def test_a_failure_is_reported_in_full_to_callers_of_the_library(
    workspace: Path, person: Path
) -> None:
    with pytest.raises(RunForgeError, match="not numeric"):
        train(person / "penguins.csv", label="species", private=True)
    assert telling(workspace, "alice") == []


@pytest.mark.parametrize(
    ("text", "shortened"),
    [
        ("{workspace}/a/b.csv", "./a/b.csv"),
        ("`{workspace}`: gone", "`.`: gone"),
        ("{workspace}-other/a", "{workspace}-other/a"),
        ('  File "/opt/alice/tool.py", line 3', '  File "tool.py", line 3'),
        ('  File "C:\\Users\\alice\\tool.py", line 3', '  File "tool.py", line 3'),
        ("no path: and/or, 1/2, http://x.org/a", "no path: and/or, 1/2, http://x.org/a"),
    ],
)
def test_folders_in_messages_are_shortened_at_their_ends(
    text: str, shortened: str, runforge: Call, workspace: Path, person: Path
) -> None:
    from runforge_contracts.store.layout import StoreLayout
    from runforge_engine.pipeline.request import new_request

    store = StoreLayout(workspace)
    request = new_request(
        dataset=person / "penguins.csv",
        label_column="species",
        store=store,
        created_by="tests@1",
        model_family="linear_svc",
    )
    shortening = privacy.Shortening(request.document, store)
    assert shortening.text(text.format(workspace=workspace)) == shortened.format(
        workspace=workspace
    )


def test_an_experiment_names_no_repository(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "labelled.csv").write_text("x,label\n" + "1,a\n2,b\n" * 20, "utf-8")
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for arguments in (
        ("init", "-q"),
        ("remote", "add", "origin", "https://example.org/alice/x.git"),
        ("add", "-A"),
        (*who, "commit", "-qm", "one"),
    ):
        subprocess.run(["git", *arguments], cwd=workspace, check=True)
    experiment = {
        "experiment": "own",
        "model": "runforge/logistic_regression",
        "dataset": "labelled.csv",
        "training": {"label": "label"},
    }
    (workspace / "own.yaml").write_text(json.dumps(experiment), "utf-8")
    monkeypatch.setenv("RUNFORGE_PRIVATE", "0")  # It is set by the option; this puts it back.
    run = ("experiment", "run", "--experiment", "own.yaml", "--private", "--json")
    assert runforge(*run).code == 0
    [folder] = (workspace / "runs").glob("*/config.yaml")
    assert "repo: (left out)" in folder.read_text("utf-8").replace('"', "")
    [trained] = folders(workspace)
    assert document(trained, "run.json")["provenance"]["left_out"] == ALL[1:]
    assert telling(workspace, "alice") == []
