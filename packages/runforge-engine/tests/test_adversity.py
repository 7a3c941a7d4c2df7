"""A full disk, an unwritable or missing folder and a changed clock are reported and survived."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from real_data import read, write_dataset
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import writing
from runforge_contracts.invariants.run_invariants import check_run
from runforge_contracts.invariants.store_invariants import check_store
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import list_runs, locate_run
from runforge_engine import Store, train
from runforge_engine.pipeline.observer import Observer
from runforge_engine.store.index_repair import check_index, rebuild_index


def in_process(work: Callable[[], object]) -> str:
    """Do ``work`` in a process of its own, and return the code of the error that it raises."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        told = "a fault"
        try:
            work()
            told = "done"
        except RunForgeError as error:
            told = error.code.value
        finally:
            os.write(writer, told.encode())
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as file:
        return file.read()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoreLayout:
    """Return a store with one run."""
    write_dataset("iris", tmp_path)
    monkeypatch.chdir(tmp_path)
    train("iris.csv", label="target")
    return StoreLayout(tmp_path)


def files_of(store: StoreLayout) -> dict[Path, bytes]:
    """Return what the store had, but for what a new run adds."""
    return {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()}


def is_as_it_was(store: StoreLayout, before: dict[Path, bytes]) -> None:
    after = files_of(store)
    assert {path: after.get(path) for path in before} == before
    assert not [path for path in store.root.iterdir() if "tmp" in path.name]
    assert not check_store(store)
    report = rebuild_index(store)
    assert not report.skipped
    assert not check_index(store).findings
    assert train("iris.csv", label="target").status == "succeeded"


