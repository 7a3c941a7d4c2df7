"""Models are used in a separate process: the results are the same, and a crash is reported."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from real_data import write_dataset
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import list_runs
from runforge_contracts.store.run import Run
from runforge_engine.data.dataset_source import read_source
from runforge_engine.modeling import model_process, predict
from runforge_engine.modeling.curves import curves_of
from runforge_engine.modeling.model_process import curves_of_each
from runforge_engine.modeling.revalidate import (
    dataset_use,
    read_dataset,
    replay,
    validation_rows,
)
from runforge_engine.pipeline.execute import execute
from runforge_engine.pipeline.request import new_request


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with a run of a small forest; nobody changes it."""
    workspace = tmp_path_factory.mktemp("trained")
    path, label, excluded = write_dataset("penguins", workspace)
    store = StoreLayout(workspace)
    request = new_request(
        dataset=path,
        label_column=label,
        exclude_columns=excluded,
        store=store,
        created_by="tests@1",
        model_family="random_forest",
        hyperparameters={"n_estimators": 5},
    )
    assert execute(request, store).status == "succeeded"
    return workspace


@pytest.fixture
def folder(trained: Path) -> Run:
    return Run(next((trained / ".runforge/runs").iterdir()))


@pytest.fixture
def listed(trained: Path) -> list[tuple[dict[str, Any], StoreLayout]]:
    store = StoreLayout(trained)
    return [(entry, store) for entry in list_runs(store)]


@pytest.mark.parametrize("probabilities", [False, True])
def test_predictions_are_those_of_this_process(
    trained: Path, folder: Run, listed: Any, probabilities: bool
) -> None:
    model = predict.model_of_run(folder, listed)
    data = trained / "penguins.csv"
    here = predict.predict(model, read_source(data), probabilities=probabilities)
    there = model_process.predict(model, data, probabilities=probabilities)
    assert there.to_csv() == here.to_csv()
    for name in ("run_id", "classes", "ignored_columns", "missing_by_column", "warnings"):
        assert getattr(there, name) == getattr(here, name)


def test_a_replay_is_that_of_this_process(trained: Path, folder: Run, listed: Any) -> None:
    here, there = (call(folder, trained, listed) for call in (replay, model_process.replay))
    assert (there.classes, there.kind) == (here.classes, here.kind)
    for name in ("truth", "predicted", "scores"):
        one, other = getattr(here, name), getattr(there, name)
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)


def test_curves_of_several_runs_are_those_of_this_process(
    trained: Path, folder: Run, listed: Any
) -> None:
    expected = curves_of(replay(folder, trained, listed))
    assert len(expected.roc) == 3
    assert list(curves_of_each([folder], trained, listed)) == [expected]
    assert list(curves_of_each([folder] * 3, trained, listed)) == [expected] * 3
    assert list(curves_of_each([], trained, listed)) == []


def test_a_run_without_curves_leaves_those_of_the_others(
    trained: Path, folder: Run, listed: Any, tmp_path: Path
) -> None:
    changed, gone = tmp_path / folder.id, tmp_path / "gone"
    shutil.copytree(folder.path, changed)
    shutil.copytree(folder.path, gone)
    metrics = json.loads((changed / "metrics.v1.json").read_bytes())
    metrics["confusion_matrix"][0][0] += 1
    (changed / "metrics.v1.json").write_text(json.dumps(metrics), "utf-8")
    (gone / "run.json").unlink()
    runs = [Run(gone), folder, Run(changed), folder]
    lacking, first, other, last = curves_of_each(runs, trained, listed)
    assert isinstance(lacking, RunForgeError)
    assert lacking.code is ErrorCode.ARTIFACT_NOT_FOUND
    assert isinstance(other, RunForgeError)
    assert "predicts otherwise" in other.message
    assert first == last == curves_of(replay(folder, trained, listed))


def test_an_error_is_passed_on_with_all_its_parts(
    trained: Path, folder: Run, listed: Any, tmp_path: Path
) -> None:
    data = tmp_path / "other.csv"
    data.write_text("bill_length_mm\n1\n")
    model = predict.model_of_run(folder, listed)
    with pytest.raises(RunForgeError) as here:
        predict.predict(model, read_source(data))
    with pytest.raises(RunForgeError) as there:
        model_process.predict(model, data)
    assert there.value.to_dict() == here.value.to_dict()
    assert len(there.value.problems) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="copies of a process")
def test_one_process_evaluates_several_times_whatever_one_ends_with(
    trained: Path, folder: Run, listed: Any, tmp_path: Path
) -> None:
    model = predict.model_of_run(folder, listed)
    data, broken = trained / "penguins.csv", tmp_path / "broken.csv"
    broken.write_text("bill_length_mm\n1\n")
    alone = model_process.evaluate(model, data, "species")
    with model_process.ModelProcess() as process:
        for _ in range(2):
            assert model_process.evaluate(model, data, "species", process=process) == alone
            with pytest.raises(RunForgeError):
                model_process.evaluate(model, broken, "species", process=process)


