"""Runs on a Dask cluster: a real scheduler and worker processes that cannot read the workspace."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from dask_cluster import PATIENCE, DaskCluster, dask_cluster, kill, wait_until
from real_data import FAMILIES, ROOT, read, write_dataset
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.invariants.run_invariants import check_run
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import read_index
from runforge_engine.distributed.dask_pool import DaskPool
from runforge_engine.pipeline.request import new_request
from runforge_engine.store.run_folders import release_unstarted
from runforge_engine.workers.worker_messages import (
    PoolNotice,
    RunDiagnostic,
    RunEnded,
    RunEvent,
    RunRefused,
    RunStarted,
    RunTask,
    WorkerLost,
)
from runforge_engine.workers.worker_pool import WorkerPool

pytestmark = [
    pytest.mark.needs(package="distributed"),
    # Those of Dask are about its own loops and sockets.
    pytest.mark.filterwarnings("ignore"),
]

#: A fit that takes minutes, and can be cancelled between its trees.
LONG = {"model_family": "random_forest", "hyperparameters": {"n_estimators": 200_000}}
EPOCH = "1767225600"
RECIPE = {
    "schema_version": "recipe.v1",
    "label": "species",
    "columns": [
        {
            "column": "island",
            "action": "one_hot",
            "categories": ["Biscoe", "Dream", "Torgersen"],
        },
        {"column": "body_mass_g", "action": "keep"},
    ],
    "created_by": "tests@1",
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with all workspaces, which the workers cannot read."""
    return tmp_path_factory.mktemp("clients")


