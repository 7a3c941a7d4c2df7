"""Sweeps by ``runforge serve`` are those of ``runforge sweep``, and end with their client."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from calls import Call
from serve_client import ServeClient, ServeError

EXCLUDED = ["island", "sex", "year"]


def plan(values: list[Any], path: str = "model.hyperparameters.C", **base: Any) -> dict[str, Any]:
    """Return a plan that tries values of one setting on the penguins."""
    model = {"family": "logistic_regression", "hyperparameters": {}}
    request = {
        "version": 1,
        "preset": "balanced",
        "dataset": {
            "path": "penguins.csv",
            "label_column": "species",
            "exclude_columns": EXCLUDED,
        },
        "model": model,
        "device": {"type": "cpu"},
    }
    return {
        "version": 1,
        "kind": "sweep_plan",
        "created_at": "2026-02-01T12:00:00Z",
        "created_by": "test@1.0",
        "base_request": {**request, **base},
        "strategy": {"type": "grid", "parameters": [{"path": path, "values": values}]},
    }


ENDLESS = plan(
    [1_000_000, 1_000_001, 1_000_002],
    "model.hyperparameters.n_estimators",
    model={"family": "random_forest", "hyperparameters": {}},
)


@pytest.fixture
def client(workspace: Path) -> Iterator[ServeClient]:
    """Return a client whose session has begun, in a workspace with the penguins."""
    with ServeClient(workspace) as client:
        client.initialize(client={"name": "test", "version": "1.0"})
        yield client


def test_a_plan_is_executed_and_shown_as_by_the_command(
    client: ServeClient, runforge: Call, workspace: Path
) -> None:
    tried = plan([0.1, 1, 1])
    (workspace / "plan.json").write_text(json.dumps(tried), "utf-8")
    printed = runforge("sweep", "plan.json", "--dry-run", "--json").json
    assert client.call("planSweep", {"plan": tried}) == printed
    assert client.call("planSweep", {"path": "plan.json"}) == printed
    assert not (workspace / ".runforge").exists()

    number = client.start("sweep", {"path": "plan.json", "jobs": 1, "name": "served"})
    outcome = client.answer(number)
    assert outcome["status"] == "succeeded"
    assert outcome["name"] == "served"
    assert outcome["created_by"] == "test@1.0"
    folder = workspace / outcome["group_dir"]
    assert (folder / "plan.json").read_bytes() == (workspace / "plan.json").read_bytes()
    last = None
    while not client.notifications.empty():
        message = client.notifications.get()
        if message["method"] == "progress":
            last = message["params"]
    assert (last["group_id"], last["fraction"], last["id"]) == (outcome["group_id"], 1, number)
    assert client.call("list", {"group": outcome["group_id"]})["total"] == 2

    assert client.call("group") == runforge("sweep", "show", "--json").json
    assert client.call("groups") == {**runforge("sweep", "list", "--json").json, "total": 1}


def test_a_cancelled_sweep_is_resumed(client: ServeClient, workspace: Path) -> None:
    number = client.start("sweep", {"plan": ENDLESS, "jobs": 1})
    while not client.call("list", {"status": "running"})["runs"]:
        pass
    client.notify("$/cancelRequest", {"id": number})
    outcome = client.answer(number)
    assert outcome["status"] == "canceled"
    assert outcome["error"]["code"] == "CANCELLED"
    statuses = [run["status"] for run in outcome["runs"]]
    assert statuses == ["canceled", "pending", "pending"]
    with pytest.raises(ServeError, match="takes no `plan`"):
        client.call("sweep", {"plan": ENDLESS, "resume": "latest"})
    again = client.start("sweep", {"resume": outcome["group_id"]})
    while not client.call("list", {"status": "running"})["runs"]:
        pass
    client.process.stdin.close()
    client.process.wait(10)
    assert client.sent[again] == "sweep"
    record = json.loads((workspace / outcome["group_dir"] / "group.json").read_text("utf-8"))
    assert record["status"] == "canceled"


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("planSweep", {}, "USAGE_INVALID"),
        ("planSweep", {"path": "none.json"}, "FILE_NOT_FOUND"),
        ("planSweep", {"plan": plan([0.1], "model.hyperparameters.c")}, "PLAN_INVALID"),
        ("sweep", {"plan": plan(["much"])}, "PLAN_INVALID"),
        ("sweep", {"resume": "none"}, "GROUP_NOT_FOUND"),
        ("group", {}, "GROUP_NOT_FOUND"),
    ],
)
def test_what_cannot_be_executed_is_refused_before_anything_is_written(
    method: str, params: dict[str, Any], code: str, client: ServeClient, workspace: Path
) -> None:
    with pytest.raises(ServeError) as raised:
        client.call(method, params)
    assert raised.value.code == code
    assert not (workspace / ".runforge").exists()


@pytest.fixture
def swept(client: ServeClient) -> tuple[str, str, str]:
    """Return the ids of a sweep of two runs, of a run before it, and of one after it."""
    training = {"dataset": "penguins.csv", "label": "species", "exclude": EXCLUDED}
    first = client.call("train", training)["run_id"]
    group = client.call("sweep", {"plan": plan([0.1, 1]), "jobs": 1})["group_id"]
    return first, group, client.call("train", training)["run_id"]


def listed(client: ServeClient, **params: Any) -> list[str]:
    return [run["run_id"] for run in client.call("list", params)["runs"]]


def test_runs_in_no_sweep_are_listed_page_by_page(
    client: ServeClient, swept: tuple[str, str, str], workspace: Path
) -> None:
    first, group, last = swept
    assert client.call("list", {"ungrouped": True})["total"] == 2
    other = client.call("sweep", {"plan": plan([10]), "jobs": 1})["group_id"]
    assert client.call("list", {"ungrouped": True})["total"] == 2
    assert listed(client, ungrouped=True) == [last, first]
    assert listed(client, ungrouped=True, limit=1, offset=1) == [first]
    assert listed(client, ungrouped=True, sort="-created") == [first, last]
    assert listed(client, ungrouped=True, where=[f"run!={first}"]) == [last]
    assert len(listed(client, ungrouped=False)) == 5
    with pytest.raises(ServeError, match="`ungrouped` lists the runs in no sweep"):
        client.call("list", {"ungrouped": True, "group": group})
    # Runs whose sweep is gone are in none, and a folder without documents is no sweep.
    groups = workspace / ".runforge/groups"
    for name in ("group.json", "plan.json"):
        (groups / group / name).unlink()
    assert len(listed(client, ungrouped=True)) == 4
    shutil.rmtree(groups / other)
    assert len(listed(client, ungrouped=True)) == 5


def test_sweeps_are_listed_page_by_page(
    client: ServeClient, swept: tuple[str, str, str], workspace: Path
) -> None:
    groups = workspace / ".runforge/groups"
    (sound,) = client.call("groups")["groups"]
    for number in range(9):
        shutil.copytree(groups / swept[1], groups / f"grp_20250101_00000{number}_copy")
    listed = client.call("groups", {"limit": 4, "offset": 3})
    assert listed["total"] == 10
    copies = [f"grp_20250101_00000{number}_copy" for number in (6, 5, 4, 3)]
    assert [entry["group_id"] for entry in listed["groups"]] == copies
    assert client.call("groups", {"limit": 1})["groups"] == [sound]
    assert client.call("groups", {"offset": 10}) == {"groups": [], "total": 10}


def test_a_sweep_that_cannot_be_read_is_listed_with_its_runs(
    client: ServeClient, runforge: Call, swept: tuple[str, str, str], workspace: Path
) -> None:
    _, group, _ = swept
    (workspace / ".runforge/groups" / group / "group.json").write_text("{", "utf-8")
    expected = {
        "group_id": group,
        "state": "unreadable",
        "members": 0,
        "counts": {},
        "best_members": [],
    }
    assert client.call("groups")["groups"] == [expected]
    assert runforge("sweep", "list", "--json").json == {"groups": [expected]}
    assert len(listed(client, group=group)) == 2
    assert len(listed(client, ungrouped=True)) == 2


def test_the_list_of_sweeps_follows_the_files(
    client: ServeClient, runforge: Call, swept: tuple[str, str, str], workspace: Path
) -> None:
    def shown() -> dict[str, Any]:
        (entry,) = client.call("groups")["groups"]
        assert [entry] == runforge("sweep", "list", "--json").json["groups"]
        return entry

    before = shown()
    assert shown() == before
    folder = workspace / ".runforge/groups" / swept[1]
    text = (folder / "group.json").read_text("utf-8")
    (folder / "group.json").write_text(text.replace('"version"', '"name": "renamed", "version"'))
    assert shown() == {**before, "name": "renamed"}
    # The documents of the runs count more than the record of the sweep.
    best = workspace / ".runforge/runs" / before["best_run_id"]
    request = json.loads((best / "request.json").read_text("utf-8"))
    (best / "request.json").write_text(json.dumps({**request, "sweep_group_id": "other"}))
    result = json.loads((best / "result.json").read_text("utf-8"))
    result["summary"]["metrics"]["accuracy"] = 0.5
    result["summary"]["primary_metric"]["value"] = 0.5
    (best / "result.json").write_text(json.dumps(result))
    assert shown()["best"] == before["best"]
    (best / "request.json").write_text(json.dumps(request))
    assert shown()["best_run_id"] != before["best_run_id"]
    shutil.rmtree(best)
    assert shown()["members"] == 2
