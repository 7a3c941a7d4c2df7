"""What listing and appending cost as a store grows, as whole processes beside a bare Python.

    python benchmarks/store.py [ROUNDS]

Stores of 1,000, 10,000 and 100,000 runs, and 10,000 runs of experiments, are made in a temporary
folder. Each round measures all of them, one after the other, so that a noisy machine disturbs all
alike.
"""

from __future__ import annotations

import hashlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pairing import cost, python
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.codec.strict_yaml import encode_yaml
from runforge_contracts.store.layout import StoreLayout
from runforge_engine.store.run_folders import append_entry

SIZES = (1_000, 10_000, 100_000)
EXPERIMENTS = 10_000
FAMILIES = ("logistic_regression", "random_forest", "linear_svc")
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


def entry(number: int) -> dict[str, Any]:
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    ended = BEGIN + timedelta(seconds=37 * number)
    run_id = f"{ended:%Y%m%d-%H%M%S}-{digest[:8]}"
    accuracy = 0.5 + number % 500 / 1000
    return {
        "run_id": run_id,
        "created_at": f"{ended:%Y-%m-%dT%H:%M:%SZ}",
        "name": run_id,
        "preset_id": "balanced",
        "status": "succeeded",
        "summary": {
            "duration_ms": 1000 + number % 777,
            "final_metrics": {"accuracy": accuracy, "f1_score": accuracy - 0.01},
            "device": "cpu",
        },
        "run_dir": f".runforge/runs/{run_id}",
        "dataset_fingerprint_sha256": digest,
        "label_column": "label",
        "model_pkl": "artifacts/model.pkl",
        "model_family": FAMILIES[number % 3],
        "model_sha256": digest[::-1],
        "seed": number % 7,
        "hyperparameters": {"max_iter": 200, "C": 10.0 ** (number % 5 - 2)},
    }


def make_store(folder: Path, size: int) -> StoreLayout:
    store = StoreLayout(folder / str(size))
    store.runs.mkdir(parents=True)
    entries = [entry(number) for number in range(size)]
    for item in entries:
        store.run_folder(item["run_id"]).mkdir()
    store.index.write_bytes(encode_json({"schema_version": "index.v1", "runs": entries}))
    append_entry(store, entry(size))  # a large index gets its spare
    return store


def make_experiments(folder: Path, size: int) -> Path:
    """Write the runs of experiments, twenty a day, each with a hundred values of a metric."""
    repository = folder / "experiments"
    history = [{"step": step, "value": 1 / (step + 1)} for step in range(100)]
    for number in range(size):
        began = BEGIN + timedelta(days=number // 20, minutes=number % 20)
        run = repository / f"runs/run-{began:%Y-%m-%d}-{number % 20 + 1:03}"
        run.mkdir(parents=True)
        config = {
            "run_id": run.name,
            "experiment": f"exp-{number % 7}",
            "model": "resnet50:v1",
            "dataset": "cifar10:v1",
            "training": {"epochs": 100, "batch_size": 64, "optimizer": "adam"},
            "started_at": f"{began:%Y-%m-%dT%H:%M:%SZ}",
            "status": "succeeded",
            "duration_ms": 1000 + number,
        }
        metrics = {"summary": {"loss": 0.01 + number % 500}, "history": {"loss": history}}
        (run / "config.yaml").write_bytes(encode_yaml(config))
        (run / "metrics.json").write_bytes(encode_json(metrics))
    return repository


def process(*command: object) -> Callable[[], float]:
    return lambda: cost(python(*command)).seconds


def appending(store: StoreLayout, size: int) -> Callable[[], float]:
    numbers = iter(range(size + 1, size + 1_000_000))

    def run() -> float:
        item = entry(next(numbers))
        begun = time.perf_counter()
        append_entry(store, item)
        return time.perf_counter() - begun

    return run


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as scratch:
        runs: dict[str, Callable[[], float]] = {"python -c pass": process("-c", "pass")}
        runs["runforge --help"] = process("-m", "runforge_cli", "--help")
        for size in SIZES:
            store = make_store(Path(scratch), size)
            command = ("-m", "runforge_cli", "--workspace", store.workspace, "runs")
            runs[f"runs, newest 20 of {size:,}"] = process(*command)
            runs[f"runs --model, {size:,}"] = process(*command, "--model", "linear_svc")
            runs[f"append to {size:,}, in process"] = appending(store, size)
        repository = make_experiments(Path(scratch), EXPERIMENTS)
        command = ("-m", "runforge_cli", "--workspace", repository, "runs")
        runs[f"runs, newest 20 of {EXPERIMENTS:,} experiments"] = process(*command)
        times: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                times[name].append(run())
    bare = statistics.median(times["python -c pass"])
    print(f"medians (and least) of {rounds} rounds; ratios to a bare Python")
    for name, measured in times.items():
        median = statistics.median(measured)
        least = min(measured) / min(times["python -c pass"])
        print(f"{name:<40} {median * 1000:9.1f} ms {median / bare:8.2f} x ({least:.2f})")


if __name__ == "__main__":
    main()