@pytest.fixture(scope="module")
def cluster(places: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """Start a cluster of two workers, for tests that leave it as it is."""
    with dask_cluster(tmp_path_factory.mktemp("dask"), places) as running:
        yield running


@pytest.fixture
def workspace(places: Path, request: pytest.FixtureRequest) -> Path:
    """Return a new workspace with the iris in it."""
    folder = places / f"w{len([*places.iterdir()])}"
    folder.mkdir()
    write_dataset("iris", folder)
    return folder


def task(
    number: int, store: StoreLayout, dataset: str | Path = "iris.csv", **options: Any
) -> RunTask:
    options = {"label_column": "target", "created_by": "tests@1", **options}
    request = new_request(dataset=store.workspace / dataset, store=store, **options)
    return RunTask(number, request.document.raw)


def collect(
    pool: DaskPool | WorkerPool,
    until: Callable[[list[Any]], bool],
    on_message: Callable[[Any], None] = lambda _: None,
) -> list[Any]:
    """Return the messages of a pool, once they are enough."""
    messages: list[Any] = []
    deadline = time.monotonic() + PATIENCE
    while not until(messages):
        assert time.monotonic() < deadline, messages
        for message in pool.poll(0.2):
            messages.append(message)
            on_message(message)
    return messages


def ended(count: int) -> Callable[[list[Any]], bool]:
    over = (RunEnded, RunRefused, WorkerLost)
    return lambda messages: sum(isinstance(item, over) for item in messages) >= count


def execute_all(pool: DaskPool | WorkerPool, tasks: Sequence[RunTask]) -> list[Any]:
    with pool:
        pool.start()
        for item in tasks:
            pool.submit(item)
        return collect(pool, ended(len(tasks)))


def of(kind: type, messages: list[Any]) -> list[Any]:
    return [item for item in messages if isinstance(item, kind)]


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def check_store(store: StoreLayout, runs: int) -> None:
    """Check that there are so many runs, complete, valid and listed once, and nothing else."""
    folders = sorted(path.name for path in store.runs.iterdir())
    assert sorted(entry["run_id"] for entry in read_index(store)) == folders
    assert len(folders) == runs
    for name in folders:
        assert check_run(store.runs / name) == []


def various_tasks(workspace: Path) -> list[RunTask]:
    """Return runs of each family, one whose fit fails, one that is refused, two with a recipe."""
    store = StoreLayout(workspace)
    shutil.copyfile(ROOT / "examples/penguins.csv", workspace / "penguins.csv")
    (workspace / "few.csv").write_text("a,b\n1,x\n2,x\n3,x\n", "utf-8")
    penguins = {"label_column": "species", "exclude_columns": ("island", "sex", "year")}
    tasks = []
    for family in FAMILIES:
        tasks.append(task(len(tasks) + 1, store, model_family=family, seed=3, preset="fast"))
        tasks.append(task(len(tasks) + 1, store, "penguins.csv", model_family=family, **penguins))
    tasks.append(task(7, store, "few.csv", label_column="b"))
    (workspace / "recipe.json").write_text(json.dumps(RECIPE), "utf-8")
    raw = {"label_column": "species", "recipe": workspace / "recipe.json"}
    return [
        *tasks,
        task(8, store, "missing.csv"),
        task(9, store, "penguins.csv", **raw),
        task(10, store, "penguins.csv", **raw, model_family="random_forest", preset="fast"),
    ]


@pytest.mark.parametrize("private", [True, False])
def test_the_folders_equal_those_of_local_runs_byte_for_byte(
    private: bool,
    cluster: DaskCluster,
    places: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)
    results = []
    for kind in ("one", "four", "dask"):
        folder = places / f"equal-{private}-{kind}"
        folder.mkdir()
        write_dataset("iris", folder)
        store, tasks = StoreLayout(folder), various_tasks(folder)
        pool = (
            DaskPool(cluster.address, store, private=private)
            if kind == "dask"
            else WorkerPool(1 if kind == "one" else 4, store, private=private)
        )
        messages = execute_all(pool, tasks)
        statuses = {item.number: item.status for item in of(RunEnded, messages)}
        assert statuses == {**dict.fromkeys((*range(1, 7), 9, 10), "succeeded"), 7: "failed"}
        [refusal] = of(RunRefused, messages)
        assert (refusal.number, refusal.error.code) == (8, ErrorCode.DATASET_NOT_FOUND)
        check_store(store, 9)
        results.append({path.name: files_of(path) for path in store.runs.iterdir()})
    one, four, dask = results
    assert one == four
    if not private:
        for run in dask.values():
            _leave_out_host(run)
        for run in one.values():
            _leave_out_host(run)
    assert one == dask


def _leave_out_host(files: dict[str, bytes]) -> None:
    """Take the name of the machine out of a run, and the digests of the files that have it."""
    for name in ("run.json", "result.json", "provenance.intoto.json", "manifest.json"):
        if name not in files:
            continue
        document = json.loads(files[name])
        document.get("provenance", {}).get("platform", {}).pop("host", None)
        if name == "manifest.json":
            for file in ("run.json", "result.json", "provenance.intoto.json"):
                document["files"].pop(file, None)
        if name == "provenance.intoto.json":
            document["subject"] = [
                item
                for item in document["subject"]
                if item["name"] not in ("run.json", "result.json")
            ]
            parameters = document["predicate"]["buildDefinition"]["internalParameters"]
            parameters.get("environment", {}).get("platform", {}).pop("host", None)
        if name == "result.json":
            for item in document["artifacts"]:
                if item["path"] in ("provenance.intoto.json", "manifest.json"):
                    item.pop("bytes")
        files[name] = json.dumps(document).encode()


def test_a_run_records_the_machine_and_where_its_code_came_from(
    cluster: DaskCluster, workspace: Path
) -> None:
    git = ["git", "-C", str(workspace), "-c", "user.name=t", "-c", "user.email=t@t"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *arguments], check=True)
    store = StoreLayout(workspace)
    [end] = of(RunEnded, execute_all(DaskPool(cluster.address, store), [task(1, store)]))
    provenance = read(end.run_dir, "run.json")["provenance"]
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    assert provenance["git"] == {"commit": commit.stdout.strip(), "dirty": False}
    assert provenance["platform"]["host"]
    assert provenance["client"] == "tests@1"
    assert provenance["numerics"]["pinned"] is (sys.platform == "linux")


