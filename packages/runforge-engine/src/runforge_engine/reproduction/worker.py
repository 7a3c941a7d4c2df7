"""Train again in a new process, which can set its numeric environment before loading libraries.

The process reads its task as one line of JSON from standard input, and writes one line for each
event and one for the answer to standard output. When standard input is closed, the process exits,
so that it does not outlive its parent.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runforge_engine.data.dataset import Dataset


def main() -> None:
    """Train as specified by the task, and write the answer."""
    task = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_caller, daemon=True).start()
    if task["pin"]:
        from runforge_engine.runtime.numeric_environment import pin_environment

        pin_environment()
    _say({"answer": _answer(task)})


def _end_with_the_caller() -> None:
    # Bypass the stream, whose lock would still be held when the interpreter exits.
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


def _say(message: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\n")
    sys.stdout.buffer.flush()


def _answer(task: dict[str, Any]) -> dict[str, Any]:
    """Return the error that stopped the training, or the comparison of the two models."""
    from runforge_contracts.errors import RunForgeError
    from runforge_contracts.store import layout
    from runforge_contracts.store.layout import StoreLayout

    from runforge_engine.pipeline.execute import execute_folder
    from runforge_engine.pipeline.observer import Observer

    class Forward(Observer):
        """Forward every event to the parent process."""

        def on_event(self, event: dict[str, Any]) -> None:
            """Write the event as one line; skip the duration, as the clock is fixed."""
            if event["event"] == "run_start":
                event = {**event, "preset_id": task["preset"]}
            if event["event"] != "train_finished":
                _say({"event": event})

    folder = Path(task["folder"])
    try:
        outcome = execute_folder(folder, StoreLayout(Path(task["workspace"])), observer=Forward())
    except RunForgeError as error:
        return {"error": error.to_dict()}
    if outcome.error is not None:
        return {"error": outcome.error.to_dict()}
    model = task.get("model")
    if model is None or _digest(folder / layout.MODEL) == model["sha256"]:
        return {}
    return {"models": _compare(task, folder / layout.MODEL, model)}


def _digest(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def _compare(task: dict[str, Any], rebuilt: Path, model: dict[str, str]) -> dict[str, Any]:
    from runforge_contracts.errors import RunForgeError

    from runforge_engine.model_file.loading import load_model
    from runforge_engine.reproduction.model_comparison import compare_models

    dataset = task["dataset"]
    with warnings.catch_warnings():
        # A model of another version of scikit-learn, and rows without column names.
        warnings.simplefilter("ignore")
        try:
            recorded = load_model(Path(model["path"]), model["sha256"])
            anew = load_model(rebuilt, _digest(rebuilt))
            data = _load(dataset)
            return compare_models(recorded, anew, data.X)
        except RunForgeError as error:
            return {"settings": [], "reason": error.message}
        except Exception as error:  # noqa: BLE001 - any error of another version's model
            reason = f"The models cannot be compared: {type(error).__name__}: {error}"
            return {"settings": [], "reason": reason}


def _load(dataset: dict[str, Any]) -> Dataset:
    """Return the dataset of the run, or the table that its recipe makes of it."""
    from runforge_engine.data.dataset import load_dataset
    from runforge_engine.data.dataset_source import read_source

    source = read_source(Path(dataset["path"]))
    columns = dataset["label_column"], dataset["exclude_columns"]
    if dataset["recipe"] is None:
        return load_dataset(source, *columns)
    from runforge_engine.preparation.run_recipe import load_prepared, load_recipe

    return load_prepared(source, load_recipe(Path(dataset["recipe"])), *columns)


if __name__ == "__main__":
    main()
