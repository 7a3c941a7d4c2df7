"""``runforge export --to skops`` and ``--to onnx``, read with skops and ONNX Runtime."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calls import TRAIN, Call
from real_experiments import Repository
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.run import Run
from runforge_engine.modeling.model_conversion import convert_model
from runforge_engine.modeling.revalidate import recorded_model

pytestmark = [
    # They have an environment of their own.
    pytest.mark.needs(package="skops"),
    pytest.mark.needs(package="onnxruntime"),
    # Warnings of the libraries are about their own dependencies.
    pytest.mark.filterwarnings("ignore"),
]
FORMATS = ("skops", "onnx")
#: The types that the guide tells a reader to trust.
TRUSTED = ["sklearn.tree._tree.Tree"]
SECRET = "Ünï <code> \x1b[31m"


class Exported:
    """A file, as a user without RunForge reads it."""

    def __init__(self, path: Path) -> None:
        if path.suffix == ".skops":
            from skops.io import get_untrusted_types, load

            assert set(get_untrusted_types(file=path)) <= set(TRUSTED)
            self.model = load(path, trusted=TRUSTED)
            with zipfile.ZipFile(path) as archive:
                self.stated = json.loads(archive.read("runforge.json"))
        else:
            import onnx
            import onnxruntime

            onnx.checker.check_model(onnx.load(path), full_check=True)
            self.model = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            found = self.model.get_modelmeta().custom_metadata_map
            self.stated = {name.removeprefix("runforge."): text for name, text in found.items()}
            for name in ("features", "classes", "comparison"):
                self.stated[name] = json.loads(self.stated[name])

    def predict(self, rows: Any) -> tuple[list[Any], Any]:
        """Return labels and scores of rows, which have the features in their order."""
        if hasattr(self.model, "run"):
            names = [output.name for output in self.model.get_outputs()]
            assert names[0] == "label"
            labels, scores = self.model.run(None, {"X": rows})
            kind = self.stated["comparison"]["scores"]
            assert names[1] == {"probability": "probabilities"}.get(kind, "decision_values")
        else:
            proba = hasattr(self.model, "predict_proba")
            method = self.model.predict_proba if proba else self.model.decision_function
            labels, scores = self.model.predict(rows), method(rows)
        return labels.tolist(), scores


def exported(runforge: Call, form: str, *more: str, run: str = "latest") -> tuple[Any, Exported]:
    """Export a model, and return what was reported, and the file as it is read."""
    target = f"{run}.{len(list(Path().iterdir()))}.{form}"
    result = runforge("export", run, "--to", form, "-o", target, *more, "--json", "--quiet")
    assert (result.code, result.err) == (0, "")
    return result.json, Exported(Path(target))


def rows_of(path: str, features: list[str]) -> Any:
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = [[row[name] for name in features] for row in csv.DictReader(file)]
    return np.array([row for row in rows if "" not in row and "NA" not in row], dtype=float)


def predicted(runforge: Call, data: str, *options: str) -> list[Any]:
    rows = runforge("predict", "latest", data, "--json", "--quiet", *options).json["predictions"]
    return [row for row in rows if "prediction" in row or "probabilities" in row]


def change_labels(path: str, change: Callable[[str], str]) -> str:
    """Write the penguins with other labels, and return the name of the file."""
    with Path("penguins.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows({**row, "species": change(row["species"])} for row in rows)
    return path


#: A family with labels of each kind: three strings, two integers, and two strings as they may be.
CASES: dict[str, tuple[str, Callable[[str], str]]] = {
    "three strings": ("logistic_regression", str),
    "integers": ("random_forest", lambda label: "-7" if label == "Adelie" else "4294967296"),
    "two strings": ("linear_svc", lambda label: SECRET if label == "Adelie" else "é"),
}


@pytest.mark.parametrize("case", CASES)
def test_other_libraries_predict_the_same(case: str, runforge: Call, workspace: Path) -> None:
    family, change = CASES[case]
    data = change_labels("labels.csv", change)
    assert runforge("train", data, *TRAIN[2:], "--model", family, "--tag", SECRET).code == 0
    run = next((workspace / ".runforge/runs").iterdir())
    record = json.loads((run / "run.json").read_bytes())
    metrics = json.loads((run / "metrics.v1.json").read_bytes())
    labels = [row["prediction"] for row in predicted(runforge, data)]
    answers = [] if family == "linear_svc" else predicted(runforge, data, "--proba")
    expected = [row["probabilities"] for row in answers]
    for form in FORMATS:
        reported, file = exported(runforge, form, "--license", "MIT")
        comparison = reported["comparison"]
        assert (comparison["rows"], comparison["labels_differ"]) == (
            sum(map(sum, metrics["confusion_matrix"])),
            0,
        )
        assert comparison["greatest_difference"] <= (1e-7 if family == "random_forest" else 1e-12)
        assert file.stated["comparison"] == comparison
        assert file.stated["features"] == record["feature_names"]
        assert file.stated["classes"] == record["classes"]
        assert file.stated["run_id"] == record["run_id"]
        assert (
            file.stated["model_sha256"]
            == record["artifact_digests"]["artifacts/model.pkl"]["sha256"]
        )
        assert "MIT" in (file.stated.get("license"), file.stated.get("model_license"))
        found, scores = file.predict(rows_of(data, record["feature_names"]))
        assert found == labels
        if expected:
            assert np.abs(scores - np.array(expected)).max() < 1e-7


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_run_gives_the_same_bytes_and_nothing_is_replaced(
    form: str, runforge: Call, filled: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shown = runforge("export", "--to", form, "-o", f"a.{form}")
    assert "69 validation rows: every label is the same" in " ".join(shown.out.split())
    before = Path(f"a.{form}").read_bytes()
    again = runforge("export", "--to", form, "-o", f"a.{form}", "--json")
    assert (again.code, again.json["error"]["code"]) == (2, "USAGE_INVALID")
    other = tmp_path_factory.mktemp("elsewhere") / "copy"
    shutil.copytree(filled, other)
    arguments = ("--to", form, "-o", f"b.{form}", "--workspace", str(other))
    assert runforge("export", *arguments).code == 0
    assert Path(f"b.{form}").read_bytes() == before
    assert str(filled).encode() not in before
    assert not list(filled.glob(".*.tmp"))


def test_the_file_says_whether_a_recipe_makes_the_columns(runforge: Call, workspace: Path) -> None:
    assert runforge("prepare", "penguins.csv", "--label", "species", "-o", "ready.csv").code == 0
    recipe = next(workspace.glob("*.recipe.json")).name
    assert (
        runforge("train", "penguins.csv", "--recipe", recipe, "--model", "random_forest").code == 0
    )
    labels = [row["prediction"] for row in predicted(runforge, "penguins.csv")]
    for form in FORMATS:
        _, file = exported(runforge, form)
        assert "recipe" in file.stated["input"]
        assert len(file.stated["recipe_sha256"]) == 64
        found, _ = file.predict(rows_of("ready.csv", file.stated["features"]))
        assert found == labels


@pytest.mark.parametrize("form", FORMATS)
def test_what_cannot_be_compared_is_not_written(
    form: str, runforge: Call, repository: Repository
) -> None:
    def refused(run: str, code: str) -> None:
        result = runforge("export", run, "--to", form, "-o", "out", "--json")
        assert result.json["error"]["code"] == code
        assert not Path("out").exists()

    refused(repository.ids["first"], "ARTIFACT_NOT_FOUND")
    run = repository.ids["bridged"]
    # The temporary name is too long for a folder.
    too_long = runforge("export", run, "--to", form, "-o", "x" * 250, "--json")
    assert too_long.json["error"]["code"] == "STORE_NOT_WRITABLE"
    record = json.loads(next(repository.root.glob(f"**/runs/{run}/run.json")).read_bytes())
    data = repository.root / record["dataset"]["path"]
    content = data.read_bytes()
    data.write_bytes(content + content.splitlines(keepends=True)[-1])
    refused(run, "FILE_UNSAFE")
    data.unlink()
    refused(run, "DATASET_NOT_FOUND")
    data.write_bytes(content)
    model = next(repository.root.glob(f"**/runs/{run}/artifacts/model.pkl"))
    model.write_bytes(model.read_bytes()[:-1] + b"x.")
    refused(run, "VERIFICATION_FAILED")


def test_a_model_that_predicts_otherwise_is_not_written(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn.preprocessing import FunctionTransformer

    random = np.random.default_rng(0)
    rows = [*zip(*random.integers(0, 300, (2, 400)), random.integers(0, 2, 400), strict=True)]
    table = "\n".join(",".join(map(str, row)) for row in [("a", "b", "y"), *rows])
    Path("noise.csv").write_text(table, "utf-8")
    forest = ("--model", "random_forest", "--param", "n_estimators=10")
    assert runforge("train", "noise.csv", "--label", "y", *forest).code == 0
    run = Run(next((workspace / ".runforge/runs").iterdir()))
    model = recorded_model(run, ())
    compared = convert_model("onnx", run, workspace, model, workspace / "right.onnx", {})
    assert compared.greatest_difference is not None
    assert compared.greatest_difference < 1e-7
    # Compared as doubles, some rows are on the other side of a threshold.
    monkeypatch.setattr("skl2onnx.sklapi.CastTransformer", lambda dtype: FunctionTransformer())
    with pytest.raises(RunForgeError, match="of 80 validation rows") as caught:
        convert_model("onnx", run, workspace, model, workspace / "wrong.onnx", {})
    assert caught.value.code is ErrorCode.VERIFICATION_FAILED
    assert not (workspace / "wrong.onnx").exists()