def test_events_and_diagnostics_arrive_in_order_and_complete(
    cluster: DaskCluster, workspace: Path
) -> None:
    store = StoreLayout(workspace)
    options = {"model_family": "random_forest", "hyperparameters": {"n_estimators": 300}}
    messages = execute_all(DaskPool(cluster.address, store), [task(1, store, **options)])
    [end] = of(RunEnded, messages)
    assert isinstance(messages[0], RunStarted)
    assert messages[-1] is end
    told = [item.event for item in of(RunEvent, messages)]
    logged = [
        json.loads(line) for line in (end.run_dir / "logs/events.jsonl").read_text().splitlines()
    ]
    assert [event for event in logged if event["event"] != "train_progress"] == [
        event for event in told if event["event"] != "train_progress"
    ]
    assert all(event in logged for event in told)
    recorded = [item["code"] for item in read(end.run_dir, "diagnostics.json")["diagnostics"]]
    assert [item.diagnostic.code for item in of(RunDiagnostic, messages)] == recorded


def test_a_dataset_is_sent_once_to_each_worker(cluster: DaskCluster, workspace: Path) -> None:
    store = StoreLayout(workspace)
    before = [cluster.log(number).count("receive_file") for number in range(2)]
    tasks = [task(n, store, hyperparameters={"C": float(n)}) for n in range(1, 9)]
    assert len(of(RunEnded, execute_all(DaskPool(cluster.address, store), tasks))) == 8
    after = [cluster.log(number).count("receive_file") for number in range(2)]
    assert [new - old for old, new in zip(before, after, strict=True)] == [1, 1]
    check_store(store, 8)
    wait_until(lambda: not cluster.sessions(), "a session is left")


def test_a_dataset_outside_the_workspace_is_recorded_by_its_own_path(
    cluster: DaskCluster, workspace: Path, places: Path
) -> None:
    outside = places / "outside.csv"
    shutil.copyfile(workspace / "iris.csv", outside)
    store = StoreLayout(workspace)
    [end] = of(RunEnded, execute_all(DaskPool(cluster.address, store), [task(1, store, outside)]))
    assert end.status == "succeeded"
    assert read(end.run_dir, "run.json")["dataset"]["path"] == outside.as_posix()


def test_a_cancelled_run_is_recorded(cluster: DaskCluster, workspace: Path) -> None:
    store = StoreLayout(workspace)
    with DaskPool(cluster.address, store) as pool:
        pool.start()
        for number in (1, 2, 3):
            pool.submit(task(number, store, **LONG))
        training = [
            item
            for item in collect(pool, lambda found: _training(found) >= 2)
            if isinstance(item, RunStarted)
        ]
        assert pool.waiting == [3]
        pool.cancel(reason="Enough.")
        ends = of(RunEnded, collect(pool, ended(2)))
        assert {item.number for item in ends} == {item.number for item in training}
        assert {item.status for item in ends} == {"cancelled"}
        assert {item.error.message for item in ends} == {"Enough."}
        assert pool.waiting == pool.running == []
    check_store(store, 2)
    wait_until(lambda: not cluster.sessions(), "a session is left")


def _training(messages: list[Any]) -> int:
    events = [item.event["event"] for item in of(RunEvent, messages)]
    return events.count("train_started")


def test_a_pool_that_does_not_wait_leaves_nothing_in_the_store(
    cluster: DaskCluster, workspace: Path
) -> None:
    store = StoreLayout(workspace)
    pool = DaskPool(cluster.address, store)
    pool.start()
    pool.submit(task(1, store, **LONG))
    [started] = of(RunStarted, collect(pool, lambda found: _training(found) >= 1))
    pool.close(0)
    assert [item.run_id for item in of(WorkerLost, pool.poll(0))] == [started.run_id]
    assert [*store.runs.iterdir()] == []
    wait_until(lambda: not cluster.sessions(), "a session is left")


