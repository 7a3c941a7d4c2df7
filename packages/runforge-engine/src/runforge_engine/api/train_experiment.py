"""Train one of RunForge's model families as an experiment, without user code.

This program runs like user code: its output is logged, a signal ends it, and its metrics are logged
with the helper that user code uses. The trained run is recorded in the store of the repository,
``.runforge``, with all of its evidence, and the experiment's run names it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Any

from runforge_contracts.comparison.experiment_facets import TRAINED_RUN
from runforge_contracts.display import printable
from runforge_contracts.errors import RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.system.system_processes import END_REQUESTS

from runforge_engine.api.library import train
from runforge_engine.experiment.config.native_model import training_options
from runforge_engine.experiment.tracking import current_run, read_config
from runforge_engine.pipeline.observer import Observer
from runforge_engine.runtime.cancellation import Cancellation


class _Printer(Observer):
    """Print each event on one line."""

    def on_event(self, event: dict[str, Any]) -> None:
        """Print an event."""
        _say(event["event"].replace("_", " "))


def main(arguments: list[str]) -> int:
    """Train with a configuration, log the results, and return the exit code."""
    parser = argparse.ArgumentParser(prog="runforge_engine.api.train_experiment")
    parser.add_argument("--config", required=True)
    try:
        return _train(read_config(parser.parse_args(arguments).config))
    except RunForgeError as error:
        # The last line of the output becomes the reason recorded in the experiment's run.
        for note in (*getattr(error, "__notes__", ()), f"error[{error.code}]: {error.message}"):
            _say(note)
        return int(error.exit_code)


def _train(config: dict[str, Any]) -> int:
    cancellation = Cancellation()
    for number in (signal.SIGINT, *END_REQUESTS):
        signal.signal(number, lambda *_: cancellation.cancel())

    root = Path(os.environ.get("RUNFORGE_WORKSPACE") or Path.cwd())
    dataset = root / config["references"]["dataset"]["path"]
    trained = train(
        dataset,
        workspace=root,
        observer=_Printer(),
        cancellation=cancellation,
        **training_options(config),
    )
    run = current_run()
    run.log_parameters({TRAINED_RUN: trained.id, **trained.hyperparameters})
    for name, value in trained.metrics.items():
        run.log_summary(name, value)
    run.log_artifact(trained.path / layout.MODEL, "model.pkl")
    _say(f"trained run {trained.id}")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{printable(text)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
