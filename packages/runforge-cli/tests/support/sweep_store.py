"""A workspace with sweeps of every shape, made by the real command on a frozen clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from sweeping import PENGUINS, with_penguins

#: 2026-02-01T12:00:00Z, so that the ids of the runs are always the same.
_FROZEN = "1769947200"
_BASE: dict[str, Any] = {
    "version": 1,
    "preset": "balanced",
    "dataset": {
        "path": "penguins.csv",
        "label_column": "species",
        "exclude_columns": ["island", "sex", "year"],
    },
    "model": {"family": "logistic_regression", "hyperparameters": {}},
    "device": {"type": "cpu"},
}
#: The options of each sweep, by a short name.
GRIDS: dict[str, tuple[str, ...]] = {
    "one": (*PENGUINS, "--grid", "C=0.001,0.01,0.1,1", "--seeds", "1..3"),
    "two": (*PENGUINS, "--grid", "C=0.001,0.1,10", "--grid", "max_iter=5,50"),
    "three": (
        *(*PENGUINS, "--model", "random_forest", "--preset", "fast"),
        *("--grid", "n_estimators=2,9", "--grid", "max_depth=1,null"),
        *("--grid", "min_samples_leaf=1,20"),
    ),
    "words": (*PENGUINS, "--grid", "preset=fast,thorough", "--seeds", "1..2"),
    "failed": ("penguins.csv", "--label", "species", "--grid", "C=0.1,1,10"),
}
_LISTED = [
    {"model.hyperparameters.C": 1},
    {"model.hyperparameters.C": 0.001, "model.hyperparameters.max_iter": 50},
    {"model.family": "random_forest", "model.hyperparameters.n_estimators": 3},
    {"model.family": "linear_svc", "seed": 7},
]


class Sweeps(NamedTuple):
    """The workspace and the ids of its groups by their short names."""

    workspace: Path
    ids: dict[str, str]


def make_sweeps(workspace: Path, names: Iterable[str] = (*GRIDS, "listed")) -> Sweeps:
    """Fill a workspace with sweeps."""
    with_penguins(workspace)
    ids = {}
    for name in names:
        arguments: tuple[str, ...] = ()
        if name in GRIDS:
            arguments = (*GRIDS[name], "--name", name)
        else:
            strategy = {"type": "list", "runs": _LISTED}
            plan = {
                "version": 1,
                "kind": "sweep_plan",
                "group": {"name": name},
                "base_request": _BASE,
                "strategy": strategy,
            }
            (workspace / "listed.json").write_text(json.dumps(plan), "utf-8")
            arguments = ("listed.json",)
        ids[name] = sweep(workspace, *arguments)
    return Sweeps(workspace, ids)


def sweep(workspace: Path, *arguments: str) -> str:
    """Run a sweep, and return the id of its group."""
    done = subprocess.run(
        [sys.executable, "-m", "runforge_cli", "sweep", *arguments, "--jobs", "1", "--json"],
        cwd=workspace,
        env={
            **{name: text for name, text in os.environ.items() if not name.startswith("RUNFORGE")},
            "SOURCE_DATE_EPOCH": _FROZEN,
        },
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    group_id: str = json.loads(done.stdout)["group_id"]
    return group_id


def change_group(folder: Path, **changes: Any) -> dict[str, Any]:
    """Change members of ``group.json``; None removes one."""
    path = folder / "group.json"
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    document = {**document, **changes}
    document = {name: value for name, value in document.items() if value is not None}
    path.write_text(json.dumps(document), "utf-8")
    return document
