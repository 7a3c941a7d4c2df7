"""Sessions of workers, and workers that answer with what was not asked for; without Dask."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from near_cluster import NearCluster
from real_data import write_dataset
from runforge_contracts.errors import ErrorCode
from runforge_contracts.invariants.run_invariants import check_run
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import read_index
from runforge_engine.distributed import dask_pool, remote_session
from runforge_engine.distributed.dask_pool import DaskPool
from runforge_engine.pipeline.request import new_request
from runforge_engine.workers.worker_messages import (
    PoolNotice,
    RunEnded,
    RunEvent,
    RunRefused,
    RunTask,
    WorkerLost,
)

MakePool = Callable[..., DaskPool]


@pytest.fixture
def store(tmp_path: Path) -> StoreLayout:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    write_dataset("iris", workspace)
    return StoreLayout(workspace)


@pytest.fixture
def make_pool(tmp_path: Path, store: StoreLayout, monkeypatch: pytest.MonkeyPatch) -> MakePool:
    """Return a function that makes a pool whose cluster is in this process."""
    monkeypatch.setattr(dask_pool, "Cluster", NearCluster)
    monkeypatch.setattr(NearCluster, "folder", tmp_path, raising=False)

    def make(*names: str, **changes: Any) -> DaskPool:
        monkeypatch.setattr(NearCluster, "names", names or ("one",))
        for name, change in changes.items():
            monkeypatch.setattr(NearCluster, name, staticmethod(change))
        return DaskPool("near", store)

    return make


def task(number: int, store: StoreLayout, **options: Any) -> RunTask:
    request = new_request(
        dataset=store.workspace / "iris.csv",
        label_column="target",
        store=store,
        created_by="tests@1",
        **options,
    )
    return RunTask(number, request.document.raw)


#: How long runs may take on a busy machine, in seconds.
PATIENCE = 120.0


def execute(pool: DaskPool, tasks: list[RunTask]) -> list[Any]:
    messages: list[Any] = []
    with pool:
        pool.start()
        for item in tasks:
            pool.submit(item)
        over = (RunEnded, RunRefused, WorkerLost)
        deadline = time.monotonic() + PATIENCE
        while sum(isinstance(item, over) for item in messages) < len(tasks):
            assert time.monotonic() < deadline, messages
            messages += pool.poll(1)
    return messages


def of(kind: type, messages: list[Any]) -> list[Any]:
    return [item for item in messages if isinstance(item, kind)]


def test_a_recipe_travels_with_the_dataset(make_pool: MakePool, store: StoreLayout) -> None:
    recipe = store.workspace / "iris.recipe.json"
    names = (store.workspace / "iris.csv").read_text("utf-8").splitlines()[0].split(",")
    columns = [{"column": name, "action": "keep"} for name in names[:2]]
    content = {"schema_version": "recipe.v1", "label": "target", "columns": columns}
    recipe.write_text(json.dumps(content), "utf-8")
    missing = task(2, store, recipe=store.workspace / "missing.json")
    wrong = task(3, store, recipe=recipe)
    wrong.request["dataset"]["label_column"] = names[2]
    messages = execute(make_pool(), [task(1, store, recipe=recipe), missing, wrong])
    [end] = of(RunEnded, messages)
    assert end.status == "succeeded"
    assert (end.run_dir / layout.RECIPE).read_bytes() == recipe.read_bytes()
    refused = {item.number: item.error.code for item in of(RunRefused, messages)}
    assert refused == {2: ErrorCode.FILE_NOT_FOUND, 3: ErrorCode.LABEL_NOT_FOUND}


def nothing_is_left(store: StoreLayout) -> bool:
    return not any(store.runs.iterdir()) and read_index(store) == []


def test_a_large_folder_comes_in_pieces(
    make_pool: MakePool, store: StoreLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_session, "_INLINE", 1000)
    monkeypatch.setattr(remote_session, "PIECE", 5000)
    called: list[str] = []
    pool = make_pool(before_call=lambda function, _: called.append(function))
    [end] = of(RunEnded, execute(pool, [task(1, store)]))
    assert end.status == "succeeded"
    assert called.count("read_file_piece") >= 3
    assert check_run(end.run_dir) == []
    assert [entry["run_id"] for entry in read_index(store)] == [end.run_id]


def test_the_events_that_did_not_arrive_come_with_the_run(
    make_pool: MakePool, store: StoreLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_session._Reporter, "_send", lambda *_: None)
    messages = execute(make_pool(), [task(1, store)])
    assert of(RunEvent, messages)[0].event["event"] == "run_start"
    assert of(RunEvent, messages)[-1].event["event"] == "artifacts_written"


def put(name: str, data: bytes) -> Callable[[dict[str, Any]], None]:
    def change(answer: dict[str, Any]) -> None:
        answer["files"][name] = data
        answer["sizes"][name] = len(data)

    return change


def leave_out(name: str) -> Callable[[dict[str, Any]], None]:
    def change(answer: dict[str, Any]) -> None:
        del answer["files"][name], answer["sizes"][name]

    return change


def grow(answer: dict[str, Any]) -> None:
    answer["files"]["run.json"] += b" "


@pytest.mark.slow
@pytest.mark.parametrize(
    "lie",
    [
        put("../../index.json", b"{}"),
        put("/tmp/x", b"{}"),
        put("logs", b""),
        put("run.json", b"{}"),
        put("result.json", b"\xff"),
        put("manifest.json", b"[" * 100_000),
        put("artifacts/model.pkl", b"cos\nsystem\n(S'true'\ntR."),
        leave_out("result.json"),
        leave_out("request.json"),
        leave_out("metrics.v1.json"),
        grow,
    ],
)
def test_what_a_worker_makes_up_is_refused_and_another_does_the_run(
    lie: Callable[[dict[str, Any]], None],
    make_pool: MakePool,
    store: StoreLayout,
    tmp_path: Path,
) -> None:
    before = sorted(path.name for path in store.workspace.iterdir())

    def change(worker: str, answer: dict[str, Any]) -> dict[str, Any]:
        if worker == "bad":
            lie(answer)
        return answer

    with make_pool("bad", change=change) as pool:
        pool.start()
        pool.submit(task(1, store))
        messages: list[Any] = []
        while not of(WorkerLost, messages):
            messages += pool.poll(1)
        [notice] = of(PoolNotice, messages)
        assert "Worker bad gets no runs" in notice.text
        assert nothing_is_left(store)
        # It gets no more of them.
        pool.submit(task(1, store))
        assert not of(RunEnded, pool.poll(0.2))
        assert pool.waiting == [1]
    assert sorted({path.name for path in store.workspace.iterdir()} - {".runforge"}) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad", "workspace"]


def test_a_run_that_a_liar_was_given_is_made_by_another_worker(
    make_pool: MakePool, store: StoreLayout
) -> None:
    def change(worker: str, answer: dict[str, Any]) -> dict[str, Any]:
        if worker == "bad":
            answer["files"]["run.json"] = b"{}"
        return answer

    with make_pool("bad", "good", change=change) as pool:
        pool.start()
        tasks = {number: task(number, store, seed=number) for number in range(1, 6)}
        for item in tasks.values():
            pool.submit(item)
        ended: set[int] = set()
        while len(ended) < len(tasks):
            for message in pool.poll(1):
                if isinstance(message, WorkerLost):
                    pool.submit(tasks[message.number])
                elif isinstance(message, RunEnded):
                    ended.add(message.number)
    assert len(read_index(store)) == len(tasks) == len([*store.runs.iterdir()])


@pytest.mark.slow
@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"ended": 1},
        {"refused": {}},
        {"sizes": 3},
        None,
        "ended",
        {"ended": 1, "sizes": {}, "files": 3},
    ],
)
def test_an_answer_of_another_form_is_a_lost_worker(
    answer: Any, make_pool: MakePool, store: StoreLayout
) -> None:
    messages = execute(make_pool(change=lambda *_: answer), [task(1, store)])
    assert of(WorkerLost, messages)
    assert nothing_is_left(store)


def test_a_dataset_that_changes_on_the_way_is_refused(
    make_pool: MakePool, store: StoreLayout
) -> None:
    def change_dataset(function: str, _: str) -> None:
        if function == "receive_file":
            path = store.workspace / "iris.csv"
            path.write_bytes(path.read_bytes() + b"\n")

    messages = execute(make_pool(before_call=change_dataset), [task(1, store)])
    assert of(RunRefused, messages) or of(RunEnded, messages)
    # The bytes that were sent are those of the digest, or nothing is run.
    for end in of(RunEnded, messages):
        assert end.status == "succeeded"
    for refusal in of(RunRefused, messages):
        assert refusal.error.code is ErrorCode.DATASET_CHANGED
