"""Whole commands take the ways of Windows: with stand-ins for its calls, in real processes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, TRAIN

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the stand-ins are for Linux"),
]
SIMULATED = ROOT / "packages/runforge-engine/tests/support/simulated_windows"

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    objects = tmp_path / "objects"
    objects.mkdir()
    (tmp_path / "cache").mkdir()
    return {
        **os.environ,
        "PYTHONPATH": str(SIMULATED),
        "SIMULATED_WINDOWS": str(objects),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    found = tmp_path / "workspace"
    found.mkdir()
    shutil.copy(ROOT / "examples/penguins.csv", found)
    return found


@pytest.fixture
def command(variables: dict[str, str], workspace: Path) -> Command:
    """Return a function that runs a command to its end, which must be good."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "runforge_cli", *arguments],
            cwd=workspace,
            env=variables,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done

    return run


def entries(workspace: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((workspace / ".runforge/index.json").read_bytes())[
        "runs"
    ]
    return found


def test_a_run_is_trained_verified_bundled_and_brought_back(
    command: Command, workspace: Path
) -> None:
    command(*TRAIN)
    command("bundle", "latest", "--with-dataset", "-o", "a.rfz")
    command("reproduce", "latest")
    run_id = entries(workspace)[0]["run_id"]
    command("store", "forget", run_id, "--because", "a test", "--yes")
    assert not (workspace / ".runforge/runs" / run_id).exists()
    (workspace / "elsewhere").mkdir()
    command("unbundle", "a.rfz", "--workspace", "elsewhere")
    command("verify", "--all", "--workspace", "elsewhere")


def test_workers_share_a_sweep_that_is_killed_and_resumed(
    command: Command, workspace: Path, variables: dict[str, str]
) -> None:
    sweep = ("sweep", *TRAIN[1:], "--grid", "C=0.1,1", "--seeds", "1..6", "--jobs", "2")
    process = subprocess.Popen(
        [sys.executable, "-m", "runforge_cli", *sweep],
        cwd=workspace,
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with process:
        while process.poll() is None and not list(workspace.glob(".runforge/runs/*/result.json")):
            time.sleep(0.05)
        process.kill()
    command("sweep", "--resume", "latest")
    # Runs that were killed are listed, too.
    ended = [entry["status"] for entry in entries(workspace)]
    assert ended.count("succeeded") == 12
    command("verify", "--all")


def test_a_run_is_cancelled_from_another_terminal(
    command: Command, workspace: Path, variables: dict[str, str]
) -> None:
    rows = (workspace / "penguins.csv").read_text().splitlines()
    (workspace / "penguins.csv").write_text("\n".join([rows[0], *rows[1:] * 2000]) + "\n")
    forest = ("--model", "random_forest", "--preset", "thorough")
    process = subprocess.Popen(
        [sys.executable, "-m", "runforge_cli", *TRAIN, *forest],
        cwd=workspace,
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with process:
        while process.poll() is None and not list(
            workspace.glob(".runforge/runs/*/logs/events.jsonl")
        ):
            time.sleep(0.05)
        command("cancel", "latest")
        assert process.wait() == 5
    assert [entry["status"] for entry in entries(workspace)] == ["cancelled"]


def test_an_experiment_ends_with_all_that_it_started(
    command: Command, workspace: Path, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    (workspace / "train.py").write_text(
        "import subprocess, sys, time\n"
        "from runforge_engine.experiment import current_run\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(pid)!r}, 'w').write(str(child.pid))\n"
        "run = current_run()\n"
        "run.log_metric('loss', 0.5, step=1)\n"
        "run.log_artifact(b'x', 'model.bin')\n"
    )
    command("experiment", "init", ".")
    (workspace / "experiments").mkdir(exist_ok=True)
    (workspace / "experiments/exp-900.yaml").write_text(
        "experiment: exp-900-child\nmodel: none/none\ndataset: none:v1\nrun:\n  script: train.py\n"
    )
    command("experiment", "run", "experiments/exp-900.yaml")
    with contextlib.suppress(FileNotFoundError):
        state = Path(f"/proc/{pid.read_text()}/stat").read_text().rpartition(")")[2].split()[0]
        assert state == "Z"
