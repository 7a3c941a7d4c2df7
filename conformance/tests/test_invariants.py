"""`check-run` and `check-store` find every fault, name its requirement, and write nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from clients import suite
from runforge_conformance.answer_comparison import snapshot
from runforge_conformance.vectors import requirements, vectors_folder

RUNS = vectors_folder() / "runs"
FAULTS = json.loads((RUNS / "faulty/faults.json").read_bytes())
SOUND = sorted(path.name for path in RUNS.iterdir() if path.name != "faulty")
#: A number, a quoted value, a pointer, a file or a code: what a message says of a violation.
DETAIL = re.compile(r"\d|`|\"|/\w|\w\.(json|yaml)|[A-Z]_[A-Z]")
IN_THE_INDEX = ("index.",)
EXPERIMENTS = vectors_folder() / "experiments"
EXPERIMENT_FAULTS = json.loads((EXPERIMENTS / "faulty/faults.json").read_bytes())
EXPERIMENT_RUNS = sorted((EXPERIMENTS / "sound/runs").iterdir())


def only_run(workspace: Path) -> Path:
    return next((workspace / ".runforge/runs").iterdir())


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_workspace_is_conformant(name: str) -> None:
    done = suite("check-store", RUNS / name)
    assert done.returncode == 0, done.stdout
    assert "conformant" in done.stdout


@pytest.mark.parametrize("run", EXPERIMENT_RUNS, ids=lambda run: str(run.name))
def test_a_sound_run_of_an_experiment_is_conformant(run: Path, tmp_path: Path) -> None:
    assert rules(run) == set()
    # A copy that lies elsewhere needs no name of its own.
    shutil.copytree(run, tmp_path / "anything")
    assert rules(tmp_path / "anything") == set()


def test_the_runs_of_experiments_are_checked_with_the_store(tmp_path: Path) -> None:
    done = suite("check-store", EXPERIMENTS / "sound")
    assert done.returncode == 0, done.stdout
    assert "conformant" in done.stdout
    done = suite("check-store", EXPERIMENTS / "faulty/artifact-added", "--json")
    assert done.returncode == 1
    shutil.copytree(RUNS / "v0.4.0", tmp_path / "both")
    shutil.copytree(EXPERIMENTS / "sound", tmp_path / "both", dirs_exist_ok=True)
    (tmp_path / "both/runs/link").symlink_to(EXPERIMENT_RUNS[0])
    store, experiments = json.loads(
        suite("check-store", tmp_path / "both", "--json").stdout
    ).values()
    assert store == []
    assert [item["requirement"] for item in experiments] == ["run.no-links"]


def test_every_requirement_of_experiments_has_a_fault() -> None:
    areas = ("experiment.", "tfc-")
    wanted = {name for name in requirements() if name.startswith(areas)}
    wanted -= {"tfc-experiment.schema"}  # of the file that a run is started from
    assert wanted <= {fault["requirement"] for fault in EXPERIMENT_FAULTS}


@pytest.mark.parametrize("fault", EXPERIMENT_FAULTS, ids=lambda fault: str(fault["folder"]))
def test_a_fault_of_an_experiment_is_found_and_named(fault: dict[str, str]) -> None:
    workspace = EXPERIMENTS / "faulty" / fault["folder"]
    before = snapshot(workspace)
    done = suite("check-run", *(workspace / "runs").iterdir(), "--json")
    assert_found(fault, done)
    assert snapshot(workspace) == before


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault["folder"]))
def test_a_fault_is_found_and_named(fault: dict[str, str]) -> None:
    workspace = RUNS / "faulty" / fault["folder"]
    before = snapshot(workspace)
    if fault["requirement"].startswith(IN_THE_INDEX):
        done = suite("check-store", workspace, "--json")
    else:
        done = suite("check-run", only_run(workspace), "--json")
    assert_found(fault, done)
    assert snapshot(workspace) == before


def assert_found(fault: dict[str, str], done: subprocess.CompletedProcess[str]) -> None:
    """Hold what was printed to the fault that is there."""
    (findings,) = json.loads(done.stdout).values()
    assert fault["requirement"] in {item["requirement"] for item in findings}
    for item in findings:
        assert item["message"].endswith(".")
        assert DETAIL.search(item["message"]), item["message"]
        assert item["file"]
        assert item["level"] == requirements()[item["requirement"]].level
    assert done.returncode == (1 if any(item["level"] == "core" for item in findings) else 0)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    shutil.copytree(RUNS / "v0.4.0", tmp_path / "workspace")
    return sorted((tmp_path / "workspace/.runforge/runs").iterdir())[0]


def rules(run: Path) -> set[str]:
    done = suite("check-run", run, "--json")
    assert done.stderr == ""
    (findings,) = json.loads(done.stdout).values()
    return {item["requirement"] for item in findings}


def test_links_are_found_and_not_followed(run: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text('{"accuracy": 1}')
    (run / "metrics.json").unlink()
    (run / "metrics.json").symlink_to(secret)
    (run / "more").symlink_to("/etc")
    (run / "loop").symlink_to(".")
    assert {"run.no-links", "run.files"} <= rules(run)


def test_pipes_are_found_and_not_read(run: Path) -> None:
    os.mkfifo(run / "artifacts/pipe")
    assert "run.no-links" in rules(run)


#: The superuser may read everything, so the command runs as another user then. What it imports may
#: lie where that one may not read: so all of it is imported before, by the same call.
AS_SOMEBODY = """
import contextlib, io, os, sys
from runforge_conformance.__main__ import main
if os.geteuid() == 0:
    with contextlib.redirect_stdout(io.StringIO()):
        main(sys.argv[1:])
    os.setgid(65534)
    os.setuid(65534)
