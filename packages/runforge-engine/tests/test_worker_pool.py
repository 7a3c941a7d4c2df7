"""Warm processes execute tasks, end when they are asked to, and never outlive their caller."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from real_data import write_dataset
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import read_index
from runforge_engine.pipeline.request import new_request
from runforge_engine.workers.worker_messages import (
    RunEnded,
    RunEvent,
    RunRefused,
    RunStarted,
    RunTask,
    WorkerLost,
    WorkerMessage,
)
from runforge_engine.workers.worker_pool import WorkerPool

Ask = Callable[..., RunTask]
FINAL = (RunEnded, RunRefused, WorkerLost)
#: Settings with which each family stays in native code for minutes.
ENDLESS = {
    "logistic_regression": {"max_iter": 10**8, "C": 1e6, "solver": "saga"},
    "linear_svc": {"max_iter": 10**8, "C": 1e6},
    "random_forest": {"n_estimators": 10_000},
}


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[WorkerPool]:
    with WorkerPool(2, StoreLayout(tmp_path)) as pool:
        yield pool


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Return a function that makes the task to train on a dataset."""

    def make(number: int, dataset: str = "iris", **options: Any) -> RunTask:
        path, label, excluded = write_dataset(dataset, tmp_path)
        request = new_request(
            dataset=path,
            label_column=label,
            exclude_columns=excluded,
            store=StoreLayout(tmp_path),
            created_by="tests@1",
            **options,
        )
        return RunTask(number, request.document.raw)

    return make


def endless(ask: Ask, number: int, folder: Path, family: str) -> RunTask:
    """Return a task that would take minutes: classes far apart, weighted so that no end is near."""
    import numpy as np

    generator = np.random.default_rng(1)
    labels = generator.integers(0, 2, 20_000)
    rows = [
        ",".join(map(repr, [*row, label]))
        for row, label in zip(
            (generator.normal(size=(20_000, 20)) + labels[:, None]).tolist(),
            labels.tolist(),
            strict=True,
        )
    ]
    header = ",".join([*(f"x{place}" for place in range(20)), "y"])
    (folder / "apart.csv").write_text("\n".join([header, *rows, ""]))
    task = ask(number, model_family=family, hyperparameters=ENDLESS[family])
    task.request["dataset"] = {"path": "apart.csv", "label_column": "y"}
    return task


def until(
    pool: WorkerPool, done: Callable[[list[WorkerMessage]], bool], seconds: float = 60
) -> list[WorkerMessage]:
    """Return the messages of a pool until a condition holds of them."""
    messages: list[WorkerMessage] = []
    deadline = time.monotonic() + seconds
    while not done(messages):
        assert time.monotonic() < deadline, messages
        messages += pool.poll(0.1)
    return messages


def ends(count: int) -> Callable[[list[WorkerMessage]], bool]:
    return lambda messages: sum(isinstance(message, FINAL) for message in messages) == count


def is_training(messages: list[WorkerMessage]) -> bool:
    return any(
        isinstance(message, RunEvent) and message.event["event"] == "train_started"
        for message in messages
    )


def test_tasks_become_runs(pool: WorkerPool, ask: Ask, tmp_path: Path) -> None:
    for number in range(1, 6):
        pool.submit(ask(number, hyperparameters={"C": number / 10}))
    messages = until(pool, ends(5))
    ended = {one.number: one for one in messages if isinstance(one, RunEnded)}
    assert sorted(ended) == [1, 2, 3, 4, 5]
    assert {one.status for one in ended.values()} == {"succeeded"}
    index = read_index(StoreLayout(tmp_path))
    assert index is not None
    assert sorted(entry["run_id"] for entry in index) == sorted(
        one.run_id for one in ended.values()
    )
    for number, one in ended.items():
        mine = [message for message in messages if message.number == number]
        assert mine[0] == RunStarted(number, one.run_id)
        assert mine[-1] is one
        assert one.result == json.loads((one.run_dir / "result.json").read_text())


def test_what_is_wrong_with_a_request_is_reported(pool: WorkerPool, ask: Ask) -> None:
    missing, invalid, unlabelled = ask(1), ask(2), ask(3)
    missing.request["dataset"]["path"] = "nothing.csv"
    invalid.request["model"]["family"] = "oracle"
    unlabelled.request["dataset"]["label_column"] = "nothing"
    for task in (missing, invalid, unlabelled):
        pool.submit(task)
    messages = {one.number: one for one in until(pool, ends(3)) if isinstance(one, FINAL)}
    first, second, third = messages[1], messages[2], messages[3]
    assert isinstance(first, RunRefused)
    assert first.error.code == "DATASET_NOT_FOUND"
    assert isinstance(second, RunRefused)
    assert second.error.code == "DOCUMENT_INVALID"
    assert isinstance(third, RunRefused)
    assert third.error.code == "LABEL_NOT_FOUND"


