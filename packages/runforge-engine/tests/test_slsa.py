"""The statement of real runs, read with nothing of our own and judged by in-toto's own types."""

from __future__ import annotations

import copy
import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from real_data import FAMILIES, read
from runforge_contracts.errors import RunForgeError
from runforge_contracts.store.run import Run
from runforge_engine.pipeline.observer import Observer
from runforge_engine.provenance.slsa import build_statement, statement_of
from runforge_engine.runtime.cancellation import Cancellation


def digests(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the digests of all files of a folder, taken without any of our own code."""
    return {
        path.relative_to(folder).as_posix(): {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest()
        }
        for path in folder.rglob("*")
        if path.is_file()
    }


def statement(folder: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(statement_of(Run(folder), digests(folder)))
    return parsed


def definition(folder: Path) -> dict[str, Any]:
    built: dict[str, Any] = statement(folder)["predicate"]["buildDefinition"]
    return built


def dependencies(folder: Path) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in definition(folder)["resolvedDependencies"]}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_file_but_the_statement_and_the_manifest_is_a_subject(
    train: Any, family: str
) -> None:
    folder = train(model_family=family).run_dir
    made = read(folder, "provenance.intoto.json")
    assert made == statement(folder)
    files = digests(folder)
    subjects = {item["name"]: item["digest"] for item in made["subject"]}
    assert {name: {"sha256": digest["sha256"]} for name, digest in subjects.items()} == {
        name: digest
        for name, digest in files.items()
        if name not in ("provenance.intoto.json", "manifest.json")
    }
    assert list(subjects) == sorted(subjects)
    assert made["_type"] == "https://in-toto.io/Statement/v1"
    assert made["predicateType"] == "https://slsa.dev/provenance/v1"


def test_the_predicate_says_what_the_run_was_made_from(train: Any) -> None:
    outcome = train("penguins", profile="thorough", model_family="random_forest", seed=7)
    folder = outcome.run_dir
    run, result = read(folder, "run.json"), read(folder, "result.json")
    built = definition(folder)
    assert built["buildType"].startswith("https://runforge.dev/")
    assert built["externalParameters"] == read(folder, "request.json")
    internal = built["internalParameters"]
    assert internal["effective_config"] == result["effective_config"]
    assert internal["effective_config"]["seed"] == 7
    assert internal["profile"]["name"] == "thorough"
    assert internal["profile"]["expanded_parameters_hash"] == run["expanded_parameters_hash"]
    assert internal["environment"]["numerics"] == run["provenance"]["numerics"]
    made_from = dependencies(folder)
    table = (folder.parents[2] / "penguins.csv").read_bytes()
    assert made_from["dataset"] == {
        "name": "dataset",
        "uri": "file:penguins.csv",
        "digest": {"sha256": hashlib.sha256(table).hexdigest()},
    }
    packages = run["provenance"]["packages"]
    assert made_from["numpy"]["uri"] == f"pkg:pypi/numpy@{packages['numpy']}"
    assert set(made_from) == {"dataset", *packages}
    details = statement(folder)["predicate"]["runDetails"]
    assert details["builder"]["version"] == {"runforge-engine": packages["runforge-engine"]}
    assert details["metadata"] == {
        "invocationId": outcome.run_id,
        "startedOn": result["started_at"],
        "finishedOn": result["finished_at"],
    }
    assert {item["name"] for item in details["byproducts"]} == {
        "logs/train.log",
        "logs/events.jsonl",
    }


def test_the_commit_and_what_was_not_committed_are_dependencies(train: Any, tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
        done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "-q")
    (tmp_path / "notes.txt").write_text("first")
    git("add", "notes.txt")
    git("commit", "-q", "-m", "first")
    folder = train().run_dir
    recorded = read(folder, "run.json")["provenance"]["git"]
    assert recorded["dirty"] is True
    assert dependencies(folder)["workspace"] == {
        "name": "workspace",
        "digest": {"gitCommit": git("rev-parse", "HEAD")},
        "annotations": {"dirty": True, "diff_sha256": recorded["diff_sha256"]},
    }


def test_a_cancelled_run_has_a_statement_too(train: Any) -> None:
    cancellation = Cancellation()

    class Cancelling(Observer):
        def on_event(self, event: dict[str, Any]) -> None:
            if event["event"] == "dataset_loaded":
                cancellation.cancel("Enough.")

    outcome = train(cancellation=cancellation, observer=Cancelling())
    assert outcome.status == "cancelled"
    made_from = dependencies(outcome.run_dir)
    assert "sha256" in made_from["dataset"]["digest"]
    assert "numpy" in made_from
    names = {item["name"] for item in statement(outcome.run_dir)["subject"]}
    assert names == {
        *("request.json", "result.json", "diagnostics.json"),
        *("logs/train.log", "logs/events.jsonl"),
    }


def test_one_folder_gives_one_text_wherever_it_lies(train: Any, tmp_path: Path) -> None:
    folder = train().run_dir
    first = statement_of(Run(folder), digests(folder))
    moved = folder.rename(tmp_path / "elsewhere")
    turned = dict(reversed(digests(moved).items()))
    assert statement_of(Run(moved), turned) == first
    assert first.endswith(b"}\n")


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("data/größe 1%.csv", "file:data/gr%C3%B6%C3%9Fe%201%25.csv"),
        ("/data/a#b?.csv", "file:///data/a%23b%3F.csv"),
        ("C:/data/a.csv", "file:///C:/data/a.csv"),
        ("//server/share/a.csv", "file://server/share/a.csv"),
    ],
)
def test_a_dataset_has_a_uri_whatever_its_path(path: str, uri: str) -> None:
    made = build_statement(
        run_id="x", request={"dataset": {"path": path}}, run={}, result={}, files={}
    )
    found = made["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert found == [{"name": "dataset", "uri": uri}]


def test_a_version_with_a_local_part_is_a_valid_package_url() -> None:
    run = {"provenance": {"packages": {"Some_Package": "1.0+cpu"}}}
    made = build_statement(run_id="x", request={}, run=run, result={}, files={})
    found = made["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert found == [{"name": "Some_Package", "uri": "pkg:pypi/some-package@1.0%2Bcpu"}]


def test_building_changes_none_of_the_documents(train: Any) -> None:
    folder = train().run_dir
    documents = {name: read(folder, f"{name}.json") for name in ("request", "run", "result")}
    before = copy.deepcopy(documents)
    build_statement(run_id="x", files=digests(folder), **documents)
    assert documents == before


def test_a_document_that_cannot_be_read_is_an_error(train: Any) -> None:
    folder = train().run_dir
    (folder / "result.json").write_bytes(b"{")
    with pytest.raises(RunForgeError):
        statement_of(Run(folder), digests(folder))


@pytest.mark.needs(package="in_toto_attestation")
def test_the_types_of_in_toto_accept_it(train: Any) -> None:
    from google.protobuf import json_format
    from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
    from in_toto_attestation.v1.statement import Statement
    from in_toto_attestation.v1.statement_pb2 import Statement as Message

    made = statement(train().run_dir)
    message = json_format.ParseDict(made, Message())
    Statement.copy_from_pb(message).validate()
    predicate = json_format.ParseDict(made["predicate"], provenance_pb2.Provenance())
    assert predicate.run_details.metadata.started_on.seconds > 0
    assert json_format.MessageToDict(message)["predicate"] == made["predicate"]
