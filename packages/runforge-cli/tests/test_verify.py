"""``runforge verify``: what stands on the terminal, what is in the document, and how it exits."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, TRAIN, Call
from runforge_contracts.invariants.store_invariants import check_store
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.validation import validate
from runforge_engine.pipeline.execute import execute
from runforge_engine.pipeline.request import new_request
from syrupy.assertion import SnapshotAssertion

VECTORS = ROOT / "docs/test-vectors/runs"


def ids(workspace: Path) -> list[str]:
    entries = json.loads((workspace / ".runforge/index.json").read_bytes())["runs"]
    return [entry["run_id"] for entry in entries]


def folder_of(workspace: Path, number: int) -> Path:
    return workspace / ".runforge/runs" / ids(workspace)[number]


def document(runforge: Call, *arguments: str) -> tuple[int, Any]:
    result = runforge("verify", *arguments, "--json")
    validate(result.json, "verification.v1")
    return result.code, result.json


def verdicts(run: dict[str, Any]) -> dict[str, str]:
    return {check["check"]: check["verdict"] for check in run["checks"]}


def stable(text: str) -> str:
    """Return output without ids, digests and counts that depend on time."""
    text = re.sub(r"\d{8}-\d{6}-[0-9a-f]{8}", "20260201-120000-abc12345", text)
    return re.sub(r"[0-9a-f]{64}", "0" * 64, text)


def test_runs_of_every_end_verify(runforge: Call, filled: Path) -> None:
    code, found = document(runforge, *ids(filled))
    assert (code, found["verdict"], len(found["runs"])) == (0, "verified", 4)
    assert [run["verdict"] for run in found["runs"]] == ["verified"] * 4
    assert "stores" not in found
    code, found = document(runforge, "--all")
    assert (code, found["verdict"], len(found["runs"])) == (0, "verified", 4)
    [store] = found["stores"]
    assert (store["verdict"], store["findings"], store["interrupted"]) == ("verified", [], [])


def test_a_run_is_named_in_any_way_and_verified_once(runforge: Call, filled: Path) -> None:
    newest = ids(filled)[-1]
    code, found = document(runforge, "latest", newest, str(folder_of(filled, -1)))
    assert (code, [run["run_id"] for run in found["runs"]]) == (0, [newest])


def test_runs_of_the_same_second_are_in_the_order_of_the_index(
    runforge: Call, workspace: Path
) -> None:
    for seed in range(4):
        assert runforge(*TRAIN, "--preset", "fast", "--seed", str(seed)).code == 0
    assert ids(workspace) != sorted(ids(workspace))
    _, found = document(runforge, "--all")
    assert [run["run_id"] for run in found["runs"]] == ids(workspace)


def test_what_verifies_reads_well(
    runforge: Call, filled: Path, snapshot: SnapshotAssertion
) -> None:
    for arguments in ((ids(filled)[0],), ("--all",), ("--all", "--verbose")):
        result = runforge("verify", *arguments)
        assert (result.code, result.err) == (0, "")
        assert max(len(line) for line in result.out.splitlines()) <= 80
        assert stable(result.out) == snapshot


def test_what_does_not_verify_reads_well(
    runforge: Call, filled: Path, snapshot: SnapshotAssertion
) -> None:
    folder = folder_of(filled, 0)
    (folder / "metrics.json").write_text('{"accuracy": 1.0}\n')
    (folder / "logs/extra\n\x1b[2J").touch()
    (filled / "penguins.csv").rename(filled / "birds.csv")
    for arguments in ((folder.name,), ("--all",)):
        result = runforge("verify", *arguments)
        assert (result.code, "\x1b" in result.out) == (1, False)
        assert max(len(line) for line in result.out.splitlines()) <= 80
        assert stable(result.out) == snapshot


def test_every_change_exits_with_1_and_is_named(runforge: Call, filled: Path) -> None:
    folder = folder_of(filled, 0)
    for name in ("metrics.json", "artifacts/model.pkl", "logs/train.log", "manifest.json"):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])
        for arguments in ((folder.name,), ("--all",)):
            code, found = document(runforge, *arguments)
            assert (code, found["verdict"]) == (1, "not verified")
            named = {item.get("file") for run in found["runs"] for item in run["findings"]}
            assert name in named
        (folder / name).write_bytes(data)


def test_the_dataset_can_be_passed_over(runforge: Call, filled: Path) -> None:
    run = ids(filled)[0]
    table = filled / "penguins.csv"
    data = table.read_bytes()
    for verdict, change in (
        ("changed", lambda: table.write_bytes(data + b"\n")),
        ("gone", table.unlink),
        ("moved", lambda: (filled / "moved.csv").write_bytes(data)),
    ):
        change()
        code, found = document(runforge, run)
        assert (code, verdicts(found["runs"][0])["dataset"]) == (1, verdict)
        code, found = document(runforge, run, "--without-dataset")
        assert (code, "dataset" in verdicts(found["runs"][0])) == (0, False)


def test_a_quick_verification_says_what_it_did_not_read(
    runforge: Call, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    code, found = document(runforge, "--all", "--quick")
    assert (code, [run for run in found["runs"] if "trusted_since" in run]) == (0, [])
    # Runs are noted once their files are some seconds old.
    while not all("trusted_since" in run for run in found["runs"]):
        code, found = document(runforge, "--all", "--quick")
    assert (code, found["verdict"]) == (0, "verified")
    for run in found["runs"]:
        assert run["verdict"] == "verified"
        assert verdicts(run)["files"] == "not checked"
    text = " ".join(runforge("verify", "--all", "--quick").out.split())
    number = len(found["runs"])
    assert f"{number} of {number} runs verified; {number} not read, unchanged since 20" in text
    code, found = document(runforge, "--all")
    assert not any("trusted_since" in run for run in found["runs"])
    damaged = folder_of(filled, 0) / "metrics.json"
    damaged.write_bytes(damaged.read_bytes() + b" ")
    code, found = document(runforge, "--all", "--quick")
    assert code == 1
    assert [run["run_dir"] for run in found["runs"] if "trusted_since" not in run] == [
        damaged.parent.relative_to(filled).as_posix()
    ]


@pytest.mark.parametrize("version", ["v0.2.2.1", "v0.3.3", "v0.3.6", "legacy-root"])
def test_older_runs_say_what_could_not_be_checked(
    version: str, runforge: Call, workspace: Path
) -> None:
    shutil.copytree(VECTORS / version, workspace, dirs_exist_ok=True)
    code, found = document(runforge, "--all", "--without-dataset")
    assert (code, found["verdict"]) == (7, "unverifiable")
    for run in found["runs"]:
        assert run["verdict"] == "unverifiable"
        outcomes = {check["check"]: check["outcome"] for check in run["checks"]}
        assert outcomes["files"] == outcomes["statement"] == "not checked"
    text = runforge("verify", found["runs"][0]["run_id"], "--without-dataset").out
    assert text.splitlines()[0].endswith(": CANNOT BE VERIFIED, though nothing contradicts it")
    assert "not checked: an older client wrote the run, which has no manifest" in text


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        ((), 2, "USAGE_INVALID"),
        (("latest", "--all"), 2, "USAGE_INVALID"),
        (("latest", "--quick"), 2, "USAGE_INVALID"),
        (("20250101",), 3, "RUN_NOT_FOUND"),
        (("latest", "20250101"), 3, "RUN_NOT_FOUND"),
        (("latest", "--public-key", "no.pub"), 3, "FILE_NOT_FOUND"),
        (("latest", "--public-key", "penguins.csv"), 2, "KEY_INVALID"),
        (("--all", "--public-key", "penguins.csv"), 2, "KEY_INVALID"),
        (("--all", "--store", "other"), 3, "STORE_NOT_FOUND"),
    ],
)
def test_wrong_calls_are_refused(
    arguments: tuple[str, ...], code: int, named: str, runforge: Call, filled: Path
) -> None:
    result = runforge("verify", *arguments, "--json")
    assert (result.code, result.json["error"]["code"]) == (code, named)


def test_a_folder_that_went_missing_is_not_found(runforge: Call, filled: Path) -> None:
    folder = folder_of(filled, 0)
    shutil.rmtree(folder)
    assert runforge("verify", folder.name).code == 3
    code, found = document(runforge, "--all")
    assert (code, verdicts(found["stores"][0])["runs"]) == (1, "incomplete")


def test_hostile_folders_are_reported_and_nothing_else(runforge: Call, filled: Path) -> None:
    folder = folder_of(filled, 0)
    (folder / "run.json").write_bytes(b"[" * 1_000_000)
    (folder / "request.json").unlink()
    (folder / "request.json").symlink_to("/dev/zero")
    Path(os.fsdecode(bytes(folder) + b"/\xff\n\x1b]0;owned\x07")).touch()
    result = runforge("verify", folder.name)
    assert (result.code, result.err, "\x1b" in result.out) == (1, "", False)
    code, found = document(runforge, "--all")
    files = {item.get("file") for run in found["runs"] for item in run["findings"]}
    assert (code, {"run.json", "request.json", "\\xff\n\x1b]0;owned\x07"} <= files) == (1, True)


def test_training_into_a_folder_of_ones_own_verifies(runforge: Call, workspace: Path) -> None:
    request = new_request(
        dataset=str(labelled(workspace)),
        label_column="label",
        store=StoreLayout(workspace),
        created_by="tests@1",
    )
    assert execute(request, StoreLayout(workspace), folder=workspace / "mine").error is None
    assert runforge("verify", "./mine").code == 0
    assert runforge("verify", "--all").code == 0
    (workspace / "mine/metrics.json").write_text("{}")
    code, found = document(runforge, "--all")
    assert (code, found["runs"][0]["run_dir"]) == (1, "mine")


@pytest.mark.parametrize("name", ["20260201-130000-0000abcd", "first", "2026.1"])
def test_a_folder_among_the_runs_may_be_asked_for(
    name: str, process: Call, runforge: Call, workspace: Path
) -> None:
    done = process(
        "ml_runner",
        *("train", "--preset", "std-train", "--out", f".runforge/runs/{name}", "--json"),
        environment={"RUNFORGE_DATASET": str(labelled(workspace))},
    )
    assert done.code == 0, done.err
    run_id = done.json["run_id"]
    assert (run_id == name) == (name != "first" and "." not in name)
    assert [run["run_id"] for run in runforge("runs", "--json").json["runs"]] == [run_id]
    for reference in ("latest", run_id, name, f".runforge/runs/{name}"):
        assert runforge("verify", reference).code == 0, reference
    assert runforge("keygen").code == 0
    assert runforge("sign", "latest", "--key", "runforge.key").code == 0
    assert runforge("verify", "--all", "--public-key", "runforge.key.pub").code == 0
    assert runforge("index", "check").code == 0
    assert check_store(StoreLayout(workspace)) == []


def labelled(workspace: Path) -> Path:
    path = workspace / "labelled.csv"
    path.write_text("a,label\n" + "".join(f"{row % 7},{row % 2}\n" for row in range(40)))
    return path


def test_a_relative_store_of_another_name_verifies(runforge: Call) -> None:
    assert runforge(*TRAIN, "--store", ".ml").code == 0
    assert runforge("verify", "latest").code == 0
    assert runforge("verify", "--all", "--store", ".ml").code == 0
