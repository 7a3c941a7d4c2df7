"""The libraries load beside other work, and sparingly where the process is ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from real_data import write_dataset
from runforge_engine.provenance.collect import PACKAGES

# Trains on the penguins of the current folder and tells what became of the process.
PROGRAM = """
import gc, json, sys
from pathlib import Path
from runforge_engine.runtime.numeric_environment import pin_environment
pin_environment()
from runforge_engine.runtime.preload import own_process
if sys.argv[1] == "own":
    own_process()
from runforge_contracts.store.layout import StoreLayout
from runforge_engine.pipeline.execute import execute
from runforge_engine.pipeline.request import new_request
store = StoreLayout(Path.cwd())
request = new_request(dataset="penguins.csv", label_column="species", store=store,
    exclude_columns=["island", "sex", "year"], created_by="tests@1", model_family=sys.argv[2])
outcome = execute(request, store)
assert outcome.status == "succeeded", outcome.error
names = ("pandas", "rich", "scipy.spatial._kdtree", "scipy.stats._stats_py", "sklearn")
loaded = [name for name in names if name in sys.modules]
modules = [name for name in sys.modules if "." not in name]
import numpy as np
from scipy.stats.mstats import mquantiles
from sklearn.metrics import label_ranking_average_precision_score
ranking = label_ranking_average_precision_score(np.array([[1, 0, 0]]), np.array([[0.5, 0.75, 0]]))
median = mquantiles([1.0, 2.0, 3.0], [0.5])[0]
try:
    import pandas
    found = True
except ImportError as error:
    found = str(error)
print(json.dumps({"folder": str(outcome.run_dir), "loaded": loaded, "modules": modules,
    "pandas": found,
    "late": [ranking, median], "collecting": gc.isenabled()}))
"""


def train(whose: str, folder: Path, family: str = "logistic_regression") -> dict[str, Any]:
    write_dataset("penguins", folder)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, whose, family],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize(
    "family",
    [
        "random_forest",
        pytest.param("logistic_regression", marks=pytest.mark.slow),
        pytest.param("linear_svc", marks=pytest.mark.slow),
    ],
)
def test_a_process_of_ours_loads_no_more_than_a_run_needs(family: str, tmp_path: Path) -> None:
    told = train("own", tmp_path, family)
    assert told["loaded"] == ["sklearn"]
    assert told["collecting"]
    assert "pandas" in told["pandas"]
    # Other modules can still be imported.
    assert told["late"] == [0.5, 2.0]
    run = json.loads((Path(told["folder"]) / "run.json").read_bytes())
    # The record has the packages that were loaded, not pandas.
    assert set(PACKAGES) == set(run["provenance"]["packages"])
    assert {PACKAGES[package] for package in run["provenance"]["packages"]} <= {*told["modules"]}


def test_a_program_keeps_its_libraries_and_its_collector(tmp_path: Path) -> None:
    told = train("theirs", tmp_path)
    assert {"scipy.spatial._kdtree", "scipy.stats._stats_py"} <= {*told["loaded"]}
    assert told["pandas"] is True
    assert told["collecting"]
