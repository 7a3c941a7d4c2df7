"""A store that the real command filled: runs that succeeded, failed, were cancelled and killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from calls import ROOT, TRAIN

ENDLESS = (*TRAIN, "--model", "random_forest", "--param", "n_estimators=1000000")


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start the command in a separate process, on the real clock."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("RUNFORGE") and name != "SOURCE_DATE_EPOCH"
    }
    return subprocess.Popen(
        [sys.executable, "-m", "runforge_cli", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def training(workspace: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Give a process that trains for hours, and its run folder; the process is ended at the end."""
    before = set((workspace / ".runforge/runs").glob("*"))
    process = start(workspace, *ENDLESS)
    try:
        yield process, _folder_of(process, workspace, before)
    finally:
        process.kill()
        process.wait()


def _folder_of(process: subprocess.Popen[bytes], workspace: Path, before: set[Path]) -> Path:
    while process.poll() is None:
        for folder in set((workspace / ".runforge/runs").glob("*")) - before:
            log = folder / "logs/train.log"
            if log.exists() and "train_started" in log.read_text("utf-8"):
                return folder
        time.sleep(0.02)
    raise AssertionError("the training ended by itself")


def make_store(workspace: Path) -> None:
    """Fill a workspace, which is a Git repository: two models, a failure, a cancelled run."""
    shutil.copyfile(ROOT / "examples/penguins.csv", workspace / "penguins.csv")
    for command in (
        ("init", "--quiet"),
        ("add", "penguins.csv"),
        ("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "data"),
    ):
        subprocess.run(["git", *command], cwd=workspace, check=True)
    assert start(workspace, *TRAIN, "--name", "the first one").wait() == 0
    [first] = (workspace / ".runforge/runs").iterdir()
    assert start(workspace, "train", "penguins.csv", "--label", "species").wait() == 1
    with training(workspace) as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait() == 5
    again = ("rerun", first.name, "--seed", "7", "--name", "the first one")
    assert start(workspace, *again).wait() == 0
