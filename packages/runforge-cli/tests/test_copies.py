"""A store that is copied or committed while runs are written to it is a store that can be used."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from calls import TRAIN, Call
from real_store import start

Copy = Callable[[Path, Path], None]
#: What a copy may lack: it was not taken in one moment.
LACKS = {"entry_missing", "folder_missing"}


def cp(source: Path, target: Path) -> None:
    # Exits with 1 where a file that is being written had another name when it came to it.
    done = subprocess.run(["cp", "-a", source, target], capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr


def rsync(source: Path, target: Path) -> None:
    done = subprocess.run(
        ["rsync", "-a", f"{source}/", f"{target}/"], capture_output=True, check=False
    )
    assert done.returncode in (0, 23, 24), done.stderr  # 24: files vanished meanwhile


def git(source: Path, target: Path) -> None:
    """Commit what is there with a repository that lies elsewhere, and clone it."""
    repository = target.with_name(f"{target.name}.git")
    here = ("git", f"--git-dir={repository}", f"--work-tree={source}")
    author = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run([*here, "init", "--quiet"], check=True)
    # A file that was renamed or has grown while it was read is an error; again, then.
    for _ in range(100):
        if not subprocess.run([*here, "add", "--all"], capture_output=True, check=False).returncode:
            break
    subprocess.run([*here, *author, "commit", "--quiet", "-m", "the store"], check=True)
    subprocess.run(["git", "clone", "--quiet", repository, target], check=True)


COPIES = [
    pytest.param(cp, id="cp", marks=pytest.mark.skipif(os.name == "nt", reason="a POSIX command")),
    pytest.param(rsync, id="rsync", marks=pytest.mark.needs("rsync")),
    pytest.param(git, id="git"),
]


@pytest.mark.parametrize("copy", COPIES)
def test_a_store_that_was_copied_while_runs_were_written_can_be_used(
    copy: Copy, runforge: Call, workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("copies")
    assert start(workspace, *TRAIN).wait() == 0
    writers = [start(workspace, *TRAIN, "--seed", str(seed)) for seed in range(4)]
    copies = [elsewhere / "0"]
    copy(workspace, copies[0])
    at_work = True
    while at_work:
        time.sleep(0.4)
        at_work = any(writer.poll() is None for writer in writers)
        copies.append(elsewhere / str(len(copies)))
        copy(workspace, copies[-1])
    assert [writer.returncode for writer in writers] == [0] * 4
    assert len(copies) >= 2
    seen = [usable(runforge, folder) for folder in copies]
    assert 1 <= seen[0] <= seen[-1] == 5
    assert runforge("verify", "--all", "--workspace", str(copies[-1])).code == 0


def usable(runforge: Call, workspace: Path) -> int:
    """Use a copy as one would; return how many runs it holds that have ended."""
    here = ("--workspace", str(workspace), "--json")
    listed = runforge("runs", *here)
    assert (listed.code, listed.err) == (0, "")
    ids = [run["run_id"] for run in listed.json["runs"]]
    assert len(ids) == len(set(ids))
    found = runforge("index", "check", *here)
    [report] = found.json["stores"]
    kinds = {item["kind"] for item in report["findings"]}
    assert (kinds <= LACKS, found.code) == (True, 1 if kinds else 0)
    [rebuilt] = runforge("index", "rebuild", *here).json["stores"]
    assert rebuilt["recovered"] == report["unlisted"]
    [report] = runforge("index", "check", *here).json["stores"]
    assert {item["kind"] for item in report["findings"]} <= {"folder_missing"}
    ended = set(report["already_indexed"])
    verified = runforge("verify", "--all", *here).json["runs"]
    assert {run["run_id"] for run in verified if run["verdict"] == "verified"} == ended
    finished = (workspace / ".runforge/runs").glob("*/result.json")
    assert {path.parent.name for path in finished} == ended
    return len(ended)
