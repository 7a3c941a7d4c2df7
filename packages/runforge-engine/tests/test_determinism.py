"""The same request gives the same bytes, whatever process, environment or folder it runs in."""

from __future__ import annotations

import filecmp
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from real_data import FAMILIES, write_dataset

# Trains in a process of its own, as a command does: the numeric environment first.
PROGRAM = """
import sys
from pathlib import Path
from runforge_engine.numerics import pin_environment
pin_environment()
from runforge_contracts._generated.request_v1 import RequestV1
from runforge_contracts.documents import Document
from runforge_contracts.layout import StoreLayout
from runforge_engine.execution import execute
workspace = Path(sys.argv[1])
for family in sys.argv[2:]:
    request = Document.load(workspace / f"{family}.json", RequestV1)
    assert execute(request, StoreLayout(workspace)).status == "succeeded"
"""


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace in which all families were trained."""
    return run_all(tmp_path_factory.mktemp("reference"), {}, tmp_path_factory.mktemp("elsewhere"))


def run_all(workspace: Path, changes: dict[str, str | None], cwd: Path) -> Path:
    """Train all families on the penguins in ``workspace``, in one fresh process."""
    _, label, excluded = write_dataset("penguins", workspace)
    for family in FAMILIES:
        request = {
            "version": 1,
            "preset": "fast",
            "dataset": {
                "path": "penguins.csv",
                "label_column": label,
                "exclude_columns": list(excluded),
            },
            "model": {"family": family},
            "device": {"type": "cpu"},
            "created_at": "2026-02-01T12:00:00Z",
            "created_by": "tests@1",
        }
        (workspace / f"{family}.json").write_text(json.dumps(request))
    environment = {
        key: value
        for key, value in {**os.environ, "SOURCE_DATE_EPOCH": "1769947200", **changes}.items()
        if value is not None
    }
    subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(workspace), *FAMILIES],
        env=environment,
        cwd=cwd,
        check=True,
    )
    return workspace


def differences(left: Path, right: Path) -> list[str]:
    """Return the files that differ or are in one folder only, as ``diff -r`` would."""
    names = {
        path.relative_to(side).as_posix()
        for side in (left, right)
        for path in side.rglob("*")
        if path.is_file()
    }
    return sorted(
        name
        for name in names
        if not ((left / name).is_file() and (right / name).is_file())
        or not filecmp.cmp(left / name, right / name, shallow=False)
    )


ENVIRONMENTS: dict[str, dict[str, str | None]] = {
    "another-hash-seed": {"PYTHONHASHSEED": "12345"},
    "two-threads": {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"},
    "one-thread": {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    "another-kernel-asked-for": {"OPENBLAS_CORETYPE": "Sandybridge"},
    "no-openblas-variables": {key: None for key in os.environ if key.startswith("OPENBLAS")},
}


@pytest.mark.parametrize("changes", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_run_folders_are_byte_identical(
    reference: Path, changes: dict[str, str | None], tmp_path: Path
) -> None:
    workspace = tmp_path / "a workspace with another name"
    workspace.mkdir()
    run_all(workspace, changes, tmp_path)
    assert differences(reference / ".runforge", workspace / ".runforge") == []
    assert len(list((workspace / ".runforge/runs").iterdir())) == len(FAMILIES)