sys.exit(main(sys.argv[1:]))
"""


def test_files_that_cannot_be_read_are_found(run: Path) -> None:
    with tempfile.TemporaryDirectory() as open_to_all:
        Path(open_to_all).chmod(0o755)
        copy = Path(open_to_all) / run.name
        shutil.copytree(run, copy)
        (copy / "result.json").chmod(0)
        done = subprocess.run(
            [sys.executable, "-c", AS_SOMEBODY, "check-run", str(copy)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "")
    assert "run.readable" in done.stdout


def test_names_cannot_act_on_the_terminal(run: Path) -> None:
    (run / "a\nb\u001b[31m").write_text("x")
    done = suite("check-run", run)
    assert done.returncode == 1
    assert "\u001b" not in done.stdout
    assert "manifest.complete" in done.stdout


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b"[" * 100_000, "json.too-deep"),
        (b"", "json.invalid"),
        (b"\xff\xfe", "json.encoding-invalid"),
        (b"[]", "result.schema"),
        (b"7", "result.schema"),
        (b'{"version": 1, "version": 1}', "json.duplicate-key"),
        (b'{"version": 1, "status": "failed", "duration_ms": 1e999}', "json.number-invalid"),
        (b'{"version": 99}', "result.schema"),
    ],
)
def test_a_hostile_document_is_a_finding(text: bytes, rule: str, run: Path) -> None:
    (run / "result.json").write_bytes(text)
    assert rule in rules(run)


def test_a_folder_of_a_million_files_is_not_read_to_its_end(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runforge_contracts.invariants import checked_folder

    monkeypatch.setattr(checked_folder.CheckedRun, "max_files", 20)
    for number in range(30):
        (run / f"file-{number}").touch()
    assert "run.files" in {item.rule for item in checked_folder.CheckedRun(run).findings}


def test_a_folder_of_two_files_is_no_run(run: Path) -> None:
    for path in [*run.rglob("*")]:
        if path.is_file() and path.name not in ("request.json", "result.json"):
            path.unlink()
    result = {"version": 1, "status": "succeeded", "duration_ms": 5}
    (run / "result.json").write_text(json.dumps(result))
    assert {"run.files", "result.sections"} <= rules(run)
    (run / "result.json").unlink()
    assert "run.files" in rules(run)
    done = suite("check-run", run)
    assert done.returncode == 1


def test_an_older_record_is_judged_by_the_layout_of_its_time(tmp_path: Path) -> None:
    shutil.copytree(RUNS / "v0.3.6", tmp_path / "workspace")
    run = only_run(tmp_path / "workspace")
    assert rules(run) == set()
    record = json.loads((run / "run.json").read_bytes())
    # A record that no version reads says nothing about the layout.
    (run / "run.json").write_text(json.dumps({**record, "schema_version": "run.v9"}))
    assert {"run.schema", "run.files"} <= rules(run)


def test_a_missing_folder_is_a_usage_error(tmp_path: Path) -> None:
    for command in ("check-run", "check-store"):
        done = suite(command, tmp_path / "nowhere")
        assert done.returncode == 2
        assert "_NOT_FOUND]" in done.stderr


def test_a_run_that_lies_elsewhere_needs_no_name_of_its_own(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "anything")
    assert rules(tmp_path / "anything") == set()


def test_a_link_among_the_runs_is_found(run: Path) -> None:
    (run.parent / "20260101-000000-abcdef01").symlink_to(run)
    done = suite("check-store", run.parents[2], "--json")
    (findings,) = json.loads(done.stdout).values()
    assert {item["requirement"] for item in findings} == {"run.no-links"}


def test_a_checked_run_reads_like_any_run_and_can_be_read_again(run: Path) -> None:
    from runforge_contracts.invariants.checked_folder import CheckedRun
    from runforge_contracts.store.run import Run

    checked, plain = CheckedRun(run), Run(run)
    assert (checked.id, checked.status, checked.metrics) == (plain.id, plain.status, plain.metrics)
    document = checked.document("result.json")
    assert document is not None
    assert document.view.status == plain.status
    (run / "result.json").write_text("{}")
    assert checked.result == plain.result
    checked.reload()
    assert checked.result is None
    assert {item.file for item in checked.findings} == {"result.json"}