@pytest.mark.parametrize("family", sorted(ENDLESS))
def test_native_code_is_cancelled_within_two_seconds(
    pool: WorkerPool, ask: Ask, tmp_path: Path, family: str
) -> None:
    pool.submit(endless(ask, 1, tmp_path, family))
    until(pool, is_training)
    asked = time.monotonic()
    pool.cancel(1, "Enough.")
    (message,) = (one for one in until(pool, ends(1)) if isinstance(one, FINAL))
    assert time.monotonic() - asked < 2.5  # half a second for a busy machine
    assert isinstance(message, RunEnded)
    assert message.status == "cancelled"
    assert message.error is not None
    assert message.error.message == "Enough."
    # The next task is not disturbed by what the last one left behind.
    pool.submit(ask(2))
    (after,) = (one for one in until(pool, ends(1)) if isinstance(one, FINAL))
    assert isinstance(after, RunEnded)
    assert after.status == "succeeded"


def test_waiting_tasks_are_dropped(ask: Ask, tmp_path: Path) -> None:
    with WorkerPool(1, StoreLayout(tmp_path)) as pool:
        pool.submit(endless(ask, 1, tmp_path, "linear_svc"))
        pool.submit(ask(2))
        pool.submit(ask(3))
        until(pool, is_training)
        assert (pool.running, pool.waiting) == ([1], [2, 3])
        pool.cancel(2)
        assert pool.waiting == [3]
        pool.cancel()
        messages = until(pool, ends(1))
        assert {one.number for one in messages} == {1}
        assert (pool.running, pool.waiting) == ([], [])


def children() -> list[int]:
    """Return the processes that this one has started."""
    found: list[int] = []
    for thread in Path(f"/proc/{os.getpid()}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that has ended
            found += map(int, (thread / "children").read_text().split())
    return found


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_that_dies_is_reported_and_replaced(
    ask: Ask, tmp_path: Path, number: signal.Signals
) -> None:
    with WorkerPool(1, StoreLayout(tmp_path)) as pool:
        before = set(children())
        pool.submit(endless(ask, 1, tmp_path, "random_forest"))
        pool.submit(ask(2))
        until(pool, is_training)
        (worker,) = set(children()) - before
        os.kill(worker, number)
        messages = [one for one in until(pool, ends(2)) if isinstance(one, FINAL)]
    lost, ended = messages
    assert isinstance(lost, WorkerLost)
    assert lost.number == 1
    assert lost.reason == f"it was ended by {number.name}"
    assert lost.run_id is not None
    assert not (tmp_path / ".runforge/runs" / lost.run_id / "result.json").exists()
    assert isinstance(ended, RunEnded)
    assert (ended.number, ended.status) == (2, "succeeded")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("kills", [4, pytest.param(60, marks=pytest.mark.storm)])
def test_workers_that_are_killed_at_any_moment_lose_no_finished_run(
    ask: Ask, tmp_path: Path, kills: int
) -> None:
    """Give each lost task to another worker until all have ended, as a sweep does."""
    generator = random.Random(kills)
    tasks = {number: ask(number, hyperparameters={"C": 0.1 * number}) for number in range(1, 11)}
    ended: dict[int, list[str]] = {number: [] for number in tasks}
    lost: list[str] = []
    with WorkerPool(2, StoreLayout(tmp_path)) as pool:
        before = set(children())
        deadline, rounds = time.monotonic() + 30 * kills, 0
        for task in tasks.values():
            pool.submit(task)
        while kills or any(not runs for runs in ended.values()):
            assert time.monotonic() < deadline
            for message in pool.poll(generator.random() * 0.3):
                if isinstance(message, WorkerLost):
                    if message.run_id is not None:
                        lost.append(message.run_id)
                    pool.submit(tasks[message.number])
                elif isinstance(message, RunEnded):
                    assert message.status == "succeeded"
                    ended[message.number].append(message.run_id)
            if kills and (running := sorted(set(children()) - before)):
                with suppress(ProcessLookupError):
                    os.kill(generator.choice(running), signal.SIGKILL)
                kills -= 1
            if kills and all(ended.values()) and rounds < 50:
                rounds += 1
                number = generator.choice([*tasks])
                ended[number] = ended[number][-1:]
                pool.submit(tasks[number])
    store = StoreLayout(tmp_path)
    index = read_index(store)
    assert index is not None
    listed = [entry["run_id"] for entry in index]
    assert len(listed) == len(set(listed))
    assert set(listed) >= {run for runs in ended.values() for run in runs}
    for path in store.runs.iterdir():
        if (path / "result.json").exists():
            assert path.name in listed or path.name in lost  # Killed before it was listed.
        else:
            assert path.name not in listed


def test_closing_records_and_ends_everything(ask: Ask, tmp_path: Path) -> None:
    pool = WorkerPool(2, StoreLayout(tmp_path))
    before = set(children())
    pool.start()
    pool.submit(endless(ask, 1, tmp_path, "linear_svc"))
    until(pool, is_training)
    began = time.monotonic()
    pool.close()
    assert time.monotonic() - began < 3
    assert set(children()) == before
    (message,) = (one for one in pool.poll(0) if isinstance(one, FINAL))
    assert isinstance(message, RunEnded)
    assert message.status == "cancelled"


CALLER = """
import json, sys
from pathlib import Path
from runforge_contracts.store.layout import StoreLayout
from runforge_engine.workers.worker_messages import RunEvent, RunTask
from runforge_engine.workers.worker_pool import WorkerPool

# Without a guard, as in a user's script.
pool = WorkerPool(1, StoreLayout(Path(sys.argv[1])))
pool.submit(RunTask(1, json.loads(sys.argv[2])))
while True:
    for message in pool.poll(1):
        if isinstance(message, RunEvent):
            print(message.event["event"], flush=True)
"""


def start_caller(task: RunTask, folder: Path, **options: Any) -> subprocess.Popen[str]:
    """Start a program that uses a pool, and wait until it trains."""
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER, str(folder), json.dumps(task.request)],
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )
    assert caller.stdout is not None
    for line in caller.stdout:
        if line.strip() == "train_started":
            return caller
    raise AssertionError("the training has not started")