@pytest.mark.skipif(sys.platform != "linux", reason="copies of a process")
@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ("""echo '{"number": 0, "output": "", "code": -11}'""", "crashed (SIGSEGV)"),
        ("exit 3", "code 3"),
        ("kill -SEGV $$", "crashed (SIGSEGV)"),
    ],
)
def test_a_copy_or_the_process_that_ends_is_an_error(
    ending: str,
    words: str,
    folder: Run,
    listed: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\nread task\n{ending}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    model = predict.model_of_run(folder, listed)
    with model_process.ModelProcess() as process, pytest.raises(RunForgeError) as caught:
        model_process.evaluate(model, tmp_path / "data.csv", "species", process=process)
    assert (caught.value.code, words in caught.value.message) == (ErrorCode.FILE_UNSAFE, True)


@pytest.mark.skipif(sys.platform != "linux", reason="copies of a process")
def test_a_process_that_has_ended_before_its_first_task_is_an_error(
    folder: Run, listed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    model = predict.model_of_run(folder, listed)
    with model_process.ModelProcess() as process:
        process.start()
        assert process._process is not None
        process._process.wait()
        with pytest.raises(RunForgeError) as caught:
            model_process.evaluate(model, tmp_path / "data.csv", "species", process=process)
    assert (caught.value.code, "code 3" in caught.value.message) == (ErrorCode.FILE_UNSAFE, True)


@pytest.mark.skipif(os.name != "posix", reason="programs that are scripts")
@pytest.mark.parametrize(
    ("ending", "code", "words"),
    [
        ("kill -SEGV $$", ErrorCode.FILE_UNSAFE, "crashed (SIGSEGV)"),
        ("kill -ABRT $$", ErrorCode.FILE_UNSAFE, "crashed (SIGABRT)"),
        ("kill -XCPU $$", ErrorCode.FILE_UNSAFE, "processor time"),
        ("kill -KILL $$", ErrorCode.MEMORY_INSUFFICIENT, "memory"),
        ("exit 3", ErrorCode.FILE_UNSAFE, "code 3"),
        ("echo nonsense", ErrorCode.FILE_UNSAFE, "without an answer"),
    ],
)
def test_the_end_of_the_process_is_an_error(
    ending: str,
    code: ErrorCode,
    words: str,
    folder: Run,
    listed: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\nread task\n{ending}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(RunForgeError) as caught:
        model_process.predict(predict.model_of_run(folder, listed), tmp_path / "data.csv")
    assert caught.value.code is code
    assert words in caught.value.message
    assert caught.value.hint


@pytest.mark.skipif(not hasattr(signal, "SIGXCPU"), reason="limits of POSIX")
@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        pytest.param("allow(1)\nwhile True: pass", -signal.SIGXCPU, id="time"),
        pytest.param("allow(0)\nallow(None)\nsum(range(10**7))", 0, id="time again"),
        pytest.param("bytearray(8 * 2**30)", 1, id="memory"),
    ],
)
def test_a_confined_process_has_its_bounds(statement: str, expected: int) -> None:
    if statement.startswith("bytearray") and sys.platform != "linux":
        pytest.skip("only Linux bounds the memory")
    code = "from runforge_engine.runtime.resource_limits import allow, confine\n"
    code += f"confine()\n{statement}\n"
    result = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={**os.environ, "RUNFORGE_MEMORY_LIMIT": "2G"},
        capture_output=True,
    )
    assert result.returncode == expected
    assert (b"MemoryError" in result.stderr) == (expected == 1)


@pytest.mark.parametrize(
    "failure",
    [MemoryError(), ImportError("libx.so: failed to map segment from shared object")],
)
@pytest.mark.parametrize("step", ["unpickle", "within_range"])
def test_a_lack_of_memory_is_not_blamed_on_the_model(
    trained: Path,
    folder: Run,
    listed: Any,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    failure: Exception,
) -> None:
    def fail(*_: Any) -> None:
        raise failure

    module = "model_file.loading" if step == "unpickle" else "modeling.predict"
    monkeypatch.setattr(f"runforge_engine.{module}.{step}", fail)
    model = predict.model_of_run(folder, listed)
    with pytest.raises(MemoryError):
        predict.predict(model, read_source(trained / "penguins.csv"))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no process does several tasks")
