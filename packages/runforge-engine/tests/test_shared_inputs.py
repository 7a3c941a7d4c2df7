"""Runs that share their inputs write the same bytes as runs that read everything themselves."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from real_data import FAMILIES, write_dataset
from runforge_contracts.documents import Document
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.types import RequestV1
from runforge_engine.modeling import fit
from runforge_engine.pipeline import memory_estimate, shared_inputs, training
from runforge_engine.pipeline.execute import execute
from runforge_engine.pipeline.request import new_request, prepare
from runforge_engine.pipeline.shared_inputs import SharedInputs
from runforge_engine.runtime.cancellation import Cancellation
from runforge_engine.workers.worker_messages import RunEnded, RunRefused, RunTask, WorkerLost
from runforge_engine.workers.worker_pool import WorkerPool

#: Settings of each family that take another way through its estimator.
SETTINGS: dict[str, list[dict[str, Any]]] = {
    "logistic_regression": [
        {},
        {"C": 1e5, "max_iter": 2},  # It does not converge, which is a diagnostic.
        *({"solver": solver} for solver in ("newton-cg", "newton-cholesky", "sag", "saga")),
    ],
    "random_forest": [{"n_estimators": 7}, {"n_estimators": 3, "max_depth": 2}],
    "linear_svc": [{}, {"C": 10.0, "max_iter": 3}],
}


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every run begin at one moment, so that whole folders can be compared."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1770000000")


def request_of(folder: Path, dataset: str, family: str, **options: Any) -> dict[str, Any]:
    path, label, excluded = write_dataset(dataset, folder)
    raw: dict[str, Any] = new_request(
        dataset=path,
        label_column=label,
        exclude_columns=excluded,
        store=StoreLayout(folder),
        created_by="tests@1",
        model_family=family,
        **options,
    ).document.raw
    return raw


def files_of(folder: Path) -> dict[str, bytes]:
    """Return what is in each file of the runs of a workspace."""
    runs = folder / ".runforge/runs"
    return {
        path.relative_to(runs).as_posix(): path.read_bytes()
        for path in runs.rglob("*")
        if path.is_file()
    }


def alone(requests: Sequence[dict[str, Any]], folder: Path) -> dict[str, bytes]:
    """Execute each request by itself, and return the files of the runs, which are removed."""
    store = StoreLayout(folder)
    for raw in requests:
        execute(prepare(Document[RequestV1](raw, "request.v1")), store)
    files = files_of(folder)
    shutil.rmtree(folder / ".runforge")
    return files


def together(
    requests: Sequence[dict[str, Any]], folder: Path, jobs: int, **options: Any
) -> list[RunEnded | RunRefused | WorkerLost]:
    """Execute the requests in a pool of workers, and return how each of them ended."""
    ends: list[RunEnded | RunRefused | WorkerLost] = []
    with WorkerPool(jobs, StoreLayout(folder), **options) as pool:
        for number, raw in enumerate(requests, 1):
            pool.submit(RunTask(number, raw))
        deadline = time.monotonic() + 120
        while len(ends) < len(requests):
            assert time.monotonic() < deadline
            ends += [
                one for one in pool.poll(0.1) if isinstance(one, RunEnded | RunRefused | WorkerLost)
            ]
    return ends


def check_equal(found: dict[str, bytes], expected: dict[str, bytes]) -> None:
    assert found.keys() == expected.keys()
    assert [name for name in sorted(expected) if found[name] != expected[name]] == []


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dataset", ["iris", "breast_cancer", "penguins"])
def test_every_byte_is_that_of_a_single_run(family: str, dataset: str, tmp_path: Path) -> None:
    requests = [
        request_of(tmp_path, dataset, family, hyperparameters=setting, seed=seed)
        for setting in SETTINGS[family]
        for seed in (1, 2)
    ]
    expected = alone(requests, tmp_path)
    ends = together(requests, tmp_path, jobs=2)
    assert {end.status for end in ends if isinstance(end, RunEnded)} == {"succeeded"}
    check_equal(files_of(tmp_path), expected)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dataset", ["iris", "penguins"])
def test_mapped_arrays_give_the_same_bytes(
    family: str, dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_inputs, "_SMALL", 0)
    requests = [
        request_of(tmp_path, dataset, family, hyperparameters=setting)
        for setting in SETTINGS[family]
    ]
    expected = alone(requests, tmp_path)
    folder = tmp_path / "shared"
    folder.mkdir()
    for raw in requests:
        # Each like a process of its own, which finds the files of the first.
        inputs = SharedInputs(folder)
        request = prepare(Document[RequestV1](raw, "request.v1"))
        assert execute(request, StoreLayout(tmp_path), inputs=inputs).error is None
    check_equal(files_of(tmp_path), expected)


def test_private_runs_stay_private(tmp_path: Path) -> None:
    requests = [request_of(tmp_path, "iris", "logistic_regression")]
    together(requests, tmp_path, jobs=1, private=True)
    content = b"".join(files_of(tmp_path).values())
    assert b"LEFT_OUT_ON_REQUEST" in content
    assert os.fsencode(tmp_path) not in content


def test_errors_of_the_data_come_for_each_run(tmp_path: Path) -> None:
    requests = [
        request_of(tmp_path, "iris", "logistic_regression", hyperparameters={"C": float(C)})
        for C in (1, 2, 3)
    ]
    for raw in requests:
        raw["dataset"]["label_column"] = "sepal width (cm)"
    expected = alone(requests, tmp_path)
    ends = together(requests, tmp_path, jobs=2)
    assert [end.error.code for end in ends if isinstance(end, RunEnded) and end.error] == [
        "LABEL_TYPE_INVALID"
    ] * 3
    found = files_of(tmp_path)
    assert found.keys() == expected.keys()
    for name in expected:
        if name.endswith("diagnostics.json"):
            assert found[name] == expected[name]


def shared_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


def train_with(inputs: SharedInputs, raw: dict[str, Any], folder: Path) -> dict[str, Any]:
    ended = execute(
        prepare(Document[RequestV1](raw, "request.v1")), StoreLayout(folder), inputs=inputs
    )
    return ended.result


def test_a_dataset_that_changes_is_used_as_it_was_hashed(tmp_path: Path) -> None:
    raw = request_of(tmp_path, "iris", "random_forest", hyperparameters={"n_estimators": 5})
    folder = shared_folder(tmp_path)
    first = train_with(SharedInputs(folder), raw, tmp_path)
    data = tmp_path / "iris.csv"
    data.write_text("\n".join(data.read_text().splitlines()[:100]) + "\n")
    second = train_with(SharedInputs(folder), raw, tmp_path)
    anew = train_with(SharedInputs(shared_folder(folder)), raw, tmp_path)
    assert second["summary"] == first["summary"]
    digests = [
        run["effective_config"]["dataset"]["fingerprint_sha256"] for run in (first, second, anew)
    ]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("number", range(1, 13))
def test_a_full_disk_is_an_error_and_leaves_nothing(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let the disk be full at each of the files that are written."""
    raw = request_of(tmp_path, "iris", "random_forest", hyperparameters={"n_estimators": 2})
    folder = shared_folder(tmp_path)
    saved = 0

    def full(made: Callable[..., Any]) -> Callable[..., Any]:
        def write(path: Path, *arguments: Any) -> Any:
            nonlocal saved
            saved += 1
            if saved == number:
                path.write_bytes(b"a part")
                raise OSError(28, os.strerror(28))
            return made(path, *arguments)

        return write

    for name in ("_save", "_allocate"):
        monkeypatch.setattr(shared_inputs, name, full(getattr(shared_inputs, name)))
    result = train_with(SharedInputs(folder), raw, tmp_path)
    assert saved == number
    assert result["error"]["code"] == "STORE_NOT_WRITABLE"
    assert "no space left on device" in result["error"]["message"]
    assert "a part" not in "".join(
        path.read_text("latin-1") for path in folder.rglob("*") if path.is_file()
    )
    # With space again all is made, by the same process or another.
    monkeypatch.undo()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1770000001")
    assert train_with(SharedInputs(folder), raw, tmp_path)["status"] == "succeeded"


