"""Sweeps by the real command: small plans, and what a store holds after them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from calls import ROOT

#: Options of a sweep over the penguins.
PENGUINS = (
    *("penguins.csv", "--label", "species"),
    *("--exclude", "island", "--exclude", "sex", "--exclude", "year"),
)
SIX = (*PENGUINS, "--grid", "C=0.01,0.1,1", "--grid", "max_iter=100,200")


#: What tests have started, to be ended where one fails.
_started: list[subprocess.Popen[bytes]] = []


def real_environment() -> dict[str, str]:
    """Return the environment of a command on the real clock.

    Forests of a million trees are begun in tests and never grown to the end, so no estimate of
    their memory may make one wait for the other.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("RUNFORGE") and name != "SOURCE_DATE_EPOCH"
    }
    return {**kept, "RUNFORGE_MEMORY_LIMIT": "0"}


def start_sweep(folder: Path, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start ``runforge sweep`` in a separate process, on the real clock."""
    process = subprocess.Popen(
        [sys.executable, "-m", "runforge_cli", "sweep", *arguments],
        cwd=folder,
        env=real_environment(),
        stdout=options.pop("stdout", subprocess.DEVNULL),
        stderr=options.pop("stderr", subprocess.DEVNULL),
        **options,
    )
    _started.append(process)
    return process


def end_started() -> None:
    """Kill the processes that a failed test has left."""
    while _started:
        process = _started.pop()
        process.kill()
        process.wait()


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the command in a separate process, on the real clock."""
    return subprocess.run(
        [sys.executable, "-m", "runforge_cli", *arguments],
        cwd=folder,
        env=real_environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def with_penguins(folder: Path) -> Path:
    """Return a folder with the penguins in it."""
    folder.mkdir(exist_ok=True)
    shutil.copyfile(ROOT / "examples/penguins.csv", folder / "penguins.csv")
    return folder


def groups(workspace: Path) -> list[dict[str, Any]]:
    """Return what the groups of a workspace say, the oldest first."""
    found = sorted((workspace / ".runforge/groups").glob("*/group.json"))
    return [json.loads(path.read_text("utf-8")) for path in found]


def group(workspace: Path) -> dict[str, Any]:
    """Return what the only group of a workspace says."""
    [only] = groups(workspace)
    return only


def counts(document: dict[str, Any]) -> tuple[int, ...]:
    """Return how many members a group has, and how many succeeded, failed and were cancelled."""
    summary = document["summary"]
    return tuple(summary[name] for name in ("total", "succeeded", "failed", "canceled"))


def listed(workspace: Path) -> list[str]:
    """Return the ids in the index; none without one."""
    file = workspace / ".runforge/index.json"
    index = json.loads(file.read_text("utf-8")) if file.exists() else {"runs": []}
    return [entry["run_id"] for entry in index["runs"]]


def folders(workspace: Path) -> list[str]:
    """Return the names of the run folders."""
    return sorted(path.name for path in (workspace / ".runforge/runs").iterdir())


def finished(workspace: Path) -> dict[str, str]:
    """Return the status of each run that has a result, by id."""
    return {
        path.parent.name: json.loads(path.read_text("utf-8"))["status"]
        for path in (workspace / ".runforge/runs").glob("*/result.json")
    }
