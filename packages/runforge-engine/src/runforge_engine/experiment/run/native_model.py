"""RunForge's own training as an experiment: a model ``runforge/<family>`` needs no user code.

A process of its own trains, as user code would: what it prints is logged, a signal ends it, and
what it measured is logged with the helper that user code has. The trained run lies in the store of
the repository, ``.runforge``, with all of its evidence; the experiment's run names it.

``training`` in the configuration says what ``runforge train`` takes as options: ``label``,
``exclude``, ``preset``, ``profile``, ``hyperparameters`` and ``device``.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runforge_contracts.display import printable
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout

from runforge_engine.experiment.config.model_references import OWN_MODELS
from runforge_engine.experiment.tracking import current_run, read_config
from runforge_engine.pipeline.observer import Observer
from runforge_engine.runtime.cancellation import Cancellation

#: Name of the parameter that holds the id of the trained run.
TRAINED_RUN = "trained_run"
#: Options of training that the configuration may give under ``training``.
_OPTIONS = ("preset", "profile", "hyperparameters", "device")


def check_bridge(config: Mapping[str, Any]) -> None:
    """Check what can be checked of a configuration that RunForge is to train.

    Raises
    ------
    RunForgeError
        ``LABEL_NOT_FOUND`` where no label is named; what
        :func:`~runforge_engine.pipeline.request.new_request` raises.
    """
    from runforge_engine.pipeline.request import new_request

    options = training_options(config)
    try:
        new_request(
            dataset="dataset",
            label_column=options.pop("label"),
            exclude_columns=options.pop("exclude"),
            model_family=options.pop("model"),
            store=StoreLayout(Path.cwd()),
            created_by="runforge@1",
            **options,
        )
    except RunForgeError as error:
        # Its places are those of a request, which nobody has seen.
        raise RunForgeError(
            error.code, error.message, hint=error.hint, pointer="/training"
        ) from error


def training_options(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of :func:`runforge_engine.train` for a configuration.

    Raises
    ------
    RunForgeError
        ``LABEL_NOT_FOUND`` or ``EXPERIMENT_INVALID``.
    """
    training = config.get("training") or {}
    label, excluded = training.get("label"), training.get("exclude", [])
    if not isinstance(label, str):
        raise RunForgeError(
            ErrorCode.LABEL_NOT_FOUND,
            "The experiment does not name the label column.",
            hint="Add `label: COLUMN` under `training`.",
            pointer="/training",
        )
    lists = isinstance(excluded, list) and all(isinstance(item, str) for item in excluded)
    if not lists or not isinstance(training.get("hyperparameters", {}), dict):
        raise RunForgeError(
            ErrorCode.EXPERIMENT_INVALID,
            "`exclude` is a list of columns, and `hyperparameters` are names with values.",
            pointer="/training",
        )
    return {
        "label": label,
        "model": config["model"].removeprefix(OWN_MODELS),
        "exclude": excluded,
        "seed": config.get("seed"),
        "name": config["experiment"],
        "notes": config.get("notes"),
        **{name: training[name] for name in _OPTIONS if name in training},
    }


class _Teller(Observer):
    """Says what happens, a line each."""

    def on_event(self, event: dict[str, Any]) -> None:
        """Tell of an event."""
        _say(event["event"].replace("_", " "))


def main(arguments: list[str]) -> int:
    """Train as a configuration says, log what comes of it, and return the exit code."""
    parser = argparse.ArgumentParser(prog="runforge_engine.experiment.run.native_model")
    parser.add_argument("--config", required=True)
    try:
        return _train(read_config(parser.parse_args(arguments).config))
    except RunForgeError as error:
        # What is said last becomes the reason of the experiment's run.
        for note in (*getattr(error, "__notes__", ()), f"error[{error.code}]: {error.message}"):
            _say(note)
        return int(error.exit_code)


def _train(config: dict[str, Any]) -> int:
    cancellation = Cancellation()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: cancellation.cancel())
    from runforge_engine.api.library import train

    root = Path(os.environ.get("RUNFORGE_WORKSPACE") or Path.cwd())
    dataset = root / config["references"]["dataset"]["path"]
    trained = train(
        dataset,
        workspace=root,
        observer=_Teller(),
        cancellation=cancellation,
        **training_options(config),
    )
    run = current_run()
    run.log_parameters({TRAINED_RUN: trained.run_id, **trained.hyperparameters})
    for name, value in trained.metrics.items():
        run.log_summary(name, value)
    run.log_artifact(trained.path / layout.MODEL, "model.pkl")
    _say(f"trained run {trained.run_id}")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{printable(text)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