def test_space_is_taken_before_it_is_mapped(tmp_path: Path) -> None:
    """On a real file system that is too small, where a mapped page would end the process."""
    import numpy as np

    with pytest.raises(OSError, match=r"space|large"):
        shared_inputs._allocate(tmp_path / "train.npy", (2**44, 2), np.dtype(np.float64))


def test_a_run_that_waits_can_be_cancelled(tmp_path: Path) -> None:
    raw = request_of(tmp_path, "iris", "logistic_regression")
    request = prepare(Document[RequestV1](raw, "request.v1"))
    folder = shared_folder(tmp_path)
    first, second = SharedInputs(folder), SharedInputs(folder)
    from runforge_engine.pipeline.plan import choose_table

    choice = choose_table(request, StoreLayout(tmp_path))
    source = first.source(choice, request.configuration, lambda: None)
    cancellation = Cancellation()
    threading.Timer(0.2, cancellation.cancel).start()
    with pytest.raises(RunForgeError) as raised:
        execute(request, StoreLayout(tmp_path), inputs=second, cancellation=cancellation)
    assert raised.value.code is ErrorCode.CANCELLED
    # One that gives up lets the next one read the dataset.
    first.release(source)
    assert train_with(second, raw, tmp_path)["status"] == "succeeded"


def test_fits_take_turns_where_memory_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = request_of(tmp_path, "iris", "linear_svc")
    folder = shared_folder(tmp_path)
    monkeypatch.setattr(memory_estimate, "_LITTLE", 0)
    train_with(SharedInputs(folder), raw, tmp_path)  # Afterwards nothing is read.
    first, second = SharedInputs(folder, jobs=2), SharedInputs(folder, jobs=2)
    # A fit takes 7,680 bytes: enough for one, but not for two.
    monkeypatch.setenv("RUNFORGE_MEMORY_LIMIT", "9000")
    turns: list[str] = []
    fitted = training.fit

    def fit_in_turn(*arguments: Any, **options: Any) -> Any:
        with pytest.raises(RunForgeError):  # It waits, and is cancelled.
            shared_inputs._lock(folder / "turn.lock", cancelled.check)
        turns.append("alone")
        return fitted(*arguments, **options)

    cancelled = Cancellation()
    threading.Timer(0.1, cancelled.cancel).start()
    monkeypatch.setattr(training, "fit", fit_in_turn)
    for number, inputs in enumerate((first, second)):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(1770000001 + number))
        assert train_with(inputs, raw, tmp_path)["status"] == "succeeded"
    assert turns == ["alone", "alone"]
    monkeypatch.setenv("RUNFORGE_MEMORY_LIMIT", "7000")
    result = train_with(SharedInputs(folder, jobs=2), raw, tmp_path)
    assert result["error"]["code"] == "MEMORY_INSUFFICIENT"


def test_a_scaler_that_warns_does_so_for_each_run(tmp_path: Path) -> None:
    fitted = fit.FittedScaler(None, (("RuntimeWarning", "as it was"),))
    found = fit._explain(fitted.warnings, (), type("P", (), {"named_steps": {"clf": None}}))
    assert [(item.code, item.message, item.details) for item in found] == [
        ("TRAINING_WARNING", "as it was", {"category": "RuntimeWarning"})
    ]


def test_nothing_is_left_of_what_was_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    together([request_of(tmp_path, "iris", "linear_svc")], tmp_path, jobs=1)
    assert [*temporary.iterdir()] == []
    # A link in the place of the folder is not followed.
    target = tmp_path / "target"
    target.mkdir()
    (target / "kept").touch()
    place = tmp_path / ".data"
    place.symlink_to(target)
    together([request_of(tmp_path, "iris", "linear_svc")], tmp_path, jobs=1, shared=place)
    assert [path.name for path in target.iterdir()] == ["kept"]
    assert not place.exists()