def result_within(folder: Path, seconds: float) -> dict[str, Any]:
    """Wait for the result of the only run, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for path in folder.glob(".runforge/runs/*/result.json"):
            document: dict[str, Any] = json.loads(path.read_text())
            return document
        time.sleep(0.02)
    raise AssertionError("no result was written")


def test_a_caller_that_is_killed_leaves_a_cancelled_run(ask: Ask, tmp_path: Path) -> None:
    caller = start_caller(endless(ask, 1, tmp_path, "linear_svc"), tmp_path)
    caller.kill()
    caller.wait()
    assert caller.stdout is not None
    caller.stdout.close()
    assert result_within(tmp_path, 3)["status"] == "cancelled"


def test_files_of_a_workspace_are_not_imported(ask: Ask, tmp_path: Path) -> None:
    for name in ("json", "numpy", "sklearn", "runforge_engine"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported')")
    environment = {**os.environ, "PYTHONPATH": f"{os.pathsep}."}
    source = "import sys; sys.path[:] = [p for p in sys.path if p not in ('', sys.argv[1])]\n"
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            source + CALLER.replace("while True:", "for _ in range(60):\n  if pool.running:"),
            str(tmp_path),
            json.dumps(ask(1).request),
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "train_finished" in done.stdout, done.stderr
    assert result_within(tmp_path, 3)["status"] == "succeeded"


def test_output_of_libraries_is_no_message(ask: Ask, tmp_path: Path, monkeypatch: Any) -> None:
    """A module that prints before the program begins, and while the worker says something."""
    noisy = tmp_path / "noisy"
    noisy.mkdir()
    (noisy / "sitecustomize.py").write_text(
        "import os, threading, time\n"
        "def shout():\n"
        "    while True:\n"
        "        os.write(1, b'noise\\n'); os.write(2, b'noise'); print('more')\n"
        "        time.sleep(0.01)\n"
        "import sys\n"
        "if any('run_worker' in argument for argument in sys.orig_argv):\n"
        "    threading.Thread(target=shout, daemon=True).start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(noisy))
    with WorkerPool(1, StoreLayout(tmp_path)) as pool:
        for number in range(1, 21):
            pool.submit(ask(number))
        ended = [one for one in until(pool, ends(20)) if isinstance(one, FINAL)]
    assert {one.status for one in ended if isinstance(one, RunEnded)} == {"succeeded"}
    assert len(ended) == 20
