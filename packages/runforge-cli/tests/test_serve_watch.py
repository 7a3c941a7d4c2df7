"""A client that watches is sent the runs, whichever client makes them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from calls import TRAIN
from real_store import start, training
from serve_client import ServeClient


@pytest.fixture
def client(workspace: Path) -> Iterator[ServeClient]:
    """Return a client that watches a workspace with the penguins."""
    with ServeClient(workspace) as client:
        client.initialize()
        assert client.call("watch", {"interval": 0.1}) == {"running": []}
        yield client


def test_runs_of_another_process_are_reported(client: ServeClient, workspace: Path) -> None:
    with training(workspace) as (process, folder):
        began = client.next_notification("runBegan")["run"]
        assert began["run_id"] == folder.name
        assert began["state"] == "running"
        process.terminate()
        process.wait()
    ended = client.next_notification("runEnded")["run"]
    assert (ended["run_id"], ended["status"]) == (folder.name, "cancelled")


def test_the_end_of_a_run_whose_process_dies_is_reported(
    client: ServeClient, workspace: Path
) -> None:
    with training(workspace) as (process, folder):
        client.next_notification("runBegan")
        process.kill()
    ended = client.next_notification("runEnded")["run"]
    assert (ended["run_id"], ended["state"]) == (folder.name, "interrupted")


def test_own_runs_are_reported_and_the_list_changes(client: ServeClient) -> None:
    params = {"dataset": "penguins.csv", "label": "species", "exclude": ["island", "sex", "year"]}
    run_id = client.call("train", params)["run_id"]
    ended = client.next_notification("runEnded")["run"]
    assert (ended["run_id"], ended["status"]) == (run_id, "succeeded")


def test_folders_that_come_and_go_are_reported(
    client: ServeClient, original: Path, workspace: Path
) -> None:
    shutil.copytree(original / ".runforge", workspace / ".runforge")
    added = set(client.next_notification("runsChanged")["added"])
    names = {path.name for path in (original / ".runforge/runs").iterdir()}
    assert added == names
    gone = min(names)
    shutil.rmtree(workspace / ".runforge/runs" / gone)
    removed = []
    while gone not in removed:
        removed = client.next_notification("runsChanged")["removed"]


def test_running_runs_are_returned_at_the_beginning(workspace: Path) -> None:
    with training(workspace) as (_, folder), ServeClient(workspace) as client:
        client.initialize()
        [running] = client.call("watch")["running"]
        assert running["run_id"] == folder.name


def test_a_client_that_no_longer_watches_is_sent_nothing(
    client: ServeClient, workspace: Path
) -> None:
    client.call("unwatch")
    assert start(workspace, *TRAIN).wait() == 0
    time.sleep(0.3)
    assert client.notifications.empty()


def test_experiments_are_watched(repository: object, workspace: Path) -> None:
    runs = workspace / "runs"
    [first, *_] = sorted(path for path in runs.iterdir() if path.name.startswith("run-"))
    with ServeClient(workspace) as client:
        client.initialize()
        client.call("watch", {"interval": 0.1})
        shutil.copytree(first, runs / "run-2031-01-01-001")
        assert client.next_notification("runsChanged")["added"] == ["run-2031-01-01-001"]
