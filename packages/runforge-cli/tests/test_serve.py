"""Every method of ``runforge serve`` gives what the command prints with ``--json``."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from calls import Call
from runforge_cli._generated.methods import MESSAGES
from runforge_cli.serve.message_schemas import load_message_schema, message_validator
from serve_client import ServeClient, ServeError

COLUMNS = {"dataset": "penguins.csv", "label": "species", "exclude": ["island", "sex", "year"]}
#: Methods, parameters, and the command with the same answer.
SAME: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("show", {"run": "latest"}, ("show", "latest")),
    ("show", {}, ("show",)),
    ("metrics", {}, ("metrics",)),
    ("coefficients", {}, ("coefficients",)),
    ("interpretability", {}, ("interpretability",)),
    ("diagnostics", {}, ("diagnostics",)),
    ("trace", {"what": "penguins.csv"}, ("trace", "penguins.csv")),
    ("inspectArtifact", {"model": "latest"}, ("inspect-artifact", "latest")),
    ("inspect", COLUMNS, ("inspect", "penguins.csv", "--label", "species")),
    ("predict", {"model": "latest", "data": "penguins.csv"}, ("predict", "latest", "penguins.csv")),
    ("verify", {}, ("verify", "--all")),
    ("verify", {"runs": ["latest"], "dataset": False}, ("verify", "latest", "--without-dataset")),
]
#: Stands for the id of the run that the workspace had to begin with, a linear model.
OLDEST = "oldest"
EXCLUDED = ("--exclude", "island", "--exclude", "sex", "--exclude", "year")


@pytest.fixture(scope="module")
def place(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace that the tests of this module add runs to."""
    return Path(shutil.copytree(original, tmp_path_factory.mktemp("served"), dirs_exist_ok=True))


@pytest.fixture(scope="module")
def client(place: Path) -> Iterator[ServeClient]:
    """Return a client whose session has begun."""
    with ServeClient(place) as client:
        client.initialize(client={"name": "test", "version": "1.0"})
        yield client


