"""Forgetting real runs: what goes, what stays recorded, and what every command says then."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, TRAIN, Call
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.removals import read_removals
from runforge_contracts.validation import validate


@pytest.fixture
def signed(runforge: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Train three runs in a workspace, sign them, go there, and return their ids, oldest first."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(ROOT / "examples/penguins.csv", tmp_path / "penguins.csv")
    assert runforge("keygen", "--out", "key").code == 0
    for seed in range(3):
        assert runforge(*TRAIN, "--seed", str(seed), "--name", f"r{seed}", "--quiet").code == 0
        assert runforge("sign", "latest", "--key", "key").code == 0
    listed = json.loads((tmp_path / ".runforge/index.json").read_bytes())["runs"]
    return [entry["run_id"] for entry in listed]


def forget(runforge: Call, *arguments: str) -> dict[str, Any]:
    result = runforge("store", "forget", *arguments, "--because", "a test", "--yes", "--json")
    assert result.code == 0, result.out
    validate(result.json, "removal_report.v1")
    document: dict[str, Any] = result.json
    return document


def checks(runforge: Call) -> dict[str, dict[str, Any]]:
    result = runforge("verify", "--all", "--json", "--without-dataset", "--public-key", "key.pub")
    validate(result.json, "verification.v1")
    [store] = result.json["stores"]
    return {check["check"]: check for check in store["checks"]} | {
        "": {"verdict": result.json["verdict"], "findings": store["findings"]}
    }


def listed(runforge: Call, *options: str) -> list[str]:
    return [entry["run_id"] for entry in runforge("runs", "--json", *options).json["runs"]]


def test_a_forgotten_run_goes_and_what_was_known_of_it_stays(
    runforge: Call, signed: list[str], tmp_path: Path
) -> None:
    first, second, third = signed
    index = (tmp_path / ".runforge/index.json").read_bytes()
    report = forget(runforge, "name:r1")
    assert [(item["id"], item["outcome"]) for item in report["items"]] == [(second, "removed")]
    assert not (tmp_path / ".runforge/runs" / second).exists()
    assert (tmp_path / ".runforge/index.json").read_bytes() == index
    assert (tmp_path / ".runforge/signatures" / f"{second}.sig").exists()
    # Lists, and what finds runs.
    assert listed(runforge) == [third, first]
    assert listed(runforge, "--sort", "accuracy", "--where", "name=r1") == []
    assert listed(runforge, "--all") == [third, second, first]
    assert listed(runforge, "--status", "forgotten") == [second]
    assert runforge("predict", "name:r1", "penguins.csv").code == 3
    [compared] = runforge("index", "check", "--json").json["stores"]
    assert (compared["fits"], compared["forgotten"], compared["archived"]) == (True, [second], [])
    assert compared["counts"]["forgotten"] == 1
    assert re.search(rf"forgotten +1: {second}\n", runforge("index", "check").out)
    # Its id still shows what is recorded.
    shown = runforge("show", second)
    assert shown.code == 0
    assert "forgotten" in shown.out
    assert "a test" in shown.out
    document = runforge("show", second, "--json").json
    assert document["entry"]["name"] == "r1"
    assert len(document["removal"]["files"]) == 13
    refused = runforge("verify", second, "--json")
    assert refused.code == 3
    assert "was forgotten at" in refused.json["error"]["message"]
    # Traces by the model, and by a dataset, have it.
    model = document["entry"]["model_sha256"]
    by_model = runforge("trace", model, "--json").json
    validate(by_model, "trace.v1")
    [found_run] = by_model["runs"]
    assert (found_run["run_id"], found_run["removed"]) == (second, "forgotten")
    printed = runforge("trace", model).out
    assert re.search(r"status +succeeded, forgotten\n", printed)
    assert f"runforge show {second}" in printed
    assert "folder" not in printed
    traced = runforge("trace", "penguins.csv", "--json").json["runs"]
    assert {run["run_id"]: run.get("removed") for run in traced} == {
        **dict.fromkeys(signed),
        second: "forgotten",
    }
    assert f"{second}  forgotten" in runforge("trace", "penguins.csv").out
    # The store verifies and says so, the index and other checkers are content.
    found = checks(runforge)
    assert found[""]["verdict"] == "verified"
    assert found["removals"]["message"].startswith("1 run forgotten")
    assert "1 of removed runs" in found["signatures"]["message"]
    checked = runforge("index", "check", "--json")
    assert (checked.code, checked.json["stores"][0]["findings"]) == (0, [])
    assert runforge("index", "rebuild").code == 0
    assert (tmp_path / ".runforge/index.json").read_bytes() == index


def test_signatures_made_afterwards_cover_the_record(
    runforge: Call, signed: list[str], tmp_path: Path
) -> None:
    forget(runforge, signed[0])
    assert runforge(*TRAIN, "--seed", "9", "--quiet").code == 0
    assert runforge("sign", "latest", "--key", "key", "--json").json["removal_head"]["count"] == 1
    assert checks(runforge)[""]["verdict"] == "verified"
    record = tmp_path / ".runforge/removals.jsonl"
    whole = record.read_bytes()
    record.write_bytes(whole.replace(b"a test", b"a jest"))
    found = checks(runforge)
    assert found["removals"]["outcome"] == "failed"
    record.unlink()
    found = checks(runforge)
    assert "removal.append-only" in {item["rule"] for item in found[""]["findings"]}
    # The run is missing then, and no longer forgotten.
    assert "signature.run" in {item["rule"] for item in found[""]["findings"]}


def test_a_line_that_is_not_true_of_a_signed_run_is_found(
    runforge: Call, signed: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / ".runforge/runs" / signed[0]
    (folder / "artifacts/model.pkl").write_bytes(b"another")
    refused = runforge("store", "forget", signed[0], "--because", "x", "--yes", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (2, "USAGE_INVALID")
    assert "does not verify" in refused.json["error"]["message"]
    assert not (tmp_path / ".runforge/removals.jsonl").exists()
    forget(runforge, signed[0], "--force")
    [line] = read_removals(StoreLayout(tmp_path)).entries
    assert line["despite"] == ["unverified"]
    rules = {item["rule"] for item in checks(runforge)[""]["findings"]}
    assert rules == {"removal.entry", "removal.signature"}


def test_a_run_that_something_lives_on_is_refused_until_it_is_said(
    runforge: Call, signed: list[str], tmp_path: Path
) -> None:
    assert runforge("alias", "production", signed[1]).code == 0
    refused = runforge("store", "forget", *signed[:2], "--because", "x", "--yes", "--json")
    assert refused.code == 2
    assert "production" in refused.json["error"]["message"]
    assert sorted(path.name for path in (tmp_path / ".runforge/runs").iterdir()) == sorted(signed)
    dry = runforge("store", "forget", signed[1], "--because", "x", "--dry-run", "--json").json
    assert (dry["dry_run"], dry["items"][0]["objections"]) == (True, ["alias"])
    said = runforge("store", "forget", signed[1], "--because", "x", "--dry-run")
    assert "an alias points at it" in said.out
    assert "warning: This would be refused; `--force`" in said.err
    forget(runforge, signed[1], "--force")
    shown = runforge("show", "production")
    assert (shown.code, "despite" in shown.out) == (0, True)
    assert runforge("predict", "production", "penguins.csv").code == 3


def test_nothing_is_removed_without_a_yes(
    runforge: Call, signed: list[str], tmp_path: Path
) -> None:
    refused = runforge("store", "forget", signed[0], "--because", "x")
    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert len(listed(runforge)) == 3
    assert runforge("store", "forget", signed[0], "--yes").code == 2  # no reason
    assert not (tmp_path / ".runforge/removals.jsonl").exists()


def test_a_new_run_is_not_given_the_id_of_a_forgotten_one_and_latest_skips_it(
    runforge: Call, signed: list[str]
) -> None:
    forget(runforge, signed[2])
    assert runforge("show", "latest", "--json").json["run_id"] == signed[1]
    assert runforge("show", "best", "--json").json["run_id"] in signed[:2]
    again = runforge("store", "forget", signed[2], "--because", "x", "--yes")
    assert again.code == 3


def test_a_removal_that_was_not_finished_is_hidden_reported_and_tidied(
    runforge: Call, signed: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / ".runforge/runs" / signed[0]
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    forget(runforge, signed[0])
    shutil.copytree(copy, folder)
    left = tmp_path / ".runforge/.index.json.0123456789abcdef.tmp"
    left.write_bytes(b"{")
    mine = tmp_path / ".runforge/.notes.0123456789abcdef.tmp"
    mine.write_bytes(b"mine")
    assert listed(runforge) == [signed[2], signed[1]]
    assert runforge("show", "latest", "--json").json["run_id"] == signed[2]
    found = checks(runforge)
    assert found[""]["verdict"] == "verified"
    assert "1 folder" in found["removals"]["message"]
    shown = runforge("store", "tidy", "--dry-run", "--json").json
    assert {(item["what"], item["outcome"]) for item in shown["items"]} == {
        ("unfinished", "removed"),
        ("temporary", "removed"),
    }
    assert folder.exists()
    assert left.exists()
    assert runforge("store", "tidy", "--yes").code == 0
    assert not folder.exists()
    assert not left.exists()
    assert mine.exists()
    assert "nothing to tidy" in runforge("store", "tidy").out


def test_interrupted_runs_are_offered_to_tidy(
    runforge: Call, signed: list[str], tmp_path: Path
) -> None:
    whole = tmp_path / ".runforge/runs" / signed[0]
    broken = tmp_path / ".runforge/runs/20260101-000000-abc12345"
    broken.mkdir()
    for name in ("request.json", "logs/events.jsonl"):
        (broken / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(whole / name, broken / name)
    [item] = runforge("store", "tidy", "--dry-run", "--json").json["items"]
    assert (item["what"], item["id"]) == ("interrupted", broken.name)
    assert runforge("store", "tidy", "--yes", "--because", "power cut").code == 0
    assert not broken.exists()
    [line] = read_removals(StoreLayout(tmp_path)).entries
    assert (line["because"], "entry_sha256" in line) == ("power cut", False)
    assert listed(runforge, "--status", "forgotten") == [broken.name]
    assert checks(runforge)[""]["verdict"] == "verified"


def test_merging_takes_lines_along_and_brings_no_removed_run_back(
    runforge: Call, signed: list[str], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    clone = tmp_path_factory.mktemp("clone") / "w"
    shutil.copytree(tmp_path, clone)
    fresh = tmp_path_factory.mktemp("fresh")
    forget(runforge, signed[0])
    # One that has none of the runs gets the entries, the line and the signature.
    merged = runforge("store", "merge", str(tmp_path), "--workspace", str(fresh), "--json")
    assert merged.code == 0, merged.out
    outcomes = {(item["kind"], item["id"]): item["outcome"] for item in merged.json["items"]}
    assert outcomes["removal", signed[0]] == "added"
    assert outcomes["run", signed[1]] == "added"
    assert (fresh / ".runforge/signatures" / f"{signed[0]}.sig").exists()
    key = str(tmp_path / "key.pub")
    options = ("--public-key", key, "--without-dataset", "--json")
    verified = runforge("verify", "--all", "--workspace", str(fresh), *options)
    assert verified.json["stores"][0]["verdict"] == "verified", verified.out
    assert "1 run forgotten" in verified.out
    again = runforge("store", "merge", str(tmp_path), "--workspace", str(fresh), "--json").json
    assert again["outcome"] == "present"
    # One that has the run keeps it, and does not bring it back to where it was forgotten.
    kept = runforge("store", "merge", str(tmp_path), "--workspace", str(clone), "--json").json
    assert {
        (item["kind"], item["outcome"]) for item in kept["items"] if item["id"] == signed[0]
    } >= {("removal", "differs")}
    assert (clone / ".runforge/runs" / signed[0] / "result.json").exists()
    back = runforge("store", "merge", str(clone), "--json").json
    assert ("run", "removed") in {
        (item["kind"], item["outcome"]) for item in back["items"] if item["id"] == signed[0]
    }
    assert not (tmp_path / ".runforge/runs" / signed[0]).exists()
    assert checks(runforge)[""]["verdict"] == "verified"


def test_the_run_of_an_experiment_is_forgotten_as_well(
    runforge: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "docs/test-vectors/experiments/sound", tmp_path, dirs_exist_ok=True)
    ids = sorted(path.name for path in (tmp_path / "runs").iterdir() if path.name[:4] == "run-")
    shown = runforge("store", "forget", ids[0], "--because", "x", "--dry-run", "--json").json
    assert shown["items"][0]["what"] == "experiment"
    forget(runforge, ids[0], "--force")
    assert not (tmp_path / "runs" / ids[0]).exists()
    assert ids[0] not in runforge("runs").out
    everything = runforge("runs", "--all", "--json").json
    assert ids[0] in {entry["run_id"] for entry in everything["experiments"]}
    assert runforge("show", ids[0]).code == 0
    assert "1 run forgotten" in runforge("verify", "--all").out


def test_terminal_escapes_in_a_reason_are_not_printed(runforge: Call, signed: list[str]) -> None:
    result = runforge("store", "forget", signed[0], "--because", "a\x1b[31mb", "--yes")
    assert result.code == 0
    for command in (("show", signed[0]), ("verify", signed[0])):
        output = runforge(*command)
        assert "\x1b" not in output.out + output.err


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_record_that_is_a_link_is_not_followed(
    runforge: Call, signed: list[str], tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").write_bytes(b"")
    (tmp_path / ".runforge/removals.jsonl").symlink_to(tmp_path / "elsewhere")
    refused = runforge("store", "forget", signed[0], "--because", "x", "--yes", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (2, "FILE_UNSAFE")
    assert len(listed(runforge)) == 3


def test_a_bundle_brings_a_forgotten_run_back(
    runforge: Call, signed: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / ".runforge/runs" / signed[0]
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert runforge("bundle", signed[0], "-o", "kept.rfz").code == 0
    forget(runforge, signed[0])
    assert runforge("unbundle", "kept.rfz").code == 0
    assert before == {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert set(listed(runforge)) == set(signed)
    actions = [line["action"] for line in read_removals(StoreLayout(tmp_path)).entries]
    assert actions == ["forgotten", "restored"]
    assert checks(runforge)[""]["verdict"] == "verified"
    assert "nothing to tidy" in runforge("store", "tidy").out


def test_an_index_that_was_lost_is_no_contradiction_of_the_record(
    runforge: Call, signed: list[str], tmp_path: Path
) -> None:
    for path in (tmp_path / ".runforge/signatures").iterdir():
        path.unlink()
    forget(runforge, signed[0])
    (tmp_path / ".runforge/index.json").unlink()
    assert runforge("index", "rebuild").code == 0
    verified = runforge("verify", "--all", "--without-dataset", "--json").json
    assert verified["verdict"] == "verified"
    [check] = [item for item in verified["stores"][0]["checks"] if item["check"] == "removals"]
    assert "no longer has the entry of 1" in check["message"]
    assert runforge("runs", "--all").out.count("forgotten") == 1
