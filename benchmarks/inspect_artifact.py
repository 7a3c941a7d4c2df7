"""How much looking into a model file costs, beside loading it and beside Python itself.

    python benchmarks/inspect_artifact.py [--runs N]

Every figure is that of a whole process, the median of several taken in turns, so that a machine
whose speed drifts does not favour either side. Read the ratios: ``/ bare`` is against a Python that
does nothing, ``/ load`` against ``joblib.load`` of the same file.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from pairing import in_turns, python, ratio, runforge, spread
from runforge_engine.modeling.fit import dump_model
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

MODELS = {
    "linear model": LogisticRegression(max_iter=200),
    "forest of 100 trees": RandomForestClassifier(100, random_state=42),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    print(f"{'':40}{'time':>10}{'memory':>10}{'/ bare':>8}{'/ load':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name, classifier in MODELS.items():
            path = write(Path(folder) / "model.pkl", classifier)
            print(f"{name}, {path.stat().st_size:,} bytes")
            compare(path, runs)


def write(path: Path, classifier: object) -> Path:
    """Write a fitted pipeline as a run does."""
    X, y = load_breast_cancer(return_X_y=True)
    pipeline = Pipeline([("scaler", StandardScaler()), ("clf", classifier)]).fit(X, y)
    path.write_bytes(dump_model(pipeline, [f"feature {index}" for index in range(X.shape[1])]))
    return path


def compare(path: Path, runs: int) -> None:
    """Measure the processes in turns and print a line for each."""
    read = (
        "from pathlib import Path\n"
        "from runforge_engine.model_file.model_inspection import inspect_model"
    )
    processes = {
        "python -c pass": python("-c", "pass"),
        "joblib.load": python("-c", f"import joblib; joblib.load({str(path)!r})"),
        "the reader alone": python("-c", f"{read}; inspect_model(Path({str(path)!r}))"),
        "runforge inspect-artifact --json": runforge("inspect-artifact", path, "--json"),
        "python -m ml_runner inspect-artifact": python(
            *("-m", "ml_runner", "inspect-artifact", "--artifact", path)
        ),
    }
    bare, loaded, *others = in_turns(list(processes.values()), runs)
    for name, costs in zip(processes, [bare, loaded, *others], strict=True):
        milliseconds, megabytes = (
            spread(costs).median * 1e3,
            spread(costs, "memory").median / 2**20,
        )
        print(
            f"  {name:38}{milliseconds:>8.1f}ms{megabytes:>8.1f}MB"
            f"{ratio(costs, bare).median:>8.2f}{ratio(costs, loaded).median:>8.2f}"
        )


if __name__ == "__main__":
    main()
