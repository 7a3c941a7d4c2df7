"""``runforge reproduce`` as a user meets it: text, JSON, exit codes, interrupts."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, TRAIN, Call
from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.validation import validate
from runforge_engine.runtime.numeric_environment import NUMERIC_VARIABLES
from runforge_engine.runtime.platform_info import cpu_flags
from syrupy.assertion import SnapshotAssertion

pinnable = pytest.mark.skipif(
    not {"avx2", "fma"} <= cpu_flags(), reason="needs x86-64 with AVX2 and FMA under Linux"
)


@pytest.fixture
def run(runforge: Call, workspace: Path) -> Path:
    """Return the folder of a run in the workspace."""
    run_id = runforge(*TRAIN, "--preset", "fast", "--json").json["run_id"]
    return workspace / ".runforge/runs" / run_id


def edit(run: Path, file: str, change: Callable[[Any], None]) -> None:
    document = json.loads((run / file).read_text("utf-8"))
    change(document)
    (run / file).write_text(json.dumps(document), "utf-8")


def masked(text: str) -> str:
    """Return text without what differs between machines: digests and what libraries give."""
    text = re.sub(r"\d{8}-\d{6}-[0-9a-f]{8}", "<run>", text)
    return re.sub(r"\b[0-9a-f]{64}\b", "<sha256>", text)


def test_a_run_is_trained_again_to_the_byte(
    runforge: Call, run: Path, snapshot: SnapshotAssertion
) -> None:
    result = runforge("reproduce")
    assert result.code == 0
    assert masked(result.out) == snapshot
    assert "preset fast" in result.err
    assert "Training" in result.err
    assert runforge("reproduce", "--quiet").err == ""


def test_the_report_is_one_document(runforge: Call, run: Path) -> None:
    result = runforge("reproduce", run.name[:12], "--json")
    assert result.code == 0
    assert result.err == ""
    report = parse_json(result.out.encode())
    validate(report, "reproduction.v1")
    assert (report["run_id"], report["verdict"]) == (run.name, "identical bytes")
    assert list(report) == [
        "schema_version",
        "run_id",
        "verdict",
        "created_at",
        "runforge_version",
        "dataset",
        "artifacts",
        "content",
        "reasons",
        "environment",
        "differences",
        "contradictions",
        "not_checked",
    ]


@pinnable
def test_the_bar_can_be_raised_and_lowered(
    runforge: Call, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NUMERIC_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    result = runforge("reproduce", "--numerics", "here")
    assert result.code == 1
    first, *rest = result.out.splitlines()
    assert first == f"Run {run.name}: identical predictions, coefficients within 1e-9"
    assert max(len(line) for line in rest) <= 80
    # What OpenBLAS has of that name depends on how it was built.
    # How a long name stands beside its values is looked at in the tests of machines.
    assert re.search(r"^  numerics\.blas\.", result.out, re.M)
    assert "architecture" in result.out
    assert re.search(r"numerics\.pinned +true +false$", result.out, re.M)
    assert "numbers differ by at most" in result.out
    assert runforge("reproduce", "--numerics", "here", "--accept", "predictions").code == 0
    assert runforge("reproduce", "--accept", "bytes").code == 0
    assert runforge("reproduce", "--accept", "everything").code == 2


def test_a_file_written_otherwise_falls_below_the_bytes(runforge: Call, run: Path) -> None:
    edit(run, "metrics.json", lambda raw: None)
    assert runforge("reproduce", "--accept", "bytes").code == 1
    result = runforge("reproduce")
    assert result.code == 0
    assert f"Run {run.name}: identical content" in result.out
    assert "The file is not the one that the run recorded. [metrics.json]" in result.out


def test_a_changed_row_is_reported(
    runforge: Call, run: Path, workspace: Path, snapshot: SnapshotAssertion
) -> None:
    data = workspace / "penguins.csv"
    data.write_text(data.read_text("utf-8").replace("39.1", "39.2", 1), "utf-8")
    result = runforge("reproduce")
    assert result.code == 1
    assert masked(result.out) == snapshot


def test_a_dataset_that_is_gone_is_something_missing(
    runforge: Call, run: Path, workspace: Path, snapshot: SnapshotAssertion
) -> None:
    (workspace / "penguins.csv").unlink()
    result = runforge("reproduce")
    assert result.code == 3
    assert masked(result.out) == snapshot
    report = runforge("reproduce", "--json")
    assert report.code == 3
    assert report.json["verdict"] == "not reproducible here"


def test_a_dataset_that_was_moved_is_found_by_its_bytes(
    runforge: Call, run: Path, workspace: Path
) -> None:
    (workspace / "data").mkdir()
    (workspace / "penguins.csv").rename(workspace / "data/birds.csv")
    result = runforge("reproduce")
    assert result.code == 3
    assert "`data/birds.csv`" in " ".join(result.out.split())
    assert runforge("reproduce", "--dataset", "data/birds.csv").code == 0
    assert runforge("reproduce", "--dataset", "nowhere.csv").code == 3
    shutil.copyfile(ROOT / "README.md", workspace / "other.csv")
    assert runforge("reproduce", "--dataset", "other.csv").code == 1


def test_a_changed_record_is_reported(
    runforge: Call, run: Path, snapshot: SnapshotAssertion
) -> None:
    def change(raw: Any) -> None:
        next(item for item in raw["hyperparameters"] if item["name"] == "warm_start")["value"] = (
            True
        )

    edit(run, "run.json", change)
    result = runforge("reproduce")
    assert result.code == 1
    assert masked(result.out) == snapshot


def test_an_older_run_says_what_it_lacks(runforge: Call, snapshot: SnapshotAssertion) -> None:
    store = ROOT / "docs/test-vectors/runs/v0.3.3"
    result = runforge("reproduce", "--workspace", str(store))
    assert result.code == 1
    assert masked(result.out) == snapshot
    result = runforge("reproduce", "--workspace", str(store), "--requirements")
    assert result.code == 3
    assert "recorded no packages" in result.err


def test_a_run_that_does_not_exist_is_missing(runforge: Call) -> None:
    assert runforge("reproduce", "20260101-000000-00000000", "--json").code == 3


def test_requirements_are_what_pip_reads(runforge: Call, run: Path) -> None:
    record = json.loads((run / "run.json").read_text("utf-8"))["provenance"]
    result = runforge("reproduce", "--requirements")
    assert result.code == 0
    lines = result.out.splitlines()
    comments = [line for line in lines if line.startswith("#")]
    assert f"# Python {record['python']['version']} (CPython)" in comments
    assert set(lines) - set(comments) == {f"{k}=={v}" for k, v in record["packages"].items()}
    listed = runforge("reproduce", "--requirements", "--json").json
    assert listed["python"] == record["python"]["version"]
    assert sorted(listed["requirements"]) == sorted(set(lines) - set(comments))


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("numpy", "1\n--index-url http://x"),
        ("-r/etc/passwd", "1"),
        ("numpy @ http://x", "1"),
        ("numpyy", "1.0"),
        ("requests", "2.0"),
        ("NumPy", "1.0"),
        ("numpy", "latest"),
        ("numpy", "1.0 ; python_version > '3'"),
        ("numpy", "1.*"),
    ],
)
def test_requirements_name_nothing_but_packages(
    name: str, version: str, runforge: Call, run: Path
) -> None:
    edit(run, "run.json", lambda raw: raw["provenance"]["packages"].update({name: version}))
    result = runforge("reproduce", "--requirements")
    assert (result.code, result.out) == (2, "")


def test_a_kept_training_can_be_shown_and_compared(
    runforge: Call, run: Path, workspace: Path
) -> None:
    assert runforge("reproduce", "--keep", "again").code == 0
    assert runforge("show", "--workspace", "again").code == 0
    for part in ("artifacts/model.pkl", "metrics.v1.json"):
        rebuilt = workspace / "again/.runforge/runs" / run.name / part
        assert rebuilt.read_bytes() == (run / part).read_bytes()
    assert runforge("reproduce", "--keep", "again").code == 2
    assert runforge("reproduce", "--keep", ".runforge/again").code == 2
    assert not (workspace / ".runforge/again").exists()


def test_a_run_folder_outside_of_a_store_finds_its_dataset(process: Call, workspace: Path) -> None:
    rows = "".join(f"{i % 7},{i % 5},{i % 2}\n" for i in range(60))
    (workspace / "data.csv").write_text(f"a,b,label\n{rows}")
    folder = "out/20260201-130000-0000abcd"
    (workspace / folder).mkdir(parents=True)
    request = {
        "version": 1,
        "preset": "fast",
        "dataset": {"path": "data.csv", "label_column": "label"},
        "model": {"family": "logistic_regression"},
        "device": {"type": "cpu"},
        "created_at": "2026-02-01T12:00:00Z",
        "created_by": "tests@1",
    }
    (workspace / folder / "request.json").write_text(json.dumps(request), "utf-8")
    trained = process("runforge_cli", "run", "--run-dir", folder, "--workspace", ".")
    assert trained.code == 0, trained.err
    result = process("runforge_cli", "reproduce", folder, "--json")
    assert result.json["verdict"] == "identical bytes"


@contextmanager
def endless(run: Path, temporary: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Give a process that trains again for hours, once it has begun to grow trees."""

    def change(raw: Any) -> None:
        for item in raw["hyperparameters"]:
            if item["name"] == "n_estimators":
                item["value"] = 1_000_000

    edit(run, "run.json", change)
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "runforge_cli", "reproduce", "--verbose", "--json"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if b"train_progress" in line:
                break
        yield process
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_it_and_leaves_nothing(
    number: signal.Signals, runforge: Call, workspace: Path
) -> None:
    trained = runforge(*TRAIN, "--model", "random_forest", "--preset", "fast", "--json").json
    with endless(workspace / trained["run_dir"], workspace / "temporary") as process:
        process.send_signal(number)
        assert process.wait() == 5
    assert list((workspace / "temporary").iterdir()) == []
    assert len(list((workspace / ".runforge/runs").iterdir())) == 1


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_the_process_that_trains_does_not_outlive_a_killed_command(
    runforge: Call, workspace: Path
) -> None:
    trained = runforge(*TRAIN, "--model", "random_forest", "--preset", "fast", "--json").json
    with endless(workspace / trained["run_dir"], workspace / "temporary") as process:
        (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert "runforge_engine.reproduction.worker" in Path(f"/proc/{child}/cmdline").read_text()
        process.kill()
        process.wait()
        while _is_running(child):
            time.sleep(0.02)


def _is_running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