def limited(size: int) -> None:
    """Train with a limit of ``size`` bytes per file, which is reported like a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    train("iris.csv", label="target")


def test_a_disk_that_is_full_at_any_file_is_reported(store: StoreLayout) -> None:
    before, runs = files_of(store), set(store.runs.iterdir())
    sizes = sorted({max(len(data) - 1, 0) for data in before.values()})
    told = [in_process(partial(limited, size)) for size in sizes]
    assert set(told) <= {"STORE_NOT_WRITABLE", "done"}
    # Whichever file exceeds the limit first, the run is finished only if all of them are written.
    assert told == sorted(told)
    assert told.count("STORE_NOT_WRITABLE") > 5
    assert all(any(folder.iterdir()) for folder in set(store.runs.iterdir()) - runs)
    is_as_it_was(store, before)


def mounted(folder: Path) -> bool:
    if os.geteuid() != 0 or not shutil.which("mount"):
        return False
    command = ("mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder))
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_small_disk_is_filled_and_emptied(tmp_path: Path, monkeypatch: Any) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mounted(folder):
        pytest.skip("nothing can be mounted here")
    try:
        write_dataset("iris", folder)
        monkeypatch.chdir(folder)
        store, runs = StoreLayout(folder), 0
        for _ in range(20):
            told = in_process(lambda: train("iris.csv", label="target"))
            if told != "done":
                break
            runs += 1
        assert (told, runs > 0) == ("STORE_NOT_WRITABLE", True)
        finished = [entry for entry in list_runs(store) if entry.get("status") == "succeeded"]
        # The last one may have been complete, and only its entry did not fit.
        assert len(finished) - runs in (0, 1)
        assert not [item for item in check_index(store).findings if item.kind != "entry_missing"]
        for entry in finished:
            shutil.rmtree(folder / entry["run_dir"])
        for entry in list_runs(store):
            if "status" not in entry:
                shutil.rmtree(folder / entry["run_dir"])
        missing = rebuild_index(store).missing_folders
        assert sorted(missing) == sorted(entry["run_id"] for entry in finished[:runs])
        assert in_process(lambda: train("iris.csv", label="target")) == "done"
    finally:
        monkeypatch.chdir(tmp_path)
        subprocess.run(("umount", "--lazy", str(folder)), check=True)


@contextmanager
def closed(folder: Path) -> Iterator[None]:
    folder.chmod(0o555)
    try:
        yield
    finally:
        folder.chmod(0o755)


def as_nobody(work: Callable[[], object]) -> None:
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    work()


@pytest.mark.parametrize("place", [".", ".runforge", ".runforge/runs"])
def test_a_folder_that_cannot_be_written_is_reported(place: str, monkeypatch: Any) -> None:
    with tempfile.TemporaryDirectory() as name:  # others may come here, unlike to pytest's own
        workspace = Path(name)
        workspace.chmod(0o755)
        write_dataset("iris", workspace)
        monkeypatch.chdir(workspace)
        if place != ".":
            train("iris.csv", label="target")
        if os.geteuid() == 0:
            for path in (workspace, *workspace.rglob("*")):
                os.chown(path, 65534, 65534)
        before = files_of(StoreLayout(workspace))
        with closed(workspace / place):
            told = in_process(lambda: as_nobody(lambda: train("iris.csv", label="target")))
        assert told == "STORE_NOT_WRITABLE"
        assert files_of(StoreLayout(workspace)) == before or place == ".runforge"
        assert not check_index(StoreLayout(workspace)).findings or place == ".runforge"
        monkeypatch.undo()


class Doing(Observer):
    """Do something at an event."""

    def __init__(self, name: str, action: Callable[[], object]) -> None:
        self.name, self.action = name, action

    def on_event(self, event: dict[str, Any]) -> None:
        if event["event"] == self.name:
            self.action()


EVENTS = ["run_start", "train_started", "artifacts_written"]


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be renamed there")
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("moved", ["run", "store", "workspace", "store, and another is made"])
def test_a_run_goes_on_where_its_folder_was_moved_to(
    event: str, moved: str, tmp_path: Path, monkeypatch: Any
) -> None:
    workspace, there = tmp_path / "workspace", tmp_path / "moved away"
    workspace.mkdir()
    write_dataset("iris", workspace)
    monkeypatch.chdir(tmp_path)

    def move() -> None:
        [run] = (workspace / ".runforge/runs").iterdir()
        folder = {"run": run, "workspace": workspace}.get(moved, run.parents[1])
        folder.rename(there)
        if "another" in moved:
            shutil.copytree(there, folder)

    run = train(
        workspace / "iris.csv", label="target", workspace=workspace, observer=Doing(event, move)
    )
    store = {
        "run": StoreLayout(workspace),
        "workspace": StoreLayout(there),
    }.get(moved, StoreLayout(tmp_path, there.name))
    assert run.path.is_relative_to(there)
    assert (run.status, check_run(run.path)) == ("succeeded", [])
    [entry] = list_runs(store)
    assert locate_run(entry, store) == run.path
    [warning] = [item for item in run.diagnostics if item["code"] == "RUN_FOLDER_MOVED"]
    assert there.name in warning["message"]
    assert {item.name for item in there.rglob("*.tmp")} == set()
    if moved != "workspace":
        again = train(workspace / "iris.csv", label="target", workspace=workspace)
        assert again.path.parent == workspace / ".runforge/runs"


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be deleted there")
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("gone", ["run", "store", "workspace", "run, and another is made"])
def test_a_run_whose_folder_is_deleted_says_so(
    event: str, gone: str, tmp_path: Path, monkeypatch: Any
) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    write_dataset("iris", workspace)
    monkeypatch.chdir(tmp_path)

    def delete() -> None:
        [run] = (workspace / ".runforge/runs").iterdir()
        folder = {"store": run.parents[1], "workspace": workspace}.get(gone, run)
        shutil.rmtree(folder)
        if "another" in gone:
            run.mkdir()

    with pytest.raises(RunForgeError) as caught:
        train(
            workspace / "iris.csv",
            label="target",
            workspace=workspace,
            observer=Doing(event, delete),
        )
    assert caught.value.code.value == "STORE_NOT_WRITABLE"
    assert "was deleted" in caught.value.message
    assert "permissions" not in str(caught.value.hint)
    assert [*tmp_path.rglob("*.json")] == []
    if gone == "workspace":
        assert not workspace.exists()
    else:
        assert train(workspace / "iris.csv", label="target", workspace=workspace).metrics


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "Free some space"),
        (errno.EROFS, "only be read"),
        (errno.EACCES, "permissions"),
        (errno.ENOENT, "moved or deleted"),
    ],
)
def test_the_hint_is_about_what_the_system_says(number: int, hint: str, tmp_path: Path) -> None:
    with pytest.raises(RunForgeError) as caught, writing(tmp_path):
        raise OSError(number, os.strerror(number))
    assert hint in str(caught.value.hint)


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no such permissions there")
def test_a_run_that_cannot_be_listed_names_what_lists_it(tmp_path: Path, monkeypatch: Any) -> None:
    write_dataset("iris", tmp_path)
    monkeypatch.chdir(tmp_path)
    store = StoreLayout(tmp_path)

    def block() -> None:
        store.index.mkdir()

    with pytest.raises(RunForgeError) as caught:
        train("iris.csv", label="target", observer=Doing("train_started", block))
    assert "The run is complete in" in caught.value.message
    assert "`runforge index rebuild`" in str(caught.value.hint)
    store.index.rmdir()
    assert len(rebuild_index(store).recovered) == 1


@pytest.mark.parametrize("hours", [-48, -1, 48])
def test_a_clock_that_is_set_during_a_run(
    hours: int, store: StoreLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runforge_engine.runtime import clock

    class Set(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(hours=hours)

    watch = Doing("train_started", lambda: monkeypatch.setattr(clock, "datetime", Set))
    run = train("iris.csv", label="target", observer=watch)
    assert check_run(run.path) == []
    lines = (run.path / "logs/events.jsonl").read_text("utf-8").splitlines()
    times = [json.loads(line)["timestamp"] for line in lines]
    assert times == sorted(times)
    result = read(run.path, "result.json")
    begun = datetime.fromisoformat(result["started_at"])
    assert abs(datetime.now(UTC) - begun) < timedelta(hours=1)


def test_runs_made_after_the_clock_was_put_back_are_kept_beside_the_others(
    store: StoreLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    [first] = Store().runs()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    early = train("iris.csv", label="target")
    again = train("iris.csv", label="target")
    assert len({first.id, early.id, again.id}) == 3
    assert {run.id for run in Store().runs()} == {first.id, early.id, again.id}
    assert Store().run() == again
    before = store.index.read_bytes()
    assert not check_index(store).findings
    assert not rebuild_index(store).recovered
    assert store.index.read_bytes() == before
    assert [check_run(run.path) for run in Store().runs()] == [[], [], []]


def test_a_store_is_not_written_while_another_holds_its_index(
    store: StoreLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runforge_engine.store import index_lock as writing

    monkeypatch.setattr(writing, "LOCK_TIMEOUT", 0.2)
    holder = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from runforge_contracts.store.layout import StoreLayout\n"
        "from runforge_engine.store.run_folders import index_lock\n"
        "with index_lock(StoreLayout(Path.cwd())):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(RunForgeError) as caught:
            train("iris.csv", label="target")
        process.communicate("")
    assert caught.value.code.value == "STORE_BUSY"
    assert f"by process {process.pid} (" in caught.value.message
    [unlisted] = check_index(store).unlisted
    assert rebuild_index(store).recovered == (unlisted,)
    assert check_store(store) == []
