"""A run ends when it is asked to: in every stage, by a signal or from another terminal."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, TRAIN, Call
from real_store import training
from runforge_contracts.invariants.run_invariants import check_run
from runforge_contracts.system.system_locks import is_asked
from runforge_engine.runtime.folder_lock import holding

#: How long an end is waited for, in seconds: half of what a stuck stage takes.
PATIENCE = 60
#: Starts the command with one function of the engine that does not come back, as native code does.
STUCK = """
import importlib, sys, time
from pathlib import Path
module, name, place = sys.argv.pop(1), sys.argv.pop(1), Path(sys.argv.pop(1))
def stuck(*arguments, **options):
    place.touch()
    time.sleep(120)
setattr(importlib.import_module(module), name, stuck)
from runforge_cli.__main__ import main
main()
"""
#: Where each stage spends its time, and the step that the run names when it is cancelled there;
#: the rows are divided and Git is asked while the data is read, and the model is written while it
#: is evaluated.
STAGES = {
    "opening the dataset": ("runforge_engine.pipeline.run_inputs", "read_source", None),
    "importing": ("runforge_engine.pipeline.execute", "_import_training", "start"),
    "reading data": ("runforge_engine.data.dataset", "load_dataset", "dataset"),
    "splitting": ("runforge_engine.data.dataset", "split_rows", "dataset"),
    "asking git": ("runforge_engine.provenance.collect", "read_git_state", "dataset training"),
    "building": ("runforge_engine.modeling.fit", "build_pipeline", "training"),
    "fitting": ("runforge_engine.modeling.fit", "_scale", "training"),
    "evaluating": ("runforge_engine.pipeline.training", "evaluate", "evaluation"),
    "interpreting": ("runforge_engine.pipeline.training", "interpret", "evaluation"),
    "pickling": ("runforge_engine.pipeline.training", "dump_model", "evaluation artifacts"),
    "digesting": (
        "runforge_engine.pipeline.training",
        "inspect_model_bytes",
        "evaluation artifacts",
    ),
}


def environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("RUNFORGE") and name != "SOURCE_DATE_EPOCH"
    }


@contextmanager
def started(workspace: Path, *command: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=workspace,
        env={**environment(), **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)


def run_folders(workspace: Path) -> list[Path]:
    return sorted((workspace / ".runforge/runs").glob("*"))


def cancelled_cleanly(workspace: Path) -> dict[str, Any]:
    """Check the only run of the workspace and return its result."""
    [folder] = run_folders(workspace)
    assert check_run(folder) == []
    result: dict[str, Any] = json.loads((folder / "result.json").read_bytes())
    assert result["status"] == "cancelled"
    assert not (folder / "run.json").exists()
    assert not (folder / "artifacts/model.pkl").exists()
    [entry] = json.loads((workspace / ".runforge/index.json").read_bytes())["runs"]
    assert (entry["run_id"], entry["status"]) == (folder.name, "cancelled")
    return result


#: Of these, what stands for the others in a hurry: nothing written, Python's code, native code.
QUICK = ("opening the dataset", "reading data", "fitting", "evaluating")


def stages(*names: str) -> list[Any]:
    """Return stages as parameters; those that are not quick take their time in sum."""
    return [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in names]


@pytest.mark.parametrize("stage", stages(*STAGES))
def test_a_signal_ends_a_run_in_every_stage(stage: str, workspace: Path) -> None:
    module, name, step = STAGES[stage]
    number = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[len(stage) % 3]
    place = workspace / "stuck"
    with started(workspace, "-c", STUCK, module, name, str(place), *TRAIN) as process:
        until(place.exists, process)
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, number.name in said) == (5, True)
    if step is None:
        assert run_folders(workspace) == []
        assert "so no run was recorded" in said
        return
    cancelled_cleanly(workspace)
    [folder] = run_folders(workspace)
    last = json.loads((folder / "logs/events.jsonl").read_text("utf-8").splitlines()[-1])
    assert last["event"] == "run_cancelled"
    assert last["step"] in step.split()


@pytest.mark.parametrize("stage", stages("importing", "reading data", "fitting", "digesting"))
def test_another_process_ends_a_run_in_any_stage(
    stage: str, runforge: Call, workspace: Path
) -> None:
    module, name, _ = STAGES[stage]
    place = workspace / "stuck"
    with started(workspace, "-c", STUCK, module, name, str(place), *TRAIN) as process:
        until(place.exists, process)
        assert runforge("cancel").code == 0
        assert process.wait(PATIENCE) == 5
    message = cancelled_cleanly(workspace)["error"]["message"]
    assert message == "The run was cancelled from another process."


def test_a_model_that_is_being_written_is_taken_away(workspace: Path) -> None:
    # The disk is slow, and nothing can hurry it.
    program = STUCK.replace(
        "setattr(importlib.import_module(module), name, stuck)",
        "import os, threading\n"
        "sync = os.fsync\n"
        "model = lambda file: 'model.pkl' in os.readlink(f'/proc/self/fd/{file}')\n"
        "os.fsync = lambda file: stuck() if model(file) else sync(file)",
    )
    place = workspace / "stuck"
    with started(workspace, "-c", program, "os", "fsync", str(place), *TRAIN) as process:
        until(place.exists, process)
        [model] = workspace.glob(".runforge/runs/*/artifacts/*")
        assert model.name != "model.pkl"
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 5
    assert not model.exists()
    cancelled_cleanly(workspace)


def hard(path: Path, rows: int, columns: int, noise: float) -> None:
    """Write data of low rank with labels by chance, on which solvers go on for minutes."""
    chance = random.Random(0)
    mixture = [[chance.gauss(0, 1) for _ in range(3)] for _ in range(columns)]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"x{index}" for index in range(columns)), "label"])
        for _ in range(rows):
            base = [chance.gauss(0, 1) for _ in range(3)]
            row = [
                sum(value * weight for value, weight in zip(base, weights, strict=True))
                + noise * chance.gauss(0, 1)
                for weights in mixture
            ]
            writer.writerow([*row, chance.randrange(2)])


#: Fits that take minutes where nobody ends them.
FITS = {
    "linear_svc": ("C=1e6", "max_iter=100000000"),
    "logistic_regression": ("solver=saga", "C=1e12", "max_iter=100000000"),
    "random_forest": ("n_estimators=1000000",),
}


@pytest.fixture(scope="module")
def hard_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hard")
    hard(folder / "linear_svc.csv", 300, 301, 0)
    hard(folder / "logistic_regression.csv", 2000, 60, 1e-3)
    hard(folder / "random_forest.csv", 300, 10, 1)
    return folder


@pytest.mark.parametrize("family", FITS)
def test_native_fits_are_left(family: str, hard_data: Path, workspace: Path) -> None:
    parameters = [word for value in FITS[family] for word in ("--param", value)]
    command = (
        "train",
        str(hard_data / f"{family}.csv"),
        "--label",
        "label",
        "--model",
        family,
        *parameters,
    )
    with started(workspace, "-m", "runforge_cli", *command) as process:
        until(
            lambda: any(
                "train_started" in log.read_text("utf-8")
                for log in workspace.glob(".runforge/runs/*/logs/train.log")
            ),
            process,
        )
        time.sleep(0.5)  # to be in native code
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 5
    cancelled_cleanly(workspace)


def test_a_run_that_is_to_outlive_its_terminal_does(workspace: Path) -> None:
    """As nohup(1) starts it: with the signal ignored."""
    place = workspace / "stuck"
    module, name, _ = STAGES["fitting"]
    ignoring = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + STUCK
    with started(workspace, "-c", ignoring, module, name, str(place), *TRAIN) as process:
        until(place.exists, process)
        process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert cancelled_cleanly(workspace)["error"]["message"] == "The run was cancelled by SIGTERM."


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_at_once(second: signal.Signals, workspace: Path) -> None:
    # The first one is being answered, and writing the end takes long.
    place = workspace / "stuck"
    names = ("runforge_engine.pipeline.execute", "finish_run")
    program = STUCK.replace("importlib.import_module(module)", "stuck_in(module)").replace(
        "setattr",
        "from runforge_engine.pipeline import training\n"
        "import threading\n"
        "def stuck_in(module):\n"
        "    training.evaluate = lambda *_: (place.with_name('here').touch(), time.sleep(120))\n"
        "    return importlib.import_module(module)\n"
        "setattr",
    )
    with started(workspace, "-c", program, *names, str(place), *TRAIN) as process:
        until(place.with_name("here").exists, process)
        process.send_signal(signal.SIGINT)
        until(place.exists, process)
        time.sleep(1)  # a signal within a moment counts as the same request
        process.send_signal(second)
        assert process.wait(PATIENCE) == 5
    [folder] = run_folders(workspace)
    assert not (folder / "result.json").exists()


def test_one_request_signalled_twice_is_recorded(workspace: Path) -> None:
    place = workspace / "stuck"
    names = ("runforge_engine.pipeline.training", "evaluate")
    with started(workspace, "-c", STUCK, *names, str(place), *TRAIN) as process:
        until(place.exists, process)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            process.send_signal(number)
        assert process.wait(PATIENCE) == 5
    assert "SIG" in cancelled_cleanly(workspace)["error"]["message"]


def test_the_newest_run_in_progress_is_cancelled_and_the_others_go_on(
    runforge: Call, workspace: Path
) -> None:
    assert runforge(*TRAIN).code == 0
    with training(workspace) as (older, first), training(workspace) as (newer, second):
        if second.name < first.name:  # both of one second
            older, newer, first, second = newer, older, second, first
        result = runforge("cancel", "--json").json
        assert (result["run_id"], result["status"]) == (second.name, "cancelled")
        assert result["result"] == json.loads((second / "result.json").read_bytes())
        assert newer.wait() == 5
        assert older.poll() is None
        assert runforge("cancel", first.name).out == f"Run {first.name}: cancelled\n"
        assert older.wait() == 5
    result = runforge("cancel")
    assert (result.code, "error[RUN_NOT_RUNNING]" in result.err) == (2, True)
    for folder in (first, second):
        assert check_run(folder) == []


def test_a_run_that_is_over_is_not_cancelled(runforge: Call, workspace: Path) -> None:
    assert runforge(*TRAIN).code == 0
    [folder] = run_folders(workspace)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    result = runforge("cancel", "latest")
    assert (result.code, "has ended already: succeeded" in result.err) == (2, True)
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with training(workspace) as (process, killed):
        process.kill()
        process.wait()
    result = runforge("cancel", killed.name)
    assert (result.code, "it was interrupted" in result.err) == (2, True)
    prepared = workspace / ".runforge/runs/20270101-000000-0000000a"
    prepared.mkdir()
    shutil.copyfile(folder / "request.json", prepared / "request.json")
    result = runforge("cancel", prepared.name)
    assert (result.code, "it has not started" in result.err) == (2, True)
    assert runforge("cancel", "20990101").code == 3


def test_a_finished_run_stays_finished_while_another_process_holds_its_folder(
    runforge: Call, workspace: Path
) -> None:
    assert runforge(*TRAIN).code == 0
    [folder] = run_folders(workspace)
    with holding(folder):
        result = runforge("cancel", "latest")
    assert (result.code, "has ended already: succeeded" in result.err) == (2, True)


def test_a_run_that_does_not_answer_is_given_up_and_its_process_named(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runforge_engine.pipeline import cancel

    monkeypatch.setattr(cancel.stop, "__kwdefaults__", {"patience": 0.5})
    with training(workspace) as (process, folder):
        process.send_signal(signal.SIGSTOP)
        result = runforge("cancel")
        assert (result.code, f"held by process {process.pid} (" in result.err) == (1, True)
        assert "error[STORE_BUSY]" in result.err
        process.send_signal(signal.SIGCONT)
    assert not (folder / "result.json").exists()


def test_a_run_that_ends_by_itself_meanwhile_is_reported(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with training(workspace) as (process, _):
        process.send_signal(signal.SIGSTOP)
        [request] = workspace.glob(".runforge/runs/*/request.json")
        with (
            started(workspace, "-m", "runforge_cli", "cancel") as canceller,
            request.open("rb") as file,
        ):
            deadline = time.monotonic() + PATIENCE
            while not is_asked(file.fileno()) and time.monotonic() < deadline:
                time.sleep(0.05)
            process.kill()
            _, said = canceller.communicate(timeout=PATIENCE)
        assert (canceller.returncode, "it was interrupted" in said) == (2, True)


@pytest.mark.parametrize("kind", ["pipe", "link", "gone", "folder"])
def test_hostile_requests_of_a_held_folder_are_refused(
    kind: str, runforge: Call, workspace: Path
) -> None:
    folder = workspace / ".runforge/runs/20270101-000000-0000000a"
    folder.mkdir(parents=True)
    request, secret = folder / "request.json", workspace / "secret"
    secret.write_text("kept")
    if kind == "pipe":
        os.mkfifo(request)
    elif kind == "link":
        request.symlink_to(secret)
    elif kind == "folder":
        request.mkdir()
    with holding(folder):
        result = runforge("cancel", folder.name)
    assert result.code in (1, 2)
    assert "Traceback" not in result.err
    assert secret.read_text() == "kept"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_run_of_another_user_is_not_cancelled(workspace: Path) -> None:
    stop = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from runforge_contracts.errors import RunForgeError\n"
        "from runforge_contracts.invariants.run_invariants import check_run\n"
        "from runforge_engine.pipeline import cancel\n"
        "import fcntl; check_run(Path(sys.argv[1]))  # what is imported late would not be found\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try:\n"
        "    cancel.stop(Path(sys.argv[1]))\n"
        "except RunForgeError as error:\n"
        "    print(error.code, error.exit_code.value)\n"
    )
    # To read is not enough, whatever is locked.
    lock = (
        "import fcntl, os, sys, time\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "file = os.open(sys.argv[1] + '/request.json', os.O_RDONLY)\n"
        "fcntl.lockf(file, fcntl.LOCK_SH); fcntl.flock(file, fcntl.LOCK_EX)\n"
        "time.sleep(0.5); print('held')\n"
    )
    with tempfile.TemporaryDirectory() as open_to_all:
        Path(open_to_all).chmod(0o755)
        shutil.copyfile(workspace / "penguins.csv", Path(open_to_all) / "penguins.csv")
        with training(Path(open_to_all)) as (process, folder):
            said = [
                subprocess.run(
                    [sys.executable, "-c", program, str(folder)],
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
                for program in (stop, lock)
            ]
            assert said == ["STORE_NOT_WRITABLE 1\n", "held\n"]
            assert process.poll() is None


def test_runs_of_every_entry_point_can_be_cancelled(runforge: Call, workspace: Path) -> None:
    shutil.copyfile(ROOT / "examples/penguins.csv", workspace / "data.csv")
    assert runforge(*TRAIN).code == 0
    [first] = run_folders(workspace)
    prepared = workspace / ".runforge/runs/20270101-000000-0000000a"
    prepared.mkdir()
    request = json.loads((first / "request.json").read_bytes())
    request["model"] = {"family": "random_forest", "hyperparameters": {"n_estimators": 1_000_000}}
    (prepared / "request.json").write_text(json.dumps(request), "utf-8")
    table = (workspace / "penguins.csv").read_text("utf-8").splitlines()
    table = [",".join(line.split(",")[2:6] + line.split(",")[:1]) for line in table]
    (workspace / "data.csv").write_text("\n".join(table).replace("species", "label"), "utf-8")
    out = workspace / "elsewhere"
    forest = ("--model", "random_forest", "--param", "n_estimators=1000000")
    library = (
        "from pathlib import Path\n"
        "from runforge_contracts.store.layout import StoreLayout\n"
        "from runforge_engine.pipeline.execute import execute\n"
        "from runforge_engine.pipeline.request import new_request\n"
        "import threading\n"
        "store = StoreLayout(Path.cwd())\n"
        "request = new_request(dataset='data.csv', label_column='label', store=store,\n"
        "    model_family='random_forest', hyperparameters={'n_estimators': 1000000},\n"
        "    created_by='t@1')\n"
        "ends = []\n"
        "work = threading.Thread(target=lambda: ends.append(execute(request, store)))\n"
        "work.start(); work.join(); raise SystemExit(0 if ends[0].status == 'cancelled' else 9)\n"
    )
    commands = {
        "run": (5, ("-m", "runforge_cli", "run", "--run-dir", str(prepared)), prepared.name),
        "ml_runner": (
            5,
            ("-m", "ml_runner", "train", "--preset", "std-train", "--out", str(out), *forest),
            None,
        ),
        "library": (0, ("-c", library), None),
    }
    for label, (code, command, name) in commands.items():
        data = str(workspace / "data.csv")
        before = set(run_folders(workspace))
        with started(workspace, *command, RUNFORGE_DATASET=data) as process:

            def at_work(name: str | None = name, before: set[Path] = before) -> bool:
                found = set(run_folders(workspace)) - before
                folders = [workspace / ".runforge/runs" / name] if name else found
                return any(
                    (folder / "logs/train.log").exists()
                    and "train_started" in (folder / "logs/train.log").read_text("utf-8")
                    for folder in folders
                )

            until(at_work, process)
            result = runforge("cancel", *([name] if name else []))
            assert (label, result.code, result.err) == (label, 0, "")
            assert process.wait(PATIENCE) == code
