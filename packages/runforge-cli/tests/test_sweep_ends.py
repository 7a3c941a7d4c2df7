"""How sweeps end early: signals, other terminals, dead workers, full disks, and what is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kill_sweeps import children, kill
from runforge_contracts.invariants.store_invariants import check_store
from runforge_contracts.store.layout import StoreLayout
from sweeping import (
    PENGUINS,
    SIX,
    call,
    counts,
    end_started,
    finished,
    folders,
    group,
    groups,
    listed,
    start_sweep,
    with_penguins,
)

#: Runs that take minutes.
ENDLESS = (
    *PENGUINS,
    *("--model", "random_forest", "--grid", "n_estimators=1000000,1000001,1000002", "--jobs", "2"),
)
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals and locks")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Return a workspace; every store that a test leaves must be in order."""
    try:
        yield with_penguins(tmp_path)
    finally:
        end_started()
    findings = list(check_store(StoreLayout(tmp_path)))
    assert findings == []


def until(holds: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.02)


def trained(place: Path) -> int:
    """Return how many runs have begun to train."""
    logs = (place / ".runforge/runs").glob("*/logs/train.log")
    return sum("train_started" in log.read_text("utf-8") for log in logs)


def statuses(place: Path) -> list[str]:
    return [run["status"] for run in group(place)["runs"]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_with_cancelled_records(place: Path, number: int) -> None:
    process = start_sweep(place, *ENDLESS)
    until(lambda: trained(place) == 2)
    workers = children(process.pid)
    process.send_signal(number)
    began = time.monotonic()
    assert process.wait(10) == 5
    assert time.monotonic() - began < 2.5
    assert len(workers) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert group(place)["status"] == "canceled"
    assert group(place)["execution"]["cancelled"] is True
    assert statuses(place) == ["canceled", "canceled", "pending"]
    assert sorted(listed(place)) == folders(place)
    assert set(finished(place).values()) == {"cancelled"}
    for run_id in folders(place):
        result = json.loads((place / ".runforge/runs" / run_id / "result.json").read_text())
        assert result["error"]["message"].startswith("The sweep was cancelled by SIG")


def test_another_terminal_cancels_a_sweep(place: Path) -> None:
    process = start_sweep(place, *ENDLESS)
    until(lambda: trained(place) == 2)
    busy = call(place, "sweep", "--resume", "latest", "--json")
    assert json.loads(busy.stdout)["error"]["code"] == "GROUP_BUSY"
    done = call(place, "cancel", groups(place)[0]["group_id"], "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "canceled"
    assert process.wait(10) == 5
    assert statuses(place) == ["canceled", "canceled", "pending"]
    again = call(place, "cancel", groups(place)[0]["group_id"], "--json")
    assert json.loads(again.stdout)["error"]["code"] == "RUN_NOT_RUNNING"


@pytest.mark.parametrize("stops", [True, False])
def test_one_cancelled_run_stops_the_sweep_if_the_plan_says_so(place: Path, stops: bool) -> None:
    plan = place / "plan.json"
    assert call(place, "sweep", *ENDLESS, "--save", str(plan)).returncode == 0
    raw = json.loads(plan.read_text("utf-8"))
    raw["execution"]["stop_on_cancel"] = stops
    plan.write_text(json.dumps(raw), "utf-8")
    process = start_sweep(place, "plan.json")
    try:
        until(lambda: trained(place) == 2)
        assert call(place, "cancel", folders(place)[0]).returncode == 0
        if stops:
            assert process.wait(10) == 5
            # The worker that became free may have begun the next one.
            assert set(statuses(place)) <= {"canceled", "pending"}
            assert group(place)["status"] == "canceled"
        else:
            until(lambda: trained(place) == 3)
            assert process.poll() is None
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def test_a_member_whose_worker_dies_is_started_again(place: Path) -> None:
    process = start_sweep(place, *ENDLESS, stderr=subprocess.PIPE)
    until(lambda: trained(place) == 2)
    kill(children(process.pid)[0])
    until(lambda: trained(place) == 3)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate()
    assert b"died: it was ended by SIGKILL. It is started again." in errors
    earlier = [run.get("earlier_run_ids", []) for run in group(place)["runs"]]
    assert sorted(map(len, earlier)) == [0, 0, 1]
    [interrupted] = [run_id for ids in earlier for run_id in ids]
    assert interrupted not in finished(place)
    assert interrupted not in listed(place)


def test_a_member_that_kills_every_worker_is_given_up(place: Path) -> None:
    process = start_sweep(
        place, *ENDLESS, "--fail-fast", stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    for count in range(2, 5):
        until(lambda count=count: trained(place) >= count)  # type: ignore[misc]
        # The worker of the first member, which was started first or again last.
        pids = [pid for pid in children(process.pid) if runs_member(pid, place, 1)]
        assert len(pids) == 1
        kill(pids[0])
    out, errors = process.communicate(timeout=30)
    assert process.returncode == 5
    assert b"WORKER_LOST" in errors
    first = group(place)["runs"][0]
    assert (first["status"], "run_id" in first, len(first["earlier_run_ids"])) == (
        *("pending", False),
        3,
    )
    assert group(place)["status"] == "failed"
    assert b"runforge sweep --resume" in out


def runs_member(pid: int, place: Path, member: int) -> bool:
    """Return whether a process has the folder of a run of this member open."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            folder = link.readlink()
        except OSError:
            continue
        if folder.parent == place / ".runforge/runs":
            request = json.loads((folder / "request.json").read_text("utf-8"))
            if request["sweep_member"] == member:
                return True
    return False


def test_a_killed_parent_ends_its_workers_and_is_resumed(place: Path) -> None:
    process = start_sweep(place, *SIX, "--seeds", "1..4", "--jobs", "2")
    until(lambda: len(finished(place)) >= 3)
    workers = children(process.pid)
    process.kill()
    process.wait()
    # Takes up what the workers leave, once they have ended by themselves.
    done = call(place, "sweep", "--resume", "latest", "--json")
    assert done.returncode == 0, done.stderr
    assert not any(Path(f"/proc/{pid}/cwd").exists() for pid in workers)
    assert counts(group(place)) == (24, 24, 0, 0)
    assert sorted(listed(place)) == sorted(finished(place))
    assert list(finished(place).values()).count("succeeded") == 24
    assert call(place, "verify", "--all").returncode == 0
    assert not list((place / ".runforge/groups").glob("*/.data"))


def test_a_finished_run_that_is_not_listed_is_listed(place: Path) -> None:
    assert call(place, "sweep", *SIX).returncode == 0
    record = next((place / ".runforge/groups").glob("*/group.json"))
    before = group(place)
    (place / ".runforge/index.json").unlink()
    record.unlink()
    done = call(place, "sweep", "--resume", "latest", "--json")
    assert done.returncode == 0, done.stderr
    assert sorted(listed(place)) == folders(place)
    assert group(place)["runs"] == before["runs"]
    assert group(place)["summary"] == before["summary"]


def test_a_dataset_that_changes_meanwhile_is_not_mixed_with_the_first(place: Path) -> None:
    process = start_sweep(place, *PENGUINS, "--grid", "C=0.1,1", "--seeds", "1..20", "--jobs", "1")
    until(lambda: len(finished(place)) >= 2)
    with (place / "penguins.csv").open("a") as file:
        file.write("Adelie,Dream,39,18,190,3700,male,2007\n")
    code = process.wait()
    document = group(place)
    [dataset] = document["datasets"]
    for run in document["runs"]:
        if run["status"] == "succeeded":
            result = place / run["result_ref"]
            config = json.loads(result.read_text("utf-8"))["effective_config"]
            assert config["dataset"]["fingerprint_sha256"] == dataset["sha256"]
    # What was read once may serve all runs; a run that read the new file ends the sweep.
    assert (code, counts(document)[1] == 40) in ((0, True), (1, False))
    again = call(place, "sweep", "--resume", "latest", "--json")
    assert json.loads(again.stdout)["error"]["code"] == "DATASET_CHANGED"


def test_two_sweeps_in_one_workspace(place: Path) -> None:
    both = [start_sweep(place, *SIX, "--seeds", "1..3", "--name", "same") for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    first, second = groups(place)
    assert len({first["group_id"], second["group_id"]}) == 2
    assert [counts(one) for one in (first, second)] == [(18, 18, 0, 0)] * 2
    assert sorted(listed(place)) == folders(place)
    assert len(folders(place)) == 36


@pytest.mark.skipif(sys.platform != "linux", reason="needs a small file system")
def test_a_full_disk_stops_the_sweep_and_loses_nothing(place: Path, tmp_path: Path) -> None:
    """The limit on the size of files stands for a disk that is full at the largest file."""
    script = "ulimit -f 50; exec " + sys.executable + ' -m runforge_cli sweep "$@"'
    forest = ("--model", "random_forest", "--grid", "n_estimators=1,300,2,3", "--jobs", "1")
    done = subprocess.run(
        ["bash", "-c", script, "sweep", *PENGUINS, *forest, "--json"],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        env={key: value for key, value in os.environ.items() if key != "SOURCE_DATE_EPOCH"},
    )
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert document["error"]["code"] == "STORE_NOT_WRITABLE"
    assert document["status"] == "failed"
    first, large, *others = [run["status"] for run in document["runs"]]
    assert (first, large) == ("succeeded", "pending")
    # A worker that has become free may begin the next one before the sweep stops.
    assert {*others} <= {"pending", "canceled", "succeeded"}
    again = call(place, "sweep", "--resume", "latest", "--json")
    assert again.returncode == 0, again.stderr
    assert counts(json.loads(again.stdout)) == (4, 4, 0, 0)
    kept = document["runs"][0]["run_id"]
    assert json.loads(again.stdout)["runs"][0]["run_id"] == kept
    assert call(place, "verify", "--all").returncode in (0, 1)