def test_a_killed_client_leaves_no_work_and_no_run(cluster: DaskCluster, workspace: Path) -> None:
    program = (
        "import sys; sys.path[:0] = sys.argv[4:]\n"
        "import json\n"
        "from pathlib import Path\n"
        "from runforge_contracts.store.layout import StoreLayout\n"
        "from runforge_engine.distributed.dask_pool import DaskPool\n"
        "from runforge_engine.workers.worker_messages import RunTask\n"
        "pool = DaskPool(sys.argv[1], StoreLayout(Path(sys.argv[2])))\n"
        "pool.start()\n"
        "pool.submit(RunTask(1, json.loads(sys.argv[3])))\n"
        "while True:\n"
        "    for message in pool.poll(1):\n"
        "        print(getattr(message, 'event', {}).get('event', ''), flush=True)\n"
    )
    store = StoreLayout(workspace)
    request = json.dumps(task(1, store, **LONG).request)
    client = subprocess.Popen(
        [sys.executable, "-c", program, cluster.address, str(workspace), request],
        stdout=subprocess.PIPE,
    )
    assert client.stdout is not None
    for line in client.stdout:
        if line.strip() == b"train_started":
            break
    assert cluster.sessions()
    kill(client)
    client.stdout.close()
    wait_until(lambda: not cluster.sessions(), "the worker goes on")
    [left] = store.runs.iterdir()
    assert files_of(left).keys() == {"request.json"}
    assert release_unstarted(left)


def test_a_run_whose_worker_is_killed_goes_elsewhere_and_is_listed_once(
    workspace: Path, places: Path, tmp_path: Path
) -> None:
    store = StoreLayout(workspace)
    with (
        dask_cluster(tmp_path / "dask", places) as cluster,
        DaskPool(cluster.address, store) as pool,
    ):
        pool.start()
        pool.submit(task(1, store, **LONG))
        pool.submit(task(2, store, **LONG))
        collect(pool, lambda found: _training(found) >= 2)
        kill(cluster.workers[0])
        [lost] = of(WorkerLost, collect(pool, ended(1)))
        assert lost.run_id is not None
        assert not store.run_folder(lost.run_id).exists()
        pool.cancel(3 - lost.number)
        quick = task(lost.number, store, model_family="random_forest")
        pool.submit(quick)
        ends = {item.number: item for item in of(RunEnded, collect(pool, ended(2)))}
        assert ends[lost.number].status == "succeeded"
        check_store(store, 2)
        # A worker that joins later gets runs, too.
        cluster.add_worker(threads=2)
        for number in range(3, 7):
            pool.submit(task(number, store, seed=number))
        assert len(of(RunEnded, collect(pool, ended(4)))) == 4
        check_store(store, 6)


def test_a_lost_scheduler_is_an_error_and_leaves_nothing(
    workspace: Path, places: Path, tmp_path: Path
) -> None:
    store = StoreLayout(workspace)
    with dask_cluster(tmp_path / "dask", places, workers=1) as cluster:
        pool = DaskPool(cluster.address, store)
        pool.start()
        pool.submit(task(1, store, **LONG))
        collect(pool, lambda found: _training(found) >= 1)
        assert cluster.scheduler is not None
        kill(cluster.scheduler)
        [lost] = of(WorkerLost, collect(pool, ended(1)))
        assert lost.number == 1
        with pytest.raises(RunForgeError) as caught:
            collect(pool, lambda _: False)
        assert caught.value.code is ErrorCode.SCHEDULER_UNREACHABLE
        pool.close(0)
        assert [*store.runs.iterdir()] == []
        wait_until(lambda: not cluster.sessions(), "the worker goes on")


def other_versions(folder: Path) -> dict[str, str]:
    """Return variables with which a process finds another version of a package."""
    import threadpoolctl

    folder.mkdir()
    text = Path(threadpoolctl.__file__).read_text("utf-8")
    changed = text.replace(f'__version__ = "{threadpoolctl.__version__}"', '__version__ = "0.0.1"')
    assert changed != text
    (folder / "threadpoolctl.py").write_text(changed, "utf-8")
    return {"PYTHONPATH": str(folder)}