@pytest.fixture
def here(runforge: Call, place: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return a function that calls the command in the workspace of the client."""
    monkeypatch.chdir(place)
    return runforge


@pytest.mark.parametrize(
    ("method", "params", "command"), SAME, ids=[" ".join(item[2]) for item in SAME]
)
def test_a_result_is_the_document_of_the_command(
    method: str,
    params: dict[str, Any],
    command: tuple[str, ...],
    client: ServeClient,
    here: Call,
) -> None:
    arguments = (*command, *(EXCLUDED if method == "inspect" else ()), "--json")
    assert client.call(method, params) == here(*arguments).json


def test_two_runs_are_compared_as_by_the_command(client: ServeClient, here: Call) -> None:
    ids = [entry["run_id"] for entry in here("runs", "--json").json["runs"]]
    assert client.call("diff", {"runs": ids[:2]}) == here("diff", *ids[:2], "--json").json


def test_the_list_has_pages_and_filters(client: ServeClient) -> None:
    whole = client.call("list")
    assert whole["total"] == len(whole["runs"]) >= 4
    second = client.call("list", {"limit": 1, "offset": 1})
    assert second["runs"] == whole["runs"][1:2]
    assert second["total"] == whole["total"]
    assert client.call("list", {"offset": 1000})["runs"] == []
    failed = client.call("list", {"status": "failed"})
    assert {run["status"] for run in failed["runs"]} == {"failed"}
    best = client.call("list", {"sort": "accuracy", "limit": 1, "status": "succeeded"})["runs"]
    assert best[0]["summary"]["final_metrics"]["accuracy"] == max(
        run["summary"]["final_metrics"]["accuracy"]
        for run in whole["runs"]
        if run["status"] == "succeeded"
    )
    assert client.call("list", {"dataset": "penguins.csv"})["total"] >= 2
    assert client.call("list", {"tag": "none"})["runs"] == []


def test_a_training_is_recorded_and_its_progress_is_reported(
    client: ServeClient, place: Path
) -> None:
    number = client.start("train", {**COLUMNS, "hyperparameters": {"C": 0.5}, "name": "served"})
    outcome = client.answer(number)
    assert outcome["status"] == "succeeded"
    folder = place / outcome["run_dir"]
    request = json.loads((folder / "request.json").read_text("utf-8"))
    assert request["created_by"] == "test@1.0"
    assert request["dataset"]["path"] == "penguins.csv"
    assert json.loads((folder / "result.json").read_text("utf-8")) == outcome["result"]
    stages = []
    while not client.notifications.empty():
        message = client.notifications.get()
        if message["method"] == "progress" and message["params"]["id"] == number:
            stages.append(message["params"]["stage"])
    assert stages[0] == "reading"
    assert list(dict.fromkeys(stages[1:])) == [
        *("preparing", "training", "evaluating", "writing", "finishing")
    ]
    assert client.call("list", {"limit": 1})["runs"][0]["run_id"] == outcome["run_id"]


def test_a_training_has_the_bytes_of_the_command(
    client: ServeClient, here: Call, place: Path
) -> None:
    printed = here(
        "train", "penguins.csv", "--label", "species", *EXCLUDED, "--seed", "3", "--json"
    ).json
    outcome = client.call("train", {**COLUMNS, "seed": 3})
    models = [
        (place / run["run_dir"] / "artifacts/model.pkl").read_bytes() for run in (printed, outcome)
    ]
    assert models[0] == models[1]


def test_a_run_is_repeated_with_changes(client: ServeClient, place: Path) -> None:
    first = client.call("train", {**COLUMNS, "tags": ["a"]})
    again = client.call("rerun", {"run": first["run_id"], "model": "random_forest", "seed": 1})
    request = json.loads((place / again["run_dir"] / "request.json").read_text("utf-8"))
    assert request["rerun_from"] == first["run_id"]
    assert request["model"]["family"] == "random_forest"
    assert "dataset_changed" not in again
    data = (place / "penguins.csv").read_bytes()
    (place / "other.csv").write_bytes(data.rpartition(b"\n")[0].rpartition(b"\n")[0] + b"\n")
    changed = client.call("rerun", {"run": first["run_id"], "dataset": "other.csv"})
    assert changed["dataset_changed"]["before"] != changed["dataset_changed"]["after"]


def test_a_request_document_is_executed(client: ServeClient, place: Path) -> None:
    first = client.call("train", COLUMNS)
    request = json.loads((place / first["run_dir"] / "request.json").read_text("utf-8"))
    given = client.call("run", {"request": request})
    (place / "asked.json").write_text(json.dumps(request), "utf-8")
    read = client.call("run", {"path": "asked.json"})
    assert given["status"] == read["status"] == "succeeded"
    for params in ({}, {"path": "asked.json", "request": request}):
        with pytest.raises(ServeError, match="Give either"):
            client.call("run", params)
    # Only on the bytes that were asked for; the next run is not concerned.
    digest = hashlib.sha256((place / request["dataset"]["path"]).read_bytes()).hexdigest()
    with pytest.raises(ServeError, match="other bytes than those that were checked"):
        client.call("run", {"request": request, "dataset_sha256": "0" * 64})
    for wanted in ({"dataset_sha256": digest}, {}):
        assert client.call("run", {"request": request, **wanted})["status"] == "succeeded"


def test_a_private_training_is_private(client: ServeClient, place: Path) -> None:
    outcome = client.call("train", {**COLUMNS, "private": True})
    provenance = json.loads((place / outcome["run_dir"] / "run.json").read_text("utf-8"))
    assert "hostname" not in json.dumps(provenance)
    again = client.call("rerun", {"run": outcome["run_id"], "dataset": "penguins.csv"})
    runs = (outcome["run_id"], again["run_id"])
    lists = [client.call("diagnostics", {"run": run})["diagnostics"] for run in runs]
    for found in lists:
        assert "LEFT_OUT_ON_REQUEST" in [item["code"] for item in found]


def test_a_training_that_fails_has_a_result(client: ServeClient) -> None:
    outcome = client.call("train", {"dataset": "penguins.csv", "label": "species"})
    assert outcome["status"] == "failed"
    assert outcome["result"]["error"]["code"] == "FEATURE_NOT_NUMERIC"


def test_a_recipe_is_proposed_once_and_read(client: ServeClient, place: Path) -> None:
    params = {"dataset": "penguins.csv", "label": "species", "output": "own.recipe.json"}
    proposed = client.call("recipe", params)
    assert json.loads((place / "own.recipe.json").read_bytes()) == proposed["recipe"]
    assert proposed["columns"][0] == "species"
    read = client.call("recipe", {"dataset": "penguins.csv", "recipe": "own.recipe.json"})
    assert read == proposed
    with pytest.raises(ServeError) as raised:
        client.call("recipe", params)
    assert raised.value.code == "USAGE_INVALID"
    (place / "own.recipe.json").unlink()


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("recipe", {"dataset": "penguins.csv"}, "USAGE_INVALID"),
        ("recipe", {"dataset": "penguins.csv", "label": "atoll"}, "LABEL_NOT_FOUND"),
        ("recipe", {"dataset": "penguins.csv", "recipe": "none.json"}, "FILE_NOT_FOUND"),
        ("recipe", {"dataset": "penguins.csv", "recipe": "x", "output": "y"}, "USAGE_INVALID"),
        (
            "recipe",
            {"dataset": "penguins.csv", "label": "species", "actions": {"sex": "drop"}},
            "USAGE_INVALID",
        ),
        (
            "recipe",
            {
                "dataset": "penguins.csv",
                "label": "species",
                "source": {"sheet": "a", "delimiter": ";"},
            },
            "DOCUMENT_INVALID",
        ),
        ("show", {"run": "20990101"}, "RUN_NOT_FOUND"),
        ("show", {"run": "2"}, "RUN_AMBIGUOUS"),
        ("importance", {"run": OLDEST}, "ARTIFACT_NOT_FOUND"),
        ("train", {**COLUMNS, "dataset": "none.csv"}, "DATASET_NOT_FOUND"),
        ("train", {**COLUMNS, "hyperparameters": {"c": 1}}, "HYPERPARAMETER_UNKNOWN"),
        ("train", {**COLUMNS, "profile": "slow"}, "PROFILE_UNKNOWN"),
        ("inspect", {"dataset": "none.csv"}, "DATASET_NOT_FOUND"),
        ("trace", {"what": "none"}, "FILE_NOT_FOUND"),
        ("diff", {"runs": ["latest", "latest"]}, "USAGE_INVALID"),
        ("cancel", {}, "RUN_NOT_RUNNING"),
        ("list", {"sort": "beauty"}, "USAGE_INVALID"),
        ("run", {"request": {"version": 1}}, "USAGE_INVALID"),
    ],
)
def test_an_error_has_the_document_of_the_command(
    method: str, params: dict[str, Any], code: str, client: ServeClient, place: Path
) -> None:
    if params.get("run") == OLDEST:
        params = {"run": min(path.name for path in place.glob(".runforge/runs/*"))}
    with pytest.raises(ServeError) as raised:
        client.call(method, params)
    assert raised.value.code == code
    assert raised.value.number == (-32602 if method == "run" else -32000)


@pytest.mark.parametrize(
    ("method", "params", "pointer"),
    [
        ("train", {"dataset": "penguins.csv"}, "/label"),
        ("train", {**COLUMNS, "seed": -1}, "/seed"),
        ("train", {**COLUMNS, "lable": "x"}, "/lable"),
        ("list", {"limit": 0}, "/limit"),
        ("list", {"status": "fine"}, "/status"),
        ("show", {"run": 5}, "/run"),
        ("diff", {"runs": ["latest"]}, "/runs"),
    ],
)
def test_parameters_are_checked_before_anything_is_done(
    method: str, params: dict[str, Any], pointer: str, client: ServeClient
) -> None:
    with pytest.raises(ServeError) as raised:
        client.call(method, params)
    assert raised.value.number == -32602
    assert raised.value.error["pointer"] == pointer


def test_a_report_is_a_page_without_references(client: ServeClient) -> None:
    found = client.call("report", {"runs": ["latest"], "model": False})
    assert found["html"].startswith("<!DOCTYPE html>")
    assert "<script" not in found["html"]
    assert len(found["runs"]) == 1


def test_a_report_is_markdown_where_that_is_asked_for(client: ServeClient, here: Call) -> None:
    params = {"runs": ["latest"], "model": False, "markdown": True}
    here("report", "latest", "--no-model", "--output", "latest.md")
    assert client.call("report", params)["markdown"] == Path("latest.md").read_text("utf-8")


def test_the_index_is_rebuilt_as_by_the_command(client: ServeClient, here: Call) -> None:
    rebuilt = client.call("rebuildIndex")
    assert rebuilt == here("index", "check", "--json").json


def test_every_hyperparameter_has_its_range(client: ServeClient, place: Path) -> None:
    with ServeClient(place) as other:
        ranges = other.initialize()["capabilities"]["hyperparameters"]
    by_name = {(one["family"], one["name"]): one for one in ranges}
    assert by_name["random_forest", "max_depth"]["kind"] == "int_or_none"
    smallest = by_name["logistic_regression", "C"]["minimum"]
    params = {**COLUMNS, "hyperparameters": {"C": smallest / 10}}
    with pytest.raises(ServeError, match="expected a number from"):
        client.call("train", params)


@pytest.mark.slow
def test_a_run_is_reproduced(client: ServeClient) -> None:
    run = client.call("train", COLUMNS)["run_id"]
    number = client.start("reproduce", {"run": run})
    assert client.answer(number)["verdict"] == "identical bytes"
    assert client.next_notification("progress")["stage"]


def test_a_session_names_its_versions_and_methods(client: ServeClient, place: Path) -> None:
    with ServeClient(place.parent) as other:
        begun = other.initialize(workspace=str(place), store=".runforge")
    assert begun["workspace"] == str(place)
    assert begun["protocol_version"] == 1
    requests = {name for name, message in MESSAGES.items() if message.request}
    assert set(begun["capabilities"]["methods"]) == requests


def test_every_example_of_a_schema_is_valid() -> None:
    for name, message in MESSAGES.items():
        examples = load_message_schema(message.schema)["examples"]
        assert examples, name
        for example in examples:
            assert example["method"] == name
            message_validator(message.schema).validate(example)


def test_the_methods_of_the_server_are_those_of_the_schemas() -> None:
    from runforge_cli.serve.server import METHODS

    assert {name for name, message in MESSAGES.items() if message.request} == METHODS
