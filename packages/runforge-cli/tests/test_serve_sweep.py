"""Sweeps by ``runforge serve`` are those of ``runforge sweep``, and end with their client."""

from __future__ import annotations

import json
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
    assert client.call("groups") == runforge("sweep", "list", "--json").json


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