def test_a_worker_with_other_versions_is_refused_or_recorded(
    workspace: Path, places: Path, tmp_path: Path
) -> None:
    store = StoreLayout(workspace)
    with dask_cluster(tmp_path / "dask", places, workers=1) as cluster:
        variables = other_versions(tmp_path / "other")
        with DaskPool(cluster.address, store) as pool:
            pool.start()
            cluster.add_worker(variables=variables)
            [notice] = collect(pool, lambda found: bool(of(PoolNotice, found)))
            assert "worker-1" in notice.text
            assert "packages.threadpoolctl is `0.0.1`" in notice.text
            for number in range(1, 4):
                pool.submit(task(number, store, seed=number))
            ends = of(RunEnded, collect(pool, ended(3)))
        for end in ends:
            packages = read(end.run_dir, "run.json")["provenance"]["packages"]
            assert packages["threadpoolctl"] != "0.0.1"
        refused = DaskPool(cluster.address, store)
        with pytest.raises(RunForgeError) as caught:
            refused.start()
        assert caught.value.code is ErrorCode.WORKER_MISMATCH
        [problem] = caught.value.problems
        assert "worker-1" in problem.message
        assert "packages.threadpoolctl is `0.0.1`" in problem.message
        kill(cluster.workers[0])
        mixed = DaskPool(cluster.address, store, allow_mixed=True)
        wait_until(lambda: _workers(cluster) == 1, "the worker is still there")
        [end] = of(RunEnded, execute_all(mixed, [task(9, store, seed=9)]))
        packages = read(end.run_dir, "run.json")["provenance"]["packages"]
        assert packages["threadpoolctl"] == "0.0.1"
        [found] = [
            item
            for item in read(end.run_dir, "diagnostics.json")["diagnostics"]
            if item["code"] == "ENVIRONMENT_MIXED"
        ]
        [difference] = found["details"]["differences"]
        assert (difference["name"], difference["worker"]) == ("packages.threadpoolctl", "0.0.1")
        check_store(store, 4)


def _workers(cluster: DaskCluster) -> int:
    from distributed import Client

    with Client(cluster.address, set_as_default=False) as client:
        return len(client.nthreads())


def test_a_worker_without_runforge_is_refused(
    workspace: Path, places: Path, tmp_path: Path
) -> None:
    missing = tmp_path / "missing" / "runforge_engine"
    missing.mkdir(parents=True)
    (missing / "__init__.py").write_text("raise ModuleNotFoundError('No module runforge_engine')")
    with dask_cluster(tmp_path / "dask", places, workers=0) as cluster:
        cluster.add_worker(variables={"PYTHONPATH": str(missing.parent)})
        pool = DaskPool(cluster.address, StoreLayout(workspace), allow_mixed=True)
        with pytest.raises(RunForgeError) as caught:
            pool.start()
        assert caught.value.code is ErrorCode.WORKER_MISMATCH
        assert "No module runforge_engine" in caught.value.problems[0].message
    assert not StoreLayout(workspace).root.exists()


def test_a_cluster_without_workers_is_waited_for(
    workspace: Path, places: Path, tmp_path: Path
) -> None:
    store = StoreLayout(workspace)
    with (
        dask_cluster(tmp_path / "dask", places, workers=0) as cluster,
        DaskPool(cluster.address, store) as pool,
    ):
        pool.start()
        pool.submit(task(1, store))
        [notice] = pool.poll(0)
        assert "no workers yet" in notice.text
        cluster.add_worker()
        assert of(RunEnded, collect(pool, ended(1)))


@pytest.mark.parametrize("address", ["", "localhost", "8786", "tcp://", "tcp://a b:1", "C:\\x"])
def test_what_is_no_address_is_an_error(address: str, workspace: Path) -> None:
    with pytest.raises(RunForgeError) as caught:
        DaskPool(address, StoreLayout(workspace)).start()
    assert caught.value.code is ErrorCode.USAGE_INVALID


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:9", "tcp://host.invalid:8786", "ftp://127.0.0.1:9"]
)
def test_a_scheduler_that_is_not_there_is_an_error(address: str, workspace: Path) -> None:
    with pytest.raises(RunForgeError) as caught:
        DaskPool(address, StoreLayout(workspace)).start()
    assert caught.value.code is ErrorCode.SCHEDULER_UNREACHABLE
    assert address in caught.value.message
    assert not StoreLayout(workspace).root.exists()


def test_nothing_of_dask_is_imported_before_it_is_used() -> None:
    code = (
        "import sys, runforge_engine.distributed.dask_pool;"
        "print([name for name in ('dask', 'distributed', 'numpy') if name in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