def test_a_process_that_still_loads_ends_with_its_caller() -> None:
    code = (
        "import sys, threading; from runforge_engine.runtime import preload;"
        "preload.load_now = threading.Event().wait;"  # it never ends
        "from runforge_engine.modeling.model_process import main;"
        "sys.argv[1:] = ['several']; main()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.close()
    try:
        assert process.wait(timeout=120) == 1
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("copies", [True, False], ids=["copies", "a process for each"])
def test_curves_of_many_runs_are_those_of_each(
    copies: bool, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not copies:  # as on macOS and Windows
        monkeypatch.setattr(model_process, "COPIES_PROCESSES", False)
    shutil.copytree(trained, tmp_path / "many")
    store = StoreLayout(tmp_path / "many")
    [folder] = store.runs.iterdir()
    folders = [Run(folder) for _ in range(6)]
    listed = [(entry, store) for entry in list_runs(store)]
    [one] = curves_of_each(folders[:1], store.workspace, listed)
    assert not isinstance(one, RunForgeError)
    monkeypatch.setattr(model_process, "_TOGETHER", 2)
    monkeypatch.setattr(model_process, "usable_cores", lambda: 3)
    begun = list[Any]()
    start = model_process._start
    monkeypatch.setattr(model_process, "_start", lambda *a: begun.append(start(*a)) or begun[-1])
    assert list(curves_of_each(folders, store.workspace, listed)) == [one] * 6
    assert len(begun) == (1 if model_process.COPIES_PROCESSES else 6)
    # Who takes only some of them leaves no process behind.
    some = curves_of_each(folders, store.workspace, listed)
    assert next(some) == one
    some.close()
    assert all(process.poll() is not None for process in begun)


def start_with(statement: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes that use models do ``statement`` where they load the model at ``path``."""
    code = (
        "import fcntl, os, signal, sys, time\n"
        "from runforge_engine.modeling import model_process, revalidate\n"
        "load = revalidate.load_model\n"
        f"def load_model(path, *arguments):\n    {statement}\n    return load(path, *arguments)\n"
        "revalidate.load_model = load_model\n"
        "model_process.main()\n"
    )
    monkeypatch.setattr(
        model_process, "own_command", lambda _, *arguments: [sys.executable, "-c", code, *arguments]
    )


@pytest.mark.skipif(sys.platform != "linux", reason="copies of a process")
def test_a_model_that_ends_the_process_of_its_dataset_leaves_other_runs(
    trained: Path, folder: Run, listed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / folder.id
    shutil.copytree(folder.path, other)
    start_with(
        f"if str(path).startswith({str(tmp_path)!r}):"
        " os.kill(os.getppid() if sys.argv[1:] else os.getpid(), signal.SIGABRT)",
        monkeypatch,
    )
    # As of runs in the same folder, which have the same dataset.
    monkeypatch.setattr("runforge_engine.modeling.revalidate.dataset_use", lambda _: ())
    crashed, found = curves_of_each([Run(other), folder], trained, listed)
    assert isinstance(crashed, RunForgeError)
    assert "crashed (SIGABRT)" in crashed.message
    assert found == curves_of(replay(folder, trained, listed))


@pytest.mark.skipif(sys.platform != "linux", reason="copies of a process")
def test_who_stops_taking_curves_ends_the_copies_of_copies(
    trained: Path, folder: Run, listed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    monkeypatch.setattr(model_process, "_TOGETHER", 2)
    monkeypatch.setattr(model_process, "usable_cores", lambda: 2)
    other = tmp_path / folder.id
    shutil.copytree(folder.path, other)
    held = tmp_path / "held"
    held.touch()
    start_with(
        f"if str(path).startswith({str(tmp_path)!r}):"
        f" fcntl.flock(os.open({str(held)!r}, os.O_RDONLY), fcntl.LOCK_EX); time.sleep(600)",
        monkeypatch,
    )
    some = curves_of_each([folder, folder, Run(other)], trained, listed)
    next(some)
    some.close()
    with held.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # Waits for the end of the copy that has it.


def test_runs_use_a_dataset_that_was_read_for_another_only_if_theirs_is_the_same(
    trained: Path, folder: Run, listed: Any, tmp_path: Path
) -> None:
    changed = tmp_path / folder.id
    shutil.copytree(folder.path, changed)
    record = json.loads((changed / "run.json").read_bytes())
    uses = {dataset_use(folder), dataset_use(Run(changed))}
    assert len(uses) == 2  # Another store may keep another copy of the dataset.
    for name, value in [
        ("feature_names", record["feature_names"][:-1]),
        ("label_column", "island"),
        ("dataset", {**record["dataset"], "fingerprint_sha256": "0" * 64}),
        ("dataset", {**record["dataset"], "path": "other.csv"}),
    ]:
        (changed / "run.json").write_text(json.dumps({**record, name: value}), "utf-8")
        uses.add(dataset_use(Run(changed)))
    assert len(uses) == 6
    dataset = read_dataset(folder, trained)
    alone, shared = (validation_rows(folder, trained, given) for given in (None, dataset))
    assert np.array_equal(alone.X, shared.X)
    assert np.array_equal(alone.y, shared.y)
