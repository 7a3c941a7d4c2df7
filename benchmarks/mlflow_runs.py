"""Fill a new folder with runs of MLflow, to measure how long it takes to list them.

    python benchmarks/mlflow_runs.py FOLDER COUNT

Each has what an entry of our index tells: a name, how it ended, a few parameters and metrics.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric, Param


def main() -> None:
    """Make the runs, in the place where MLflow keeps them by default."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True)
    os.chdir(folder)
    client = MlflowClient()
    for number in range(count):
        run_id = client.create_run("0", run_name=f"run {number}").info.run_id
        accuracy = 0.5 + number % 500 / 1000
        client.log_batch(
            run_id,
            [Metric("accuracy", accuracy, 0, 0), Metric("f1_score", accuracy - 0.01, 0, 0)],
            [Param("model_family", "logistic_regression"), Param("label_column", "label")],
        )
        client.set_terminated(run_id)


if __name__ == "__main__":
    main()
