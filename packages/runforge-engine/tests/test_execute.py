"""Every outcome of a run is recorded: failure, cancellation, interruption, internal errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from real_data import read, write_dataset
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.invariants.run_invariants import check_run
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import describe, read_index
from runforge_contracts.store.run import Run
from runforge_engine.pipeline.observer import Observer
from runforge_engine.runtime.cancellation import Cancellation
from runforge_engine.store.run_folders import append_entry, claim_folder


class Raising(Observer):
    """Raise something at an event."""

    def __init__(self, event: str, error: BaseException) -> None:
        self.event, self.error = event, error

    def on_event(self, event: dict[str, Any]) -> None:
        if event["event"] == self.event:
            raise self.error


class Cancelling(Observer):
    """Cancel the run at an event."""

    def __init__(self, event: str, cancellation: Cancellation) -> None:
        self.event, self.cancellation = event, cancellation

    def on_event(self, event: dict[str, Any]) -> None:
        if event["event"] == self.event:
            self.cancellation.cancel("Enough.")


@pytest.mark.parametrize(
    "event",
    ["run_start", "dataset_loaded", "train_started", "metrics_computed", "artifacts_written"],
)
def test_a_cancelled_run_is_recorded(event: str, train: Any) -> None:
    cancellation = Cancellation()
    outcome = train(cancellation=cancellation, observer=Cancelling(event, cancellation))
    assert outcome.status == "cancelled"
    assert outcome.error.exit_code == 5
    assert outcome.result["error"]["message"] == "Enough."
    assert not (outcome.run_dir / "run.json").exists()
    assert Run(outcome.run_dir).status == "cancelled"
    [entry] = read_index(StoreLayout(outcome.run_dir.parents[2]))
    assert entry["status"] == "cancelled"
    assert "model_pkl" not in entry
    assert check_run(outcome.run_dir) == []


def test_a_run_that_is_cancelled_before_it_has_a_folder_leaves_nothing(
    train: Any, tmp_path: Path
) -> None:
    cancellation = Cancellation()
    cancellation.cancel("Enough.")
    with pytest.raises(RunForgeError) as caught:
        train(cancellation=cancellation)
    assert (caught.value.code, caught.value.message) == (ErrorCode.CANCELLED, "Enough.")
    assert [path.name for path in tmp_path.iterdir()] == ["iris.csv"]


@pytest.mark.parametrize("event", ["dataset_loaded", "train_started", "metrics_computed"])
def test_an_interrupted_run_is_recorded_and_the_interrupt_propagates(
    event: str, train: Any, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(observer=Raising(event, KeyboardInterrupt()))
    [folder] = (tmp_path / ".runforge/runs").iterdir()
    assert read(folder, "result.json")["status"] == "cancelled"
    assert (folder / "manifest.json").is_file()


def test_an_internal_error_is_recorded(train: Any) -> None:
    outcome = train(observer=Raising("train_started", ZeroDivisionError("oops")))
    assert (outcome.status, outcome.error.code) == ("failed", ErrorCode.INTERNAL)
    assert outcome.result["error"]["type"] == "ZeroDivisionError"
    assert "ZeroDivisionError: oops" in outcome.result["error"]["traceback"]


def test_a_failed_run_records_where_it_came_from(train: Any) -> None:
    outcome = train("penguins", hyperparameters={"solver": "liblinear"})
    assert (outcome.status, outcome.error.code) == ("failed", ErrorCode.HYPERPARAMETER_INVALID)
    result = read(outcome.run_dir, "result.json")
    assert result["provenance"]["packages"]["scikit-learn"]
    assert result["effective_config"]["model"]["hyperparameters"]["solver"] == "liblinear"
    events = (outcome.run_dir / "logs/events.jsonl").read_text("utf-8").splitlines()
    assert json.loads(events[-1])["event"] == "run_failed"


def test_the_same_request_twice_in_one_second_makes_two_runs(
    train: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1769947200")
    one, two = train(), train()
    assert one.run_id != two.run_id
    assert one.run_id[:15] == two.run_id[:15] == "20260201-120000"
    for file in ("metrics.v1.json", "artifacts/model.pkl"):
        assert (one.run_dir / file).read_bytes() == (two.run_dir / file).read_bytes()


def test_an_entry_is_appended_once_and_keeps_what_others_wrote(train: Any) -> None:
    outcome = train()
    store = StoreLayout(outcome.run_dir.parents[2])
    index = json.loads(store.index.read_text("utf-8"))
    index["future"] = {"kept": True}
    index["runs"][0]["also"] = None
    store.index.write_text(json.dumps(index), "utf-8")
    entry = describe(Run(outcome.run_dir), store)
    append_entry(store, entry)
    append_entry(store, {**entry, "run_id": "20260201-120000-00000000"})
    after = json.loads(store.index.read_text("utf-8"))
    assert [item["run_id"] for item in after["runs"]] == [
        outcome.run_id,
        "20260201-120000-00000000",
    ]
    assert after["future"] == {"kept": True}
    assert after["runs"][0]["also"] is None


def test_many_processes_append_to_one_index(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from runforge_contracts.store.layout import StoreLayout\n"
        "from runforge_engine.store.run_folders import append_entry\n"
        "store = StoreLayout(Path(sys.argv[1]))\n"
        "for number in range(10):\n"
        "    run_id = f'20260201-120000-{int(sys.argv[2]):04x}{number:04x}'\n"
        "    append_entry(store, {'run_id': run_id, 'created_at': '2026-02-01T12:00:00Z',\n"
        "                         'run_dir': f'.runforge/runs/{run_id}'})\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path), str(number)])
        for number in range(4)
    ]
    assert [process.wait() for process in processes] == [0] * 4
    ids = [entry["run_id"] for entry in read_index(StoreLayout(tmp_path))]
    assert len(ids) == len(set(ids)) == 40


def test_a_taken_folder_is_never_claimed_again(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    names = ["20260201-120000-00000000", "20260201-120000-00000001"]
    first = claim_folder(store, iter(names))
    second = claim_folder(store, iter(names))
    assert [first.name, second.name] == names


def test_numpy_loaded_too_early_is_reported_and_recorded(tmp_path: Path) -> None:
    path, label, _ = write_dataset("iris", tmp_path)
    program = (
        "import numpy, sys\n"
        "from pathlib import Path\n"
        "from runforge_engine.runtime.numeric_environment import pin_environment\n"
        "assert not pin_environment()\n"
        "from runforge_contracts.store.layout import StoreLayout\n"
        "from runforge_engine.pipeline.execute import execute\n"
        "from runforge_engine.pipeline.request import new_request\n"
        "store = StoreLayout(Path(sys.argv[1]).parent)\n"
        "request = new_request(dataset=sys.argv[1], label_column=sys.argv[2], store=store,\n"
        "                      created_by='tests@1')\n"
        "print(execute(request, store).run_dir)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path), label],
        # What is in force is the pinned environment wherever the variables are inherited.
        env={**os.environ, "OPENBLAS_CORETYPE": "Prescott"},
        capture_output=True,
        text=True,
        check=True,
    )
    folder = Path(done.stdout.strip())
    assert read(folder, "run.json")["provenance"]["numerics"]["pinned"] is False
    codes = {item["code"] for item in read(folder, "diagnostics.json")["diagnostics"]}
    assert "NUMERICS_NOT_PINNED" in codes


def test_a_store_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / ".runforge").symlink_to(tmp_path / "real")
    with pytest.raises(RunForgeError) as caught:
        claim_folder(StoreLayout(tmp_path), iter(["20260201-120000-00000000"]))
    assert caught.value.code is ErrorCode.FILE_UNSAFE


def test_a_diagnostic_names_a_file_of_the_workspace_relative_to_it(tmp_path: Path) -> None:
    from runforge_engine.pipeline.execute import execute
    from runforge_engine.pipeline.request import new_request

    (tmp_path / "data").mkdir()
    (tmp_path / "data/words.csv").write_text("colour,label\nred,a\nblue,b\n" * 4, "utf-8")
    store = StoreLayout(tmp_path)
    words = tmp_path / "data/words.csv"
    request = new_request(dataset=words, label_column="label", store=store, created_by="test@1")
    outcome = execute(request, store)
    [diagnostic] = Run(outcome.run_dir).diagnostics
    assert diagnostic["code"] == "FEATURE_NOT_NUMERIC"
    assert diagnostic["details"]["path"] == "data/words.csv"
