"""Many processes in one workspace: nothing is lost, listed twice, or seen in part."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from real_data import write_dataset
from runforge_contracts.invariants.run_invariants import check_run
from runforge_contracts.invariants.store_invariants import check_store
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_engine.store.index_repair import check_index

APPEND = """
import sys
from pathlib import Path
from runforge_contracts.store.layout import StoreLayout
from runforge_engine.store.run_folders import append_entry
store = StoreLayout(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    run_id = f"20260201-120000-{int(sys.argv[2]):04x}{number:04x}"
    entry = {"run_id": run_id, "created_at": "2026-02-01T12:00:00Z", "status": "failed"}
    append_entry(store, {**entry, "run_dir": f".runforge/runs/{run_id}"})
"""
TRAIN = """
import sys
from pathlib import Path
from runforge_engine import pin_environment, train
pin_environment()
for number in range(int(sys.argv[1])):
    print(train("iris.csv", label="target", seed=number).id)
"""
#: Reads whatever there is, as any client would, until its standard input ends.
READ = """
import json, os, sys, threading
from pathlib import Path
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
store, reads, most = Path(".runforge"), 0, int(sys.argv[1])
listed, results = [], set()
while reads < most and not ended.is_set():
    if (store / "index.json").exists():
        index = json.loads((store / "index.json").read_bytes())
        found = [entry["run_id"] for entry in index["runs"]]
        assert found[: len(listed)] == listed, "the index lost or moved something"
        listed, reads = found, reads + 1
    for folder in store.glob("runs/*"):
        for name in ("request", "run", "result", "metrics", "manifest"):
            try:
                data = (folder / f"{name}.json").read_bytes()
            except FileNotFoundError:
                assert (folder, name) not in results, "a file vanished"
                continue
            json.loads(data)
            results.add((folder, name))
            reads += 1
            if name == "result":
                assert (folder / "manifest.json").exists(), "a result without the rest"
print(reads)
"""


def start(program: str, *arguments: object, cwd: Path, **more: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1769947200"},
        **more,
    )


def append_from(processes: int, appends: int, workspace: Path) -> None:
    running = [
        start(APPEND, workspace, number, appends, cwd=workspace) for number in range(processes)
    ]
    ended = [process.communicate() and process.returncode for process in running]
    assert ended == [0] * processes
    runs = json.loads((workspace / ".runforge/index.json").read_bytes())["runs"]
    assert len(runs) == len({entry["run_id"] for entry in runs}) == processes * appends


def train_from(processes: int, trainings: int, workspace: Path, most_reads: int) -> int:
    """Train in processes that all start in the same second; return the reads beside them."""
    write_dataset("iris", workspace)
    reader = start(READ, most_reads, cwd=workspace, stdin=subprocess.PIPE)
    running = [start(TRAIN, trainings, cwd=workspace) for _ in range(processes)]
    ids = [line for process in running for line in process.communicate()[0].split()]
    assert [process.returncode for process in running] == [0] * processes
    reads, _ = reader.communicate("")
    assert reader.returncode == 0
    store = StoreLayout(workspace)
    assert len(set(ids)) == len(ids) == processes * trainings
    index = json.loads(store.index.read_bytes())["runs"]
    assert sorted(entry["run_id"] for entry in index) == sorted(ids)
    for run_id in ids:
        assert check_run(store.run_folder(run_id)) == []
    assert check_store(store) == []
    assert check_index(store).findings == ()
    return int(reads)


@pytest.mark.parametrize(
    ("processes", "appends"), [(3, 10), pytest.param(8, 40, marks=pytest.mark.storm)]
)
def test_no_process_loses_the_entry_of_another(
    processes: int, appends: int, tmp_path: Path
) -> None:
    append_from(processes, appends, tmp_path)


@pytest.mark.parametrize("processes", [2, pytest.param(8, marks=pytest.mark.storm)])
def test_processes_that_train_at_once_take_no_run_from_each_other(
    processes: int, tmp_path: Path
) -> None:
    assert train_from(processes, 1, tmp_path, 10**9) > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "copy", ["copied", "cloned", pytest.param("synced", marks=pytest.mark.needs("rsync"))]
)
def test_a_store_goes_on_after_it_was_copied_or_checked_out(copy: str, tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    train_from(1, 2, first, 0)
    workspace = tmp_path / copy
    # Times are not kept, empty folders are not, and the lock and the spare may be missing or old.
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org")
    commands: dict[str, list[tuple[object, ...]]] = {
        "copied": [("cp", "-r", first, workspace)],
        "synced": [("rsync", "-a", f"{first}/", f"{workspace}/")],
        "cloned": [
            (*git, "init", "--quiet"),
            (*git, "add", "--all"),
            (*git, "commit", "--quiet", "-m", "the store"),
            (*git, "clone", "--quiet", first, workspace),
        ],
    }
    for command in commands[copy]:
        subprocess.run(list(map(str, command)), cwd=first, check=True)
    store = StoreLayout(workspace)
    assert check_store(store) == []
    process = start(TRAIN, 1, cwd=workspace)
    run_id = process.communicate()[0].strip()
    assert check_store(store) == []
    assert len(json.loads(store.index.read_bytes())["runs"]) == 3
    assert Run(store.run_folder(run_id)).status == "succeeded"


# By hand, for as many reads as one likes:
# PYTHONPATH=packages/runforge-engine/tests/support python THIS PROCESSES TRAININGS READS FOLDER
if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:4]]
    print(train_from(numbers[0], numbers[1], Path(sys.argv[4]), numbers[2]))
