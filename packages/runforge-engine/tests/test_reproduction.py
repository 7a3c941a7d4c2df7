"""Training again from a record alone: the verdicts, over real runs in real processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from real_data import DATASETS, FAMILIES, ROOT, write_dataset
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_contracts.validation import validate
from runforge_engine.pipeline.execute import execute
from runforge_engine.pipeline.observer import Observer
from runforge_engine.pipeline.request import new_request
from runforge_engine.reproduction.reproduce import reproduce
from runforge_engine.runtime.cancellation import Cancellation
from runforge_engine.runtime.platform_info import cpu_flags

pinnable = pytest.mark.skipif(
    not {"avx2", "fma"} <= cpu_flags(), reason="needs x86-64 with AVX2 and FMA under Linux"
)
VECTORS = ROOT / "docs/test-vectors"
THIRD = "identical predictions, coefficients within 1e-9"


def again(folder: Path, **options: Any) -> dict[str, Any]:
    """Return the report on a run of a store, checked against its schema."""
    document = reproduce(Run(folder), folder.parents[2], **options).to_dict()
    validate(document, "reproduction.v1")
    return document


def fields(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {item["field"]: item for item in items}


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return every file and folder below ``folder`` with its time of change and bytes."""
    return {
        path.relative_to(folder).as_posix(): (
            path.stat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }


def edit(folder: Path, file: str, change: Callable[[Any], None]) -> None:
    document = json.loads((folder / file).read_text("utf-8"))
    change(document)
    (folder / file).write_text(json.dumps(document), "utf-8")


def train_in(workspace: Path, dataset: str, family: str, **options: Any) -> Path:
    """Train on a named dataset or a file of the test vectors, and return the run's folder."""
    workspace.mkdir(exist_ok=True)
    if dataset.endswith(".csv"):
        path, label, excluded = workspace / dataset, "label", ()
        shutil.copyfile(VECTORS / "data" / dataset, path)
    else:
        path, label, excluded = write_dataset(dataset, workspace)
    request = new_request(
        dataset=path,
        label_column=label,
        exclude_columns=excluded,
        store=StoreLayout(workspace),
        created_by="tests@1",
        model_family=family,
        **{"preset": "fast", **options},
    )
    return execute(request, StoreLayout(workspace)).run_dir


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that copies a workspace in which a family was trained on the penguins."""
    originals = {
        family: train_in(tmp_path_factory.mktemp(family), "penguins", family) for family in FAMILIES
    }

    def copy(family: str = "logistic_regression") -> Path:
        workspace = tmp_path_factory.mktemp("copy") / "workspace"
        shutil.copytree(originals[family].parents[2], workspace)
        return next((workspace / ".runforge/runs").iterdir())

    return copy


def every_training(folder: Path) -> Iterator[tuple[str, str, Path]]:
    names = [*DATASETS, *sorted(path.name for path in (VECTORS / "data").glob("*.csv"))]
    for name in names:
        for family in FAMILIES:
            run = train_in(folder / f"{name}-{family}", name, family)
            yield name, family, run


def test_all_families_give_identical_bytes(tmp_path: Path) -> None:
    for family in FAMILIES:
        report = again(train_in(tmp_path / family, "iris", family))
        assert report["verdict"] == "identical bytes", report
        assert all(item["identical"] for item in report["artifacts"])


@pytest.mark.slow
def test_all_families_give_identical_bytes_on_all_example_data(tmp_path: Path) -> None:
    trainings = list(every_training(tmp_path))
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda training: again(training[2]), trainings))
    verdicts: dict[str, set[str]] = {}
    for (name, _, run), report in zip(trainings, reports, strict=True):
        trainable = (run / "run.json").exists()
        expected = "identical bytes" if trainable else "not reproducible here"
        assert report["verdict"] == expected, (name, report)
        assert all(item["identical"] for item in report["artifacts"])
        verdicts.setdefault(report["verdict"], set()).add(name)
    good = {"integer-labels.csv", "missing-values.csv", "three-classes.csv", "two-classes.csv"}
    assert verdicts["identical bytes"] >= good | set(DATASETS)


def test_everything_is_compared_and_nothing_left_unchecked(trained: Any) -> None:
    report = again(trained("random_forest"))
    assert [item["path"] for item in report["artifacts"]] == [
        "artifacts/model.pkl",
        "metrics.json",
        "metrics.v1.json",
        "artifacts/feature_importance.v1.json",
        "artifacts/interpretability.index.v1.json",
    ]
    assert all(
        len({v for k, v in item.items() if k.endswith("sha256")}) == 1
        for item in report["artifacts"]
    )
    assert report["content"]["identical"] is True
    for empty in ("reasons", "environment", "differences", "contradictions", "not_checked"):
        assert report[empty] == []


def test_every_setting_of_a_run_is_used_again(tmp_path: Path) -> None:
    run = train_in(
        tmp_path,
        "penguins",
        "logistic_regression",
        preset="custom",
        seed=7,
        hyperparameters={"C": 0.3, "solver": "saga", "max_iter": 17},
    )
    assert again(run)["verdict"] == "identical bytes"
    run = train_in(tmp_path, "penguins", "random_forest", preset="balanced", profile="thorough")
    assert again(run)["verdict"] == "identical bytes"


@pytest.mark.slow
def test_nothing_is_written_into_workspace_or_temporary_folder(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    run = trained()
    before = snapshot(run.parents[2])
    assert again(run)["verdict"] == "identical bytes"
    edit(run, "run.json", lambda raw: raw.update(label_column="island"))
    assert again(run)["verdict"] == "not reproducible here"
    after = snapshot(run.parents[2])
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert changed == {run.relative_to(run.parents[2]).as_posix() + "/run.json"}
    assert list(temporary.iterdir()) == []


def test_a_read_only_workspace_is_enough(trained: Any) -> None:
    run = trained()
    folders = [run.parents[2], *(path for path in run.parents[2].rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert again(run)["verdict"] == "identical bytes"
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_a_kept_training_is_a_workspace_of_its_own(trained: Any, tmp_path: Path) -> None:
    run, keep = trained(), tmp_path / "kept"
    report = again(run, keep=keep)
    assert report["kept"] == str(keep)
    rebuilt = keep / ".runforge/runs" / run.name
    for item in report["artifacts"]:
        assert (rebuilt / item["path"]).read_bytes() == (run / item["path"]).read_bytes()
    with pytest.raises(RunForgeError) as caught:
        again(run, keep=keep)
    assert caught.value.code is ErrorCode.USAGE_INVALID
    inside = run.parents[1] / "kept"
    with pytest.raises(RunForgeError) as caught:
        again(run, keep=inside)
    assert caught.value.code is ErrorCode.USAGE_INVALID
    assert not inside.exists()


# --- another numeric environment ---


@pinnable
def test_another_kernel_without_the_pin_is_named(
    trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    unset_numerics(monkeypatch)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    report = again(trained(), numerics="here")
    assert report["verdict"] == THIRD
    reasons = fields(report["reasons"])
    kernels = {
        name: (item["recorded"], item["here"])
        for name, item in reasons.items()
        if name.endswith(".architecture")
    }
    assert kernels
    for recorded, here in kernels.values():
        assert recorded == "Haswell"
        assert here in ("Katmai", "Prescott", "Core2")  # as this OpenBLAS calls the kernel
    assert reasons["numerics.pinned"] == {
        "field": "numerics.pinned",
        "recorded": True,
        "here": False,
    }
    assert reasons["numerics.environment.OPENBLAS_CORETYPE"]["here"] == "Prescott"
    assert report["predictions"]["differing_rows"] == 0
    assert 0 < report["parameters"]["largest_difference"] <= 1e-9
    assert "clf.coef_" in report["parameters"]["compared"]
    assert report["content"]["identical"] is False
    model = report["artifacts"][0]
    assert model["recorded_sha256"] == model["found_sha256"] != model["rebuilt_sha256"]


@pytest.mark.slow
@pinnable
def test_a_solver_that_stops_elsewhere_on_another_kernel_is_different(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train_in(tmp_path, "digits", "linear_svc")
    unset_numerics(monkeypatch)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    report = again(run, numerics="here")
    assert report["verdict"] == "different"
    assert report["parameters"]["largest_difference"] > 1e-9
    assert report["parameters"]["place"].startswith("clf.")
    assert any(item["field"].endswith(".architecture") for item in report["reasons"])


@pytest.mark.slow
@pinnable
def test_a_forest_has_the_same_bytes_on_another_kernel(
    trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    unset_numerics(monkeypatch)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    report = again(trained("random_forest"), numerics="here")
    assert report["verdict"] == "identical bytes"
    assert report["reasons"] == []
    assert "numerics.pinned" in fields(report["environment"])


def unset_numerics(monkeypatch: pytest.MonkeyPatch) -> None:
    from runforge_engine.runtime.numeric_environment import NUMERIC_VARIABLES

    for name in NUMERIC_VARIABLES:
        monkeypatch.delenv(name, raising=False)


#: A library user who imports numpy first; the kernel is chosen, and the choice then forgotten.
UNPINNED = """
import os, sys
import numpy, scipy.linalg
if sys.argv[3] == "forget":
    del os.environ["OPENBLAS_CORETYPE"]
from pathlib import Path
from runforge_contracts.types import RequestV1
from runforge_contracts.documents import Document
from runforge_contracts.store.layout import StoreLayout
from runforge_engine.pipeline.execute import execute
from runforge_engine.pipeline.request import prepare
workspace = Path(sys.argv[1])
request = prepare(Document.load(Path(sys.argv[2]), RequestV1))
print(execute(request, StoreLayout(workspace)).run_dir)
"""


def train_unpinned(workspace: Path, *, forget: bool) -> Path:
    pinned = train_in(workspace, "penguins", "logistic_regression")
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OPENBLAS", "OMP", "MKL", "BLIS", "VECLIB", "NPY"))
    }
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            UNPINNED,
            str(workspace),
            str(pinned / "request.json"),
            "forget" if forget else "keep",
        ],
        env={**environment, "OPENBLAS_CORETYPE": "Prescott", "OPENBLAS_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(done.stdout.strip())


@pinnable
def test_variables_that_an_unpinned_run_recorded_are_set_again(tmp_path: Path) -> None:
    run = train_unpinned(tmp_path, forget=False)
    numerics = json.loads((run / "run.json").read_text())["provenance"]["numerics"]
    assert numerics["pinned"] is False
    assert again(run)["verdict"] == "identical bytes"


@pytest.mark.slow
@pinnable
def test_a_kernel_that_no_variable_records_is_named(tmp_path: Path) -> None:
    report = again(train_unpinned(tmp_path, forget=True))
    assert report["verdict"] in (THIRD, "identical bytes")
    place = report["reasons"] if report["verdict"] == THIRD else report["environment"]
    assert any(name.endswith(".architecture") for name in fields(place))
    assert "numerics.pinned" not in fields(report["environment"])


# --- the dataset ---


def test_a_dataset_with_another_row_is_reported_by_its_digests(trained: Any) -> None:
    run = trained()
    data = run.parents[2] / "penguins.csv"
    text = data.read_text("utf-8")
    data.write_text(text.replace("39.1", "39.2", 1), "utf-8")
    assert data.read_text("utf-8") != text
    report = again(run)
    assert report["verdict"] == "not reproducible here"
    (reason,) = report["reasons"]
    assert reason["field"] == "run.json#/dataset/fingerprint_sha256"
    assert reason["recorded"] == report["dataset"]["expected_sha256"]
    assert reason["here"] == report["dataset"]["found_sha256"] != reason["recorded"]
    assert "has changed since the run" in reason["message"]
    assert report["artifacts"] == []


def test_a_dataset_that_is_gone_is_named_with_its_digest(trained: Any) -> None:
    run = trained()
    (run.parents[2] / "penguins.csv").unlink()
    report = reproduce(Run(run), run.parents[2])
    assert report.dataset_is_missing
    (reason,) = report.to_dict()["reasons"]
    assert reason["recorded"] == "penguins.csv"
    assert report.dataset["expected_sha256"] in reason["message"]


def test_a_moved_dataset_is_used_where_it_lies_now(trained: Any, tmp_path: Path) -> None:
    run = trained()
    moved = tmp_path / os.fsdecode(b"moved \xff\n.txt")
    (run.parents[2] / "penguins.csv").rename(moved)
    report = again(run, dataset=moved)
    assert report["verdict"] == "identical bytes"
    assert report["dataset"]["path"].endswith("moved \\xff\n.txt")
    moved.write_bytes(moved.read_bytes() + b"\n")
    report = reproduce(Run(run), run.parents[2], dataset=moved)
    assert report.verdict == "not reproducible here"
    assert not report.dataset_is_missing


# --- the record ---


def set_hyperparameter(name: str, value: Any) -> Callable[[Any], None]:
    def change(raw: Any) -> None:
        for item in raw["hyperparameters"]:
            if item["name"] == name:
                item["value"] = value

    return change


@pytest.mark.parametrize(
    ("name", "value"), [("C", 0.01), pytest.param("max_iter", 49, marks=pytest.mark.slow)]
)
def test_a_record_with_another_hyperparameter_is_different(
    name: str, value: Any, trained: Any
) -> None:
    run = trained()
    edit(run, "run.json", set_hyperparameter(name, value))
    report = again(run)
    assert report["verdict"] == "different"
    setting = fields(report["differences"])[f"artifacts/model.pkl: clf.{name}"]
    assert setting["here"] == value


def test_a_record_with_another_seed_is_different(trained: Any) -> None:
    run = trained("random_forest")
    edit(run, "run.json", lambda raw: raw.update(seed=43))
    report = again(run)
    assert report["verdict"] == "different"
    assert report["predictions"]["rows"] == 342


@pytest.mark.parametrize(
    "file", ["metrics.json", pytest.param("metrics.v1.json", marks=pytest.mark.slow)]
)
def test_another_metric_is_different_though_the_model_is_the_same(file: str, trained: Any) -> None:
    run = trained()
    edit(run, file, lambda raw: raw.update(accuracy=0.5))
    report = again(run)
    assert report["verdict"] == "different"
    assert report["content"]["identical"] is True
    found = fields(report["differences"])[f"{file}#/accuracy"]
    assert (found["recorded"], found["here"]) == (0.5, 1.0)
    assert file in fields(report["reasons"])


@pytest.mark.slow
def test_a_fact_of_the_record_that_does_not_hold_is_different(trained: Any) -> None:
    run = trained()
    edit(run, "run.json", lambda raw: raw.update(num_samples=341))
    report = again(run)
    assert report["verdict"] == "different"
    assert fields(report["differences"])["run.json#/num_samples"]["here"] == 342


def test_a_document_written_otherwise_is_identical_content(trained: Any) -> None:
    run = trained()
    edit(run, "metrics.v1.json", lambda raw: None)
    report = again(run)
    assert report["verdict"] == "identical content"
    assert report["differences"] == []
    assert fields(report["reasons"])["metrics.v1.json"]


def test_a_model_that_was_saved_again_is_identical_content(trained: Any) -> None:
    import hashlib

    import joblib

    run = trained()
    model = run / "artifacts/model.pkl"
    joblib.dump(joblib.load(model), model, compress=3)
    report = again(run)
    assert report["verdict"] == "identical content"
    assert "artifacts/model.pkl" in fields(report["reasons"])

    def record_it(raw: Any) -> None:
        data = model.read_bytes()
        raw["artifact_digests"]["artifacts/model.pkl"] = {
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
        }

    edit(run, "run.json", record_it)
    assert again(run)["verdict"] == "identical content"


def test_a_model_that_could_run_code_is_not_loaded(trained: Any, tmp_path: Path) -> None:
    import hashlib

    run, mark = trained(), tmp_path / "mark"
    hostile = f"cposix\nsystem\n(S'touch {mark}'\ntR.".encode()
    (run / "artifacts/model.pkl").write_bytes(hostile)

    def record_it(raw: Any) -> None:
        raw["artifact_digests"]["artifacts/model.pkl"] = {
            "sha256": hashlib.sha256(hostile).hexdigest(),
            "bytes": len(hostile),
        }

    edit(run, "run.json", record_it)
    report = again(run)
    assert report["verdict"] == "different"
    assert {item["what"] for item in report["not_checked"]} == {
        "content",
        "predictions and coefficients",
    }
    assert not mark.exists()


def test_a_model_that_is_gone_is_compared_by_its_digest(trained: Any) -> None:
    run = trained()
    (run / "artifacts/model.pkl").unlink()
    report = again(run)
    assert report["verdict"] == "identical bytes"
    assert [item["what"] for item in report["not_checked"]] == ["artifacts/model.pkl"]
    assert "found_sha256" not in report["artifacts"][0]


def test_a_request_that_contradicts_the_record_is_named(trained: Any) -> None:
    run = trained()

    def change(raw: Any) -> None:
        raw["seed"] = 7
        raw["model"]["hyperparameters"] = {"C": 0.5}

    edit(run, "request.json", change)
    report = again(run)
    assert report["verdict"] == "different"
    assert report["contradictions"] == [
        {"field": "/seed", "request": 7, "run": 42},
        {"field": "/model/hyperparameters/C", "request": 0.5, "run": 1.0},
    ]
    assert "request.json#/seed" in fields(report["reasons"])


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda raw: raw["hyperparameters"].pop(), "run.json#/hyperparameters/warm_start"),
        (
            lambda raw: raw["hyperparameters"].append(
                {"name": "tau", "value": 1, "source": "request"}
            ),
            "run.json#/hyperparameters",
        ),
        (
            lambda raw: raw["split"].update(validation_fraction=0.25),
            "run.json#/split/validation_fraction",
        ),
        (lambda raw: raw.update(schema_version="run.v9.0.0"), "run.json#/schema_version"),
        (lambda raw: raw.update(seed=-1), "run.json#/seed"),
        (lambda raw: raw["dataset"].update(path="../../x.csv"), "run.json#/dataset/path"),
        (lambda raw: raw["device"].update(type="gpu"), "run.json#/device/type"),
        (lambda raw: raw.update(label_column="no such"), "training"),
        (set_hyperparameter("C", -1), "training"),
    ],
)
def test_what_a_record_lacks_or_cannot_mean_is_named(
    change: Callable[[Any], None], place: str, trained: Any
) -> None:
    run = trained()
    edit(run, "run.json", change)
    report = again(run)
    assert report["verdict"] == "not reproducible here"
    assert place in fields(report["reasons"])


@pytest.mark.parametrize("file", ["run.json", "request.json"])
def test_a_document_that_is_missing_or_torn_is_named(file: str, trained: Any) -> None:
    run = trained()
    (run / file).write_text('{"version": 1,')
    report = again(run)
    assert report["verdict"] == "not reproducible here"
    assert any("cannot be read" in item["message"] for item in report["reasons"])
    (run / file).unlink()
    report = again(run)
    assert [item["field"] for item in report["reasons"]] == [file]


OLDER = sorted(
    path.parent
    for path in (VECTORS / "runs").glob("*/.*/runs/*/run.json")
    if not path.is_relative_to(VECTORS / "runs/v0.4.0")
)


@pytest.mark.parametrize("run", OLDER, ids=lambda run: f"{run.parents[2].name}-{run.name[-4:]}")
def test_a_run_of_an_older_client_says_what_its_record_lacks(run: Path) -> None:
    report = again(run)
    assert report["verdict"] == "not reproducible here"
    version = json.loads((run / "run.json").read_text())["schema_version"]
    lacking = fields(report["reasons"])
    assert f"as in every {version}" in lacking["run.json#/seed"]["message"]
    assert "run.json#/provenance" in lacking
    has = "hyperparameters" in json.loads((run / "run.json").read_text())
    assert ("run.json#/hyperparameters" in lacking) is not has


@pytest.mark.parametrize(
    "run", sorted((VECTORS / "runs/v0.4.0/.runforge/runs").iterdir()), ids=lambda run: run.name[-4:]
)
def test_runs_of_the_test_vectors_have_a_verdict(run: Path) -> None:
    before = snapshot(VECTORS / "runs/v0.4.0")
    report = again(run)
    if not (run / "run.json").exists():
        assert "ended as" in report["reasons"][0]["message"] or "has not" in str(report["reasons"])
    # The models of the vectors are in the form of joblib, so their bytes are others.
    assert report["verdict"] in ("identical content", "not reproducible here", "different", THIRD)
    assert snapshot(VECTORS / "runs/v0.4.0") == before


# --- the process ---


def test_a_training_that_dies_is_reported(trained: Any) -> None:
    run = trained()
    # numpy refuses to load where both are set.
    both = dict.fromkeys(("NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES"), "AVX2")
    edit(
        run,
        "run.json",
        lambda raw: raw["provenance"]["numerics"].update(pinned=False, environment=both),
    )
    report = again(run)
    assert report["verdict"] == "not reproducible here"
    (reason,) = report["reasons"]
    assert reason["field"] == "training"
    assert "did not finish: it ended with code 1: " in reason["message"]


def test_variables_that_a_document_must_not_set_are_not_set(trained: Any) -> None:
    run = trained()
    hostile = {
        "OMP_NUM_THREADS": "100000",
        "GLIBC_TUNABLES": "glibc.malloc.check=3",
        "OPENBLAS_CORETYPE": "Haswell; echo",
        "LD_PRELOAD": "/tmp/evil.so",
        "PYTHONPATH": "/tmp/evil",
    }
    edit(
        run,
        "run.json",
        lambda raw: raw["provenance"]["numerics"].update(pinned=False, environment=hostile),
    )
    report = again(run)
    assert {item["what"] for item in report["not_checked"]} == {
        "numerics.environment.OMP_NUM_THREADS",
        "numerics.environment.GLIBC_TUNABLES",
        "numerics.environment.OPENBLAS_CORETYPE",
    }
    here = fields(report["environment"])
    assert "here" not in here["numerics.environment.LD_PRELOAD"]


def test_modules_in_the_workspace_are_not_imported(
    trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained()
    for name in ("numpy", "json", "runforge_engine"):
        (run.parents[2] / f"{name}.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(run.parents[2])
    assert again(run)["verdict"] == "identical bytes"


def test_a_cancelled_reproduction_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train_in(tmp_path / "workspace", "penguins", "random_forest")
    edit(run, "run.json", set_hyperparameter("n_estimators", 1_000_000))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    cancellation = Cancellation()

    class CancelInTheMiddle(Observer):
        def on_event(self, event: dict[str, Any]) -> None:
            if event["event"] == "train_progress":
                cancellation.cancel()

    keep = tmp_path / "kept"
    with pytest.raises(RunForgeError) as caught:
        again(run, observer=CancelInTheMiddle(), cancellation=cancellation, keep=keep)
    assert caught.value.code is ErrorCode.CANCELLED
    assert not keep.exists()
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_reproducing_while_others_train_in_the_same_workspace(tmp_path: Path) -> None:
    first = train_in(tmp_path, "iris", "logistic_regression")
    others: list[Path] = []
    stop = threading.Event()

    def train() -> None:
        while not stop.is_set():
            others.append(train_in(tmp_path, "penguins", "linear_svc"))

    thread = threading.Thread(target=train)
    thread.start()
    try:
        report = again(first)
    finally:
        stop.set()
        thread.join()
    assert report["verdict"] == "identical bytes"
    assert len(others) > 1
    index = json.loads((tmp_path / ".runforge/index.json").read_text())
    assert [entry["run_id"] for entry in index["runs"]] == [path.name for path in (first, *others)]
