"""The same request gives the same bytes, whatever process, environment or folder it runs in."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from real_data import FAMILIES, write_dataset
from runforge_contracts.store.layout import StoreLayout
from runforge_engine.pipeline.execute import execute
from runforge_engine.pipeline.request import new_request
from runforge_engine.runtime.numeric_environment import NUMERIC_VARIABLES

# Trains in a process of its own, as a command does: the numeric environment first.
PROGRAM = """
import sys
from pathlib import Path
from runforge_engine.runtime.numeric_environment import pin_environment
pin_environment()
from runforge_contracts.types import RequestV1
from runforge_contracts.documents import Document
from runforge_contracts.store.layout import StoreLayout
from runforge_engine.pipeline.execute import execute
from runforge_engine.pipeline.request import prepare
workspace, *families = map(Path, sys.argv[1:])
for model in workspace.glob("*.pkl"):
    import joblib
    joblib.load(model)
for family in families:
    request = prepare(Document.load(workspace / f"{family}.json", RequestV1))
    assert execute(request, StoreLayout(workspace)).status == "succeeded"
"""


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace in which all families were trained."""
    return run_all(tmp_path_factory.mktemp("reference"), {}, tmp_path_factory.mktemp("elsewhere"))


def run_all(
    workspace: Path, changes: dict[str, str | None], cwd: Path, python: str = sys.executable
) -> Path:
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
        [python, "-W", "error", "-c", PROGRAM, str(workspace), *FAMILIES],
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
    "a-newer-kernel-asked-for": {"OPENBLAS_CORETYPE": "SkylakeX", "OPENBLAS_NUM_THREADS": "2"},
    "blocks-of-another-size": {"OPENBLAS_L2_SIZE": "4096", "OPENBLAS_BLOCK_FACTOR": "3"},
    "processor-features-chosen": {"NPY_ENABLE_CPU_FEATURES": "AVX2"},
    "no-numeric-variables": dict.fromkeys(NUMERIC_VARIABLES),
    "no-openblas-variables": {key: None for key in os.environ if key.startswith("OPENBLAS")},
}


#: Of these, what stands for the others in a hurry.
QUICK = ("two-threads", "a-newer-kernel-asked-for")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(changes, id=name, marks=() if name in QUICK else pytest.mark.slow)
        for name, changes in ENVIRONMENTS.items()
    ],
)
def test_run_folders_are_byte_identical(
    reference: Path, changes: dict[str, str | None], tmp_path: Path
) -> None:
    workspace = tmp_path / "a workspace with another name"
    workspace.mkdir()
    run_all(workspace, changes, tmp_path)
    assert differences(reference / ".runforge", workspace / ".runforge") == []
    assert len(list((workspace / ".runforge/runs").iterdir())) == len(FAMILIES)


def test_models_that_were_loaded_before_change_nothing(reference: Path, tmp_path: Path) -> None:
    # Their classes keep the names of the attributes that they were loaded with.
    for number, model in enumerate((reference / ".runforge/runs").glob("*/artifacts/model.pkl")):
        shutil.copyfile(model, tmp_path / f"{number}.pkl")
    run_all(tmp_path, {}, tmp_path)
    assert differences(reference / ".runforge", tmp_path / ".runforge") == []


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs a choice of processors")
def test_one_core_gives_the_bytes_of_all(reference: Path, tmp_path: Path) -> None:
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        run_all(tmp_path, {}, tmp_path)
    finally:
        os.sched_setaffinity(0, cores)
    assert differences(reference / ".runforge", tmp_path / ".runforge") == []


#: Other interpreters that have the same versions of the libraries: `RUNFORGE_TEST_PYTHONS` lists
#: their programs, separated as in `PATH`.
PYTHONS = [name for name in os.environ.get("RUNFORGE_TEST_PYTHONS", "").split(os.pathsep) if name]


@pytest.mark.slow
@pytest.mark.parametrize("python", PYTHONS)
def test_another_python_gives_the_same_artifacts(
    python: str, reference: Path, tmp_path: Path
) -> None:
    run_all(tmp_path, {}, tmp_path, python)
    differing = differences(reference / ".runforge/runs", tmp_path / ".runforge/runs")
    # Fields that describe the interpreter, and their digests.
    telling = {"run.json", "result.json", "provenance.intoto.json", "manifest.json"}
    assert {name.partition("/")[2] for name in differing} <= telling
    models = list((tmp_path / ".runforge/runs").glob("*/artifacts/model.pkl"))
    assert len(models) == len(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_runs_in_two_threads_are_those_of_one_after_the_other(family: str, tmp_path: Path) -> None:
    def run(workspace: Path, seed: int) -> dict[str, bytes]:
        path, label, excluded = workspace / "penguins.csv", "species", ("island", "sex", "year")
        store = StoreLayout(workspace)
        request = new_request(
            dataset=path,
            label_column=label,
            exclude_columns=excluded,
            store=store,
            created_by="tests@1",
            model_family=family,
            preset="fast",
            seed=seed,
        )
        folder = execute(request, store).run_dir
        files = [folder / "metrics.json", folder / "metrics.v1.json"]
        files += [file for file in (folder / "artifacts").iterdir() if "index" not in file.name]
        return {file.name: file.read_bytes() for file in files}

    seeds = range(4)
    first, second = tmp_path / "first", tmp_path / "second"
    for workspace in (first, second):
        workspace.mkdir()
        write_dataset("penguins", workspace)
    one_by_one = {seed: run(first, seed) for seed in seeds}
    together: dict[int, dict[str, bytes]] = {}

    def work(start: int) -> None:
        for seed in seeds[start::2]:
            together[seed] = run(second, seed)

    threads = [threading.Thread(target=work, args=(start,)) for start in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == one_by_one
