"""Kill sweeps at random moments, resume them, and count what is left: ``KILLS [SEED]``.

The parent, a worker, all processes at once, or the parent by a signal that it can handle. After
each kill, every run that had finished is still there and no run is listed twice; at the end of each
sweep, every member has exactly one finished run.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from runforge_engine.runtime.folder_lock import is_held
from sweeping import PENGUINS, call, finished, groups, listed, start_sweep, with_penguins

KINDS = ("parent", "worker", "all", "SIGTERM")
#: Longest time between the beginning of a run and a kill, in seconds.
LATEST = 0.8
SETTINGS = ("--grid", "C=0.001,0.003,0.01,0.03,0.1,0.3,1,3,10,30", "--seeds", "1..3")
MEMBERS = 30


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and that are alive."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            fields = path.read_text("utf-8", "replace").rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(path.parent.name))
    return found


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Send a signal to a process that may have ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def member_of(workspace: Path, run_id: str) -> tuple[str, int]:
    """Return the group and the member of a run."""
    request = json.loads((workspace / ".runforge/runs" / run_id / "request.json").read_text())
    return request["sweep_group_id"], request["sweep_member"]


def check(workspace: Path, before: dict[str, str]) -> None:
    """Check that no finished run is lost or changed, and that none is listed twice."""
    after = finished(workspace)
    assert before.items() <= after.items(), before.items() - after.items()
    if (workspace / ".runforge/index.json").exists():
        ids = listed(workspace)
        assert len(ids) == len(set(ids)), ids
        assert set(ids) <= after.keys(), set(ids) - after.keys()


def check_complete(workspace: Path) -> None:
    """Check that every member of the last sweep has exactly one run that succeeded."""
    last = groups(workspace)[-1]
    assert last["status"] == "succeeded", last["summary"]
    assert set(listed(workspace)) == finished(workspace).keys()
    succeeded = Counter(
        member_of(workspace, run_id)[1]
        for run_id, status in finished(workspace).items()
        if status == "succeeded" and member_of(workspace, run_id)[0] == last["group_id"]
    )
    assert succeeded == dict.fromkeys(range(1, MEMBERS + 1), 1), succeeded
    recorded = {run["member"]: run["run_id"] for run in last["runs"]}
    assert {member_of(workspace, run) for run in recorded.values()} == {
        (last["group_id"], member) for member in recorded
    }


def wait_for_run(process: subprocess.Popen[bytes], workspace: Path, count: int) -> None:
    """Wait until there are more run folders than ``count``, or the process has ended."""
    while process.poll() is None and run_count(workspace) <= count:
        time.sleep(0.01)


def run_count(workspace: Path) -> int:
    """Return how many run folders there are."""
    runs = workspace / ".runforge/runs"
    return len(list(runs.iterdir())) if runs.is_dir() else 0


def storm(workspace: Path, kills: int, chance: random.Random) -> Counter[str]:
    """Kill so many times, and return how often each kind of kill met what."""
    outcomes: Counter[str] = Counter()
    process: subprocess.Popen[bytes] | None = None
    while (killed := outcomes.total() - outcomes["not killed"]) < kills:
        count = run_count(workspace)
        if process is None:
            known = len(groups(workspace))
            process = start_sweep(workspace, *PENGUINS, *SETTINGS, "--jobs", "2")
        kind = KINDS[killed % len(KINDS)]
        if chance.random() < 0.85:
            wait_for_run(process, workspace, count)
            time.sleep(chance.uniform(0, LATEST))
        else:
            time.sleep(chance.uniform(0, 3))
        before, workers = finished(workspace), children(process.pid)
        if kind == "worker" and workers and process.poll() is None:
            kill(chance.choice(workers))
            outcomes["worker"] += 1
            continue
        for pid in workers if kind == "all" else ():
            kill(pid)
        kill(process.pid, signal.SIGTERM if kind == "SIGTERM" else signal.SIGKILL)
        code = process.wait(30)
        outcomes[kind if code else "not killed"] += 1
        folders = sorted((workspace / ".runforge/groups").glob("*"))
        deadline = time.monotonic() + 10
        while folders and is_held(folders[-1]):
            assert time.monotonic() < deadline, "workers outlive their parent"
            time.sleep(0.02)
        check(workspace, before)
        if len(groups(workspace)) == known:
            process = None  # before it had a group
        elif code == 0:
            check_complete(workspace)
            process = None
        else:
            process = start_sweep(workspace, "--resume", groups(workspace)[-1]["group_id"])
    if process is not None:
        process.wait()
        if len(groups(workspace)) > 0:
            done = call(workspace, "sweep", "--resume", "latest")
            assert done.returncode == 0, done.stderr
            check_complete(workspace)
    return outcomes


def main(kills: int, seed: int, folder: Path) -> dict[str, Any]:
    """Storm over sweeps in a folder, verify the store, and return what happened."""
    workspace = with_penguins(folder / "store")
    outcomes = storm(workspace, kills, random.Random(seed))
    verified = call(workspace, "verify", "--all", "--json")
    return {
        "outcomes": outcomes,
        "groups": len(groups(workspace)),
        "runs": Counter(finished(workspace).values()),
        "verify": verified.returncode,
        "verified": verified.stdout if verified.returncode else "",
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
        print(json.dumps(main(int(sys.argv[1]), seed, Path(folder)), indent=1))
